// Rows of numbers that a matrix is multiplied with, checked, in the form that native code takes.
import { SetnetError } from './errors';
import { checkBuffer, type FeatureArrayName, featureArrayNames, lengthOf, typedArrayName } from './memory';
import { describe, listOf, readNumber, readOptions, typeError } from './options';
import type { FeatureArray } from './types';

/** Row-major; `rows` is undefined where rows of no length were given without a shape. */
export interface RowBatch {
  readonly data: FeatureArray;
  readonly rows: number | undefined;
}

function isFeatureArray(value: unknown): value is FeatureArray {
  return featureArrayNames.includes(typedArrayName(value) as FeatureArrayName);
}

/**
 * A typed array of whole rows of `width` numbers, or { data, shape: [rows, width] }; no code of the caller's runs last.
 * `axis`: what the width is called, 'columns' or 'rows' of the matrix.
 */
export function readRowBatch(value: unknown, width: number, axis: string, where: string): RowBatch {
  if (isFeatureArray(value)) {
    checkBuffer(value, where);
    const length = lengthOf(value);
    if (width === 0 && length === 0) return { data: value, rows: undefined };
    if (width > 0 && length % width === 0) return { data: value, rows: length / width };
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `${where} has ${length} elements, which is no multiple of the matrix's ${width} ${axis}`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || typedArrayName(value) !== undefined) {
    throw typeError(
      `${where} must be a ${listOf(featureArrayNames)} or { data, shape: [rows, columns] }, not ${describe(value)}`,
    );
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
  if (columns !== width) {
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `${where}.shape says ${columns} columns, but the matrix has ${width} ${axis}`,
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
