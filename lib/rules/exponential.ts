import { checkOptions } from './factory';
import { type Exponential, makeSchedule } from './schedule';

/** Options of {@link exponential}. */
export type ExponentialOptions = Omit<Exponential, 'kind'>;

/**
 * Starts at `from` and is multiplied by `factor` (greater than 0) every epoch, smoothly within it.
 *
 * Errors: `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`.
 */
export function exponential(options: ExponentialOptions): Exponential {
  return makeSchedule('exponential', checkOptions(options, 'exponential'));
}
