import { type LayerOptions, makeLayer, type SparseLayer, type TopologyOptions } from './definition';

/** Options of {@link sparse}. */
export interface SparseOptions extends LayerOptions, TopologyOptions {}

/**
 * A truly sparse layer: only its connections are stored, computed with and trained; they evolve. It is dense only where the
 * count asked for is the number of cells.
 *
 * Errors: `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`.
 */
export function sparse(options: SparseOptions): SparseLayer {
  return makeLayer('sparse', options);
}
