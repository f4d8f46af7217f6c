// Files of the examples, gzipped or not, and images as NumPy writes them, read at once: a program's data set that is loaded before
// anything else begins. For data of your own there is readTable of setnet.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A data folder or file that cannot be used; the message says which file, what was wrong and what was expected. */
export class DataError extends Error {}

/** A file's content, unpacked where it is gzipped (known by its first bytes, not by its name). Throws DataError. */
export function readBytes(path) {
  let bytes;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new DataError(`${path}: cannot be read (${error.code ?? error.message})`);
  }
  if (!(bytes.length >= 18 && bytes[0] === 0x1f && bytes[1] === 0x8b)) return bytes;
  // The last four bytes of a gzip file are the length of its content. One chunk of that size means one allocation: with
  // zlib's small chunks the content would lie in memory twice for a moment.
  const length = bytes.readUInt32LE(bytes.length - 4);
  // No more than deflate can make of the file, should those bytes be nonsense.
  const chunkSize = Math.max(64, Math.min(length, bytes.length * 1032));
  try {
    return gunzipSync(bytes, { chunkSize });
  } catch (error) {
    throw new DataError(`${path}: not a whole gzip file (${error.message})`);
  }
}

/** A text of a folder, plain or with '.gz', UTF-8. */
export function readTextOf(folder, name) {
  return readBytes(findFile(folder, name)).toString('utf8');
}

/** The path of a file of a folder, plain or with '.gz'. Throws DataError where there is neither. */
export function findFile(folder, name) {
  const path = [name, `${name}.gz`].map((file) => join(folder, file)).find((file) => existsSync(file));
  if (path === undefined) throw new DataError(`${folder}: has neither ${name} nor ${name}.gz`);
  return path;
}

/**
 * NPY 1.0 to 3.0 in C order, of uint8: { shape, data }, where data is a Uint8Array over the bytes given. `path` names the file in
 * errors. Throws DataError: wrong magic, version, header, type or order, or another length than the shape needs.
 */
export function parseNpy(bytes, path = 'NPY data') {
  const fail = (text) => new DataError(`${path}: ${text}`);
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (bytes.length < 12 || magic.some((value, i) => bytes[i] !== value)) throw fail('not an NPY file (wrong magic)');
  const version = bytes[6];
  if (version < 1 || version > 3) throw fail(`NPY version ${version}, expected 1 to 3`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerStart = version === 1 ? 10 : 12;
  const headerLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = headerStart + headerLength;
  if (bytes.length < start) throw fail(`NPY header of ${start} bytes, the file has ${bytes.length}`);
  const header = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(headerStart, start));
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const dimensions = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(header)?.[1];
  if (descr === undefined || order === undefined || dimensions === undefined) {
    throw fail(`NPY header without descr, fortran_order or shape: ${header.trim().slice(0, 80)}`);
  }
  if (descr !== '|u1') throw fail(`numbers of type '${descr}', expected '|u1' (uint8)`);
  if (order !== 'False') throw fail('NPY in Fortran order, expected C order');
  const shape = dimensions
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map(Number);
  if (shape.length === 0) throw fail('NPY without dimensions, expected at least one');
  const expected = shape.reduce((product, size) => product * size, 1);
  const found = bytes.length - start;
  if (found !== expected) {
    throw fail(`${found} bytes after the header, the shape ${shape.join(' x ')} needs ${expected}`);
  }
  return { shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + start, expected) };
}
