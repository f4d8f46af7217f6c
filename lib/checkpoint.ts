// What a file, or a network in memory, knows of a training that can go on: the fit's options, how far it is, its history.
import type { Definition } from './definition';
import { SetnetError } from './errors';
import { type FitRecord, readFitRecord } from './fit_record';
import type { NativeCheckpoint, NativeFitState } from './native';
import { describe, readBoolean, readNumber, readOptions, readPath, typeError } from './options';
import { nativeOptimizer } from './rules/optimizer';
import type { EpochReport, FileUrl, FinalReport, History } from './types';

/** Options of checkpoints of a fit. */
export interface CheckpointOptions {
  /** Of the file, a safetensors model file with the training's state in it. Replaced atomically each time. */
  readonly path: string | FileUrl;
  /** After how many epochs one is written, from 1. Default 1. The end is always written. */
  readonly everyEpochs?: number;
  /**
   * Not more often than every so many seconds, from 0: where epochs are short, writing would take longer than they do. The state
   * after the last of them is kept in memory all the same, and `net.save(path, { training: true })` writes it after an abort.
   * Default 0: every time.
   */
  readonly everySeconds?: number;
}

export interface ReadCheckpoint {
  path: string;
  everyEpochs: number;
  everySeconds: number;
}

export function readCheckpoint(value: unknown, where: string): ReadCheckpoint {
  const { path, everyEpochs, everySeconds } = readOptions(value, where, ['path', 'everyEpochs', 'everySeconds']);
  if (path === undefined) throw typeError(`${where}.path is missing`);
  return {
    path: readPath(path, `${where}.path`),
    everyEpochs: readNumber(everyEpochs ?? 1, `${where}.everyEpochs`, {
      min: 1,
      max: Number.MAX_SAFE_INTEGER,
      integer: true,
    }),
    everySeconds: readNumber(everySeconds ?? 0, `${where}.everySeconds`, { min: 0, max: Number.MAX_SAFE_INTEGER }),
  };
}

/** An epoch as a file has it: without times, which no two runs share. */
type StoredEpoch = Omit<EpochReport, 'seconds' | 'evolutionSeconds' | 'validationSeconds'>;

/** The history so far; after a fit's end the whole of it. */
export interface StoredHistory {
  readonly epochs: readonly StoredEpoch[];
  readonly final?: FinalReport;
  readonly stopped: boolean;
  readonly stoppedEarly: boolean;
  readonly best?: History['best'];
}

/** A training that can go on, or has ended. */
export interface StoredTraining {
  readonly options: FitRecord;
  readonly state: Omit<NativeFitState, 'info'>;
  readonly history: StoredHistory;
}

export function storeEpoch({
  seconds: _,
  evolutionSeconds: __,
  validationSeconds: ___,
  ...epoch
}: EpochReport): StoredEpoch {
  return epoch;
}

/** Times are 0: nobody measured them in this process. */
export function restoreEpoch(epoch: StoredEpoch): EpochReport {
  return { ...epoch, seconds: 0, evolutionSeconds: 0, validationSeconds: 0 };
}

/** As JSON; numbers come back to the bit, those that JSON does not know as text. */
export function trainingObject({ options, state, history }: StoredTraining): object {
  const { epoch, fitBegan, stateBegan, bestEpoch, bestValue, bestSteps, budgets, dataDigest } = state;
  return {
    options,
    epoch,
    finished: state.finished,
    fitBegan: String(fitBegan),
    stateBegan: String(stateBegan),
    best: { epoch: bestEpoch, value: encode(bestValue), steps: String(bestSteps), hasNetwork: state.hasBestNetwork },
    budgets,
    dataDigest,
    history: encode(history),
  };
}

const names = ['NaN', 'Infinity', '-Infinity'];

/** Numbers that JSON does not know become { number: name }: a text may be the name of a class. */
function encode(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : { number: String(value) };
  return typeof value === 'object' && value !== null ? mapped(value, encode) : value;
}

/** No history is nested deeper; a file that is could exhaust the stack. */
const deepest = 16;

function decode(value: unknown, tooDeep: () => SetnetError, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { number } = value as { number?: unknown };
  if (typeof number === 'string' && names.includes(number)) return Number(number);
  if (depth === deepest) throw tooDeep();
  return mapped(value, (part) => decode(part, tooDeep, depth + 1));
}

function mapped(value: object, change: (part: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(change);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, change(part)]));
}

export interface TrainingReaders {
  readCounter(value: unknown, where: string): bigint;
  fail(message: string): SetnetError;
}

