// Data files of binary formats, made byte by byte.
import { crc32, deflateRawSync } from 'node:zlib';

export interface NpyOptions {
  version?: number;
  fortran?: boolean;
  /** What stands in the place of the shape. */
  shapeText?: string;
}

export function bytesOfView(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

/** An NPY file with the elements as they are. */
export function npyFile(
  descr: string,
  shape: readonly number[],
  elements: Uint8Array,
  options: NpyOptions = {},
): Buffer {
  const { version = 1, fortran = false } = options;
  const shapeText = options.shapeText ?? (shape.length === 1 ? `${shape[0]},` : shape.join(', '));
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${shapeText}), }`;
  const start = version === 1 ? 10 : 12;
  const length = 64 * Math.ceil((start + text.length + 1) / 64) - start;
  const head = Buffer.alloc(start);
  head.write('\x93NUMPY', 'latin1');
  head[6] = version;
  if (version === 1) head.writeUInt16LE(length, 8);
  else head.writeUInt32LE(length, 8);
  return Buffer.concat([head, Buffer.from(`${text.padEnd(length - 1)}\n`, 'latin1'), elements]);
}

export interface ZipMember {
  name: string;
  bytes: Uint8Array;
  deflate?: boolean;
  /** Sizes and offset in the ZIP64 field only. */
  zip64?: boolean;
  flags?: number;
  method?: number;
  crc?: number;
}

export interface ZipOptions {
  comment?: string;
  /** With the ZIP64 record of the end and its locator. */
  zip64?: boolean;
}

export function zipFile(members: readonly ZipMember[], { comment = '', zip64 = false }: ZipOptions = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes, deflate = false, zip64: large = false, flags = 0, ...given } of members) {
    const packed = deflate ? deflateRawSync(bytes) : Buffer.from(bytes);
    const method = given.method ?? (deflate ? 8 : 0);
    const crc = given.crc ?? crc32(bytes);
    const file = Buffer.from(name, 'utf8');
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(45, 4);
    local.writeUInt16LE(flags, 6);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(crc, 14);
    local.writeUInt32LE(large ? 0xffffffff : packed.length, 18);
    local.writeUInt32LE(large ? 0xffffffff : bytes.length, 22);
    local.writeUInt16LE(file.length, 26);
    // As NumPy writes it: a field of its own sizes, which readers of the directory need not look at.
    const localExtra = large ? zip64Field([bytes.length, packed.length]) : Buffer.alloc(0);
    local.writeUInt16LE(localExtra.length, 28);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(45, 6);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(crc, 16);
    central.writeUInt32LE(large ? 0xffffffff : packed.length, 20);
    central.writeUInt32LE(large ? 0xffffffff : bytes.length, 24);
    central.writeUInt16LE(file.length, 28);
    central.writeUInt32LE(large ? 0xffffffff : offset, 42);
    // Another field before it, as archivers write for times.
    const other = Buffer.from([0x55, 0x54, 1, 0, 7]);
    const extra = large ? Buffer.concat([other, zip64Field([bytes.length, packed.length, offset])]) : Buffer.alloc(0);
    central.writeUInt16LE(extra.length, 30);
    parts.push(local, file, localExtra, packed);
    offset += 30 + file.length + localExtra.length + packed.length;
    directory.push(central, file, extra);
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(zip64 ? 0xffff : members.length, 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : entries.length, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : offset, 16);
  end.writeUInt16LE(comment.length, 20);
  const ends = zip64 ? [endOf64(members.length, entries.length, offset), end] : [end];
  return Buffer.concat([...parts, entries, ...ends, Buffer.from(comment, 'latin1')]);
}

function zip64Field(sizes: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * sizes.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * sizes.length, 2);
  for (const [i, size] of sizes.entries()) field.writeBigUInt64LE(BigInt(size), 4 + 8 * i);
  return field;
}

function endOf64(count: number, length: number, start: number): Buffer {
  const record = Buffer.alloc(56 + 20);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(length), 40);
  record.writeBigUInt64LE(BigInt(start), 48);
  record.writeUInt32LE(0x07064b50, 56);
  record.writeBigUInt64LE(BigInt(start + length), 64);
  record.writeUInt32LE(1, 72);
  return record;
}

/** An IDX file; `elements` are big-endian. */
export function idxFile(type: number, shape: readonly number[], elements: Uint8Array): Buffer {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head[2] = type;
  head[3] = shape.length;
  for (const [i, size] of shape.entries()) head.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([head, elements]);
}
