// A sparse matrix in canonical form, read-only.
import { guard, SetnetError } from './errors';
import { native } from './loader';
import { checkBuffer, lengthOf, typedArrayName } from './memory';
import type { NativeCsrMatrix } from './native';
import { describe, readNumber, readOptions, typeError } from './options';

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
  readonly rows: number;
  readonly columns: number;
  /** rows + 1 numbers, ascending from 0 to the number of connections; row i has the connections [p[i], p[i + 1]). */
  readonly rowPointers: IntegerArray;
  /** The column of every connection, ascending and distinct within a row: neither sorted nor merged here. */
  readonly columnIndices: IntegerArray;
  /** The value of every connection, finite; rounded to f32. There is no default. */
  readonly values: NumberArray;
}

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
    if (caller !== key) throw typeError('a CsrMatrix is made by CsrMatrix.from({ ... })');
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
    const limits = { min: 0, max: 2 ** 32 - 1, integer: true };
    const rows = readNumber(options.rows, `${where}: rows`, limits);
    const columns = readNumber(options.columns, `${where}: columns`, limits);
    const rowPointers = copyIntegers(options.rowPointers, `${where}: rowPointers`, Number.MAX_SAFE_INTEGER, noRow);
    const rowText = rowFinder(rowPointers);
    const exact = copyIntegers(options.columnIndices, `${where}: columnIndices`, 2 ** 32 - 1, rowText);
    const columnIndices = allocate(() => new Uint32Array(exact), `${where}: columnIndices`);
    const values = copyValues(options.values, `${where}: values`, rowText);
    return wrap(guard(() => native().createCsrMatrix({ rows, columns, rowPointers, columnIndices, values })));
  }

  get rows(): number {
    return this.#native.rows;
  }

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
}

/** A matrix of native code as users see it. */
export function wrapMatrix(matrix: NativeCsrMatrix): CsrMatrix {
  return wrap(matrix);
}

/** What native code knows a matrix as; undefined where the value is no CsrMatrix. */
export function nativeMatrix(value: unknown): NativeCsrMatrix | undefined {
  return unwrap(value);
}
