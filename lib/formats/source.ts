// The bytes of a data file, in pieces and in order, unpacked where it is gzipped; and the errors of reading. What a file says
// about its own size is never believed before it was compared with the bytes that can come.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable, type Transform } from 'node:stream';
import { crc32, createGunzip, createInflateRaw, constants as zlibConstants } from 'node:zlib';
import { breathe } from '../breathe';
import { SetnetError } from '../errors';
import { ioError } from '../io_error';
import type { AbortSignalLike } from '../types';

/** How far the reading of a file is. */
export interface ReadProgress {
  /** Read from the disk so far. */
  readonly bytes: number;
  /** Of the file, packed as it is; absent where the system does not tell, as of a pipe. */
  readonly totalBytes?: number;
  /** Rows that are complete; absent where rows are not read one by one. */
  readonly rows?: number;
}

/** What every reading may be given. */
export interface ReadControl {
  readonly signal?: AbortSignalLike | undefined;
  readonly onProgress?: ((progress: ReadProgress) => void) | undefined;
}

/** What is read from the disk at once. */
const pieceBytes = 2 ** 18;
/** Progress is told at most so often, in milliseconds. */
const reportEvery = 20;
/** Deflate makes at most 1032 bytes of one. */
const largestExpansion = 1032;

/** A file that is not what it claims to be. `place`: the file, and where in it. */
export function formatError(place: string, text: string, cause?: unknown): SetnetError {
  return new SetnetError('ERR_SETNET_FORMAT', `${place}: ${text}`, cause === undefined ? {} : { cause });
}

/** A file in order whose content cannot be used. */
export function dataError(place: string, text: string): SetnetError {
  return new SetnetError('ERR_SETNET_DATA', `${place}: ${text}`);
}

export function shapeError(place: string, text: string): SetnetError {
  return new SetnetError('ERR_SETNET_SHAPE', `${place}: ${text}`);
}

/** The result of `make`, which allocates; `ERR_SETNET_MEMORY` where that fails. */
export function allocate<Made>(make: () => Made, place: string): Made {
  try {
    return make();
  } catch (cause) {
    throw new SetnetError('ERR_SETNET_MEMORY', `${place}: memory for the data could not be had`, { cause });
  }
}

/** So many elements are converted before everything else gets its turn: some milliseconds. */
const stretch = 2 ** 20;

/** Calls `work` for [0, count) in stretches of about `size`, and lets everything else run between them. */
export async function inStretches(
  count: number,
  work: (start: number, end: number) => void,
  size: number = stretch,
): Promise<void> {
  const step = Math.max(1, Math.floor(size));
  for (let start = 0; start < count; start += step) {
    if (start > 0) await breathe();
    work(start, Math.min(count, start + step));
  }
}

function throwIfAborted(signal: AbortSignalLike | undefined): void {
  if (signal?.aborted) throw signal.reason ?? new SetnetError('ERR_SETNET_ABORTED', 'reading was ended by its signal');
}

/** An open file of which parts are read. */
export class DataFile {
  readonly path: string;
  /** In bytes; undefined for what is no regular file, as a pipe. */
  readonly size: number | undefined;
  readonly #handle: FileHandle;
  readonly #control: ReadControl;
  #read = 0;
  #rows: number | undefined;
  /** When progress was told last. */
  #reported = Number.NEGATIVE_INFINITY;

  private constructor(path: string, handle: FileHandle, size: number | undefined, control: ReadControl) {
    this.path = path;
    this.size = size;
    this.#handle = handle;
    this.#control = control;
  }