/** Reads what trainingObject wrote. The history is only looked at so far that nothing can go wrong with it. */
export function readTraining(
  value: unknown,
  where: string,
  outputs: number,
  { readCounter, fail }: TrainingReaders,
): StoredTraining {
  const parts = [
    'options',
    'epoch',
    'finished',
    'fitBegan',
    'stateBegan',
    'best',
    'budgets',
    'dataDigest',
    'history',
  ] as const;
  const read = readOptions(value, where, parts);
  const best = readOptions(read.best, `${where}.best`, ['epoch', 'value', 'steps', 'hasNetwork']);
  const count = (number: unknown, at: string) =>
    readNumber(number, `${where}.${at}`, { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true });
  if (!Array.isArray(read.budgets)) throw fail(`${where}.budgets must be an array, not ${describe(read.budgets)}`);
  if (typeof read.dataDigest !== 'string' || !/^[0-9a-f]{16}$/.test(read.dataDigest))
    throw fail(`${where}.dataDigest must be 16 hexadecimal digits, not ${describe(read.dataDigest)}`);
  const epoch = count(read.epoch, 'epoch');
  const options = readFitRecord(read.options, outputs, `${where}.options`);
  if (epoch > options.epochs) throw fail(`${where}.epoch is ${epoch}, but the fit has ${options.epochs} epochs`);
  return {
    options,
    state: {
      epoch,
      finished: readBoolean(read.finished, `${where}.finished`),
      fitBegan: readCounter(read.fitBegan, `${where}.fitBegan`),
      stateBegan: readCounter(read.stateBegan, `${where}.stateBegan`),
      bestEpoch: count(best.epoch, 'best.epoch'),
      bestValue: readBestValue(best.value, `${where}.best.value`, fail),
      bestSteps: readCounter(best.steps, `${where}.best.steps`),
      hasBestNetwork: readBoolean(best.hasNetwork, `${where}.best.hasNetwork`),
      budgets: read.budgets.map((budget, i) => count(budget, `budgets[${i}]`)),
      dataDigest: read.dataDigest,
    },
    history: readHistory(read.history, `${where}.history`, epoch, fail),
  };
}

function readBestValue(value: unknown, where: string, fail: (message: string) => SetnetError): number {
  const number = decode(value, () => fail(`${where} is nested too deep`));
  if (typeof number === 'number') return number;
  throw fail(`${where} must be a number, not ${describe(value)}`);
}

function readHistory(
  value: unknown,
  where: string,
  epoch: number,
  fail: (message: string) => SetnetError,
): StoredHistory {
  const parts = ['epochs', 'final', 'stopped', 'stoppedEarly', 'best'] as const;
  const decoded = decode(value, () => fail(`${where} is nested more than ${deepest} deep`));
  const { epochs, final, stopped, stoppedEarly, best } = readOptions(decoded, where, parts);
  if (!Array.isArray(epochs) || epochs.length !== epoch)
    throw fail(`${where}.epochs must be an array of ${epoch} epochs, not ${describe(epochs)}`);
  for (const [i, entry] of epochs.entries()) checkEpoch(entry, `${where}.epochs[${i}]`, i + 1, fail);
  for (const [name, part] of [
    ['final', final],
    ['best', best],
  ] as const) {
    if (part !== undefined && (typeof part !== 'object' || part === null))
      throw fail(`${where}.${name} must be an object, not ${describe(part)}`);
  }
  return {
    epochs,
    ...(final === undefined ? {} : { final: final as FinalReport }),
    stopped: readBoolean(stopped, `${where}.stopped`),
    stoppedEarly: readBoolean(stoppedEarly, `${where}.stoppedEarly`),
    ...(best === undefined ? {} : { best: best as NonNullable<History['best']> }),
  };
}

/** What every epoch has; reports inside are as the file says, the checksum vouches for them. */
function checkEpoch(value: unknown, where: string, epoch: number, fail: (message: string) => SetnetError): void {
  if (typeof value !== 'object' || value === null) throw fail(`${where} must be an object, not ${describe(value)}`);
  const report = value as Partial<StoredEpoch>;
  if (report.epoch !== epoch) throw fail(`${where}.epoch is ${describe(report.epoch)}, which must be ${epoch}`);
  for (const name of ['loss', 'learningRate', 'connections'] as const) {
    if (typeof report[name] !== 'number')
      throw fail(`${where}.${name} must be a number, not ${describe(report[name])}`);
  }
}

/** The training as native code takes it with a file. */
export function nativeCheckpoint({ options, state }: StoredTraining): NativeCheckpoint {
  return { ...state, optimizer: nativeOptimizer(options.optimizer) };
}

/** `ERR_SETNET_RESUME` where two fits differ in something that changes results, naming it. */
export function checkSameFit(stored: FitRecord, given: FitRecord): void {
  refuseDifference(firstDifference(stored, JSON.parse(JSON.stringify(given)), ''));
}

/** `ERR_SETNET_RESUME` where two networks differ in something that changes results, naming it; weights are not looked at. */
export function checkSameDefinition(stored: Definition, given: Definition): void {
  refuseDifference(firstDifference(definitionObject(stored), definitionObject(given), ''));
}

function definitionObject({ spec, classes, features }: Definition): object {
  const { inputs, seed, layers, scaling } = spec;
  return { inputs, seed, layers, scaling: { kind: scaling.kind, missing: scaling.missing }, classes, features };
}

function refuseDifference(difference: string | undefined): void {
  if (difference !== undefined) throw new SetnetError('ERR_SETNET_RESUME', `fit: resume: ${difference}`);
}

function firstDifference(stored: unknown, given: unknown, path: string): string | undefined {
  if (typeof stored !== 'object' || typeof given !== 'object' || stored === null || given === null) {
    if (Object.is(stored, given)) return undefined;
    return `${path} was ${describe(stored)} in the training that is to go on, but is ${describe(given)} now`;
  }
  const a = stored as Record<string, unknown>;
  const b = given as Record<string, unknown>;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const difference = firstDifference(a[key], b[key], path === '' ? key : `${path}.${key}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}
