// A run as a report compares it with others: the figures that there are of it.
import { SetnetError } from '../errors';
import { describe, readNumber, typeError } from '../options';
import type { Evaluation } from '../types';
import { type Measured, type ReportedHistory, readConfusion } from './history_data';
import type { ReportedNetwork } from './network_data';

export interface ReportedRun {
  readonly name: string;
  readonly network: ReportedNetwork | undefined;
  readonly history: ReportedHistory | undefined;
  readonly evaluation: Evaluation | undefined;
  readonly seconds: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** Where the loss and accuracy of a run come from. */
export type ResultSource = 'test' | 'removal' | 'validation' | 'training';

export interface Result extends Measured {
  readonly source: ResultSource;
}

/** An evaluation that a caller gives, as of `evaluate`. */
export function readEvaluation(value: unknown, where: string): Evaluation | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw typeError(`${where} must be an evaluation as \`evaluate\` answers it, not ${describe(value)}`);
  const { loss, accuracy, samples, confusion } = value as Readonly<Record<string, unknown>>;
  if (typeof loss !== 'number') throw typeError(`${where}.loss must be a number, not ${describe(loss)}`);
  const matrix = readConfusion(confusion, `${where}.confusion`);
  return {
    loss,
    ...(accuracy === undefined ? {} : { accuracy: readNumber(accuracy, `${where}.accuracy`, { min: 0, max: 1 }) }),
    ...(matrix === undefined ? {} : { confusion: matrix }),
    samples: readNumber(samples, `${where}.samples`, { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true }),
  };
}

/** The figures that a run ends with: of its test data, else of its validation, else of its training. */
export function resultOf({ evaluation, history }: ReportedRun): Result | undefined {
  if (evaluation !== undefined)
    return { loss: evaluation.loss, accuracy: evaluation.accuracy ?? Number.NaN, source: 'test' };
  const final = history?.final?.validation;
  if (final !== undefined) return { ...final, source: 'removal' };
  const last = history?.epochs.at(-1);
  if (last === undefined) return undefined;
  return last.validation === undefined
    ? { ...last.training, source: 'training' }
    : { ...last.validation, source: 'validation' };
}

/** As it trained, before the final removal, where both are known. */
export function beforeRemoval({ history }: ReportedRun): Measured | undefined {
  return history?.final === undefined ? undefined : history.epochs.at(-1)?.validation;
}

/** Connections while it trained and now; undefined where nothing is known of the run. */
export function sizesOf({ network, history }: ReportedRun): { trained: number; deployed: number } | undefined {
  if (history !== undefined && history.epochs.length > 0)
    return { trained: history.trained, deployed: history.deployed };
  if (network === undefined) return undefined;
  const { connections } = network.info;
  return { trained: network.record.trainedConnections ?? connections, deployed: connections };
}

/** Seconds of training, as they were given or as the history has them. */
export function secondsOf({ seconds, history }: ReportedRun): number | undefined {
  if (seconds !== undefined) return seconds;
  return history !== undefined && history.seconds > 0 ? history.seconds : undefined;
}

export function checkDistinct(names: readonly string[], where: string): void {
  names.forEach((name, i) => {
    if (names.indexOf(name) === i) return;
    throw new SetnetError('ERR_SETNET_OPTION', `${where}[${i}].name: the name ${describe(name)} is there twice`);
  });
}
