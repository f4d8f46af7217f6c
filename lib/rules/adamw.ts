import type { AdamOptions } from './adam';
import { checkOptions } from './factory';
import { readOptimizer } from './optimizer';

/** Options of {@link adamw}: those of {@link AdamOptions}, but for the weight decay. */
export interface AdamwOptions extends AdamOptions {
  /** wd, from 0: w -= lr * wd * w beside Adam's own step; of weights only, unless `decayBias`. Default 0.01. */
  readonly weightDecay?: number;
}

/** Adam with decoupled weight decay, as {@link adamw} makes it. */
export interface Adamw extends AdamwOptions {
  /** Says which optimizer it is. */
  readonly kind: 'adamw';
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019): the step of {@link adam}, and w -= lr * wd * w, which does not go
 * through the moments.
 *
 * Errors: `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`.
 */
export function adamw(options: AdamwOptions = {}): Adamw {
  const made: Adamw = Object.freeze({ ...checkOptions(options, 'adamw'), kind: 'adamw' });
  readOptimizer(made, 'adamw');
  return made;
}
