// Data files of every kind into one form, that which fit, predict and evaluate take.
import {
  describe,
  listOf,
  optionError,
  readBoolean,
  readName,
  readNames,
  readNumber,
  readOptions,
  readPath,
  typeError,
} from '../options';
import type { AbortSignalLike, FileUrl } from '../types';
import { addLabels, toFeatures } from './arrays';
import { addLabelsFrom, readCsvFrom } from './csv';
import { findLabels, isIdx, readIdxFrom } from './idx';
import { checkLabelCount, LabelCollector, type LabelResult } from './labels';
import { isNpy, type NpyArray, readNpyFrom } from './npy';
import { csrNames, featureNames, findArray, labelNames, readArraysFrom, toCsrMatrix } from './npz';
import { largestFloat } from './numbers';
import { type ByteReader, type DataFile, formatError, type ReadControl, shapeError, withReader } from './source';
import { isSvmlightLine, readSvmlightFrom } from './svmlight';
import type { ReadTableOptions, Table, TableFormat } from './table';
import { isZip } from './zip';

/** Options that were read: the file of labels as a path. */
type Options = Omit<ReadTableOptions, 'labels'> & { readonly labels?: string };

const formats = ['csv', 'npy', 'npz', 'idx', 'svmlight'] as const;
const titles: Readonly<Record<TableFormat, string>> = {
  csv: 'CSV',
  npy: 'NPY',
  npz: 'NPZ',
  idx: 'IDX',
  svmlight: 'SVMlight',
};

const optionNames = [
  'format',
  'label',
  'labels',
  'target',
  'classes',
  'features',
  'ignore',
  'inputs',
  'header',
  'delimiter',
  'missing',
  'firstIndex',
  'signal',
  'onProgress',
] as const;

const integers = { min: -(2 ** 31), max: 2 ** 31, integer: true };

function readColumn(value: unknown, where: string): string | number {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return readNumber(value, where, integers);
  throw typeError(`${where} must be the name of a column or its number from 0, not ${describe(value)}`);
}

function readList(value: unknown, where: string): readonly string[] {
  if (!Array.isArray(value)) throw typeError(`${where} must be an array of names, not ${describe(value)}`);
  if (value.length === 0) throw optionError(`${where} has no names`);
  return readNames(value, where, value.length, '');
}

function readMissing(value: unknown, where: string): number {
  if (typeof value !== 'number') throw typeError(`${where} must be a number or NaN, not ${describe(value)}`);
  if (Math.abs(value) > largestFloat)
    throw optionError(`${where} must be finite as a 32-bit float, or NaN, not ${value}`);
  return value;
}

function readDelimiter(value: unknown, where: string): string {
  if (typeof value !== 'string') throw typeError(`${where} must be one character, not ${describe(value)}`);
  if (value.length === 1 && !'"\r\n\ufeff'.includes(value)) return value;
  throw optionError(
    `${where} must be one character that is neither a quote nor the end of a line, not ${describe(value)}`,
  );
}

function readSignal(value: unknown, where: string): AbortSignalLike {
  if (typeof (value as Partial<AbortSignalLike> | null)?.aborted === 'boolean') return value as AbortSignalLike;
  throw typeError(`${where} must be an AbortSignal, not ${describe(value)}`);
}

/** How each option is read that is given. */
const readers: { [Name in (typeof optionNames)[number]]: (value: unknown, where: string) => unknown } = {
  format: (value, where) => readName(value, where, formats),
  label: (value, where) => (value === false ? false : readColumn(value, where)),
  labels: readPath,
  target: (value, where) => readName(value, where, ['class', 'number']),
  classes: readList,
  features: readList,
  ignore: (value, where) => {
    if (Array.isArray(value)) return value.map((column, i) => readColumn(column, `${where}[${i}]`));
    throw typeError(`${where} must be an array of columns, not ${describe(value)}`);
  },
  inputs: (value, where) => readNumber(value, where, { min: 1, max: 2 ** 32 - 1, integer: true }),
  header: readBoolean,
  delimiter: readDelimiter,
  missing: readMissing,
  firstIndex: (value, where) => readNumber(value, where, { min: 0, max: 1, integer: true }),
  signal: readSignal,
  onProgress: (value, where) => {
    if (typeof value === 'function') return value;
    throw typeError(`${where} must be a function, not ${describe(value)}`);
  },
};

