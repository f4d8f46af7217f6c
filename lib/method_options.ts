// The options of the methods of Network that have no module of their own.
import type { Dataset } from './data';
import type { DeviceName } from './devices';
import type { Metric } from './rules/metric';

/** Options of `evaluate`. */
export interface EvaluateOptions {
  /** As in `fit`. Default false. */
  readonly copy?: boolean;
  /** As in `fit`; 'all': every one that has a meaning for the loss. Default none. */
  readonly metrics?: readonly Metric[] | 'all';
}

/** Options of `Network.load`. */
export interface LoadOptions {
  /** Default 'cpu'. */
  readonly device?: DeviceName;
  /** Threads for predictions and training, 1 to 1024. Default: SETNET_THREADS, else all. */
  readonly threads?: number;
}

/** Options of `save`. */
export interface SaveOptions {
  /**
   * Also what a training goes on with (`fit({ ...same, resume: true })`): of a fit that was stopped, or as its last checkpoint
   * was. `ERR_SETNET_STATE` where there is none. Default false.
   */
  readonly training?: boolean;
}

/** Options of `finalize`. */
export interface FinalizeOptions {
  /** The fraction removed of the weights of each sign, above 0 and at most 1. Default: that of the last fit, else 0.3. */
  readonly zeta?: number;
  /** True: also where a final removal has run already. Default false: then that is `ERR_SETNET_STATE`. */
  readonly again?: boolean;
  /** Evaluated afterwards. */
  readonly validation?: Dataset;
}
