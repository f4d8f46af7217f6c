import { checkOptions } from './factory';
import { type NewState, readOptimizer } from './optimizer';
import type { Schedule } from './schedule';

/** Options of {@link adam}. */
export interface AdamOptions {
  /** A number, or a schedule over the fit. Default 0.001. */
  readonly learningRate?: number | Schedule;
  /** What the first moment m keeps of itself in a step, from 0 to 1 (excluded). Default 0.9. */
  readonly beta1?: number;
  /** What the second moment v keeps of itself in a step, from 0 to 1 (excluded). Default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment, at least 1e-15. Default 1e-8. */
  readonly epsilon?: number;
  /** wd, from 0, added to the gradient as wd * w; of weights only, unless `decayBias`. Default 0. */
  readonly weightDecay?: number;
  /**
   * How the newcomers of an evolution count t, with m = v = 0 as they begin: 'zero', as all others, so that their first steps are
   * up to 6.6 times the learning rate; 'birthStep', from their own first gradient, for 4 more bytes a connection. Default 'zero':
   * see docs/how-it-works.md for what was measured.
   */
  readonly newState?: NewState;
  /** Weight decay also acts on biases, and on what activations learn. Default false. */
  readonly decayBias?: boolean;
}

/** Adam, as {@link adam} makes it. */
export interface Adam extends AdamOptions {
  /** Says which optimizer it is. */
  readonly kind: 'adam';
}

/**
 * Adam (Kingma and Ba 2015): m = beta1 * m + (1 - beta1) * g, v = beta2 * v + (1 - beta2) * g^2,
 * w -= lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon), where t counts the steps of the fit. Both moments are
 * kept for existing connections only; survivors of an evolution keep theirs, newcomers start at 0.
 *
 * Errors: `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`.
 */
export function adam(options: AdamOptions = {}): Adam {
  const made: Adam = Object.freeze({ ...checkOptions(options, 'adam'), kind: 'adam' });
  readOptimizer(made, 'adam');
  return made;
}
