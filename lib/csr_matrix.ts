// A sparse matrix in canonical form, read-only, and the products with it.
import { guard, guardAsync, SetnetError } from './errors';
import { defaultThreads, native } from './loader';
import { checkBuffer, lengthOf, typedArrayName } from './memory';
import { type NativeCsrMatrix, NativeOutput } from './native';
import { describe, readName, readNumber, readOptions, typeError } from './options';
import { newFloats, type RowBatch, readOut, readRowBatch } from './row_batch';
import type { FeatureArray, FeatureMatrix } from './types';

/** Integers of any width, or numbers that are integers. */
export type IntegerArray =
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | readonly number[]
  | readonly bigint[];

/** Numbers of any type that is not bigint. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | readonly number[];

/** What {@link CsrMatrix.from} takes; a CsrMatrix itself has this shape. */
export interface CsrArrays {
  /** From 0 to 2^32 - 1. */
  readonly rows: number;
  /** From 0 to 2^32 - 1. */
  readonly columns: number;
  /** rows + 1 numbers, ascending from 0 to the number of connections; row i has the connections [p[i], p[i + 1]). */
  readonly rowPointers: IntegerArray;
  /** The column of every connection, ascending and distinct within a row: neither sorted nor merged here. */
  readonly columnIndices: IntegerArray;
  /** The value of every connection, finite; rounded to f32. There is no default. */
  readonly values: NumberArray;
}

/** Options of {@link CsrMatrix.fromDense}. */
export interface DenseMatrixOptions {
  /** From 0 to 2^32 - 1. */
  readonly rows: number;
  /** From 0 to 2^32 - 1. */
  readonly columns: number;
  /** Elements of at most this magnitude are left out. Default 0: zeros are. */
  readonly tolerance?: number;
}

/** What {@link CsrMatrix.fromCoo} takes: one row, column and value for every element, in any order. */
export interface CooArrays {
  /** Of the matrix, from 0 to 2^32 - 1. */
  readonly rows: number;
  /** Of the matrix, from 0 to 2^32 - 1. */
  readonly columns: number;
  /** One for each element, from 0. */
  readonly rowIndices: IntegerArray;
  /** One for each element, from 0. */
  readonly columnIndices: IntegerArray;
  /** One for each element; finite, kept as f32. */
  readonly values: NumberArray;
  /**
   * Elements of the same cell: 'error' (default) refuses them; 'sum' adds them in the order given, in double precision, and
   * rounds once.
   */
  readonly duplicates?: 'error' | 'sum';
}

/** One row of a matrix. */
export interface CsrRow {
  /** Ascending. */
  readonly columnIndices: Uint32Array;
  /** One for each column index. */
  readonly values: Float32Array;
}

const ofRows = { owner: 'matrix', axis: 'rows' };
const ofColumns = { owner: 'matrix', axis: 'columns' };

const duplicateRules = ['error', 'sum'] as const;

const unsignedNames = ['Uint8Array', 'Uint8ClampedArray', 'Uint16Array', 'Uint32Array'];
const smallNames = [...unsignedNames, 'Int8Array', 'Int16Array', 'Int32Array'];
const bigNames = ['BigInt64Array', 'BigUint64Array'];
// No Float32Array: what was a large index is another one there.
const integerNames = [...smallNames, 'Float64Array', ...bigNames];
const numberNames = [...smallNames, 'Float32Array', 'Float64Array'];

/** Where an element stands, as users think of it: " in row 3", or nothing for row pointers and where those are wrong. */
type RowText = (position: number) => string;

const noRow: RowText = () => '';

function rowFinder(rowPointers: Float64Array): RowText {
  return (position) => {
    const next = rowPointers.findIndex((pointer) => pointer > position);
    return next > 0 ? ` in row ${next - 1}` : '';
  };
}

function allocate<Made>(make: () => Made, where: string): Made {
  try {
    return make();
  } catch (error) {
    throw new SetnetError('ERR_SETNET_MEMORY', `${where}: memory for a copy could not be had`, { cause: error });
  }
}

