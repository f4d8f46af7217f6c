import { checkOptions } from './factory';
import { readOptimizer } from './optimizer';
import type { Schedule } from './schedule';

/** Options of {@link adamw}. */
export interface AdamwOptions {
  /** A number, or a schedule over the fit. Default 0.001. */
  readonly learningRate?: number | Schedule;
  /** What the first moment m keeps of itself in a step, from 0 to 1 (excluded). Default 0.9. */
  readonly beta1?: number;
  /** What the second moment v keeps of itself in a step, from 0 to 1 (excluded). Default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment, at least 1e-15. Default 1e-8. */
  readonly epsilon?: number;
  /** wd, from 0: w -= lr * wd * w beside Adam's own step; of weights only, unless `decayBias`. Default 0.01. */
  readonly weightDecay?: number;
  /** Weight decay also acts on biases, and on what activations learn. Default false. */
  readonly decayBias?: boolean;
}

/** Adam with decoupled weight decay, as {@link adamw} makes it. */
export interface Adamw extends AdamwOptions {
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
