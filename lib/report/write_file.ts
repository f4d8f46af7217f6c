// A report reaches its file whole or not at all.
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readlink, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SetnetError } from '../errors';

/** Of a link that points to nothing yet, what it points to: realpath has found that there is no circle. */
async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
  }
  const link = await readlink(path).catch(() => undefined);
  return link === undefined ? path : targetOf(resolve(await realpath(dirname(path)), link));
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

/**
 * Writes a file atomically and durably, through symbolic links: a temporary one with a name of its own in the target's
 * folder, synced, then renamed. `ERR_SETNET_IO`; what was there before is then untouched.
 */
export async function writeTextFile(path: string, text: string, where: string): Promise<void> {
  let temporary: string | undefined;
  let handle: FileHandle | undefined;
  try {
    const target = await targetOf(path);
    const folder = dirname(target);
    const name = join(
      folder,
      `.${basename(target).slice(0, 100)}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`,
    );
    handle = await open(name, 'wx');
    temporary = name;
    await handle.writeFile(text, 'utf8');
    await handle.sync();
    await handle.close();
    handle = undefined;
    await rename(name, target);
    temporary = undefined;
    await syncFolder(folder);
  } catch (error) {
    await handle?.close().catch(() => {});
    if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => {});
    const reason = error instanceof Error ? error.message : String(error);
    throw new SetnetError('ERR_SETNET_IO', `${where}: ${path} could not be written: ${reason}`, { cause: error });
  }
}
