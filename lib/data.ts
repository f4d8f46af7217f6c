// Features and labels: what users give, checked, in the form that native code takes.
import { type CsrMatrix, nativeMatrix } from './csr_matrix';
import { SetnetError } from './errors';
import { checkBuffer, type FeatureArrayName, featureArrayNames, lengthOf, pin, typedArrayName } from './memory';
import type { NativeCsrMatrix, NativeDataset, NativeFeatures } from './native';
import { describe, listOf, readNumber, readOptions, suggest, typeError } from './options';
import type { FeatureArray, FeatureMatrix, Labels } from './types';

/**
 * One or more samples: a typed array whose length is a multiple of the network's inputs, a {@link FeatureMatrix}, or a
 * {@link CsrMatrix} with a row for each sample and a column for each input, which is never expanded. Arrays over
 * resizable, growable or detached buffers are refused (`ERR_SETNET_BUFFER`).
 */
export type Features = FeatureArray | FeatureMatrix | CsrMatrix;

/** Samples with their classes. */
export interface Dataset {
  readonly x: Features;
  readonly y: Labels;
}

/** What data must fit. */
export interface DataShape {
  inputs: number;
  outputs: number;
  classes: readonly string[] | undefined;
}

function isFeatureArray(value: unknown): value is FeatureArray {
  const name = typedArrayName(value);
  // What most calls bring goes ahead of the search.
  return name === 'Float32Array' || featureArrayNames.includes(name as FeatureArrayName);
}

const featureKinds = `a ${listOf(featureArrayNames)}, a CsrMatrix or { data, shape: [rows, columns] }`;

/**
 * The array of a typed array of whole rows, or of { data, shape: [rows, columns] }, or a matrix with a row for each sample;
 * no code of the caller's runs last.
 */
export function readFeatures(value: unknown, inputs: number, where: string): NativeFeatures {
  if (isFeatureArray(value)) {
    checkBuffer(value, where);
    const length = lengthOf(value);
    if (length % inputs === 0) return value;
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `${where} has ${length} elements, which is no multiple of the network's ${inputs} inputs`,
    );
  }
  const matrix = nativeMatrix(value);
  if (matrix !== undefined) {
    if (matrix.columns === inputs) return matrix;
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `${where} is a CsrMatrix with ${matrix.columns} columns, but the network has ${inputs} inputs`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || typedArrayName(value) !== undefined) {
    throw typeError(`${where} must be ${featureKinds}, not ${describe(value)}`);
  }
  const { data, shape } = readOptions(value, where, ['data', 'shape']);
  if (!isFeatureArray(data))
    throw typeError(`${where}.data must be a ${listOf(featureArrayNames)}, not ${describe(data)}`);
  if (!Array.isArray(shape) || shape.length !== 2) {
    throw typeError(`${where}.shape must be [rows, columns], not ${describe(shape)}`);
  }
  const limits = { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true };
  const rows = readNumber(shape[0], `${where}.shape[0]`, limits);
  const columns = readNumber(shape[1], `${where}.shape[1]`, limits);
  checkBuffer(data, `${where}.data`);
  if (columns !== inputs) {
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `${where}.shape says ${columns} columns, but the network has ${inputs} inputs`,
    );
  }
  const length = lengthOf(data);
  if (rows * columns !== length) {
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `${where}.data has ${length} elements, but its shape [${rows}, ${columns}] says ${rows * columns}`,
    );
  }
  return data;
}

/** How many samples features are, that readFeatures has read. */
export function rowsOf(features: NativeFeatures, inputs: number): number {
  return typedArrayName(features) === undefined
    ? (features as NativeCsrMatrix).rows
    : lengthOf(features as FeatureArray) / inputs;
}

const labelArrayNames = ['Int32Array', 'Uint32Array', 'Int16Array', 'Uint16Array', 'Int8Array', 'Uint8Array'];

/** Class numbers of every row in a new array, each one checked. */
export function readLabels(value: unknown, rows: number, shape: DataShape, where: string): Int32Array {
  const name = typedArrayName(value);
  if (name === undefined ? !Array.isArray(value) : !labelArrayNames.includes(name)) {
    throw typeError(
      `${where} must be class numbers (${listOf(labelArrayNames)} or an array of numbers) or class names, not ${describe(value)}`,
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

function readClassNumbers(labels: ArrayLike<unknown>, rows: number, outputs: number, where: string): Int32Array {
  const numbers = new Int32Array(rows);
  for (let i = 0; i < rows; i++) {
    const label = labels[i];
    if (typeof label !== 'number') throw typeError(`${where}[${i}] must be a class number, not ${describe(label)}`);
    if (!Number.isInteger(label) || label < 0 || label >= outputs) {
      throw new SetnetError(
        'ERR_SETNET_DATA',
        `${where}[${i}] must be a class number from 0 to ${outputs - 1} (the network has ${outputs} outputs), not ${label}`,
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
      `${where} has class names, but the network was created without \`classes\``,
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

/** Samples with labels, checked; nothing is marked or copied yet. */
export function readDataset(value: unknown, shape: DataShape, where: string): NativeDataset {
  if (value === undefined) throw typeError(`${where} must be { x, y }, not undefined`);
  const { x, y } = readOptions(value, where, ['x', 'y']);
  const features = readFeatures(x, shape.inputs, `${where}.x`);
  const rows = rowsOf(features, shape.inputs);
  if (rows === 0) throw new SetnetError('ERR_SETNET_DATA', `${where}.x has no samples`);
  return { x: features, rows, classes: readLabels(y, rows, shape, `${where}.y`) };
}

/** The same samples in memory that cannot go away while native code reads them; a matrix cannot, nor does it change. */
export function pinDataset(dataset: NativeDataset, copy: boolean): NativeDataset {
  const { x } = dataset;
  return isFeatureArray(x) ? { ...dataset, x: pin(x, copy) } : dataset;
}
