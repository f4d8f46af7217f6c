import type { NativeRule } from '../native';
import { type Choice, type NoParameters, readRule } from './table';

/** The losses by name, with their parameters. */
export interface Losses {
  /** Softmax over the outputs, cross-entropy against the class; `predict` then answers probabilities. */
  softmaxCrossEntropy: NoParameters;
}

/** What training minimises: a name, or `{ kind: name, ...parameters }`. */
export type Loss = Choice<Losses>;

export function readLoss(value: unknown, where: string): NativeRule {
  return readRule('losses', value, where).rule;
}
