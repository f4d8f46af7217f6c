// Files that the command writes.
import { accessSync, constants, existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from './failure';

/** Before hours of work: can a file be written there? Throws Failure. */
export function checkWritable(path: string, option: string): void {
  const folder = dirname(path);
  const fail = (problem: string) => new Failure(`${option} ${path}: ${problem}`);
  if (!existsSync(folder)) throw fail(`there is no folder ${folder}`);
  if (!statSync(folder).isDirectory()) throw fail(`${folder} is no folder`);
  if (existsSync(path) && statSync(path).isDirectory()) throw fail('this is a folder; a file is wanted');
  // A file that is there may be a device, into which one may write where nobody may make files.
  const isSpecial = existsSync(path) && !statSync(path).isFile();
  try {
    accessSync(isSpecial ? path : folder, constants.W_OK);
  } catch {
    throw fail(`nothing can be written ${isSpecial ? 'to it' : `in the folder ${folder}`}`);
  }
}

function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
}

/** Where the file is that a path means, through symbolic links, and whether it is or will be an ordinary one. */
function locate(path: string): { target: string; isFile: boolean } {
  if (!existsSync(path)) return { target: path, isFile: true };
  const target = realpathSync(path);
  return { target, isFile: statSync(target).isFile() };
}

/** Writes a file so that the old one or the whole new one is there, whatever happens. */
export function writeWhole(path: string, data: string): void {
  const { target, isFile } = locate(path);
  if (!isFile) {
    writeFileSync(target, data);
    return;
  }
  const temporary = temporaryName(target);
  try {
    writeFileSync(temporary, data);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw named(error, path);
  }
}

/** The error of a temporary file is the error of the file it was for. */
function named(error: unknown, path: string): unknown {
  return error instanceof Error ? Object.assign(error, { path }) : error;
}

/** Where pieces of an answer go, one after the other. */
export interface Sink {
  /** False where nobody reads any more. */
  write(data: string | Uint8Array): Promise<boolean>;
  /** All is written. */
  finish(): Promise<void>;
  /** Something failed: what was written so far is taken away. */
  discard(): Promise<void>;
}

/** As writeWhole, in pieces. */
export async function openWhole(path: string): Promise<Sink> {
  const { target, isFile } = locate(path);
  const written = isFile ? temporaryName(target) : target;
  const attempt = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw named(error, path);
    }
  };
  const file = await attempt(() => open(written, 'w'));
  return {
    async write(data) {
      await attempt(() => file.writeFile(data));
      return true;
    },
    async finish() {
      await attempt(() => file.close());
      if (isFile) renameSync(written, target);
    },
    async discard() {
      await file.close().catch(() => {});
      if (isFile) rmSync(written, { force: true });
    },
  };
}
