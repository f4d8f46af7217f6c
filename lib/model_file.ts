// Reading a model file: what Network.load and Session.load have in common.
import { nativeCheckpoint, type StoredTraining } from './checkpoint';
import type { Definition } from './definition';
import { guardAsync } from './errors';
import { native } from './loader';
import { type RunRecord, readMetadata } from './metadata';
import type { NativeNetwork } from './native';

export interface OpenedModel {
  readonly network: NativeNetwork;
  readonly definition: Definition;
  readonly record: RunRecord;
  /** Of a checkpoint. */
  readonly training: StoredTraining | undefined;
}

/** The network of a file, everything in the file checked; nothing of the file is kept. */
export async function openModel(path: string, threads: number): Promise<OpenedModel> {
  const file = await guardAsync(() => native().readModelFile(path));
  try {
    const { definition, state, record, topologyDigest, training } = readMetadata(file.json, threads);
    const checkpoint = training === undefined ? null : nativeCheckpoint(training);
    const network = await guardAsync(() => file.network(definition.spec, state, checkpoint, topologyDigest));
    return { network, definition, record, training };
  } finally {
    file.letGo();
  }
}
