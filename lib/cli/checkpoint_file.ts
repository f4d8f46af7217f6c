// MODEL.checkpoint: what a training that was interrupted goes on with. It lies beside the model until the training is done.
import { existsSync, rmSync } from 'node:fs';
import { openModel } from '../model_file';

export function checkpointPath(model: string): string {
  return `${model}.checkpoint`;
}

/** How far a training is. */
export interface CheckpointState {
  /** Finished epochs. */
  readonly epoch: number;
  /** Of the fit. */
  readonly epochs: number;
}

/** What a checkpoint says; undefined where there is none. Throws where the file is no checkpoint. */
export async function readCheckpoint(path: string): Promise<CheckpointState | undefined> {
  if (!existsSync(path)) return undefined;
  const { network, training } = await openModel(path, 1);
  network.dispose();
  return training === undefined ? undefined : { epoch: training.state.epoch, epochs: training.options.epochs };
}

export function removeCheckpoint(path: string): void {
  rmSync(path, { force: true });
}
