// A history as reports read it: checked so far that nothing of it can go wrong later. It may come from a fit, or from JSON.
import { SetnetError } from '../errors';
import { describe, typeError } from '../options';
import type { Confusion, HistoryData } from '../types';

/** What is measured of one data set. */
export interface Measured {
  readonly loss: number;
  /** NaN where the loss knows no right answers. */
  readonly accuracy: number;
}

/** What an epoch's evolutions, or the final removal, did. */
export interface Rewired {
  readonly pruned: number;
  readonly grown: number;
}

export interface ReportedEpoch {
  readonly epoch: number;
  readonly training: Measured;
  readonly validation: Measured | undefined;
  /** Steps and evolutions; 0 where that is not known. */
  readonly seconds: number;
  readonly connections: number;
  readonly rewired: Rewired | undefined;
}

export interface ReportedHistory {
  readonly epochs: readonly ReportedEpoch[];
  readonly final:
    | { readonly removed: number; readonly connections: number; readonly validation: Measured | undefined }
    | undefined;
  readonly trained: number;
  readonly deployed: number;
  /** Whether there are right answers. */
  readonly hasAccuracy: boolean;
  readonly hasValidation: boolean;
  /** Of all epochs; 0 where that is not known, as of a history that was read from a file. */
  readonly seconds: number;
  /** Of the last validation there is. */
  readonly confusion: Confusion | undefined;
  readonly stopped: boolean;
  readonly stoppedEarly: boolean;
  readonly best: { readonly epoch: number; readonly value: number; readonly restored: boolean } | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function asObject(value: unknown, where: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw typeError(`${where} must be an object as a fit's history has it, not ${describe(value)}`);
}

function numberOf(value: unknown, where: string): number {
  if (typeof value === 'number') return value;
  // JSON has no NaN and no infinity.
  if (value === null) return Number.NaN;
  throw typeError(`${where} must be a number, not ${describe(value)}`);
}

function optionalNumber(value: unknown, where: string, absent: number): number {
  return value === undefined ? absent : numberOf(value, where);
}

function measured(value: unknown, where: string): Measured | undefined {
  if (value === undefined) return undefined;
  const fields = asObject(value, where);
  return {
    loss: numberOf(fields.loss, `${where}.loss`),
    accuracy: optionalNumber(fields.accuracy, `${where}.accuracy`, Number.NaN),
  };
}

function rewired(value: unknown, where: string): Rewired | undefined {
  if (value === undefined) return undefined;
  const fields = asObject(value, where);
  return {
    pruned: numberOf(fields.pruned, `${where}.pruned`),
    grown: numberOf(fields.grown, `${where}.grown`),
  };
}

/** A matrix of counts, with names that fit it; undefined where there is none. */
export function readConfusion(value: unknown, where: string): Confusion | undefined {
  if (value === undefined) return undefined;
  const { counts, classes } = asObject(value, where);
  const isSquare =
    Array.isArray(counts) &&
    counts.length > 0 &&
    counts.every(
      (row: unknown) =>
        Array.isArray(row) &&
        row.length === counts.length &&
        row.every((cell: unknown) => typeof cell === 'number' && Number.isFinite(cell) && cell >= 0),
    );
  if (!isSquare) throw typeError(`${where}.counts must be a square matrix of counts, not ${describe(counts)}`);
  if (classes === undefined) return { counts: counts as number[][] };
  const areNames = Array.isArray(classes) && classes.every((name: unknown) => typeof name === 'string');
  if (!areNames) throw typeError(`${where}.classes must be an array of names, not ${describe(classes)}`);
  if ((classes as string[]).length !== (counts as unknown[]).length) {
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `${where}.classes has ${(classes as string[]).length} names, but counts has ${(counts as unknown[]).length} rows`,
    );
  }
  return { counts: counts as number[][], classes: classes as string[] };
}

function confusionIn(value: unknown, where: string): Confusion | undefined {
  return value === undefined ? undefined : readConfusion(asObject(value, where).confusion, `${where}.confusion`);
}

function readEpoch(value: unknown, where: string): ReportedEpoch {
  const epoch = asObject(value, where);
  const accuracy = optionalNumber(epoch.accuracy, `${where}.accuracy`, Number.NaN);
  return {
    epoch: numberOf(epoch.epoch, `${where}.epoch`),
    training: { loss: numberOf(epoch.loss, `${where}.loss`), accuracy },
    validation: measured(epoch.validation, `${where}.validation`),
    seconds:
      optionalNumber(epoch.seconds, `${where}.seconds`, 0) +
      optionalNumber(epoch.evolutionSeconds, `${where}.evolutionSeconds`, 0),
    connections: numberOf(epoch.connections, `${where}.connections`),
    rewired: rewired(epoch.evolution, `${where}.evolution`),
  };
}

export function readHistory(value: HistoryData | unknown, where: string): ReportedHistory {
  const history = asObject(value, where);
  if (!Array.isArray(history.epochs)) {
    throw typeError(`${where}.epochs must be an array of epochs, not ${describe(history.epochs)}`);
  }
  const epochs = history.epochs.map((epoch: unknown, i) => readEpoch(epoch, `${where}.epochs[${i}]`));
  const end = history.final === undefined ? undefined : asObject(history.final, `${where}.final`);
  const final =
    end === undefined
      ? undefined
      : {
          removed: rewired(end.removal, `${where}.final.removal`)?.pruned ?? Number.NaN,
          connections: numberOf(end.connections, `${where}.final.connections`),
          validation: measured(end.validation, `${where}.final.validation`),
        };
  const sizes = asObject(history.connections, `${where}.connections`);
  const lastValidation = epochs.length - 1;
  const best = history.best === undefined ? undefined : asObject(history.best, `${where}.best`);
  return {
    epochs,
    final,
    trained: numberOf(sizes.trained, `${where}.connections.trained`),
    deployed: numberOf(sizes.final, `${where}.connections.final`),
    hasAccuracy: epochs.some(
      ({ training, validation }) =>
        !Number.isNaN(training.accuracy) || !Number.isNaN(validation?.accuracy ?? Number.NaN),
    ),
    hasValidation: epochs.some(({ validation }) => validation !== undefined),
    seconds: epochs.reduce((sum, { seconds }) => sum + seconds, 0),
    confusion:
      confusionIn(end?.validation, `${where}.final.validation`) ??
      (lastValidation < 0
        ? undefined
        : confusionIn(
            (history.epochs[lastValidation] as Fields).validation,
            `${where}.epochs[${lastValidation}].validation`,
          )),
    stopped: history.stopped === true,
    stoppedEarly: history.stoppedEarly === true,
    best:
      best === undefined
        ? undefined
        : {
            epoch: numberOf(best.epoch, `${where}.best.epoch`),
            value: numberOf(best.value, `${where}.best.value`),
            restored: best.restored === true,
          },
  };
}
