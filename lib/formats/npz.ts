// NumPy's format of several arrays, a ZIP file of .npy members; and SciPy's sparse matrices in it (scipy.sparse.save_npz).
import type { CsrMatrix } from '../csr_matrix';
import { describe, listOf, readPath } from '../options';
import type { FileUrl } from '../types';
import { matrixFromArrays } from './matrix';
import { type NpyArray, type NpyNumbers, readNpyFrom } from './npy';
import { allocate, DataFile, dataError, formatError, inStretches, type ReadControl, shapeError } from './source';
import { ZipFile } from './zip';

/** The arrays of a file by name: all, or those of `wanted` that are there. */
export function readArrays(
  path: string,
  control: ReadControl,
  wanted?: readonly string[],
): Promise<Map<string, NpyArray>> {
  return DataFile.use(path, control, (file) => readArraysFrom(file, wanted));
}

/** As readArrays; `ERR_SETNET_FORMAT` where none of the arrays wanted is there. */
export async function readArraysFrom(file: DataFile, wanted?: readonly string[]): Promise<Map<string, NpyArray>> {
  const zip = await ZipFile.open(file);
  const arrays = new Map<string, NpyArray>();
  const members = zip.names.filter((member) => member.endsWith('.npy'));
  const nameOf = (member: string) => member.slice(0, -'.npy'.length);
  for (const member of members) {
    const name = nameOf(member);
    if (wanted === undefined || wanted.includes(name)) arrays.set(name, await zip.read(member, readNpyFrom));
  }
  if (wanted !== undefined && arrays.size === 0) {
    const found = members.map((member) => describe(nameOf(member))).join(', ') || 'none';
    throw formatError(file.path, `there are no arrays ${listOf(wanted)}, which are looked for; there are: ${found}`);
  }
  return arrays;
}

/**
 * Reads every array of a file that NumPy's savez or savez_compressed wrote, by name, as {@link readNpy} does; members that are no
 * arrays are left out. The checksum of every array is compared.
 *
 * Errors (rejections): `ERR_SETNET_FORMAT` where the file is no ZIP file, is cut off or changed, or an array cannot be read;
 * `ERR_SETNET_IO`, `ERR_SETNET_TYPE`, `ERR_SETNET_OPTION`, `ERR_SETNET_MEMORY`.
 */
export async function readNpz(path: string | FileUrl): Promise<Record<string, NpyArray>> {
  const arrays = await readArrays(readPath(path, 'readNpz: path'), {});
  // Without a prototype: an array may have any name.
  return Object.assign(Object.create(null), Object.fromEntries(arrays)) as Record<string, NpyArray>;
}

/** The arrays of a sparse matrix of SciPy. */
export const csrNames: readonly string[] = ['format', 'shape', 'indptr', 'indices', 'data'];

function numbersOf(arrays: ReadonlyMap<string, NpyArray>, name: string, place: string): NpyNumbers {
  const array = arrays.get(name);
  if (array === undefined) throw formatError(place, `there is no array '${name}', as scipy.sparse.save_npz writes it`);
  if (array.shape.length !== 1 || !ArrayBuffer.isView(array.data))
    throw formatError(place, `'${name}' must be numbers in one dimension, not ${array.dtype} of ${array.shape.length}`);
  return array.data as NpyNumbers;
}

function integerAt(numbers: NpyNumbers, i: number, max: number, name: string, place: string): number {
  const number = Number(numbers[i]);
  if (Number.isInteger(number) && number >= 0 && number <= max) return number;
  throw formatError(place, `${name}[${i}] must be an integer from 0 to ${max}, not ${numbers[i]}`);
}