  /** Opens it, calls `use`, and closes it whatever happens. */
  static async use<Result>(
    path: string,
    control: ReadControl,
    use: (file: DataFile) => Promise<Result>,
  ): Promise<Result> {
    throwIfAborted(control.signal);
    let handle: FileHandle;
    try {
      handle = await open(path, constants.O_RDONLY);
    } catch (error) {
      throw ioError(path, 'read', error);
    }
    try {
      const info = await handle.stat();
      if (info.isDirectory()) throw ioError(path, 'read', { code: 'EISDIR' });
      const file = new DataFile(path, handle, info.isFile() ? info.size : undefined, control);
      const result = await use(file);
      file.#report();
      return result;
    } finally {
      await handle.close();
    }
  }

  /** For the progress that is reported with the next piece. */
  set rows(count: number) {
    this.#rows = count;
  }

  /** Up to `length` bytes from `position`, or where that is null from where the last call ended; fewer at the end only. */
  async readAt(position: number | null, length: number): Promise<Uint8Array> {
    throwIfAborted(this.#control.signal);
    const bytes = allocate(() => Buffer.allocUnsafeSlow(length), this.path);
    let filled = 0;
    while (filled < length) {
      const from = position === null ? null : position + filled;
      let count: number;
      try {
        count = (await this.#handle.read(bytes, filled, length - filled, from)).bytesRead;
      } catch (error) {
        throw ioError(this.path, 'read', error);
      }
      if (count === 0) break;
      filled += count;
    }
    this.#read += filled;
    if (performance.now() - this.#reported >= reportEvery) this.#report();
    throwIfAborted(this.#control.signal);
    return bytes.subarray(0, filled);
  }

  #report(): void {
    this.#reported = performance.now();
    this.#control.onProgress?.({
      bytes: this.size === undefined ? this.#read : Math.min(this.#read, this.size),
      ...(this.size === undefined ? {} : { totalBytes: this.size }),
      ...(this.#rows === undefined ? {} : { rows: this.#rows }),
    });
  }

  /** The bytes of [start, start + length), or all that come where the size is not known. */
  async *pieces(start: number, length: number | undefined): AsyncGenerator<Uint8Array> {
    for (let done = 0; ; ) {
      // A byte more than there should be, so that the end is seen at once; files that say that they have none may have some.
      const expected = this.size === undefined ? pieceBytes : Math.max(this.size - start - done + 1, 4096);
      const wanted = Math.min(pieceBytes, length === undefined ? expected : length - done);
      if (wanted === 0) return;
      const piece = await this.readAt(this.size === undefined ? null : start + done, wanted);
      if (piece.length > 0) yield piece;
      if (piece.length < wanted) return;
      done += wanted;
    }
  }
}

async function* unpack(pieces: AsyncIterable<Uint8Array>, transform: Transform): AsyncGenerator<Uint8Array> {
  const source = Readable.from(pieces);
  source.on('error', (error) => transform.destroy(error));
  source.pipe(transform);
  try {
    for await (const piece of transform) yield piece as Uint8Array;
  } finally {
    source.destroy();
    transform.destroy();
  }
}

function isZlibError(error: unknown): error is Error {
  return /^Z_/.test(String((error as { code?: unknown })?.code));
}

/** Bytes that come one after the other, of which some can be looked at before they are taken. */
export class ByteReader {
  /** The file, and the part of it, for messages. */
  readonly place: string;
  /** The most bytes that can still come; undefined where nobody knows. */
  largest: number | undefined;
  readonly #pieces: AsyncIterator<Uint8Array>;
  #ahead: Uint8Array = new Uint8Array(0);
  #crc: number | undefined;

  private constructor(place: string, pieces: AsyncIterator<Uint8Array>, largest: number | undefined) {
    this.place = place;
    this.#pieces = pieces;
    this.largest = largest;
  }

  /** The whole file; unpacked where it begins as gzip does, whatever its name is. */
  static async of(file: DataFile): Promise<ByteReader> {
    const plain = new ByteReader(file.path, file.pieces(0, undefined), file.size);
    const head = await plain.peek(2);
    if (head[0] !== 0x1f || head[1] !== 0x8b) return plain;
    const gunzip = createGunzip({ chunkSize: pieceBytes });
    const largest = file.size === undefined ? undefined : largestExpansion * file.size;
    return new ByteReader(file.path, unpack(plain.rest(), gunzip), largest);
  }

  /** A part of a regular file, stored as it is or deflated to it; `crc` is what finish() compares. */
  static part(
    file: DataFile,
    place: string,
    part: { start: number; packed: number; unpacked: number; isDeflated: boolean; crc: number },
  ): ByteReader {
    const { start, packed, unpacked, isDeflated, crc } = part;
    // Z_SYNC_FLUSH: a stream that breaks off ends, and is too short then; the message is better.
    const inflate = () => createInflateRaw({ chunkSize: pieceBytes, finishFlush: zlibConstants.Z_SYNC_FLUSH });
    const raw = file.pieces(start, packed);
    const largest = Math.min(unpacked, isDeflated ? largestExpansion * packed : packed);
    const reader = new ByteReader(place, isDeflated ? unpack(raw, inflate()) : raw, largest);
    reader.#crc = 0;
    reader.#expected = crc;
    return reader;
  }

  #expected = 0;

  async #next(): Promise<Uint8Array | undefined> {
    try {
      const { value, done } = await this.#pieces.next();
      if (done) return undefined;
      if (this.#crc !== undefined) this.#crc = crc32(value, this.#crc);
      return value;
    } catch (error) {
      if (isZlibError(error)) throw formatError(this.place, `the packed data are damaged (${error.message})`, error);
      throw error;
    }
  }

  #took(bytes: Uint8Array): Uint8Array {
    if (this.largest !== undefined) this.largest = Math.max(0, this.largest - bytes.length);
    return bytes;
  }

  /** The next `count` bytes, fewer at the end only; they stay. */
  async peek(count: number): Promise<Uint8Array> {
    while (this.#ahead.length < count) {
      const piece = await this.#next();
      if (piece === undefined) break;
      this.#ahead = this.#ahead.length === 0 ? piece : Buffer.concat([this.#ahead, piece]);
    }
    return this.#ahead.subarray(0, count);
  }

  /** The next `count` bytes, fewer at the end only. */
  async take(count: number): Promise<Uint8Array> {
    const bytes = await this.peek(count);
    this.#ahead = this.#ahead.subarray(bytes.length);
    return this.#took(bytes);
  }

  /** Fills `target`; returns how many bytes there were for it. */
  async fill(target: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      const piece = this.#ahead.length > 0 ? this.#ahead : await this.#next();
      if (piece === undefined) break;
      const part = piece.subarray(0, target.length - filled);
      target.set(part, filled);
      this.#ahead = piece.subarray(part.length);
      filled += part.length;
      this.#took(part);
    }
    return filled;
  }

  /** Everything that is left, in pieces. */
  async *rest(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const piece = this.#ahead.length > 0 ? this.#ahead : await this.#next();
        if (piece === undefined) return;
        this.#ahead = new Uint8Array(0);
        yield this.#took(piece);
      }
    } finally {
      await this.#pieces.return?.();
    }
  }

  /** Nothing may be left, and what was read must have the checksum. */
  async finish(): Promise<void> {
    const more = await this.peek(1);
    if (more.length > 0) throw formatError(this.place, 'there are more bytes than the header says');
    if (this.#crc !== undefined && this.#crc !== this.#expected)
      throw formatError(this.place, 'the checksum differs: the data were changed or damaged');
  }

  /** Lets go of what unpacks. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}

/** Opens a file, calls `use` with its bytes, unpacked, and closes it whatever happens. */
export function withReader<Result>(
  path: string,
  control: ReadControl,
  use: (reader: ByteReader, file: DataFile) => Promise<Result>,
): Promise<Result> {
  return DataFile.use(path, control, async (file) => {
    const reader = await ByteReader.of(file);
    try {
      return await use(reader, file);
    } finally {
      await reader.close();
    }
  });
}
