import { type DrawnLayerOptions, type GivenLayerOptions, makeLayer, type SparseLayerDefinition } from './definition';

/** Options of {@link sparse}. */
export type SparseOptions = DrawnLayerOptions | GivenLayerOptions;

/**
 * A truly sparse layer: only its connections are stored, computed with and trained; they evolve. It is dense only where the
 * count asked for is the number of cells. Drawn from the network's seed, `sparse({ units, epsilon })`, or made from what
 * exists already, `sparse({ weights, bias })`; such a layer evolves like any other unless it has every cell.
 *
 * Errors: `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`; of `weights` and `bias` also `ERR_SETNET_SHAPE`, `ERR_SETNET_NONFINITE`,
 * `ERR_SETNET_BUFFER`.
 */
export function sparse(options: SparseOptions): SparseLayerDefinition {
  return makeLayer('sparse', options);
}
