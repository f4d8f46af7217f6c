// Features and targets: what users give, checked, in the form that native code takes.
import { type CsrMatrix, nativeMatrix } from './csr_matrix';
import { SetnetError } from './errors';
import { checkBuffer, featureArrayNames, lengthOf, pin, typedArrayName } from './memory';
import type { NativeCsrMatrix, NativeDataset, NativeFeatures } from './native';
import { describe, listOfTypes, readOptions, suggest, typeError } from './options';
import { checkWholeRows, isFeatureArray, type RowTaker, readRowBatch } from './row_batch';
import { targetKindOf } from './rules/loss';
import type { FeatureArray, FeatureMatrix, TargetArray, Targets } from './types';

/**
 * One or more samples: a typed array whose length is a multiple of the network's inputs, a {@link FeatureMatrix}, or a
 * {@link CsrMatrix} with a row for each sample and a column for each input, which is never expanded. Arrays over
 * resizable, growable or detached buffers are refused (`ERR_SETNET_BUFFER`).
 */
export type Features = FeatureArray | FeatureMatrix | CsrMatrix;

/** Samples with what the network shall answer. */
export interface Dataset {
  /** Features, a row for each sample. */
  readonly x: Features;
  /** What the network shall answer to each sample, as the loss takes it. */
  readonly y: Targets;
}

/** What data must fit. */
export interface DataShape {
  inputs: number;
  outputs: number;
  classes: readonly string[] | undefined;
}

const network: RowTaker = { owner: 'network', axis: 'inputs', others: ', a CsrMatrix ' };

/**
 * The array of a typed array of whole rows, or of { data, shape: [rows, columns] }, or a matrix with a row for each sample;
 * no code of the caller's runs last.
 */
export function readFeatures(value: unknown, inputs: number, where: string, taker: RowTaker = network): NativeFeatures {
  if (isFeatureArray(value)) {
    checkWholeRows(value, inputs, taker, where);
    return value;
  }
  const matrix = nativeMatrix(value);
  if (matrix === undefined) return readRowBatch(value, inputs, taker, where).data;
  if (matrix.columns === inputs) return matrix;
  throw new SetnetError(
    'ERR_SETNET_SHAPE',
    `${where} is a CsrMatrix with ${matrix.columns} columns, but the ${taker.owner} has ${inputs} inputs`,
  );
}

/** How many samples features are, that readFeatures has read. */
export function rowsOf(features: NativeFeatures, inputs: number): number {
  return typedArrayName(features) === undefined
    ? (features as NativeCsrMatrix).rows
    : lengthOf(features as FeatureArray) / inputs;
}

const labelArrayNames = ['Int32Array', 'Uint32Array', 'Int16Array', 'Uint16Array', 'Int8Array', 'Uint8Array'];

/** Class numbers of every row in a new array, each one checked. */
function readLabels(value: unknown, rows: number, shape: DataShape, where: string): Int32Array {
  const advice =
    shape.outputs > 1
      ? "; losses by numbers, one for each output, are 'binaryCrossEntropy' and 'meanSquaredError'"
      : '';
  if (value === undefined)
    throw typeError(`${where} is missing: a class number or a class name for each of the ${rows} samples`);
  const name = typedArrayName(value);
  if (name === undefined ? !Array.isArray(value) : !labelArrayNames.includes(name)) {
    throw typeError(
      `${where} must be class numbers (an array, ${listOfTypes(labelArrayNames)}) or class names (an array), not ${describe(value)}${advice}`,
    );
  }
  if (name !== undefined) checkBuffer(value as ArrayBufferView, where);
  const labels = value as ArrayLike<unknown>;
  const length = name === undefined ? labels.length : lengthOf(value as ArrayBufferView);
  if (length !== rows) {
    throw new SetnetError('ERR_SETNET_SHAPE', `${where} has ${length} labels, but there are ${rows} samples`);
  }
  const isNames = name === undefined && rows > 0 && typeof labels[0] === 'string';
  return isNames ? readClassNames(labels, rows, shape, where) : readClassNumbers(labels, rows, shape.outputs, where);
}

/** A single output tells two classes apart. */
function classCountOf(outputs: number): number {
  return Math.max(2, outputs);
}

/** One-hot rows are what other libraries take. */
function oneHot(label: unknown): string {
  return Array.isArray(label) || typedArrayName(label) !== undefined
    ? '; of a one-hot row give the position of its 1'
    : '';
}

function readClassNumbers(labels: ArrayLike<unknown>, rows: number, outputs: number, where: string): Int32Array {
  const numbers = new Int32Array(rows);
  for (let i = 0; i < rows; i++) {
    const label = labels[i];
    if (typeof label !== 'number')
      throw typeError(`${where}[${i}] must be a class number, not ${describe(label)}${oneHot(label)}`);
    if (!Number.isInteger(label) || label < 0 || label >= classCountOf(outputs)) {
      throw new SetnetError(
        'ERR_SETNET_DATA',
        `${where}[${i}] must be a class number from 0 to ${classCountOf(outputs) - 1} (the network has ${outputs === 1 ? '1 output, for two classes' : `${outputs} outputs`}), not ${label}${label === classCountOf(outputs) ? '; classes are counted from 0' : ''}`,
      );
    }
    numbers[i] = label;
  }
  return numbers;
}

