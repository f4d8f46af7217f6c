// The data files of the subcommands: which options say how they are read, and how far the reading is.
import { SetnetError } from '../errors';
import { readTable } from '../formats/read_table';
import type { ReadTableOptions, Table, TableFormat } from '../formats/table';
import type { Network } from '../network';
import { bytes, count, counted, duration, percent, quoted } from '../text';
import type { Context } from './command';
import { Failure, UsageError } from './failure';
import { choice, grouped, number, type Option, text, type Values } from './options';
import type { Screen } from './screen';

/** What is read from a file. */
export type DataTable = Table;

const formats: readonly TableFormat[] = ['csv', 'npy', 'npz', 'idx', 'svmlight'];

const answers = ['yes', 'no'] as const;
const targets = ['class', 'number'] as const;

/** How a file is read that has no answers, or whose answers nobody wants. */
export interface ReadingOptionTable {
  readonly [name: string]: Option<unknown>;
  readonly format: Option<TableFormat>;
  readonly header: Option<'yes' | 'no'>;
  readonly delimiter: Option<string>;
  readonly ignore: Option<string>;
  readonly 'first-index': Option<number>;
}

/** How a file is read that has answers. */
export interface LabelOptionTable extends ReadingOptionTable {
  readonly label: Option<string>;
  readonly labels: Option<string>;
}

/** As train has them. */
export interface DataOptionTable extends LabelOptionTable {
  readonly target: Option<'class' | 'number'>;
  readonly missing: Option<number>;
}

export const readingOptions: ReadingOptionTable = grouped('Data', {
  format: choice('NAME', () => formats, 'csv, npy, npz, idx or svmlight. Default: seen by the file itself.'),
  header: choice(
    'YES|NO',
    () => answers,
    'CSV: whether the first line has the names of the columns. Default: seen by the file.',
  ),
  delimiter: text('CHARACTER', 'CSV: what stands between cells. Default: seen by the file (comma, semicolon, tab, |).'),
  ignore: text(
    'COLUMNS',
    'CSV: columns that are no inputs, such as numbers of rows: names or numbers with commas between.',
  ),
  'first-index': number(
    '0|1',
    { min: 0, max: 1, integer: true },
    'SVMlight: the number of the first input. Default: 0 where it occurs.',
  ),
});

const labelOptions = grouped('Data', {
  label: text('COLUMN', 'CSV: the column of the answers, by name or by number from 0; -1 is the last one.'),
  labels: text(
    'FILE',
    'A file with an answer for each row (NPY, IDX, or a text with one a line). IDX images find their labels beside them.',
  ),
});

export const labelledOptions: LabelOptionTable = { ...labelOptions, ...readingOptions };

export const dataOptions: DataOptionTable = {
  ...labelOptions,
  ...grouped('Data', {
    target: choice(
      'KIND',
      () => targets,
      'class (default): answers are classes, names or numbers. number: they are numbers to predict.',
    ),
  }),
  ...grouped('Data', {
    missing: number(
      'NUMBER',
      { min: -3.4e38, max: 3.4e38 },
      'A number that means unknown, such as 255 or -9; unknown numbers count as the mean. Empty cells of a CSV and NaN do so anyway.',
    ),
  }),
  ...readingOptions,
};

/** A column by number where the text is an integer, else by name. */
function column(given: string): string | number {
  return /^[+-]?\d{1,15}$/.test(given) ? Number(given) : given;
}

/** What options say of reading. */
function readingOf(values: Values<ReadingOptionTable>, missing: number | undefined): ReadTableOptions {
  const { format, header, delimiter, ignore } = values;
  const firstIndex = values['first-index'] as 0 | 1 | undefined;
  if (delimiter !== undefined && delimiter !== '\\t' && Array.from(delimiter).length !== 1)
    throw new UsageError(`--delimiter must be one character (\\t is a tab), not '${delimiter}'`);
  return {
    ...(format === undefined ? {} : { format }),
    ...(header === undefined ? {} : { header: header === 'yes' }),
    ...(delimiter === undefined ? {} : { delimiter: delimiter === '\\t' ? '\t' : delimiter }),
    ...(ignore === undefined ? {} : { ignore: ignore.split(',').map((part) => column(part.trim())) }),
    ...(firstIndex === undefined ? {} : { firstIndex }),
    ...(missing === undefined ? {} : { missing }),
  };
}

async function read(path: string, options: ReadTableOptions, { screen, signal }: Context): Promise<Table> {
  try {
    return await readTable(path, { ...options, signal, onProgress: (progress) => showReading(path, progress, screen) });
  } catch (error) {
    throw error instanceof SetnetError ? inWordsOfOptions(error) : error;
  } finally {
    screen.clear();
  }
}

