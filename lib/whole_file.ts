// A file reaches its place whole or not at all. Models have the same in native code (native/core/file_io.h).
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ioError } from './io_error';

/** At most so much is handed to the system at once. */
const pieceBytes = 2 ** 26;

/** A file that is being written. Everything rejects with `ERR_SETNET_IO`. */
export interface WholeFile {
  write(data: string | Uint8Array): Promise<void>;
  /** All is written: what was there before is replaced. */
  commit(): Promise<void>;
  /** Something failed: what was there before stays. Never rejects. */
  discard(): Promise<void>;
}

/** Of a link that points to nothing yet, what it points to: realpath has found that there is no circle. */
async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const link = await readlink(path).catch(() => undefined);
  return link === undefined ? path : targetOf(resolve(await realpath(dirname(path)), link));
}

async function isOrdinary(path: string): Promise<boolean> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
    return found.isFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}

/** Windows has no handle of a folder that could be synced. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; )
    written += (await file.write(bytes, written, Math.min(pieceBytes, bytes.length - written))).bytesWritten;
}

/**
 * Begins a file, through symbolic links: a temporary one with a name of its own in the target's folder, which is synced and
 * renamed by `commit`. A device or a pipe is written to as it is.
 */
export async function openWhole(path: string): Promise<WholeFile> {
  const attempt = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw ioError(path, 'write', error);
    }
  };
  const { target, temporary, file } = await attempt(async () => {
    const target = await targetOf(path);
    if (!(await isOrdinary(target))) return { target, temporary: undefined, file: await open(target, 'w') };
    const name = `.${basename(target).slice(0, 100)}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
    const temporary = join(dirname(target), name);
    return { target, temporary, file: await open(temporary, 'wx') };
  });
  return {
    write: (data) => attempt(() => writeAll(file, typeof data === 'string' ? Buffer.from(data) : data)),
    commit: () =>
      attempt(async () => {
        if (temporary !== undefined) await file.sync();
        await file.close();
        if (temporary === undefined) return;
        await rename(temporary, target);
        await syncFolder(dirname(target));
      }),
    async discard() {
      await file.close().catch(() => {});
      if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => {});
    },
  };
}

/** A file of these parts. */
export async function writeWhole(path: string, ...parts: readonly (string | Uint8Array)[]): Promise<void> {
  const file = await openWhole(path);
  try {
    for (const part of parts) await file.write(part);
    await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
}
