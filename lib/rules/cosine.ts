import { checkOptions } from './factory';
import { type Cosine, makeSchedule } from './schedule';

/** Options of {@link cosine}. */
export type CosineOptions = Omit<Cosine, 'kind'>;

/**
 * Falls from `from` to `to` (default 0) along half a cosine over the whole fit (Loshchilov and Hutter 2017, without
 * restarts).
 *
 * Errors: `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`.
 */
export function cosine(options: CosineOptions): Cosine {
  return makeSchedule('cosine', checkOptions(options, 'cosine'));
}