/** Messages of readTable name its options as programs write them. */
function inWordsOfOptions({ code, message, cause }: SetnetError): SetnetError {
  const text = message
    .replace(/^readTable: (label|labels|ignore|header|delimiter|format|inputs|features)(\[\d+\])?(?=:)/, '--$1')
    .replace(/^readTable: /, '')
    .replace(/^label names a column of a CSV file/, '--label names a column of a CSV file')
    .replace(/; a file of labels is given as labels$/, '; a file of labels is given by --labels')
    .replace(/\b(label|target|format): '([^']*)'/g, '--$1 $2')
    .replace(/\blabel: (-?\d+)/g, '--label $1')
    .replace(/\bignore: \[(['"]?)(.*?)\1\]/g, (_, _quote, name: string) => `--ignore ${quoted(name)}`)
    .replace(/\bheader: true\b/g, '--header yes')
    .replace(/\bfirstIndex\b/g, '--first-index');
  return new SetnetError(code, text, { cause });
}

function showReading(
  path: string,
  { bytes: done, totalBytes, rows }: { bytes: number; totalBytes?: number; rows?: number },
  screen: Screen,
): void {
  const part = totalBytes === undefined || totalBytes === 0 ? bytes(done) : percent(done / totalBytes, 0);
  screen.live(`reading ${path}: ${part}${rows === undefined ? '' : `, ${counted(rows, 'row')}`}`);
}

/** What a model says about the data that it takes. */
export interface ModelFacts {
  readonly inputs: number;
  readonly classes?: readonly string[] | undefined;
  readonly features?: readonly string[] | undefined;
  /** What stands for unknown numbers; undefined: they are errors. */
  readonly missing?: number | undefined;
  readonly isRegression: boolean;
}

/** What a network says. */
export function factsOf({ inputs, classes, features, missing, loss }: Network): ModelFacts {
  return { inputs, classes, features, missing, isRegression: loss === 'meanSquaredError' };
}

function likeModel({ inputs, classes, features, isRegression }: ModelFacts): ReadTableOptions {
  return {
    inputs,
    ...(classes === undefined ? {} : { classes }),
    ...(features === undefined ? {} : { features }),
    target: isRegression ? 'number' : 'class',
  };
}

function labelsOf({
  label,
  labels,
}: {
  readonly label?: string | undefined;
  readonly labels?: string | undefined;
}): ReadTableOptions {
  if (label !== undefined && labels !== undefined)
    throw new UsageError('--label and --labels are two places for the same answers; give one of them');
  return {
    ...(label === undefined ? {} : { label: column(label) }),
    ...(labels === undefined ? {} : { labels }),
  };
}

/** Throws where a table has no answers; `what`: its file. */
function expectAnswers(table: Table, path: string): void {
  if (table.y !== undefined) return;
  const { features } = table;
  const columns =
    features === undefined
      ? ''
      : `. Its columns: ${features.slice(0, 12).join(', ')}${features.length > 12 ? ', ...' : ''}`;
  const how =
    table.format === 'csv'
      ? '--label COLUMN names the column that has them'
      : '--labels FILE names the file that has them';
  throw new UsageError(`${path} has no answers: ${how}${columns}`);
}

/** What stands for unknown numbers in data to learn from; the network is told the same. */
export function missingOf({ missing }: Values<Pick<DataOptionTable, 'missing'>>): number {
  return missing ?? Number.NaN;
}

/** Data to learn from: their classes are those that occur. */
export async function readData(path: string, values: Values<DataOptionTable>, context: Context): Promise<Table> {
  const target = values.target ?? 'class';
  const table = await read(path, { ...readingOf(values, missingOf(values)), ...labelsOf(values), target }, context);
  expectAnswers(table, path);
  if (table.rows === 0) throw new Failure(`${path}: there are no rows`);
  if (target === 'class' && (table.classes?.length ?? 0) < 2) {
    throw new Failure(
      `${path}: all answers are ${JSON.stringify(table.classes?.[0] ?? '')}; there must be two classes at least`,
    );
  }
  return table;
}

/** Data with answers for a network that exists already, or is made for other data. */
export async function readAnswered(
  path: string,
  values: Values<LabelOptionTable>,
  model: ModelFacts,
  context: Context,
): Promise<Table> {
  const table = await read(
    path,
    { ...readingOf(values, model.missing), ...labelsOf(values), ...likeModel(model) },
    context,
  );
  expectAnswers(table, path);
  if (table.rows === 0) throw new Failure(`${path}: there are no rows`);
  return table;
}

/** Data to answer: what answers they have themselves is not looked at. */
export async function readQuestions(
  path: string,
  values: Values<ReadingOptionTable>,
  model: ModelFacts,
  context: Context,
): Promise<Table> {
  const { inputs, features } = model;
  const names = features === undefined ? {} : { features };
  const table = await read(path, { ...readingOf(values, model.missing), label: false, inputs, ...names }, context);
  if (table.rows === 0) throw new Failure(`${path}: there are no rows`);
  return table;
}

/** "flowers.csv: 150 rows of 4 inputs, 3 classes (csv), 0.01 s, 12,345 rows/s" */
export function describeTable(path: string, { rows, inputs, classes, format, x }: Table, seconds: number): string {
  const kind = classes === undefined ? 'numbers to predict' : counted(classes.length, 'class', 'classes');
  const sparse = 'density' in x ? `, ${percent(x.density, 2)} of them not 0` : '';
  const speed = seconds > 0 ? `, ${count(Math.round(rows / seconds))} rows/s` : '';
  return `${path}: ${counted(rows, 'row')} of ${counted(inputs, 'input')}${sparse}, ${kind} (${format}), ${seconds < 10 ? `${seconds.toFixed(2)} s` : duration(seconds)}${speed}`;
}

/** How many numbers of a table are unknown. */
export function unknownCells({ x }: Table, missing: number): number {
  if (!('shape' in x)) return 0;
  let unknown = 0;
  for (const value of x.data) if (value === missing || Number.isNaN(value)) unknown++;
  return unknown;
}
