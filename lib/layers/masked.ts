import { type LayerOptions, type MaskedLayer, makeLayer, type TopologyOptions } from './definition';

/** Options of {@link masked}. */
export interface MaskedOptions extends LayerOptions, TopologyOptions {}

/**
 * The baseline that sparse layers are compared with: full matrices and a mask, as most programs do it. With the same seed it
 * has the same topology, weights and losses as a sparse layer, bit for bit, at the price of a dense one.
 *
 * Errors: `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`.
 */
export function masked(options: MaskedOptions): MaskedLayer {
  return makeLayer('masked', options);
}
