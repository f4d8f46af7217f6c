import { readEvolution } from './evolution';
import { checkOptions } from './factory';
import type { Grow } from './grow';
import type { Initializer } from './initializer';
import type { Prune } from './prune';
import type { Schedule } from './schedule';
import type { Trigger } from './trigger';

/** Options of {@link set}. */
export interface SetOptions {
  /**
   * The fraction of each sign's weights that is removed at an epoch's end, above 0 and at most 1. A number falls to 0 along
   * a cosine over the epochs; a schedule says otherwise, as in `constant({ value: 0.3 })`. The final removal uses the
   * number itself (the schedule's first value). Default 0.3.
   */
  readonly zeta?: number | Schedule;
  /**
   * When layers evolve: 'epoch' (default), `{ steps: 500 }` or `{ probability: 0.05 }`; never after a fit's last step. zeta is
   * that of the running epoch.
   */
  readonly every?: Trigger;
  /** Which connections are removed. Default 'signMagnitude'. */
  readonly prune?: Prune;
  /** Connections whose weight is exactly 0 stay, unless the rule takes them for something else. Default false: they are removed. */
  readonly keepZeros?: boolean;
  /** Where as many grow again. Default 'random'. */
  readonly grow?: Grow;
  /** The value of new connections: an initializer, or 'initializer' for the layer's own. Default 'zero'. */
  readonly newWeights?: Initializer | 'initializer';
  /** Whether a cell that was just emptied may be chosen again at once. Default true. */
  readonly regrowPruned?: boolean;
  /**
   * How many grow: 'removed' (default), as many as were removed; or 'initial', as many as are missing from what the layer had
   * when the fit began.
   */
  readonly budget?: 'removed' | 'initial';
  /**
   * 'keep' (default): survivors keep their optimizer state, newcomers start at 0. 'reset': after each evolution the state of
   * all layers starts at 0 again, as where a program builds its network anew.
   */
  readonly state?: 'keep' | 'reset';
  /** Evolve after the last epoch too, as after all others; the network then ends with newcomers. Default false. */
  readonly finalEvolution?: boolean;
  /**
   * After the last epoch, remove once more without growing (Mocanu et al. 2018): the deployed network is smaller than the
   * trained one. Not after stop() or an abort. Default true; a network on which it has run already is not pruned at the end
   * of a further fit unless this says true.
   */
  readonly finalPrune?: boolean;
}

/** Sparse Evolutionary Training, as {@link set} makes it. */
export interface SetEvolution extends SetOptions {
  /** Says which evolution it is. */
  readonly kind: 'set';
}

/**
 * Sparse Evolutionary Training (Mocanu et al., Nature Communications 9:2383, 2018): at every epoch's end the weakest
 * connections of each sign are removed and as many grow at random. Acts on layers that are neither dense nor full nor
 * made with `evolve: false`.
 *
 * Errors: `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`.
 */
export function set(options: SetOptions = {}): SetEvolution {
  const made: SetEvolution = Object.freeze({ ...checkOptions(options, 'set'), kind: 'set' });
  readEvolution(made, 'set');
  return made;
}
