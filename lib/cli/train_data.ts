// What `setnet train` learns from: the files read, and a part of the samples kept away.
import type { Dataset } from '../data';
import { type HeldOut, holdOut } from '../hold_out';
import { counted, figure, wrap } from '../text';
import type { Context } from './command';
import {
  type DataOptionTable,
  type DataTable,
  describeTable,
  missingOf,
  readAnswered,
  readData,
  unknownCells,
} from './data_file';
import { Failure } from './failure';
import type { DataFacts, NetworkOptionTable } from './network_options';
import type { Values } from './options';

/** The options that are looked at. */
export type TrainDataValues = Values<DataOptionTable> &
  Pick<Values<NetworkOptionTable>, 'hold-out' | 'seed'> & {
    readonly test: string | undefined;
    readonly 'test-labels': string | undefined;
    readonly quiet: true | undefined;
  };

/** What is trained on. */
export interface Prepared {
  readonly table: DataTable;
  readonly test: DataTable | undefined;
  readonly parts: { readonly training: Dataset; readonly validation?: Dataset };
  readonly facts: DataFacts;
  /** Of reading the data. */
  readonly seconds: number;
}

/** Reads everything and says what it is. */
export async function prepare(values: TrainDataValues, path: string, context: Context): Promise<Prepared> {
  const { screen } = context;
  const missing = missingOf(values);
  const timed = async (file: string, reading: () => Promise<DataTable>): Promise<[DataTable, number]> => {
    const began = performance.now();
    const read = await reading();
    const taken = (performance.now() - began) / 1000;
    if (!values.quiet) {
      screen.lines(wrap(describeTable(file, read, taken), screen.width));
      const unknown = unknownCells(read, missing);
      if (unknown > 0)
        screen.line(
          `${counted(unknown, 'number')} ${unknown === 1 ? 'is unknown and counts' : 'are unknown and count'} as the mean`,
        );
    }
    return [read, taken];
  };
  const [table, seconds] = await timed(path, () => readData(path, values, context));
  const model = { ...table, missing, isRegression: table.classes === undefined };
  const { test: testPath } = values;
  const testValues = { ...values, labels: values['test-labels'] };
  const test =
    testPath === undefined
      ? undefined
      : (await timed(testPath, () => readAnswered(testPath, testValues, model, context)))[0];
  const fraction = values['hold-out'] ?? 0.1;
  const parts: HeldOut | { training: Dataset } =
    fraction === 0
      ? { training: datasetOf(table) }
      : holdOut(datasetOf(table), { fraction, seed: values.seed ?? 1n, reuse: true });
  const training = rowsOf(parts.training);
  return {
    table,
    test,
    parts,
    seconds,
    facts: {
      inputs: table.inputs,
      outputs: table.classes?.length ?? 1,
      isRegression: table.classes === undefined,
      ...(table.classes === undefined ? {} : { classes: table.classes }),
      ...(table.features === undefined ? {} : { features: table.features }),
      samples: training,
      heldOut: 'validation' in parts ? rowsOf(parts.validation) : 0,
      missing,
    },
  };
}

/** Throws where there are no answers. */
export function datasetOf({ x, y }: DataTable): Dataset {
  if (y === undefined) throw new Failure('there are no answers to learn from');
  return { x, y };
}

function rowsOf({ x }: Dataset): number {
  const { shape, rows } = x as { shape?: readonly [number, number]; rows?: number };
  return shape?.[0] ?? rows ?? 0;
}

/** Numbers to predict that a network learns slowly, for they are far from 0 or from 1. */
export function scaleNote({ y, classes }: DataTable): string | undefined {
  if (classes !== undefined || y === undefined) return undefined;
  const mean = sumOf(y, (value) => value) / y.length;
  const deviation = Math.sqrt(sumOf(y, (value) => (value - mean) ** 2) / y.length);
  if (deviation === 0) return 'Note: all numbers to predict are the same.';
  if (deviation > 0.1 && deviation < 10 && Math.abs(mean) < 10) return undefined;
  return `Note: the numbers to predict have the mean ${figure(mean)} and the standard deviation ${figure(deviation)}. A network learns them well only if both are near 0 and 1: subtract and divide before.`;
}

function sumOf(numbers: Iterable<number>, term: (value: number) => number): number {
  let sum = 0;
  for (const value of numbers) sum += term(value);
  return sum;
}
