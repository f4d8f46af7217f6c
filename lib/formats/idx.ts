// IDX, the format of MNIST: two zero bytes, the type, the number of dimensions, each dimension as a big-endian 32-bit number, the
// elements, big-endian. (yann.lecun.com/exdb/mnist)
import { existsSync } from 'node:fs';
import { endianness } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { NpyArray, NpyNumbers } from './npy';
import { allocate, type ByteReader, formatError } from './source';

interface ElementType {
  readonly make: new (buffer: ArrayBuffer) => NpyNumbers;
  readonly width: 1 | 2 | 4 | 8;
  readonly dtype: string;
}

const types: Readonly<Record<number, ElementType>> = {
  8: { make: Uint8Array, width: 1, dtype: '|u1' },
  9: { make: Int8Array, width: 1, dtype: '|i1' },
  11: { make: Int16Array, width: 2, dtype: '>i2' },
  12: { make: Int32Array, width: 4, dtype: '>i4' },
  13: { make: Float32Array, width: 4, dtype: '>f4' },
  14: { make: Float64Array, width: 8, dtype: '>f8' },
};

/** Whether a file may be IDX; no text begins so. */
export function isIdx(head: Uint8Array): boolean {
  const [first, second, type, rank] = head;
  return first === 0 && second === 0 && types[type ?? 0] !== undefined && rank !== undefined && rank > 0 && rank <= 8;
}

/** An array, everything that is left of the reader. */
export async function readIdxFrom(reader: ByteReader): Promise<NpyArray> {
  const { place } = reader;
  const start = await reader.take(4);
  if (start.length < 4 || start[0] !== 0 || start[1] !== 0)
    throw formatError(place, 'no IDX file: it does not begin with two zero bytes and two more');
  const type = types[start[2] as number];
  if (type === undefined) {
    const known = Object.keys(types).map((number) => `0x${Number(number).toString(16).padStart(2, '0')}`);
    const found = (start[2] as number).toString(16).padStart(2, '0');
    throw formatError(place, `IDX elements of type 0x${found}; there are ${known.join(', ')}`);
  }
  const rank = start[3] as number;
  if (rank < 1 || rank > 8) throw formatError(place, `IDX with ${rank} dimensions; 1 to 8 are expected`);
  const sizes = await reader.take(4 * rank);
  if (sizes.length < 4 * rank) throw formatError(place, 'the IDX file ends in its header');
  const view = new DataView(sizes.buffer, sizes.byteOffset, sizes.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 * i));
  const length = shape.reduce((product, size) => product * size, type.width);
  if (reader.largest === undefined)
    throw formatError(place, 'arrays are read from regular files: the size of this is not known');
  if (!(length <= reader.largest)) {
    throw formatError(
      place,
      `${shape.join(' x ')} elements need ${length} bytes, which cannot be in the file: it was cut off or changed`,
    );
  }
  const bytes = allocate(() => new Uint8Array(length), place);
  const filled = await reader.fill(bytes);
  if (filled < length) {
    throw formatError(
      place,
      `${shape.join(' x ')} elements need ${length} bytes, but the file ends after ${filled}: it was cut off`,
    );
  }
  await reader.finish();
  if (endianness() === 'LE') {
    const buffer = Buffer.from(bytes.buffer);
    if (type.width === 2) buffer.swap16();
    if (type.width === 4) buffer.swap32();
    if (type.width === 8) buffer.swap64();
  }
  return { data: new type.make(bytes.buffer), shape, dtype: type.dtype };
}

/** The file with the labels of a file of images, as MNIST names them; undefined where none is there. */
export function findLabels(path: string): string | undefined {
  const plain = basename(path).replace(/\.gz$/, '');
  const name = plain.replace('images', 'labels').replace(/idx\d/, 'idx1');
  if (name === plain) return undefined;
  return [name, `${name}.gz`].map((each) => join(dirname(path), each)).find((each) => existsSync(each));
}
