// `setnet predict`: what a network answers to the rows of a file.

import { CsrMatrix } from '../csr_matrix';
import { writeNpy } from '../formats/npy';
import { maxThreads } from '../loader';
import { Network } from '../network';
import { count, counted, duration } from '../text';
import type { FeatureMatrix } from '../types';
import { type Command, type Context, defineCommand } from './command';
import { type DataTable, factsOf, readingOptions, readQuestions } from './data_file';
import { UsageError } from './failure';
import { checkWritable, openFile, type Sink } from './files';
import { choice, flag, grouped, number, text, type Values } from './options';

const outputFormats = ['csv', 'jsonl', 'npy'] as const;
const outputs = ['probabilities', 'classes', 'logits'] as const;

const options = {
  ...readingOptions,
  ...grouped('Output', {
    out: text('FILE', 'Where the answers go. Default: stdout.'),
    as: choice(
      'FORMAT',
      () => outputFormats,
      'csv (default), jsonl (a JSON object a line) or npy (numbers only, into a file). Default: by the name of --out.',
    ),
    output: choice(
      'WHAT',
      () => outputs,
      "probabilities: the class, and how probable each one is (default); classes: the class alone; logits: the network's raw outputs.",
    ),
    json: flag('Print what was done as one JSON object; needs --out.'),
  }),
  threads: number('N', { min: 1, max: maxThreads, integer: true }, 'Default: SETNET_THREADS, else all.'),
};

type PredictValues = Values<typeof options>;

/** Rows that are answered at once: what is in memory beside the data. */
const rowsAtOnce = 4096;

export const predict: Command = defineCommand({
  name: 'predict',
  summary: 'Answer the rows of a file with a trained network',
  positionals: [
    { name: 'MODEL', help: 'A file that setnet train has written.' },
    {
      name: 'DATA',
      help: 'As for setnet train. A column is found by its name where both files have names; others are not looked at.',
    },
  ],
  notes: [
    'Answers are in the order of the rows: the class, then the probability of each class. A network that was trained on numbers answers numbers.',
  ],
  options,
  examples: [
    'setnet predict flowers.safetensors new.csv',
    'setnet predict flowers.safetensors new.csv --out answers.jsonl',
  ],
  answers: ({ out }) => out === undefined,
  async run(values, [model = '', path = ''], context) {
    const format = formatOf(values);
    if (values.out !== undefined) checkWritable(values.out, '--out');
    else if (values.json)
      throw new UsageError('--json says what was done, and stdout has the answers; give --out FILE');
    const net = await Network.load(model, values.threads === undefined ? {} : { threads: values.threads });
    const facts = factsOf(net);
    const table = await readQuestions(path, values, facts, context);
    const began = performance.now();
    await answer(net, table, values, format, context);
    const seconds = (performance.now() - began) / 1000;
    const { screen } = context;
    const { rows } = table;
    if (values.json) {
      await context.write(`${JSON.stringify({ out: values.out, format, rows, seconds })}\n`);
    } else if (values.out !== undefined) {
      const speed = seconds > 0 ? `, ${count(Math.round(rows / seconds))} rows/s` : '';
      screen.line(`${values.out}: ${counted(rows, 'answer')} (${format}), ${duration(seconds)}${speed}`);
    }
  },
});

function formatOf({ as, out }: PredictValues): (typeof outputFormats)[number] {
  const named = outputFormats.find((format) => out?.toLowerCase().endsWith(`.${format}`));
  const format = as ?? named ?? 'csv';
  if (format === 'npy' && out === undefined) throw new UsageError('--as npy is for files: give --out FILE.npy');
  return format;
}

/** Takes some of the rows. */
type RowTaker = (from: number, to: number) => FeatureMatrix | CsrMatrix;

function rowTaker(x: FeatureMatrix | CsrMatrix): RowTaker {
  if (x instanceof CsrMatrix) {
    const { columns, rowPointers, columnIndices, values } = x;
    return (from, to) => {
      const pointers = rowPointers.slice(from, to + 1);
      const [begin = 0] = pointers;
      const end = pointers.at(-1) as number;
      return CsrMatrix.from({
        rows: to - from,
        columns,
        rowPointers: pointers.map((pointer) => pointer - begin),
        columnIndices: columnIndices.subarray(begin, end),
        values: values.subarray(begin, end),
      });
    };
  }
  const columns = x.shape[1];
  return (from, to) => ({ data: x.data.subarray(from * columns, to * columns), shape: [to - from, columns] });
}