function readClassNames(labels: ArrayLike<unknown>, rows: number, { classes }: DataShape, where: string): Int32Array {
  if (classes === undefined) {
    throw new SetnetError(
      'ERR_SETNET_DATA',
      `${where} has class names, but the network was created without \`classes\`: name them there, classes: ['a', 'b', ...], or give class numbers`,
    );
  }
  const numberOf = new Map(classes.map((name, index) => [name, index]));
  const numbers = new Int32Array(rows);
  for (let i = 0; i < rows; i++) {
    const label = labels[i];
    if (typeof label !== 'string') throw typeError(`${where}[${i}] must be a class name, not ${describe(label)}`);
    const number = numberOf.get(label);
    if (number === undefined) {
      const known = classes.length <= 20 ? ` There are: ${classes.map((known) => describe(known)).join(', ')}.` : '';
      throw new SetnetError(
        'ERR_SETNET_DATA',
        `${where}[${i}]: there is no class ${describe(label)}.${suggest(label, classes)}${known}`,
      );
    }
    numbers[i] = number;
  }
  return numbers;
}

const targetArrayNames: readonly string[] = [...featureArrayNames, 'Int32Array', 'Uint32Array'];

/** The array of a matrix of targets, given as it is or as { data, shape }; whole rows of `outputs`. */
function readTargetArray(value: unknown, rows: number, outputs: number, loss: string, where: string): TargetArray {
  const wanted = `${where} must have a number for each output of each sample, as '${loss}' takes them: a ${listOfTypes(targetArrayNames)} or { data, shape: [rows, columns] }`;
  let data: unknown = value;
  let place = where;
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && typedArrayName(value) === undefined) {
    const read = readOptions(value, where, ['data', 'shape']);
    const shape: readonly unknown[] = Array.isArray(read.shape) ? read.shape : [];
    if (shape.length !== 2) throw typeError(`${where}.shape must be [rows, columns], not ${describe(read.shape)}`);
    if (shape[0] !== rows || shape[1] !== outputs) {
      throw new SetnetError(
        'ERR_SETNET_SHAPE',
        `${where}.shape must be [${rows}, ${outputs}], samples and outputs, not [${describe(shape[0])}, ${describe(shape[1])}]`,
      );
    }
    data = read.data;
    place = `${where}.data`;
  }
  const name = typedArrayName(data);
  if (name === undefined || !targetArrayNames.includes(name)) throw typeError(`${wanted}, not ${describe(data)}`);
  const array = data as TargetArray;
  checkBuffer(array, place);
  const length = lengthOf(array);
  if (length !== rows * outputs) {
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `${place} has ${length} elements, but ${rows} samples of ${outputs} ${outputs === 1 ? 'output' : 'outputs'} need ${rows * outputs}`,
    );
  }
  return array;
}

/** Targets in a new array, as f32, each one checked. */
function readNumbers(value: unknown, rows: number, shape: DataShape, loss: string, where: string): Float32Array {
  const { outputs } = shape;
  const isFraction = targetKindOf(loss) === 'fraction';
  const isLabels = Array.isArray(value) || labelArrayNames.includes(typedArrayName(value) ?? '');
  if (isFraction && outputs === 1 && isLabels) return Float32Array.from(readLabels(value, rows, shape, where));
  const array = readTargetArray(value, rows, outputs, loss, where);
  const numbers = new Float32Array(rows * outputs);
  numbers.set(array);
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] as number;
    const isInside = isFraction ? number >= 0 && number <= 1 : Number.isFinite(number);
    if (isInside) continue;
    const at = `${where}: row ${Math.floor(i / outputs)}, column ${i % outputs} is ${number}`;
    if (!Number.isFinite(number))
      throw new SetnetError('ERR_SETNET_NONFINITE', `${at} as f32; targets must be finite numbers`);
    throw new SetnetError('ERR_SETNET_DATA', `${at}, but '${loss}' takes targets from 0 to 1`);
  }
  return numbers;
}

/** Samples with the targets that the loss takes, checked; no feature is marked or copied yet. */
export function readDataset(value: unknown, shape: DataShape, loss: string, where: string): NativeDataset {
  if (value === undefined) throw typeError(`${where} must be { x, y }, not undefined`);
  const { x, y } = readOptions(value, where, ['x', 'y']);
  const features = readFeatures(x, shape.inputs, `${where}.x`);
  const rows = rowsOf(features, shape.inputs);
  if (rows === 0) throw new SetnetError('ERR_SETNET_DATA', `${where}.x has no samples`);
  return targetKindOf(loss) === 'class'
    ? { x: features, rows, classes: readLabels(y, rows, shape, `${where}.y`) }
    : { x: features, rows, numbers: readNumbers(y, rows, shape, loss, `${where}.y`) };
}

/** The same samples in memory that cannot go away while native code reads them; a matrix cannot, nor does it change. */
export function pinDataset(dataset: NativeDataset, copy: boolean): NativeDataset {
  const { x } = dataset;
  return isFeatureArray(x) ? { ...dataset, x: pin(x, copy) } : dataset;
}
