// The options of fit, checked, with every default filled in.
import { type CheckpointOptions, type ReadCheckpoint, readCheckpoint } from './checkpoint';
import type { NumberArray } from './csr_matrix';
import { type DataShape, type Dataset, readDataset } from './data';
import { readThreads } from './definition';
import { SetnetError } from './errors';
import { readClipNorm } from './fit_record';
import type { NativeDataset, NativeFitOptions, NativeRule } from './native';
import { describe, optionError, readBoolean, readNumber, readOptions, typeError } from './options';
import { type Evolution, readEvolution } from './rules/evolution';
import { type Loss, readLoss, targetKindOf } from './rules/loss';
import { type Metric, readMetrics } from './rules/metric';
import { type Optimizer, readOptimizer } from './rules/optimizer';
import { type EarlyStopping, type Monitor, readStopRule } from './stop_rule';
import type { AbortSignalLike, Progress } from './types';
import { type ClassWeights, type ReadWeights, readWeights } from './weights';

/** Options of `network.fit`. */
export interface FitOptions {
  /** Passes over the training data, from 1. Default 10. */
  readonly epochs?: number;
  /** Samples per step, from 1; the last batch of an epoch may be smaller. Default 128. Not with a {@link BatchStream}. */
  readonly batchSize?: number;
  /** Default 'softmaxCrossEntropy'. It decides what targets the data have: see {@link Targets}. */
  readonly loss?: Loss;
  /** Default `sgd()`: learning rate 0.05 falling along a cosine, momentum 0.9, weight decay 1e-4. */
  readonly optimizer?: Optimizer;
  /**
   * Scales the gradients of a step down where their norm, over all weights, biases and what activations learn, is above this;
   * before weight decay and momentum see them (Pascanu et al. 2013). Above 0. Costs a second pass over the connections. Default:
   * never.
   */
  readonly clipNorm?: number;
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
   * Writes the state of the training to a file before the first epoch, after every `everyEpochs` epochs and at the end, each
   * time before training goes on: after a crash `Network.load(path)` and `fit(data, { ...same, resume: true })` go on there.
   * Where that fails, training ends as by an abort.
   */
  readonly checkpoint?: CheckpointOptions;
  /**
   * Go on with a training that was interrupted or stopped: of a network that was loaded from a checkpoint, or whose fit was
   * stopped or aborted. Everything becomes as if it had never stopped, to the bit. All options and the data must be the same,
   * except threads, signal, callbacks and the checkpoint; of a stream it is not looked at whether the batches are. Default false.
   */
  readonly resume?: boolean;
  /**
   * How much the samples of each class count: what training minimises is the mean over a batch's samples of weight * loss, with
   * one f32 weight for each sample, that of its class times its own. 'balanced': n / (k n_c) for the k classes that occur among n
   * samples, n_c times each, so that every class has the same influence (King and Zeng 2001). Else a number of at least 0 for
   * every class, in their order or by name (a class that is not named counts 1); 'balanced' not with a stream, whose labels are
   * not known beforehand. For losses by class, and for
   * 'binaryCrossEntropy' with one output and labels. Validations know no weights. Default: all samples count 1.
   */
  readonly classWeights?: ClassWeights;
  /**
   * How much each sample of the training data counts: finite numbers of at least 0, not all 0. Copied. See `classWeights`. With
   * a stream each batch has its own.
   */
  readonly sampleWeights?: NumberArray;
  /**
   * What validations say beside loss and accuracy, which are always there: 'balancedAccuracy', 'confusion', 'auc'; see
   * {@link Evaluation}. `ERR_SETNET_OPTION` for one that has no meaning for the loss, or without `validation`. Default none.
   */
  readonly metrics?: readonly Metric[];
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
  checkpoint: ReadCheckpoint | undefined;
  native: NativeFitOptions;
  weights: ReadWeights;
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
  'clipNorm',
  'evolution',
  'validation',
  'earlyStopping',
  'restoreBest',
  'checkpoint',
  'resume',
  'classWeights',
  'sampleWeights',
  'metrics',
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
  isStream: boolean,
): ReadFitOptions {
  const where = 'fit';
  const options = readOptions(value, where, names);
  if (isStream) refuseOfDatasets(options, where);
  const optimizer = readOptimizer(options.optimizer ?? 'sgd', `${where}: optimizer`);
  const loss = readLossFor(options.loss ?? 'softmaxCrossEntropy', shape.outputs, `${where}: loss`);
  const isStatic = options.evolution === null || options.evolution === false;
  const checkpoint =
    options.checkpoint === undefined ? undefined : readCheckpoint(options.checkpoint, `${where}: checkpoint`);
  return {
    checkpoint,
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
      clipNorm: options.clipNorm === undefined ? 0 : readClipNorm(options.clipNorm, `${where}: clipNorm`),
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
      checkpointEvery: checkpoint?.everyEpochs ?? 0,
      resume: readBoolean(options.resume ?? false, `${where}: resume`),
      metrics: readValidationMetrics(options, loss.name, shape.outputs, where),
      threads: options.threads === undefined ? threads : readThreads(options.threads, `${where}: threads`),
      progressSeconds,
    },
    weights: readWeights(options, loss.name, shape, where),
    validation:
      options.validation === undefined
        ? null
        : readDataset(options.validation, shape, loss.name, `${where}: validation`),
    signal: options.signal === undefined ? undefined : readSignal(options.signal, `${where}: signal`),
    onProgress: options.onProgress === undefined ? undefined : readCallback(options.onProgress, `${where}: onProgress`),
    copy: readBoolean(options.copy ?? false, `${where}: copy`),
  };
}

/** What has a meaning only where all data are known. */
function refuseOfDatasets(
  options: { batchSize?: unknown; sampleWeights?: unknown; classWeights?: unknown },
  where: string,
): void {
  if (options.batchSize !== undefined)
    throw optionError(`${where}: batchSize has no meaning with \`batches\`, which are as large as they come`);
  if (options.sampleWeights !== undefined)
    throw optionError(`${where}: with \`batches\` each batch has its own sampleWeights: { x, y, sampleWeights }`);
  if (options.classWeights === 'balanced')
    throw optionError(
      `${where}: classWeights 'balanced' follow from all labels, which a stream does not know beforehand; give a number for each class`,
    );
}

function readValidationMetrics(
  { metrics, validation }: { metrics?: unknown; validation?: unknown },
  loss: string,
  outputs: number,
  where: string,
): string[] {
  const names = readMetrics(metrics ?? [], loss, outputs, `${where}: metrics`);
  if (names.length === 0 || validation !== undefined) return names;
  throw optionError(`${where}: metrics are of validations, but there is no \`validation\``);
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
    const inner = (value as { signal?: Partial<AbortSignalLike> } | null)?.signal;
    const advice =
      typeof inner?.aborted === 'boolean' ? '; the signal of this controller is its property `signal`' : '';
    throw typeError(`${where} must be an AbortSignal, not ${describe(value)}${advice}`);
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
