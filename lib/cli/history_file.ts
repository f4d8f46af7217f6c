// MODEL.history.json: what a training did, epoch by epoch, kept beside the model for reports.
import { readFileSync } from 'node:fs';
import type { Evaluation, History } from '../types';
import { writeWhole } from '../whole_file';
import { Failure } from './failure';

/** What the file holds. */
export interface HistoryFile {
  readonly format: 1;
  readonly history: History;
  /** Of the network as it was saved: on the samples held out, and on the test data. */
  readonly heldOut?: Evaluation;
  readonly test?: Evaluation;
}

export function historyPath(model: string): string {
  return `${model}.history.json`;
}

export async function writeHistory(path: string, file: HistoryFile): Promise<void> {
  await writeWhole(path, `${JSON.stringify(file)}\n`);
}

/** Throws Failure where it is no such file. */
export function readHistory(path: string): HistoryFile {
  const text = readFileSync(path, 'utf8');
  let parsed: Partial<HistoryFile> | null = null;
  try {
    parsed = JSON.parse(text) as Partial<HistoryFile> | null;
  } catch {
    // Said below.
  }
  if (parsed?.format !== 1 || !Array.isArray(parsed.history?.epochs))
    throw new Failure(`${path}: this is no history that setnet train has written`);
  return parsed as HistoryFile;
}