function readAll(value: unknown): Options {
  const given = readOptions(value, 'readTable: options', optionNames);
  const options: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(given))
    options[name] = readers[name as keyof typeof readers](option, `readTable: ${name}`);
  const read = options as Options;
  if (read.label !== undefined && read.labels !== undefined)
    throw optionError('readTable: label and labels contradict each other: the labels are in a column or in a file');
  if (read.target === 'number' && read.classes !== undefined)
    throw optionError("readTable: classes contradict target: 'number'");
  return read;
}

/** Options that say something about some formats only. */
const formatsOf: { readonly [Name in keyof Options]?: readonly TableFormat[] } = {
  ignore: ['csv'],
  header: ['csv'],
  delimiter: ['csv'],
  missing: ['csv'],
  firstIndex: ['svmlight'],
};

function expectMeant(options: Options, format: TableFormat, path: string): void {
  for (const [name, known] of Object.entries(formatsOf)) {
    if (options[name as keyof Options] !== undefined && !known.includes(format)) {
      throw optionError(
        `readTable: ${name} is an option for ${known.map((each) => titles[each]).join(', ')} files, but ${path} is ${titles[format]}`,
      );
    }
  }
  if (format !== 'csv' && options.label !== undefined && options.label !== false) {
    throw optionError(
      `readTable: label names a column of a CSV file, but ${path} is ${titles[format]}; a file of labels is given as labels`,
    );
  }
}

/** By the end of the name, without .gz. */
const nameEndings: readonly (readonly [RegExp, TableFormat])[] = [
  [/\.(csv|tsv)$/i, 'csv'],
  [/\.npy$/i, 'npy'],
  [/\.npz$/i, 'npz'],
  [/[.-]idx\d?(-u?byte)?$/i, 'idx'],
  [/\.(svm|svmlight|libsvm)$/i, 'svmlight'],
];

/** By the first bytes, then by the name, then by the first line. */
async function detectFormat(reader: ByteReader, path: string): Promise<TableFormat> {
  const head = await reader.peek(4096);
  if (isNpy(head)) return 'npy';
  if (isZip(head)) return 'npz';
  if (isIdx(head)) return 'idx';
  const name = path.replace(/\.gz$/i, '');
  const byName = nameEndings.find(([ending]) => ending.test(name));
  if (byName !== undefined) return byName[1];
  if (head.includes(0)) {
    throw formatError(
      path,
      `the format is not known: neither ${listOf(formats)} by its first bytes or its name; format: says it`,
    );
  }
  const lines = Buffer.from(head).toString('latin1').split(/\r?\n/);
  const line = lines.find((each) => each.trim() !== '' && !each.startsWith('#')) ?? '';
  // The last element may be cut off in the middle.
  return isSvmlightLine(lines.length > 1 ? line : line.replace(/\S*$/, '')) ? 'svmlight' : 'csv';
}

async function addLabelsOf(path: string, labels: LabelCollector, control: ReadControl): Promise<void> {
  await withReader(path, control, async (reader) => {
    const head = await reader.peek(8);
    if (isNpy(head)) await addLabels(await readNpyFrom(reader), labels, path);
    else if (isIdx(head)) await addLabels(await readIdxFrom(reader), labels, path);
    else if (isZip(head))
      throw formatError(path, 'a file of several arrays; labels are read from NPY, IDX or text, one a line');
    else await addLabelsFrom(reader, labels);
  });
}

/** The table of an array, with its labels where they are there. */
async function toTable(
  array: NpyArray,
  labels: NpyArray | undefined,
  format: TableFormat,
  path: string,
  options: Options,
): Promise<Table> {
  const x = await toFeatures(array, path);
  const [rows, inputs] = x.shape;
  return describeTable({ x, rows, inputs, format }, labels, path, options);
}

