import { type DenseLayerDefinition, type LayerOptions, makeLayer } from './definition';

/** Options of {@link dense}. */
export interface DenseOptions extends LayerOptions {}

/**
 * A layer with all connections; it does not evolve. The usual last layer. Its activation is 'linear' by default.
 *
 * Errors: `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`.
 */
export function dense(options: DenseOptions): DenseLayerDefinition {
  return makeLayer('dense', options);
}
