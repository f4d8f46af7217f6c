// Model files taken apart and put together again by a second hand: their container is safetensors, and their checksum is
// XXH64 of the whole file with the checksum's own digits as zeros.
import { strict as assert } from 'node:assert';
import type { Anything } from './helpers';

const mask = (1n << 64n) - 1n;
const prime1 = 0x9e3779b185ebca87n;
const prime2 = 0xc2b2ae3d27d4eb4fn;
const prime3 = 0x165667b19e3779f9n;
const prime4 = 0x85ebca77c2b2ae63n;
const prime5 = 0x27d4eb2f165667c5n;

const rotate = (x: bigint, by: bigint) => ((x << by) | (x >> (64n - by))) & mask;
const round = (lane: bigint, word: bigint) => (rotate((lane + word * prime2) & mask, 31n) * prime1) & mask;

/** XXH64 with the seed 0, as its specification says. */
export function xxh64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number) => view.getBigUint64(at, true);
  let at = 0;
  let hash = prime5;
  if (bytes.length >= 32) {
    let lanes = [(prime1 + prime2) & mask, prime2, 0n, -prime1 & mask];
    for (; at + 32 <= bytes.length; at += 32) {
      const start = at;
      lanes = lanes.map((lane, i) => round(lane, word(start + 8 * i)));
    }
    const turned = lanes.map((lane, i) => rotate(lane, [1n, 7n, 12n, 18n][i] as bigint));
    hash = turned.reduce((sum, lane) => (sum + lane) & mask, 0n);
    for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * prime1 + prime4) & mask;
  }
  hash = (hash + BigInt(bytes.length)) & mask;
  for (; at + 8 <= bytes.length; at += 8) hash = (rotate(hash ^ round(0n, word(at)), 27n) * prime1 + prime4) & mask;
  if (at + 4 <= bytes.length) {
    const half = (BigInt(view.getUint32(at, true)) * prime1) & mask;
    hash = (rotate(hash ^ half, 23n) * prime2 + prime3) & mask;
    at += 4;
  }
  for (; at < bytes.length; at++)
    hash = (rotate(hash ^ ((BigInt(view.getUint8(at)) * prime5) & mask), 11n) * prime1) & mask;
  hash = ((hash ^ (hash >> 33n)) * prime2) & mask;
  hash = ((hash ^ (hash >> 29n)) * prime3) & mask;
  return hash ^ (hash >> 32n);
}

const checksumKey = '"setnet_checksum":"';

/** The file with the checksum that its content has, where there is a place for one; others come back as they are. */
export function mend(bytes: Uint8Array): Buffer {
  const mended = Buffer.from(bytes);
  const key = mended.indexOf(checksumKey);
  const digits = key + checksumKey.length;
  if (key < 0 || digits + 16 > mended.length) return mended;
  mended.write('0'.repeat(16), digits, 'latin1');
  mended.write(xxh64(mended).toString(16).padStart(16, '0'), digits, 'latin1');
  return mended;
}

export interface TensorEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** A file's parts. */
export interface FileParts {
  /** The header as it stands there, without its padding. */
  text: string;
  tensors: Record<string, TensorEntry>;
  /** The metadata entry 'setnet', parsed. */
  metadata: Anything;
  data: Buffer;
}

export function takeApart(bytes: Buffer): FileParts {
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  const text = bytes.subarray(8, end).toString('utf8').trimEnd();
  const { __metadata__, ...tensors } = JSON.parse(text);
  return { text, tensors, metadata: JSON.parse(__metadata__.setnet), data: bytes.subarray(end) };
}

/** A file of this header, padded, and these data; its checksum is right. */
export function putTogether(text: string, data: Uint8Array): Buffer {
  const header = Buffer.from(text, 'utf8');
  const padding = (64 - ((8 + header.length) % 64)) % 64;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length + padding));
  return mend(Buffer.concat([length, header, Buffer.alloc(padding, ' '), data]));
}

/** The numbers of an f32 tensor. */
export function floatsOf({ tensors, data }: FileParts, name: string): Float32Array {
  const entry = tensors[name];
  assert.ok(entry !== undefined, `the file has a tensor ${name}`);
  assert.equal(entry.dtype, 'F32');
  return new Float32Array(Uint8Array.from(data.subarray(...entry.data_offsets)).buffer);
}

/** The numbers of a u32 or u64 tensor. */
export function integersOf({ tensors, data }: FileParts, name: string): number[] {
  const entry = tensors[name];
  assert.ok(entry !== undefined, `the file has a tensor ${name}`);
  const bytes = Uint8Array.from(data.subarray(...entry.data_offsets)).buffer;
  return entry.dtype === 'U64' ? Array.from(new BigUint64Array(bytes), Number) : Array.from(new Uint32Array(bytes));
}