/** Answers all rows, some thousand at once. */
async function answer(
  net: Network,
  { x, rows }: DataTable,
  values: PredictValues,
  format: (typeof outputFormats)[number],
  context: Context,
): Promise<void> {
  const output =
    values.output ?? (net.loss === 'meanSquaredError' || net.loss === undefined ? 'logits' : 'probabilities');
  const take = rowTaker(x);
  const parts = async function* (): AsyncGenerator<Float32Array | Int32Array> {
    for (let from = 0; from < rows; from += rowsAtOnce) {
      context.signal.throwIfAborted();
      yield await net.predict(take(from, Math.min(rows, from + rowsAtOnce)), { output });
      showAnswers(values, from, rows, context);
    }
  };
  if (format === 'npy') {
    await writeArray(values.out as string, parts(), rows, output === 'classes' ? undefined : net.outputs);
    return;
  }
  const sink: Sink =
    values.out === undefined
      ? { write: context.write, finish: async () => {}, discard: async () => {} }
      : await openFile(values.out);
  const form = output === 'classes' ? classForm(net) : output === 'logits' ? numberForm(net) : probabilityForm(net);
  try {
    let isRead = format === 'jsonl' || (await sink.write(`${form.names.map(cell).join(',')}\n`));
    for await (const numbers of parts()) {
      const lines = form.rows(numbers).map((row) => (format === 'csv' ? row.cells.map(cell).join(',') : row.json));
      isRead = await sink.write(`${lines.join('\n')}\n`);
      if (!isRead) break;
    }
    await sink.finish();
  } catch (error) {
    await sink.discard();
    throw error;
  }
}

function showAnswers({ out }: PredictValues, done: number, rows: number, { screen }: Context): void {
  if (out !== undefined) screen.live(`${count(done)} of ${counted(rows, 'row')} answered`);
}

async function writeArray(
  path: string,
  parts: AsyncIterable<Float32Array | Int32Array>,
  rows: number,
  columns: number | undefined,
): Promise<void> {
  const all = columns === undefined ? new Int32Array(rows) : new Float32Array(rows * columns);
  let at = 0;
  for await (const numbers of parts) {
    all.set(numbers, at);
    at += numbers.length;
  }
  await writeNpy(path, all, columns === undefined ? [rows] : [rows, columns]);
}

/** How answers are written. */
interface Form {
  /** Of the columns of a CSV. */
  readonly names: readonly string[];
  rows(numbers: Float32Array | Int32Array): { readonly cells: readonly string[]; readonly json: string }[];
}

/** An f32 with the digits that it has. */
function digits(value: number): string {
  return String(Number(value.toPrecision(7)));
}

/** Of each class; where there are no names, its number. A single output tells two classes apart. */
function classNames({ classes, outputs }: Network): readonly string[] {
  return classes ?? Array.from({ length: Math.max(2, outputs) }, (_, i) => String(i));
}

function classForm(net: Network): Form {
  const names = classNames(net);
  return {
    names: ['class'],
    rows: (numbers) =>
      Array.from(numbers, (number) => {
        const name = names[number] as string;
        return { cells: [name], json: JSON.stringify({ class: name }) };
      }),
  };
}

function probabilityForm(net: Network): Form {
  const isBinary = net.loss === 'binaryCrossEntropy';
  if (isBinary && net.outputs > 1) return numberForm(net);
  const names = classNames(net);
  return {
    names: ['class', ...names],
    rows: (numbers) =>
      rowsOf(numbers, net.outputs).map((row) => {
        // A single output is the probability of class 1.
        const all = isBinary ? [1 - (row[0] as number), row[0] as number] : row;
        const name = names[all.indexOf(Math.max(...all))] as string;
        const probabilities = Object.fromEntries(names.map((each, i) => [each, Number(digits(all[i] as number))]));
        return { cells: [name, ...all.map(digits)], json: JSON.stringify({ class: name, probabilities }) };
      }),
  };
}

function numberForm({ classes, outputs }: Network): Form {
  const names =
    classes !== undefined && classes.length === outputs
      ? classes
      : outputs === 1
        ? ['prediction']
        : Array.from({ length: outputs }, (_, i) => `output${i}`);
  return {
    names,
    rows: (numbers) =>
      rowsOf(numbers, outputs).map((row) => ({
        cells: row.map(digits),
        json: JSON.stringify(Object.fromEntries(names.map((name, i) => [name, Number(digits(row[i] as number))]))),
      })),
  };
}

function rowsOf(numbers: Float32Array | Int32Array, columns: number): number[][] {
  return Array.from({ length: numbers.length / columns }, (_, row) =>
    Array.from(numbers.subarray(row * columns, (row + 1) * columns)),
  );
}

/** A cell of a CSV (RFC 4180). */
function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
