// NumPy's format of one array (NEP 1; versions 1.0 to 3.0): magic, version, a header that is a Python literal, the elements.
import { endianness } from 'node:os';
import { SetnetError } from '../errors';
import { checkBuffer, lengthOf, typedArrayName } from '../memory';
import { describe, listOf, readPath, typeError } from '../options';
import type { FileUrl } from '../types';
import { writeWhole } from '../whole_file';
import { allocate, type ByteReader, formatError, inStretches, withReader } from './source';

/** The element types of {@link NpyArray} that are numbers. */
export type NpyNumbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** An array of a file of NumPy. */
export interface NpyArray {
  /**
   * The elements in C order, whatever order the file has. Booleans are 0 and 1 in a Uint8Array, float16 is a Float32Array, byte
   * and unicode strings are an array of strings.
   */
  readonly data: NpyNumbers | readonly string[];
  /** The size of each dimension; none for a single number. */
  readonly shape: readonly number[];
  /** The type as NumPy writes it: '<f4', '|u1', '<i8', ... */
  readonly dtype: string;
}

type NumberConstructor = new (buffer: ArrayBuffer) => NpyNumbers;

/** By kind and width in bytes. float16 is read as its bits first. */
const types: Readonly<Record<string, NumberConstructor>> = {
  b1: Uint8Array,
  u1: Uint8Array,
  i1: Int8Array,
  u2: Uint16Array,
  i2: Int16Array,
  u4: Uint32Array,
  i4: Int32Array,
  u8: BigUint64Array,
  i8: BigInt64Array,
  f2: Uint16Array,
  f4: Float32Array,
  f8: Float64Array,
};

const descriptions: Readonly<Record<string, string>> = {
  Uint8Array: 'u1',
  Uint8ClampedArray: 'u1',
  Int8Array: 'i1',
  Uint16Array: 'u2',
  Int16Array: 'i2',
  Uint32Array: 'u4',
  Int32Array: 'i4',
  BigUint64Array: 'u8',
  BigInt64Array: 'i8',
  Float32Array: 'f4',
  Float64Array: 'f8',
};

const magic = Buffer.from('\x93NUMPY', 'latin1');
/** A header of ours or of NumPy has about a hundred bytes. */
const longestHeader = 2 ** 20;

export function isNpy(head: Uint8Array): boolean {
  return head.length >= magic.length && magic.equals(head.subarray(0, magic.length));
}

interface Header {
  readonly dtype: string;
  /** '<', '>' or '|' */
  readonly order: string;
  /** One letter: of numbers those of `types`, or S or U. */
  readonly kind: string;
  /** Bytes of an element. */
  readonly width: number;
  readonly isFortran: boolean;
  readonly shape: readonly number[];
  readonly count: number;
}

async function readHeader(reader: ByteReader): Promise<Header> {
  const { place } = reader;
  const start = await reader.take(10);
  if (!isNpy(start)) throw formatError(place, 'no NPY file: it does not begin with \\x93NUMPY');
  if (start.length < 10) throw formatError(place, 'the NPY file ends in its header');
  const version = start[6] as number;
  if (version < 1 || version > 3)
    throw formatError(place, `NPY version ${version}.${start[7]}; versions 1.0 to 3.0 are read`);
  let length = (start[8] as number) + 256 * (start[9] as number);
  if (version > 1) {
    const more = await reader.take(2);
    length += 2 ** 16 * ((more[0] ?? 0) + 256 * (more[1] ?? 0));
  }
  if (length > longestHeader) throw formatError(place, `the NPY header says that it has ${length} bytes`);
  const bytes = await reader.take(length);
  if (bytes.length < length) throw formatError(place, 'the NPY file ends in its header');
  const text = Buffer.from(bytes).toString(version === 3 ? 'utf8' : 'latin1');
  return readDescription(text, place);
}

