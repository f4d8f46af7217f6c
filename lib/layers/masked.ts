import { type DrawnLayerOptions, type GivenLayerOptions, type MaskedLayerDefinition, makeLayer } from './definition';

/** Options of {@link masked}. */
export type MaskedOptions = DrawnLayerOptions | GivenLayerOptions;

/**
 * The baseline that sparse layers are compared with: full matrices and a mask, as most programs do it. With the same seed it
 * has the same topology, weights and losses as a sparse layer, bit for bit, at the price of a dense one.
 *
 * Errors: as of `sparse()`.
 */
export function masked(options: MaskedOptions): MaskedLayerDefinition {
  return makeLayer('masked', options);
}
