// Rows of numbers, checked, in the form that native code takes: samples of a network, what a matrix is multiplied with.
import { SetnetError } from './errors';
import { checkBuffer, type FeatureArrayName, featureArrayNames, lengthOf, typedArrayName } from './memory';
import { describe, listOfTypes, readNumber, readOptions, typeError } from './options';
import type { FeatureArray } from './types';

/** Row-major; `rows` is undefined where rows of no length were given without a shape. */
export interface RowBatch {
  readonly data: FeatureArray;
  readonly rows: number | undefined;
}

/** What takes the rows, for messages. */
export interface RowTaker {
  /** "network", "matrix" */
  readonly owner: string;
  /** What the width of a row is called there. */
  readonly axis: string;
  /** What may be given besides, with the comma before it and a space after it. */
  readonly others?: string;
}

export function isFeatureArray(value: unknown): value is FeatureArray {
  const name = typedArrayName(value);
  // What most calls bring goes ahead of the search.
  return name === 'Float32Array' || featureArrayNames.includes(name as FeatureArrayName);
}

const featureTypes = listOfTypes(featureArrayNames);

/** How numbers that are there become features. */
function adviceOn(value: unknown): string {
  if (typedArrayName(value) !== undefined) return '; Float32Array.from(x) copies it into one';
  if (!Array.isArray(value)) return '';
  const isNested = Array.isArray(value[0]) || typedArrayName(value[0]) !== undefined;
  return isNested
    ? '; the rows go into one array, one after the other: Float32Array.from(rows.flatMap((row) => [...row]))'
    : '; Float32Array.from(x) makes one of numbers';
}

/** Throws unless these are whole rows. */
export function checkWholeRows(array: FeatureArray, width: number, { owner, axis }: RowTaker, where: string): void {
  checkBuffer(array, where);
  const length = lengthOf(array);
  if (width === 0 ? length === 0 : length % width === 0) return;
  throw new SetnetError(
    'ERR_SETNET_SHAPE',
    `${where} has ${length} elements, which is no multiple of the ${owner}'s ${width} ${axis}`,
  );
}

/** A typed array of whole rows of `width` numbers, or { data, shape: [rows, width] }; no code of the caller's runs last. */
export function readRowBatch(value: unknown, width: number, taker: RowTaker, where: string): RowBatch {
  if (isFeatureArray(value)) {
    checkWholeRows(value, width, taker, where);
    return { data: value, rows: width === 0 ? undefined : lengthOf(value) / width };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || typedArrayName(value) !== undefined) {
    throw typeError(
      `${where} must be a ${featureTypes}${taker.others ?? ' '}or { data, shape: [rows, columns] }, not ${describe(value)}${adviceOn(value)}`,
    );
  }
  const { data, shape } = readOptions(value, where, ['data', 'shape']);
  if (!isFeatureArray(data))
    throw typeError(`${where}.data must be a ${featureTypes}, not ${describe(data)}${adviceOn(data)}`);
  if (!Array.isArray(shape) || shape.length !== 2) {
    throw typeError(`${where}.shape must be [rows, columns], not ${describe(shape)}`);
  }
  const limits = { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true };
  const rows = readNumber(shape[0], `${where}.shape[0]`, limits);
  const columns = readNumber(shape[1], `${where}.shape[1]`, limits);
  checkBuffer(data, `${where}.data`);
  if (columns !== width) {
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `${where}.shape says ${columns} columns, but the ${taker.owner} has ${width} ${taker.axis}`,
    );
  }
  const length = lengthOf(data);
  if (rows * columns !== length) {
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `${where}.data has ${length} elements, but its shape [${rows}, ${columns}] says ${rows * columns}`,
    );
  }
  return { data, rows };
}

export function newFloats(length: number, where: string): Float32Array {
  try {
    return new Float32Array(length);
  } catch (cause) {
    throw new SetnetError('ERR_SETNET_MEMORY', `${where}: no array of ${length} elements can be had`, { cause });
  }
}

/** Where a result of so many numbers goes: `out`, or a new array. `what`: the result, for messages. */
export function readOut(out: unknown, length: number, where: string, what: string): Float32Array {
  if (out === undefined) return newFloats(length, where);
  if (typedArrayName(out) !== 'Float32Array')
    throw typeError(`${where}: out must be a Float32Array, not ${describe(out)}`);
  const array = out as Float32Array;
  checkBuffer(array, `${where}: out`);
  if (lengthOf(array) === length) return array;
  throw new SetnetError(
    'ERR_SETNET_SHAPE',
    `${where}: out has ${lengthOf(array)} elements, but the ${what} has ${length}`,
  );
}
