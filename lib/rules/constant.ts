import { checkOptions } from './factory';
import { type Constant, makeSchedule } from './schedule';

/** Options of {@link constant}. */
export type ConstantOptions = Omit<Constant, 'kind'>;

/**
 * The same number throughout: `constant({ value: 0.01, warmup: 2 })`. For a learning rate without warm-up a plain number is
 * the same; for zeta it is what keeps it from falling.
 *
 * Errors: `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`.
 */
export function constant(options: ConstantOptions): Constant {
  return makeSchedule('constant', checkOptions(options, 'constant'));
}
