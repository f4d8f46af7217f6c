// When a fit ends before its last epoch, and which epoch's network it leaves.
import type { NativeStopRule } from './native';
import { optionError, readName, readNumber, readOptions } from './options';

/** The number of a validation that tells which epoch is the best: the least loss, or the largest accuracy. */
export type Monitor = 'loss' | 'accuracy';

/** Options of early stopping. */
export interface EarlyStopping {
  /** Epochs in a row that may bring nothing better, from 1. Default 5. */
  readonly patience?: number;
  /** By how much better counts as better, from 0. Default 0. */
  readonly minDelta?: number;
  /** Default 'loss'. */
  readonly monitor?: Monitor;
}

const monitors = ['loss', 'accuracy'] as const;

/** `canValidate`: there are validation data; `hasAccuracy`: their accuracy has a meaning. */
export function readStopRule(
  earlyStopping: unknown,
  restoreBest: unknown,
  canValidate: boolean,
  hasAccuracy: boolean,
  where: string,
): NativeStopRule {
  const stops = earlyStopping !== undefined && earlyStopping !== false && earlyStopping !== null;
  const restores = restoreBest !== undefined && restoreBest !== false;
  if ((stops || restores) && !canValidate) {
    const name = stops ? 'earlyStopping' : 'restoreBest';
    throw optionError(`${where}: ${name} needs validation data, by which the best epoch is told`);
  }
  const options = stops && earlyStopping !== true ? earlyStopping : {};
  const { patience, minDelta, monitor } = readOptions(options, `${where}: earlyStopping`, [
    'patience',
    'minDelta',
    'monitor',
  ]);
  const named = restores && restoreBest !== true ? readName(restoreBest, `${where}: restoreBest`, monitors) : undefined;
  const stopMonitor = readName(monitor ?? named ?? 'loss', `${where}: earlyStopping.monitor`, monitors);
  if (named !== undefined && stops && stopMonitor !== named) {
    throw optionError(
      `${where}: restoreBest is '${named}', but earlyStopping looks at '${stopMonitor}'; both must look at the same`,
    );
  }
  if (stopMonitor === 'accuracy' && !hasAccuracy) {
    throw optionError(`${where}: the monitor 'accuracy' has no meaning with this loss; there is 'loss'`);
  }
  return {
    monitor: stopMonitor,
    patience: stops
      ? readNumber(patience ?? 5, `${where}: earlyStopping.patience`, {
          min: 1,
          max: Number.MAX_SAFE_INTEGER,
          integer: true,
        })
      : null,
    minDelta: readNumber(minDelta ?? 0, `${where}: earlyStopping.minDelta`, { min: 0, max: 3.4e38 }),
    restoreBest: restores,
  };
}

/** A native stop rule as users write it. */
export function stopOptions(rule: NativeStopRule): { earlyStopping?: object; restoreBest?: string } {
  const { monitor, patience, minDelta, restoreBest } = rule;
  return {
    ...(patience === null ? {} : { earlyStopping: { patience, minDelta, monitor } }),
    ...(restoreBest ? { restoreBest: monitor } : {}),
  };
}
