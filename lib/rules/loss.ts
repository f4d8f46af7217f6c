import type { NativeRule } from '../native';
import { type Choice, type NoParameters, readRule } from './table';

/** The losses by name, with their parameters. */
export interface Losses {
  /** Softmax over the outputs, cross-entropy against the class; `predict` then answers probabilities. */
  softmaxCrossEntropy: NoParameters;
  /**
   * A sigmoid and cross-entropy for every output by itself, mean over the outputs: one output for two classes, several for labels
   * that may be true together; `predict` then answers probabilities.
   */
  binaryCrossEntropy: NoParameters;
  /** Regression: mean over the outputs of (output - target)^2; `predict` then answers the outputs themselves. */
  meanSquaredError: NoParameters;
}

/** What a loss compares outputs with: each sample's class, or for every output a number from 0 to 1 or any finite one. */
export type TargetKind = 'class' | 'fraction' | 'number';

const targetKinds: Readonly<Record<keyof Losses, TargetKind>> = {
  softmaxCrossEntropy: 'class',
  binaryCrossEntropy: 'fraction',
  meanSquaredError: 'number',
};

/** `loss`: a name of the table. */
export function targetKindOf(loss: string): TargetKind {
  return targetKinds[loss as keyof Losses];
}

/** How many classes there are where every sample is of one, else 0. A single output tells two apart. */
export function classesOf(loss: string, outputs: number): number {
  const kind = targetKindOf(loss);
  if (kind === 'class') return outputs;
  return kind === 'fraction' && outputs === 1 ? 2 : 0;
}

/** What training minimises: a name, or `{ kind: name, ...parameters }`. */
export type Loss = Choice<Losses>;

export function readLoss(value: unknown, where: string): NativeRule {
  return readRule('losses', value, where).rule;
}
