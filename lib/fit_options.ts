// The options of fit, checked, with every default filled in.
import { type DataShape, type Dataset, readDataset } from './data';
import { readThreads } from './definition';
import { SetnetError } from './errors';
import type { NativeDataset, NativeFitOptions, NativeRule } from './native';
import { describe, optionError, readBoolean, readNumber, readOptions, typeError } from './options';
import { type Evolution, readEvolution } from './rules/evolution';
import { type Loss, readLoss, targetKindOf } from './rules/loss';
import { type Optimizer, readOptimizer } from './rules/optimizer';
import { type EarlyStopping, type Monitor, readStopRule } from './stop_rule';
import type { AbortSignalLike, Progress } from './types';

/** Options of `network.fit`. */
export interface FitOptions {
  /** Passes over the training data, from 1. Default 10. */
  readonly epochs?: number;
  /** Samples per step, from 1; the last batch of an epoch may be smaller. Default 128. */
  readonly batchSize?: number;
  /** Default 'softmaxCrossEntropy'. It decides what targets the data have: see {@link Targets}. */
  readonly loss?: Loss;
  /** Default `sgd()`: learning rate 0.05 falling along a cosine, momentum 0.9, weight decay 1e-4. */
  readonly optimizer?: Optimizer;
  /** Default `set()`: zeta 0.3 falling along a cosine. null or false: the topology stays. */
  readonly evolution?: Evolution | null | false;
  /** Evaluated at the end of every epoch and after the final removal. */
  readonly validation?: Dataset;
  /**
   * Ends the training once the validation has brought nothing better for so many epochs; true: with the defaults. There is no
   * final removal then: see {@link Network.finalize}.
   */
  readonly earlyStopping?: EarlyStopping | boolean;
  /**
   * When training ends, puts back the network of the best epoch as it was validated, by the monitor named (true: that of early
   * stopping, else 'loss'); after the last epoch before the final removal. Default false. Not after an abort.
   */
  readonly restoreBest?: Monitor | boolean;
  /**
   * Ends the training within a step: the loop and `done` reject with `signal.reason`; nothing is removed finally, and the
   * network is as after the last finished step.
   */
  readonly signal?: AbortSignalLike;
  /**
   * Called about ten times a second within an epoch, on the thread that called fit. It never slows training: a report that
   * comes too late is dropped, and an epoch shorter than a tenth of a second has none. If it throws, training ends as by
   * an abort and `done` rejects with what it threw.
   */
  readonly onProgress?: (progress: Progress) => void;
  /** Threads, 1 to 1024; results do not depend on it. Default: the network's. */
  readonly threads?: number;
  /**
   * True: x of both data sets is copied at the call. By default it is used in place: a SharedArrayBuffer as it is, an
   * ArrayBuffer is marked untransferable for good (`worker_threads.markAsUntransferable`), since a transfer would take the
   * memory from under the training. Node 22 lets `ArrayBuffer.prototype.transfer` ignore that mark, so there x is always
   * copied unless it is a SharedArrayBuffer, and so is a buffer of whole 64 KiB pages, which may be a WebAssembly memory that
   * grows. Node 20 lets byte streams (a `ReadableStream` of type 'bytes') ignore it: do
   * not hand them x while training. Writing to x while training changes what is learned. Default false.
   */
  readonly copy?: boolean;
}

export interface ReadFitOptions {
  native: NativeFitOptions;
  validation: NativeDataset | null;
  signal: AbortSignalLike | undefined;
  onProgress: ((progress: Progress) => void) | undefined;
  copy: boolean;
}

const names = [
  'epochs',
  'batchSize',
  'loss',
  'optimizer',
  'evolution',
  'validation',
  'earlyStopping',
  'restoreBest',
  'signal',
  'onProgress',
  'threads',
  'copy',
] as const;

/** Seconds between two progress reports. */
const progressSeconds = 0.1;

/** Kept clear of what the number of steps, a 64-bit counter, could ever reach. */
const maxEpochs = 1e9;
const maxBatchSize = 2 ** 31 - 1;

/** `isFinalised`: the final removal has run on this network, so that it is not repeated unless asked for. */
export function readFitOptions(
  value: unknown,
  shape: DataShape,
  threads: number,
  isFinalised: boolean,
): ReadFitOptions {
  const where = 'fit';
  const options = readOptions(value, where, names);
  const optimizer = readOptimizer(options.optimizer ?? 'sgd', `${where}: optimizer`);
  const loss = readLossFor(options.loss ?? 'softmaxCrossEntropy', shape.outputs, `${where}: loss`);
  const isStatic = options.evolution === null || options.evolution === false;
  return {
    native: {
      epochs: readNumber(options.epochs ?? 10, `${where}: epochs`, { min: 1, max: maxEpochs, integer: true }),
      batchSize: readNumber(options.batchSize ?? 128, `${where}: batchSize`, {
        min: 1,
        max: maxBatchSize,
        integer: true,
      }),
      loss,
      optimizer: optimizer.rule,
      learningRate: optimizer.learningRate.rule,
      warmup: optimizer.learningRate.warmup,
      evolution: isStatic
        ? null
        : readEvolution(options.evolution ?? { kind: 'set' }, `${where}: evolution`, !isFinalised),
      stopRule: readStopRule(
        options.earlyStopping,
        options.restoreBest,
        options.validation !== undefined,
        targetKindOf(loss.name) !== 'number',
        where,
      ),
      threads: options.threads === undefined ? threads : readThreads(options.threads, `${where}: threads`),
      progressSeconds,
    },
    validation:
      options.validation === undefined
        ? null
        : readDataset(options.validation, shape, loss.name, `${where}: validation`),
    signal: options.signal === undefined ? undefined : readSignal(options.signal, `${where}: signal`),
    onProgress: options.onProgress === undefined ? undefined : readCallback(options.onProgress, `${where}: onProgress`),
    copy: readBoolean(options.copy ?? false, `${where}: copy`),
  };
}

function readLossFor(value: unknown, outputs: number, where: string): NativeRule {
  const loss = readLoss(value, where);
  if (outputs < 2 && targetKindOf(loss.name) === 'class') {
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `${where}: '${loss.name}' needs at least 2 outputs, but the last layer has 1 unit; one output answers yes or no with 'binaryCrossEntropy' and gives a number with 'meanSquaredError'`,
    );
  }
  return loss;
}

function readSignal(value: unknown, where: string): AbortSignalLike {
  const signal = value as Partial<AbortSignalLike> | null;
  if (typeof signal !== 'object' || signal === null || typeof signal.aborted !== 'boolean') {
    throw typeError(`${where} must be an AbortSignal, not ${describe(value)}`);
  }
  if (typeof signal.addEventListener !== 'function' || typeof signal.removeEventListener !== 'function') {
    throw optionError(`${where} has no addEventListener; it must be an AbortSignal`);
  }
  return signal as AbortSignalLike;
}

function readCallback(value: unknown, where: string): (progress: Progress) => void {
  if (typeof value !== 'function') throw typeError(`${where} must be a function, not ${describe(value)}`);
  return value as (progress: Progress) => void;
}