interface Source {
  readonly elements: ArrayLike<unknown>;
  readonly length: number;
  /** 'Int32Array', ...; undefined for a plain array. */
  readonly name: string | undefined;
}

function readSource(value: unknown, where: string, names: readonly string[], what: string): Source {
  const name = typedArrayName(value);
  if (name === undefined ? !Array.isArray(value) : !names.includes(name)) {
    throw typeError(`${where} must be an array of ${what} or a typed array of ${what}, not ${describe(value)}`);
  }
  if (name !== undefined) checkBuffer(value as ArrayBufferView, where);
  const length = name === undefined ? (value as unknown[]).length : lengthOf(value as ArrayBufferView);
  return { elements: value as ArrayLike<unknown>, length, name };
}

/** Every element as an exact integer in [0, max]. All of them are checked in the copy. */
function copyIntegers(value: unknown, where: string, max: number, rowText: RowText): Float64Array {
  const { elements, length, name } = readSource(value, where, integerNames, 'integers');
  const copy = allocate(() => new Float64Array(length), where);
  const fail = (i: number, element: unknown): never => {
    throw new SetnetError(
      'ERR_SETNET_DATA',
      `${where}[${i}]${rowText(i)} must be an integer from 0 to ${max}, not ${describe(element)}`,
    );
  };
  if (name !== undefined && !bigNames.includes(name)) {
    copy.set(elements as ArrayLike<number>);
    if (unsignedNames.includes(name) && max >= 2 ** 32 - 1) return copy;
    const bad = copy.findIndex((number) => !(number >= 0 && number <= max && Number.isInteger(number)));
    if (bad >= 0) fail(bad, copy[bad]);
    return copy;
  }
  for (let i = 0; i < length; i++) {
    const element = elements[i];
    const number = typeof element === 'bigint' ? Number(element) : element;
    if (typeof number !== 'number') {
      throw typeError(`${where}[${i}]${rowText(i)} must be an integer, not ${describe(element)}`);
    }
    if (!Number.isInteger(number) || number < 0 || number > max) fail(i, element);
    copy[i] = number;
  }
  return copy;
}

/** Whether they are finite is seen in native code, after rounding. */
function copyValues(value: unknown, where: string, rowText: RowText): Float32Array {
  const { elements, length, name } = readSource(value, where, numberNames, 'numbers');
  const copy = allocate(() => new Float32Array(length), where);
  if (name !== undefined) {
    copy.set(elements as ArrayLike<number>);
    return copy;
  }
  for (let i = 0; i < length; i++) {
    const element = elements[i];
    if (typeof element !== 'number') {
      throw typeError(`${where}[${i}]${rowText(i)} must be a number, not ${describe(element)}`);
    }
    copy[i] = element;
  }
  return copy;
}

function readSizes(rows: unknown, columns: unknown, where: string): { rows: number; columns: number } {
  const limits = { min: 0, max: 2 ** 32 - 1, integer: true };
  return {
    rows: readNumber(rows, `${where}: rows`, limits),
    columns: readNumber(columns, `${where}: columns`, limits),
  };
}

/** Only this module can make a matrix: what it holds is then native for sure. */
const key = Symbol('CsrMatrix');
let wrap: (matrix: NativeCsrMatrix) => CsrMatrix;
let unwrap: (value: unknown) => NativeCsrMatrix | undefined;

/**
 * An immutable sparse matrix in compressed sparse row form: 32-bit floats, sorted 32-bit columns. It owns its memory;
 * every accessor returns a copy. A layer's weights have rows = units and columns = inputs.
 */
export class CsrMatrix {
  readonly #native: NativeCsrMatrix;

  private constructor(caller: symbol, matrix: NativeCsrMatrix) {
    if (caller !== key) throw typeError('a CsrMatrix is made by CsrMatrix.from, fromDense or fromCoo');
    this.#native = matrix;
  }