function readDescription(text: string, place: string): Header {
  const fail = (what: string) => formatError(place, `the NPY header ${what}: ${describe(text.trim())}`);
  if (!/^\{.*\}\s*$/s.test(text)) throw fail('is no description of an array');
  const dtype = /['"]descr['"]\s*:\s*['"]([^'"]*)['"]/.exec(text)?.[1];
  if (dtype === undefined) throw fail('has no plain type (records cannot be read)');
  const order = /['"]fortran_order['"]\s*:\s*(True|False)\b/.exec(text)?.[1];
  const sizes = /['"]shape['"]\s*:\s*\(([\d\sL,]*)\)/.exec(text)?.[1];
  if (order === undefined || sizes === undefined) throw fail('has no order or shape');
  const shape = sizes
    .split(',')
    .map((size) => size.trim().replace(/L$/, ''))
    .filter((size, i, all) => size !== '' || i < all.length - 1)
    .map((size) => (/^\d{1,15}$/.test(size) ? Number(size) : Number.NaN));
  const count = shape.reduce((product, size) => product * size, 1);
  // Sizes of which one is 0 may multiply to anything else before.
  if (shape.length > 32 || !shape.every(Number.isSafeInteger) || !Number.isSafeInteger(count))
    throw fail('has a shape that no array has');
  const [, byteOrder, kind, width] = /^([<>|=]?)([a-zA-Z])(\d{1,9})$/.exec(dtype) ?? [];
  const isText = (kind === 'S' || kind === 'U') && Number(width) > 0;
  if (kind === undefined || !(isText || Object.hasOwn(types, `${kind}${width}`))) {
    const hint = kind === 'O' ? ' (Python objects); save it as numbers' : '';
    throw formatError(
      place,
      `elements of the type '${dtype}'${hint}; integers, floats and booleans of at most 64 bits are read`,
    );
  }
  const native = endianness() === 'LE' ? '<' : '>';
  return {
    ...{ dtype, kind, shape, count, isFortran: order === 'True' },
    order: byteOrder === '' || byteOrder === '=' ? native : (byteOrder as string),
    width: kind === 'U' ? 4 * Number(width) : Number(width),
  };
}

/** An array, everything that is left of the reader. */
export async function readNpyFrom(reader: ByteReader): Promise<NpyArray> {
  const { place } = reader;
  const header = await readHeader(reader);
  const length = header.count * header.width;
  const shapeText = `${header.shape.join(' x ') || 'one'} elements of type '${header.dtype}'`;
  if (reader.largest === undefined)
    throw formatError(place, 'arrays are read from regular files: the size of this is not known');
  // Before the memory is asked for: a header can say anything.
  if (length > reader.largest)
    throw formatError(
      place,
      `${shapeText} need ${length} bytes, which cannot be in the file: it was cut off or changed`,
    );
  const bytes = allocate(() => new Uint8Array(length), place);
  const filled = await reader.fill(bytes);
  if (filled < length)
    throw formatError(place, `${shapeText} need ${length} bytes, but the file ends after ${filled}: it was cut off`);
  await reader.finish();
  const data = header.kind === 'S' || header.kind === 'U' ? readTexts(bytes, header) : await readNumbers(bytes, header);
  const { shape, dtype } = header;
  return { data: header.isFortran ? await inCOrder(data, shape, place) : data, shape, dtype };
}

async function readNumbers(bytes: Uint8Array<ArrayBuffer>, header: Header): Promise<NpyNumbers> {
  const { kind, width, order } = header;
  const isOther = order === '>' ? endianness() === 'LE' : order === '<' && endianness() === 'BE';
  if (isOther && width > 1) {
    await inStretches(Math.ceil(bytes.length / 8), (start, end) => {
      const part = Buffer.from(bytes.buffer, 8 * start, Math.min(8 * end, bytes.length) - 8 * start);
      if (width === 2) part.swap16();
      else if (width === 4) part.swap32();
      else part.swap64();
    });
  }
  const numbers = new (types[`${kind}${width}`] as NumberConstructor)(bytes.buffer);
  if (kind === 'f' && width === 2) return fromHalves(numbers as Uint16Array);
  if (kind === 'b') await inStretches(bytes.length, (start, end) => toBooleans(bytes, start, end));
  return numbers;
}

function toBooleans(bytes: Uint8Array, start: number, end: number): void {
  for (let i = start; i < end; i++) if ((bytes[i] as number) > 1) bytes[i] = 1;
}

/** IEEE 754 binary16. */
async function fromHalves(halves: Uint16Array): Promise<Float32Array> {
  const floats = new Float32Array(halves.length);
  await inStretches(halves.length, (start, end) => {
    for (let i = start; i < end; i++) {
      const bits = halves[i] as number;
      const exponent = (bits >> 10) & 31;
      const fraction = bits & 1023;
      const size =
        exponent === 31
          ? fraction === 0
            ? Number.POSITIVE_INFINITY
            : Number.NaN
          : exponent === 0
            ? fraction * 2 ** -24
            : (1024 + fraction) * 2 ** (exponent - 25);
      floats[i] = bits & 0x8000 ? -size : size;
    }
  });
  return floats;
}

/** Byte strings are taken as Latin-1, which has ASCII in it. Trailing zeros are padding. */
function readTexts(bytes: Uint8Array, { kind, width, count, order }: Header): readonly string[] {
  const view = new DataView(bytes.buffer);
  return Array.from({ length: count }, (_, i) => {
    const start = i * width;
    if (kind === 'S') {
      return Buffer.from(bytes.buffer, start, width).toString('latin1').replace(/\0+$/, '');
    }
    const points: number[] = [];
    for (let k = start; k < start + width; k += 4) points.push(view.getUint32(k, order !== '>'));
    while (points.at(-1) === 0) points.pop();
    return points.map((point) => (point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd')).join('');
  });
}

/** The elements of column-major order in row-major order. */
async function inCOrder(
  data: NpyNumbers | readonly string[],
  shape: readonly number[],
  place: string,
): Promise<NpyNumbers | readonly string[]> {
  if (shape.length < 2 || data.length < 2) return data;
  const from = data as unknown as { [index: number]: number };
  const to = allocate(() => data.slice(), place) as unknown as { [index: number]: number };
  const columns = shape.at(-1) as number;
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1));
  const stride = strides.at(-1) as number;
  const position = new Array<number>(shape.length - 1).fill(0);
  let row = 0;
  const rowsAtOnce = 2 ** 20 / Math.max(1, columns);
  await inStretches(
    data.length / columns,
    (start, end) => {
      for (let i = start; i < end; i++) {
        for (let j = 0; j < columns; j++) to[i * columns + j] = from[row + j * stride] as number;
        for (let axis = shape.length - 2; axis >= 0; axis--) {
          row += strides[axis] as number;
          if (++(position[axis] as number) < (shape[axis] as number)) break;
          row -= (position[axis] as number) * (strides[axis] as number);
          position[axis] = 0;
        }
      }
    },
    rowsAtOnce,
  );
  return to as unknown as NpyNumbers;
}

/**
 * Reads an array that NumPy saved: versions 1.0 to 3.0, plain or gzipped, C or Fortran order, either byte order, integers,
 * floats and booleans of at most 64 bits, and strings. Every element is kept as it is.
 *
 * Errors (rejections): `ERR_SETNET_FORMAT` where the file is no NPY file, is cut off, or has elements of another type;
 * `ERR_SETNET_IO`, `ERR_SETNET_TYPE`, `ERR_SETNET_OPTION`, `ERR_SETNET_MEMORY`.
 */
export async function readNpy(path: string | FileUrl): Promise<NpyArray> {
  return withReader(readPath(path, 'readNpy: path'), {}, (reader) => readNpyFrom(reader));
}

function headerBytes(dtype: string, shape: readonly number[]): Buffer {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${dtype}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // The elements start at a multiple of 64.
  const length = 64 * Math.ceil((10 + text.length + 1) / 64) - 10;
  const start = Buffer.concat([magic, Buffer.of(1, 0, length & 255, length >> 8)]);
  return Buffer.concat([start, Buffer.from(`${text.padEnd(length - 1)}\n`, 'latin1')]);
}

/**
 * Writes an array as NumPy reads it: NPY 1.0, C order, in the type of `data`. `shape` defaults to one dimension. The file is
 * complete or as it was before: it is written beside `path` and renamed.
 *
 * Errors (rejections): `ERR_SETNET_TYPE` where data is no typed array; `ERR_SETNET_SHAPE` where the shape has another number of
 * elements; `ERR_SETNET_IO`, `ERR_SETNET_BUFFER`, `ERR_SETNET_OPTION`.
 */
export async function writeNpy(
  path: string | FileUrl,
  data: NpyNumbers | Uint8ClampedArray,
  shape?: readonly number[],
): Promise<void> {
  const to = readPath(path, 'writeNpy: path');
  const dtype = descriptions[typedArrayName(data) ?? ''];
  if (dtype === undefined)
    throw typeError(`writeNpy: data must be a ${listOf(Object.keys(descriptions))}, not ${describe(data)}`);
  checkBuffer(data, 'writeNpy: data');
  const length = lengthOf(data);
  const sizes: readonly unknown[] = shape ?? [length];
  const isShape = Array.isArray(sizes) && sizes.length <= 32 && sizes.every((size) => Number.isSafeInteger(size));
  if (!isShape || sizes.some((size) => (size as number) < 0))
    throw typeError(`writeNpy: shape must be an array of at most 32 integers from 0, not ${describe(shape)}`);
  const count = (sizes as number[]).reduce((product, size) => product * size, 1);
  if (count !== length) {
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `writeNpy: data has ${length} elements, but the shape [${sizes.join(', ')}] has ${count}`,
    );
  }
  const order = dtype.endsWith('1') ? '|' : endianness() === 'LE' ? '<' : '>';
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  await writeWhole(to, headerBytes(`${order}${dtype}`, sizes as number[]), bytes);
}
