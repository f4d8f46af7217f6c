// Files that the command writes.
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { openWhole } from '../whole_file';
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

/** Where pieces of an answer go, one after the other. */
export interface Sink {
  /** False where nobody reads any more. */
  write(data: string | Uint8Array): Promise<boolean>;
  /** All is written. */
  finish(): Promise<void>;
  /** Something failed: what was written so far is taken away. */
  discard(): Promise<void>;
}

/** A file that is there whole at the end, or not at all. */
export async function openFile(path: string): Promise<Sink> {
  const file = await openWhole(path);
  return {
    async write(data) {
      await file.write(data);
      return true;
    },
    finish: () => file.commit(),
    discard: () => file.discard(),
  };
}