async function describeTable(
  table: Table,
  labels: NpyArray | undefined,
  path: string,
  options: Options,
): Promise<Table> {
  const { features } = options;
  if (features !== undefined && features.length !== table.inputs)
    throw shapeError(path, `${table.inputs} columns of features, but ${features.length} features are named`);
  const named = features === undefined ? table : { ...table, features };
  if (labels === undefined || options.label === false || options.labels !== undefined) return named;
  const collector = newCollector(options);
  await addLabels(labels, collector, path);
  checkLabelCount(collector.count, table.rows, path, 'the array of features');
  return { ...named, ...(await collector.finish()) };
}

function newCollector({ target = 'class', classes }: Options): LabelCollector {
  return new LabelCollector({ target, classes });
}

async function readNpzTable(file: DataFile, path: string, options: Options): Promise<Table> {
  const arrays = await readArraysFrom(file, [...csrNames, ...featureNames, ...labelNames]);
  const labels = findArray(arrays, labelNames);
  if (arrays.has('indptr')) {
    const x = await toCsrMatrix(arrays, path);
    return describeTable({ x, rows: x.rows, inputs: x.columns, format: 'npz' }, labels, path, options);
  }
  const features = findArray(arrays, featureNames);
  if (features === undefined) throw formatError(path, `there is no array of features: ${listOf(featureNames)}`);
  return toTable(features, labels, 'npz', path, options);
}

/** How each format is read. */
const tableReaders: Readonly<
  Record<TableFormat, (reader: ByteReader, file: DataFile, path: string, options: Options) => Promise<Table>>
> = {
  csv: (reader, file, _, options) => readCsvFrom(reader, file, options),
  svmlight: (reader, file, _, options) => readSvmlightFrom(reader, file, options),
  npy: async (reader, _, path, options) => toTable(await readNpyFrom(reader), undefined, 'npy', path, options),
  npz: (_, file, path, options) => readNpzTable(file, path, options),
  idx: async (reader, _, path, options) => toTable(await readIdxFrom(reader), undefined, 'idx', path, options),
};

/**
 * Reads a data file into what `fit`, `evaluate` and `predict` take: CSV, NPY, NPZ (dense, or a sparse matrix of SciPy), IDX,
 * SVMlight; each but NPZ also gzipped. The format is known by the first bytes, the name or the first line. The file is read in
 * pieces, and the event loop runs between them.
 *
 * CSV: numbers are decimal, with a point, and finite; every cell that is something else is an error with line and column. Labels
 * may be any text.
 *
 * Errors (rejections): `ERR_SETNET_FORMAT` where the file is not of its format: rows of unequal length, a quote that is not closed,
 * text that is not UTF-8, an array that was cut off; `ERR_SETNET_DATA` where its content cannot be used: no rows, a cell that is no
 * number, a label of no known class, a feature that is missing; `ERR_SETNET_SHAPE` where numbers of rows or columns do not fit;
 * `ERR_SETNET_OPTION`, also for a column of labels that is not there; `ERR_SETNET_IO`, `ERR_SETNET_TYPE`, `ERR_SETNET_MEMORY`.
 */
export async function readTable(path: string | FileUrl, options?: ReadTableOptions): Promise<Table> {
  const from = readPath(path, 'readTable: path');
  const read = readAll(options);
  const table = await withReader(from, read, async (reader, file) => {
    const format = read.format ?? (await detectFormat(reader, from));
    expectMeant(read, format, from);
    return tableReaders[format](reader, file, from, read);
  });
  if (read.inputs !== undefined && table.inputs !== read.inputs)
    throw shapeError(from, `${table.inputs} columns of features, but ${read.inputs} are expected`);
  const beside = read.labels ?? (table.format === 'idx' && read.label !== false ? findLabels(from) : undefined);
  return beside === undefined ? table : { ...table, ...(await readLabels(beside, table, from, read)) };
}

async function readLabels(path: string, table: Table, features: string, options: Options): Promise<LabelResult> {
  const labels = newCollector(options);
  await addLabelsOf(path, labels, { signal: options.signal });
  checkLabelCount(labels.count, table.rows, path, features);
  return labels.finish();
}
