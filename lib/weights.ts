// Weights of training samples: how much the loss of each one counts.
import type { NumberArray } from './csr_matrix';
import type { DataShape } from './data';
import { SetnetError } from './errors';
import { checkBuffer, lengthOf, typedArrayName } from './memory';
import type { NativeDataset } from './native';
import { describe, listOf, optionError, readNumber, suggest, typeError } from './options';
import { classesOf } from './rules/loss';

/** 'balanced', a number for each class in their order, or numbers by class name; a class without one counts 1. */
export type ClassWeights = 'balanced' | NumberArray | { readonly [name: string]: number };

/** The weights of a fit before it has samples. */
export interface ReadWeights {
  /** Of every class, checked. */
  readonly classWeights?: 'balanced' | readonly number[];
  /** As they were given; their number is checked before they are read. */
  readonly sampleWeights?: unknown;
}

const arrayNames = [
  'Float32Array',
  'Float64Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Uint16Array',
  'Uint32Array',
  'Int8Array',
  'Int16Array',
  'Int32Array',
];

/** An array or typed array that may hold numbers, or undefined. */
function arrayOf(value: unknown, where: string): ArrayLike<unknown> | undefined {
  const name = typedArrayName(value);
  if (name === undefined) return Array.isArray(value) ? value : undefined;
  if (!arrayNames.includes(name)) return undefined;
  checkBuffer(value as ArrayBufferView, where);
  return value as ArrayLike<unknown>;
}

function lengthOfArray(array: ArrayLike<unknown>): number {
  return typedArrayName(array) === undefined ? array.length : lengthOf(array as unknown as ArrayBufferView);
}

/** Without -0, which JSON does not know. */
function readClassWeight(value: unknown, where: string): number {
  return readNumber(value, where, { min: 0, max: Number.POSITIVE_INFINITY }) + 0;
}

function readByName(value: object, classes: readonly string[] | undefined, where: string): number[] {
  if (classes === undefined) {
    throw optionError(
      `${where} has names of classes, but the network was created without \`classes\`; give an array with a number for each class`,
    );
  }
  const weightOf = new Map(classes.map((name) => [name, 1]));
  const entries = Object.entries(value);
  if (entries.length === 0) throw optionError(`${where} names no class`);
  for (const [name, weight] of entries) {
    if (!weightOf.has(name))
      throw optionError(`${where}: there is no class ${describe(name)}.${suggest(name, classes)}`);
    weightOf.set(name, readClassWeight(weight, `${where}[${describe(name)}]`));
  }
  return [...weightOf.values()];
}

function readClassWeights(
  value: unknown,
  loss: string,
  { outputs, classes }: DataShape,
  where: string,
): 'balanced' | readonly number[] {
  const count = classesOf(loss, outputs);
  if (count === 0) {
    throw optionError(
      `${where} have no meaning for the loss '${loss}' with ${outputs} ${outputs === 1 ? 'output' : 'outputs'}: a sample is not of one class`,
    );
  }
  if (value === 'balanced') return value;
  const array = arrayOf(value, where);
  if (array === undefined) {
    if (typeof value !== 'object' || value === null || typedArrayName(value) !== undefined) {
      throw typeError(
        `${where} must be 'balanced', an array with a number for each class or { name: number }, not ${describe(value)}`,
      );
    }
    return readByName(value, classes, where);
  }
  const length = lengthOfArray(array);
  if (length !== count) {
    throw new SetnetError('ERR_SETNET_SHAPE', `${where} has ${length} numbers, but there are ${count} classes`);
  }
  return Array.from({ length }, (_, c) => readClassWeight(array[c], `${where}[${c}]`));
}