/** The matrix that SciPy's arrays are. Columns of a row are sorted; two of the same are an error. */
export async function toCsrMatrix(arrays: ReadonlyMap<string, NpyArray>, place: string): Promise<CsrMatrix> {
  const format = arrays.get('format')?.data[0];
  if (format !== 'csr') {
    const what =
      typeof format === 'string' ? `a matrix in the format ${describe(format)}` : 'no sparse matrix of SciPy';
    throw formatError(place, `it holds ${what}; 'csr' is expected: convert it by tocsr() and save_npz`);
  }
  const shape = numbersOf(arrays, 'shape', place);
  if (shape.length !== 2) throw formatError(place, `the shape has ${shape.length} dimensions; 2 are expected`);
  const rows = integerAt(shape, 0, 2 ** 32 - 1, 'shape', place);
  const columns = integerAt(shape, 1, 2 ** 32 - 1, 'shape', place);
  const pointers = numbersOf(arrays, 'indptr', place);
  const indices = numbersOf(arrays, 'indices', place);
  const data = numbersOf(arrays, 'data', place);
  if (pointers.length !== rows + 1)
    throw shapeError(place, `indptr has ${pointers.length} elements, but ${rows} rows need ${rows + 1}`);
  if (indices.length !== data.length)
    throw shapeError(place, `there are ${indices.length} indices and ${data.length} data`);
  const rowPointers = allocate(() => new Float64Array(rows + 1), place);
  for (let row = 0; row <= rows; row++) {
    rowPointers[row] = integerAt(pointers, row, data.length, 'indptr', place);
    if (row > 0 && (rowPointers[row] as number) < (rowPointers[row - 1] as number))
      throw formatError(place, `indptr[${row}] is less than the one before it`);
  }
  if (rowPointers[0] !== 0 || rowPointers[rows] !== data.length)
    throw formatError(place, `indptr must go from 0 to ${data.length}, the number of data`);
  const columnIndices = allocate(() => new Uint32Array(data.length), place);
  const values = allocate(() => new Float32Array(data.length), place);
  await inStretches(data.length, (start, end) => {
    for (let i = start; i < end; i++) {
      columnIndices[i] = integerAt(indices, i, Math.max(0, columns - 1), 'indices', place);
      values[i] = Number(data[i]);
      if (!Number.isFinite(values[i] as number))
        throw dataError(place, `data[${i}] is ${data[i]}, which is no finite number as a 32-bit float`);
    }
  });
  await inStretches(rows, (start, end) => {
    for (let row = start; row < end; row++)
      sortRow(
        columnIndices,
        values,
        rowPointers[row] as number,
        rowPointers[row + 1] as number,
        `${place}, row ${row}`,
      );
  });
  return matrixFromArrays({ rows, columns, rowPointers, columnIndices, values });
}

/** Brings the elements of a row, [start, end), in the order of their columns. */
export function sortRow(columns: Uint32Array, values: Float32Array, start: number, end: number, place: string): void {
  let isSorted = true;
  for (let i = start + 1; i < end && isSorted; i++) isSorted = (columns[i] as number) > (columns[i - 1] as number);
  if (isSorted) return;
  const order = Array.from({ length: end - start }, (_, i) => start + i);
  order.sort((a, b) => (columns[a] as number) - (columns[b] as number));
  const sortedColumns = order.map((i) => columns[i] as number);
  const sortedValues = order.map((i) => values[i] as number);
  const twice = sortedColumns.findIndex((column, i) => i > 0 && column === sortedColumns[i - 1]);
  if (twice >= 0)
    throw dataError(place, `the index ${sortedColumns[twice]} is there twice; every index once is expected`);
  columns.set(sortedColumns, start);
  values.set(sortedValues, start);
}

/**
 * Reads a sparse matrix that scipy.sparse.save_npz wrote in the format 'csr'. Values are kept as f32.
 *
 * Errors (rejections): `ERR_SETNET_FORMAT` where the file is no such matrix, or is cut off or changed; `ERR_SETNET_DATA` where a
 * row has an index twice or a value is not finite; `ERR_SETNET_SHAPE`, `ERR_SETNET_IO`, `ERR_SETNET_TYPE`, `ERR_SETNET_OPTION`,
 * `ERR_SETNET_MEMORY`.
 */
export async function readCsrNpz(path: string | FileUrl): Promise<CsrMatrix> {
  const from = readPath(path, 'readCsrNpz: path');
  return toCsrMatrix(await readArrays(from, {}, csrNames), from);
}

/** Names that the features and the labels have in a file of arrays; the first that is there. */
export const featureNames: readonly string[] = ['X', 'x', 'features', 'images', 'data', 'arr_0'];
export const labelNames: readonly string[] = ['y', 'Y', 'labels', 'target', 'arr_1'];

/** The first array that is there of several names. */
export function findArray(arrays: ReadonlyMap<string, NpyArray>, names: readonly string[]): NpyArray | undefined {
  const name = names.find((each) => arrays.has(each));
  return name === undefined ? undefined : arrays.get(name);
}