  static {
    wrap = (matrix) => new CsrMatrix(key, matrix);
    unwrap = (value) => (typeof value === 'object' && value !== null && #native in value ? value.#native : undefined);
  }

  /**
   * Copies the arrays and validates the copy; what is in the caller's memory is read once. Rows and columns are from 0 to
   * 2^32 - 1, their product is below 2^63.
   *
   * Errors: `ERR_SETNET_TYPE`; `ERR_SETNET_OPTION`; `ERR_SETNET_SHAPE` where lengths do not fit together or pointers do not
   * ascend from 0 to them; `ERR_SETNET_DATA` where a number is no index, or columns are not sorted, distinct and in range;
   * `ERR_SETNET_NONFINITE`; `ERR_SETNET_BUFFER`; `ERR_SETNET_MEMORY`.
   */
  static from(arrays: CsrArrays): CsrMatrix {
    const where = 'CsrMatrix.from';
    if (arrays === undefined) throw typeError(`${where} needs { rows, columns, rowPointers, columnIndices, values }`);
    const options = readOptions(arrays, where, ['rows', 'columns', 'rowPointers', 'columnIndices', 'values']);
    const { rows, columns } = readSizes(options.rows, options.columns, where);
    const rowPointers = copyIntegers(options.rowPointers, `${where}: rowPointers`, Number.MAX_SAFE_INTEGER, noRow);
    const rowText = rowFinder(rowPointers);
    const exact = copyIntegers(options.columnIndices, `${where}: columnIndices`, 2 ** 32 - 1, rowText);
    const columnIndices = allocate(() => new Uint32Array(exact), `${where}: columnIndices`);
    const values = copyValues(options.values, `${where}: values`, rowText);
    return wrap(guard(() => native().createCsrMatrix({ rows, columns, rowPointers, columnIndices, values }), where));
  }

  /**
   * A matrix of the elements of a dense one, row-major, that are not zero (after rounding to f32), or whose magnitude is
   * above `tolerance`.
   *
   * Errors: `ERR_SETNET_TYPE`; `ERR_SETNET_OPTION`; `ERR_SETNET_SHAPE` where data has not rows * columns elements;
   * `ERR_SETNET_NONFINITE`; `ERR_SETNET_BUFFER`; `ERR_SETNET_MEMORY`.
   */
  static fromDense(data: NumberArray, options: DenseMatrixOptions): CsrMatrix {
    const where = 'CsrMatrix.fromDense';
    const read = readOptions(options, `${where}: options`, ['rows', 'columns', 'tolerance']);
    const { rows, columns } = readSizes(read.rows, read.columns, where);
    const limits = { min: 0, max: Number.MAX_VALUE };
    const tolerance = readNumber(read.tolerance ?? 0, `${where}: tolerance`, limits);
    const values = copyValues(data, `${where}: data`, (i) => (columns > 0 ? ` in row ${Math.floor(i / columns)}` : ''));
    if (values.length !== rows * columns) {
      throw new SetnetError(
        'ERR_SETNET_SHAPE',
        `${where}: data has ${values.length} elements, but ${rows} rows of ${columns} columns have ${rows * columns}`,
      );
    }
    return wrap(guard(() => native().createCsrMatrixFromDense({ rows, columns, tolerance, values }), where));
  }

  /**
   * A matrix of elements in any order, each with its row and column. Explicit zeros are kept.
   *
   * Errors: `ERR_SETNET_TYPE`; `ERR_SETNET_OPTION`; `ERR_SETNET_SHAPE` where the arrays differ in length; `ERR_SETNET_DATA`
   * where an index is out of range, or a cell is given twice and `duplicates` is not 'sum'; `ERR_SETNET_NONFINITE`, also of a
   * sum; `ERR_SETNET_BUFFER`; `ERR_SETNET_MEMORY`.
   */
  static fromCoo(arrays: CooArrays): CsrMatrix {
    const where = 'CsrMatrix.fromCoo';
    if (arrays === undefined) throw typeError(`${where} needs { rows, columns, rowIndices, columnIndices, values }`);
    const names = ['rows', 'columns', 'rowIndices', 'columnIndices', 'values', 'duplicates'] as const;
    const options = readOptions(arrays, where, names);
    const { rows, columns } = readSizes(options.rows, options.columns, where);
    const duplicates = readName(options.duplicates ?? 'error', `${where}: duplicates`, duplicateRules);
    const copyIndices = (value: unknown, place: string) => {
      const exact = copyIntegers(value, place, 2 ** 32 - 1, noRow);
      return allocate(() => new Uint32Array(exact), place);
    };
    const rowIndices = copyIndices(options.rowIndices, `${where}: rowIndices`);
    const columnIndices = copyIndices(options.columnIndices, `${where}: columnIndices`);
    const values = copyValues(options.values, `${where}: values`, noRow);
    const sum = duplicates === 'sum';
    const data = { rows, columns, rowIndices, columnIndices, values, sum };
    return wrap(guard(() => native().createCsrMatrixFromCoordinates(data), where));
  }

  /** How many rows there are. */
  get rows(): number {
    return this.#native.rows;
  }

  /** How many columns there are. */
  get columns(): number {
    return this.#native.columns;
  }

  /** Stored elements; explicit zeros count. */
  get count(): number {
    return this.#native.count;
  }

  /** count / (rows * columns), from 0 to 1; 0 for a matrix without cells. */
  get density(): number {
    const cells = this.rows * this.columns;
    return cells === 0 ? 0 : this.count / cells;
  }

  /** A copy, rows + 1 exact integers. */
  get rowPointers(): Float64Array {
    return guard(() => this.#native.rowPointers());
  }

  /** A copy, `count` columns, ascending within a row. */
  get columnIndices(): Uint32Array {
    return guard(() => this.#native.columnIndices());
  }

  /** A copy, `count` values. */
  get values(): Float32Array {
    return guard(() => this.#native.values());
  }

  /** Elements per row. */
  rowCounts(): Uint32Array {
    return guard(() => this.#native.rowCounts());
  }

  /** Elements per column. `ERR_SETNET_MEMORY` where there are too many columns. */
  columnCounts(): Uint32Array {
    return guard(() => this.#native.columnCounts());
  }

  /** rows * columns values, row-major; cells without an element are 0. `ERR_SETNET_MEMORY` where that is too large. */
  toDense(): Float32Array {
    return guard(() => this.#native.toDense());
  }

  /** Columns and values of one row, copies. `ERR_SETNET_OPTION` where there is no such row. */
  row(index: number): CsrRow {
    const limits = { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true };
    const row = readNumber(index, 'row: index', limits);
    return guard(() => this.#native.row(row));
  }

  /** The transpose, a matrix of its own. `ERR_SETNET_MEMORY`. */
  transpose(): CsrMatrix {
    return wrap(guard(() => this.#native.transpose()));
  }

  /**
   * A x for every row x of a batch: x has rows of `columns` numbers, the product rows of `rows` (row-major). Each of its
   * numbers is one chain of f32 fused multiply-adds over ascending columns, from 0: the bits of a sparse linear layer
   * without bias. Copies x before it returns and computes off the event loop. The first product packs the matrix and keeps
   * the packed form.
   *
   * Errors (rejections): `ERR_SETNET_TYPE`, `ERR_SETNET_SHAPE`, `ERR_SETNET_OPTION`, `ERR_SETNET_BUFFER`,
   * `ERR_SETNET_NONFINITE` where x is not finite, `ERR_SETNET_MEMORY`.
   */
  async multiply(x: FeatureArray | FeatureMatrix): Promise<Float32Array> {
    return this.#product(x, false, 'multiply');
  }

  /**
   * As {@link CsrMatrix.multiply}, on the calling thread. `out` receives the product and is returned; it must have exactly
   * as many elements and not overlap x. Throws.
   */
  multiplySync(x: FeatureArray | FeatureMatrix, out?: Float32Array): Float32Array {
    return this.#productSync(x, out, false, 'multiplySync');
  }

  /**
   * Aᵀ x for every row x of a batch: x has rows of `rows` numbers, the product rows of `columns`. Otherwise as
   * {@link CsrMatrix.multiply}: sums are over ascending rows, and a packed form of the transpose is kept.
   */
  async transposeMultiply(x: FeatureArray | FeatureMatrix): Promise<Float32Array> {
    return this.#product(x, true, 'transposeMultiply');
  }

  /** As {@link CsrMatrix.transposeMultiply}, on the calling thread, into `out` where it is given. Throws. */
  transposeMultiplySync(x: FeatureArray | FeatureMatrix, out?: Float32Array): Float32Array {
    return this.#productSync(x, out, true, 'transposeMultiplySync');
  }

  /**
   * A matrix with the same elements stored, whose value in row r and column c is the sum over the batch of
   * a[i][r] * b[i][c]: what a linear layer's weight gradient is, for the gradient a of its outputs (rows of `rows` numbers)
   * and its inputs b (rows of `columns`). Sums are in the order of training: sample i in chain i mod 16, then a tree. This
   * matrix's own values are not used. Copies a and b before it returns and computes off the event loop.
   *
   * Errors (rejections): `ERR_SETNET_TYPE`, `ERR_SETNET_SHAPE`, `ERR_SETNET_OPTION`, `ERR_SETNET_BUFFER`,
   * `ERR_SETNET_NONFINITE` where a, b or a sum is not finite, `ERR_SETNET_MEMORY`.
   */
  async sampledProduct(a: FeatureArray | FeatureMatrix, b: FeatureArray | FeatureMatrix): Promise<CsrMatrix> {
    const { dataA, dataB, samples } = this.#readBatches(a, b, 'sampledProduct');
    return wrap(await guardAsync(() => this.#native.sampledProduct(dataA, dataB, samples, defaultThreads())));
  }

  /** As {@link CsrMatrix.sampledProduct}, on the calling thread. Throws. */
  sampledProductSync(a: FeatureArray | FeatureMatrix, b: FeatureArray | FeatureMatrix): CsrMatrix {
    const { dataA, dataB, samples } = this.#readBatches(a, b, 'sampledProductSync');
    return wrap(guard(() => this.#native.sampledProductSync(dataA, dataB, samples, defaultThreads())));
  }

  #readX(x: unknown, transposed: boolean, where: string): { data: RowBatch['data']; length: number; isEmpty: boolean } {
    const { rows, columns } = this;
    const width = transposed ? rows : columns;
    const batch = readRowBatch(x, width, transposed ? ofRows : ofColumns, `${where}: x`);
    const length = (batch.rows ?? 0) * (transposed ? columns : rows);
    // Nothing is packed where there is nothing to add.
    return { data: batch.data, length, isEmpty: length === 0 || width === 0 };
  }

  async #product(x: unknown, transposed: boolean, where: string): Promise<Float32Array> {
    const { data, length, isEmpty } = this.#readX(x, transposed, where);
    if (isEmpty) return newFloats(length, where);
    const method = transposed ? 'transposeMultiply' : 'multiply';
    return guardAsync(() => this.#native[method](data, NativeOutput.logits, defaultThreads()));
  }

  #productSync(x: unknown, out: unknown, transposed: boolean, where: string): Float32Array {
    const { data, length, isEmpty } = this.#readX(x, transposed, where);
    const product = readOut(out, length, where, 'product');
    if (isEmpty) return Float32Array.prototype.fill.call(product, 0);
    const method = transposed ? 'transposeMultiplySync' : 'multiplySync';
    guard(() => this.#native[method](data, NativeOutput.logits, product, defaultThreads()));
    return product;
  }

  #readBatches(
    a: unknown,
    b: unknown,
    where: string,
  ): { dataA: RowBatch['data']; dataB: RowBatch['data']; samples: number } {
    const ofA = readRowBatch(a, this.rows, ofRows, `${where}: a`);
    const ofB = readRowBatch(b, this.columns, ofColumns, `${where}: b`);
    const samples = ofA.rows ?? ofB.rows ?? 0;
    if (ofB.rows === undefined || ofB.rows === samples) return { dataA: ofA.data, dataB: ofB.data, samples };
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `${where}: a has ${samples} rows and b has ${ofB.rows}; both must be of the same batch`,
    );
  }
}

/** A matrix of native code as users see it. */
export function wrapMatrix(matrix: NativeCsrMatrix): CsrMatrix {
  return wrap(matrix);
}

/** What native code knows a matrix as; undefined where the value is no CsrMatrix. */
export function nativeMatrix(value: unknown): NativeCsrMatrix | undefined {
  return unwrap(value);
}