function readSampleWeights(value: unknown, rows: number, where: string): Float64Array {
  const array = arrayOf(value, where);
  if (array === undefined) {
    throw typeError(
      `${where} must have a number for each sample: a ${listOf(arrayNames)} or an array of numbers, not ${describe(value)}`,
    );
  }
  const length = lengthOfArray(array);
  if (length !== rows) {
    throw new SetnetError('ERR_SETNET_SHAPE', `${where} has ${length} numbers, but there are ${rows} samples`);
  }
  const weights = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const weight = array[i];
    if (typeof weight !== 'number') throw typeError(`${where}[${i}] must be a number, not ${describe(weight)}`);
    if (!Number.isFinite(weight))
      throw new SetnetError('ERR_SETNET_NONFINITE', `${where}[${i}] is ${weight}; weights must be finite numbers`);
    if (weight < 0) throw new SetnetError('ERR_SETNET_DATA', `${where}[${i}] is ${weight}; weights are at least 0`);
    weights[i] = weight;
  }
  return weights;
}

/** The options `classWeights` and `sampleWeights`. */
export function readWeights(
  { classWeights, sampleWeights }: { readonly classWeights?: unknown; readonly sampleWeights?: unknown },
  loss: string,
  shape: DataShape,
  where: string,
): ReadWeights {
  return {
    ...(classWeights === undefined
      ? {}
      : { classWeights: readClassWeights(classWeights, loss, shape, `${where}: classWeights`) }),
    ...(sampleWeights === undefined ? {} : { sampleWeights }),
  };
}

/** The class of every sample. */
function labelsOf({ classes, numbers }: NativeDataset, where: string): ArrayLike<number> {
  if (classes !== undefined) return classes;
  const fractions = numbers as Float32Array;
  const at = fractions.findIndex((number) => number !== 0 && number !== 1);
  if (at < 0) return fractions;
  throw new SetnetError(
    'ERR_SETNET_DATA',
    `${where}: classWeights need labels, but row ${at} of data.y is ${fractions[at]}, between the classes 0 and 1`,
  );
}

/** n / (k n_c) for each of the k classes that occur, n_c times each (King and Zeng 2001): all have the same influence. */
function balancedWeights(labels: ArrayLike<number>, count: number): number[] {
  const samples = new Array<number>(count).fill(0);
  for (let i = 0; i < labels.length; i++) samples[labels[i] as number] = (samples[labels[i] as number] as number) + 1;
  const occurring = samples.filter((times) => times > 0).length;
  return samples.map((times) => (times > 0 ? labels.length / (occurring * times) : 0));
}

/**
 * The samples with one weight each: that of the class times that of the sample, in double, rounded once. `isBatch`: others come
 * that may count where none of these does.
 */
export function weighSamples(
  dataset: NativeDataset,
  { classWeights, sampleWeights }: ReadWeights,
  count: number,
  where: string,
  isBatch = false,
): NativeDataset {
  if (classWeights === undefined && sampleWeights === undefined) return dataset;
  const { rows } = dataset;
  const own =
    sampleWeights === undefined ? undefined : readSampleWeights(sampleWeights, rows, `${where}: sampleWeights`);
  const weights = new Float32Array(rows);
  if (classWeights === undefined) {
    weights.set(own as Float64Array);
  } else {
    const labels = labelsOf(dataset, where);
    const ofClass = classWeights === 'balanced' ? balancedWeights(labels, count) : classWeights;
    for (let i = 0; i < rows; i++) weights[i] = (ofClass[labels[i] as number] as number) * (own?.[i] ?? 1);
  }
  let isAnyAbove = false;
  for (let i = 0; i < rows; i++) {
    const weight = weights[i] as number;
    if (!Number.isFinite(weight)) {
      throw new SetnetError(
        'ERR_SETNET_NONFINITE',
        `${where}: the weight of sample ${i} is no finite number in 32 bits; give smaller classWeights or sampleWeights`,
      );
    }
    isAnyAbove ||= weight > 0;
  }
  if (isAnyAbove || isBatch) return { ...dataset, weights };
  throw new SetnetError('ERR_SETNET_DATA', `${where}: no sample has a weight above 0`);
}
