import { checkOptions } from './factory';
import { type Linear, makeSchedule } from './schedule';

/** Options of {@link linear}. */
export type LinearOptions = Omit<Linear, 'kind'>;

/**
 * Falls from `from` to `to` (default 0) along a straight line over the whole fit.
 *
 * Errors: `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`.
 */
export function linear(options: LinearOptions): Linear {
  return makeSchedule('linear', checkOptions(options, 'linear'));
}
