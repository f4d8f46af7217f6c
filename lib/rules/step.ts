import { checkOptions } from './factory';
import { makeSchedule, type Step } from './schedule';

/** Options of {@link step}. */
export type StepOptions = Omit<Step, 'kind'>;

/**
 * Starts at `from` and is multiplied by `factor` (greater than 0) at the end of every `every` epochs.
 *
 * Errors: `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`.
 */
export function step(options: StepOptions): Step {
  return makeSchedule('step', checkOptions(options, 'step'));
}
