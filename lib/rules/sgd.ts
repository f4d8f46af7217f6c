import { checkOptions } from './factory';
import { readOptimizer } from './optimizer';
import type { Schedule } from './schedule';

/** Options of {@link sgd}. */
export interface SgdOptions {
  /** A number, or a schedule over the fit. Default `cosine({ from: 0.05 })`. */
  readonly learningRate?: number | Schedule;
  /** mu, from 0 (none) to 1. Default 0.9. */
  readonly momentum?: number;
  /** wd, from 0; of weights only, unless `decayBias`. Default 1e-4. */
  readonly weightDecay?: number;
  /**
   * 'gradient': wd * w is added to the gradient, goes through the velocity and is multiplied by the learning rate.
   * 'unscaled': w -= lr * v + wd * w, as the authors' SciPy program of SET has it. Default 'gradient'.
   */
  readonly decay?: 'gradient' | 'unscaled';
  /** w -= lr * (g + mu * v) instead of w -= lr * v. Default false. */
  readonly nesterov?: boolean;
  /** Weight decay also acts on biases, and on what activations learn. Default: whether `decay` is 'unscaled'. */
  readonly decayBias?: boolean;
}

/** Stochastic gradient descent, as {@link sgd} makes it. */
export interface Sgd extends SgdOptions {
  /** Says which optimizer it is. */
  readonly kind: 'sgd';
}

/**
 * Stochastic gradient descent with momentum: g += wd * w, v = mu * v + g, w -= lr * v. The velocity v is kept for existing
 * connections only; survivors of an evolution keep theirs, newcomers start at 0.
 *
 * Errors: `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`.
 */
export function sgd(options: SgdOptions = {}): Sgd {
  const made: Sgd = Object.freeze({ ...checkOptions(options, 'sgd'), kind: 'sgd' });
  readOptimizer(made, 'sgd');
  return made;
}
