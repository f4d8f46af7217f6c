// What fit returns: a running training, to be looped over, awaited, stopped.
import { BatchPump, type StreamPlan } from './batch_stream';
import { restoreEpoch, type StoredHistory, storeEpoch } from './checkpoint';
import { SetnetError, toSetnetError } from './errors';
import type {
  NativeEpochRecord,
  NativeEvolutionRecord,
  NativeFinalRecord,
  NativeFitResult,
  NativeLayerEvolution,
  NativeTraining,
  NativeTrainingCallbacks,
} from './native';
import { typeError } from './options';
import { evaluationOf } from './rules/metric';
import type {
  AbortSignalLike,
  EpochReport,
  EvolutionReport,
  FinalReport,
  History,
  HistoryData,
  LayerEvolution,
  Progress,
} from './types';

export interface TrainingPlan {
  signal: AbortSignalLike | undefined;
  onProgress: ((progress: Progress) => void) | undefined;
  /** The names of the classes, for reports. */
  classes: readonly string[] | undefined;
  /** Where the training data are a stream. */
  batches?: StreamPlan;
  /** Starts native training; called once, and not where the signal is aborted already. */
  start: (callbacks: NativeTrainingCallbacks) => NativeTraining;
  /** Epochs before this fit, where it goes on with one. */
  before: readonly EpochReport[];
  /** Stores the network's checkpoint with the history so far. */
  store: (history: StoredHistory) => Promise<void>;
  /** Called once at the end, however it ends. */
  onEnd: (history: StoredHistory | undefined) => void;
}

interface Waiter {
  resolve: (result: IteratorResult<EpochReport, undefined>) => void;
  reject: (reason: unknown) => void;
}

type Ending = { history: History } | { error: unknown; isAbort: boolean };

/** Taken at import: fake timers of a test runner must not hold a training up. */
const afterThisTurn: (callback: () => void) => void = setImmediate;

/** Of a training that has ended before it began. */
const idlePlan: TrainingPlan = {
  signal: undefined,
  onProgress: undefined,
  start: () => {
    throw new SetnetError('ERR_SETNET_INTERNAL', 'a training that has ended does not start');
  },
  classes: undefined,
  before: [],
  store: () => Promise.resolve(),
  onEnd: () => {},
};

const key = Symbol('Training');
let begin: (plan: TrainingPlan | { history: History }) => Training;
let silence: (training: Training) => void;

/**
 * A running fit. Loop over it to see every epoch: `for await (const epoch of training)`. The trainer waits for the loop's
 * body, so that the network is as after that epoch meanwhile; leaving the loop by break, return or an error stops the
 * training after that epoch. In the body of the last epoch the network is as after the final removal. Epochs that were
 * finished before the loop began are delivered too. Await `done` for the history. It is not thenable: returning it from
 * an async function does not await it.
 *
 * Do not await `done` inside the loop: the trainer waits for the body. The training keeps the process alive.
 */
export class Training implements AsyncIterable<EpochReport> {
  /**
   * The history of a training that ran to its end or was stopped. Rejects with `signal.reason` after an abort, with what
   * `onProgress` or a stream of batches threw, or with a SetnetError: `ERR_SETNET_DIVERGED` (the network is as after the last finished epoch),
   * `ERR_SETNET_NONFINITE` (a feature is not finite; as after the last finished epoch), `ERR_SETNET_MEMORY`, of a stream whatever
   * is wrong with a batch (as after the last finished epoch),
   * `ERR_SETNET_ABORTED` (the network was disposed). Otherwise the network can be used on. Where somebody loops, the loop
   * throws the same, and the rejection of `done` does not count as unhandled.
   */
  readonly done: Promise<History>;

  #native: NativeTraining | undefined;
  readonly #plan: TrainingPlan;
  readonly #onAbort: () => void;
  #resolveDone!: (history: History) => void;
  #rejectDone!: (error: unknown) => void;

  /** All epochs of the fit so far. */
  readonly #history: EpochReport[];
  /** Epochs that no loop has taken yet. */
  readonly #epochs: EpochReport[] = [];
  #waiters: Waiter[] = [];
  #isIterated = false;
  #isLeft = false;
  #delivered = 0;
  #ending: Ending | undefined;
  #thrown: { error: unknown } | undefined;
  /** Of a stream of batches. */
  #pump: BatchPump | undefined;
  #streamError: { error: unknown } | undefined;

  private constructor(caller: symbol, made: TrainingPlan | { history: History }) {
    if (caller !== key) throw typeError('a Training is made by network.fit()');
    const plan: TrainingPlan = 'start' in made ? made : idlePlan;
    this.#plan = plan;
    this.#history = [...plan.before];
    this.done = new Promise((resolve, reject) => {
      this.#resolveDone = resolve;
      this.#rejectDone = reject;
    });
    this.#onAbort = () => this.#native?.abort();
    if (!('start' in made)) {
      this.#end({ history: made.history });
      return;
    }
    const { signal } = plan;
    if (signal?.aborted) {
      this.#end({ error: reasonOf(signal), isAbort: true });
      return;
    }
    const { batches } = plan;
    if (batches !== undefined) {
      const onError = (error: unknown) => this.#failStream(error);
      this.#pump = new BatchPump({ ...batches, onError }, () => this.#native);
    }
    this.#native = plan.start({
      onProgress: plan.onProgress === undefined ? null : (progress) => this.#report(progress),
      onEpoch: (record) => this.#addEpoch(record),
      onCheckpoint: (record, result) => this.#store(record, result),
      onBatchWanted: batches === undefined ? null : (epoch) => this.#pump?.wanted(epoch),
      onDone: (error, result) => this.#finish(error, result),
    });
    signal?.addEventListener('abort', this.#onAbort);
    // A training begins stepped, so that a loop begun in this turn of the event loop sees epoch 1 before epoch 2 begins.
    afterThisTurn(() => {
      if (!this.#isIterated) this.#native?.setStepped(false);
    });
    // The start may have run code that aborts.
    if (signal?.aborted) this.#native.abort();
  }

  static {
    begin = (plan) => new Training(key, plan);
    silence = (training) => {
      training.done.catch(() => {});
    };
  }

  /**
   * Ends the training after the running epoch; `done` resolves, with `stopped: true` and without the final removal. Does
   * nothing where it has ended.
   */
  stop(): void {
    if (this.#ending === undefined) this.#native?.stop();
  }

  /** The epochs, once. A second iterator is `ERR_SETNET_STATE`. */
  [Symbol.asyncIterator](): AsyncIterator<EpochReport, undefined> {
    if (this.#isIterated) {
      throw new SetnetError(
        'ERR_SETNET_STATE',
        'this training is iterated already: its epochs are delivered once; `(await done).epochs` has them all',
      );
    }
    this.#isIterated = true;
    silence(this);
    this.#native?.setStepped(true);
    return { next: () => this.#next(), return: () => this.#leave() };
  }

  #next(): Promise<IteratorResult<EpochReport, undefined>> {
    const ending = this.#ending;
    if (ending !== undefined && 'isAbort' in ending && ending.isAbort) return this.#settle(ending);
    const epoch = this.#epochs.shift();
    if (epoch !== undefined) {
      this.#acknowledge();
      this.#delivered = epoch.epoch;
      return Promise.resolve({ value: epoch, done: false });
    }
    if (ending !== undefined || this.#isLeft) return this.#settle(ending);
    const waiting = new Promise<IteratorResult<EpochReport, undefined>>((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
    this.#acknowledge();
    return waiting;
  }

  /** The loop has seen what was delivered: the trainer may go on. */
  #acknowledge(): void {
    if (this.#delivered > 0 && this.#ending === undefined) this.#native?.acknowledge(this.#delivered);
  }

  /** The answer after the last epoch: an error once, then the end. */
  #settle(ending: Ending | undefined): Promise<IteratorResult<EpochReport, undefined>> {
    if (ending !== undefined && 'error' in ending && !this.#isLeft) {
      this.#isLeft = true;
      return Promise.reject(ending.error);
    }
    this.#isLeft = true;
    return Promise.resolve({ value: undefined, done: true });
  }

  #leave(): Promise<IteratorResult<EpochReport, undefined>> {
    this.#isLeft = true;
    this.#epochs.length = 0;
    if (this.#ending === undefined) {
      this.#native?.stop();
      this.#native?.setStepped(false);
    }
    for (const waiter of this.#waiters.splice(0)) waiter.resolve({ value: undefined, done: true });
    return Promise.resolve({ value: undefined, done: true });
  }

  #addEpoch(record: NativeEpochRecord): void {
    const report = epochReport(record, this.#plan.classes);
    this.#history.push(report);
    if (this.#isLeft) return;
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.#epochs.push(report);
      return;
    }
    this.#delivered = report.epoch;
    waiter.resolve({ value: report, done: false });
    // Somebody asked for the next one before this one came: nothing to wait for.
    if (this.#waiters.length > 0) this.#acknowledge();
  }

  #store(record: NativeEpochRecord | null, result: NativeFitResult): void {
    // After an abort the epoch's own news may have come first.
    const isKnown = record === null || this.#history.at(-1)?.epoch === record.epoch;
    const epochs = isKnown ? this.#history : [...this.#history, epochReport(record, this.#plan.classes)];
    this.#plan.store(storeHistory(epochs, result, this.#plan.classes)).then(
      () => this.#native?.acknowledgeCheckpoint(),
      (error: unknown) => this.#fail(error),
    );
  }

  #report(progress: Progress): void {
    // One that was on its way when the caller aborted is not reported any more.
    if (this.#thrown !== undefined || this.#ending !== undefined || this.#plan.signal?.aborted) return;
    try {
      const result: unknown = this.#plan.onProgress?.(progress);
      // An async function was given: its rejection is an error as a throw is.
      if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function') {
        (result as PromiseLike<unknown>).then(undefined, (error: unknown) => this.#fail(error));
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    // Too late for `done` to say it: as any other rejection that nobody handles.
    if (this.#ending !== undefined) throw error;
    if (this.#thrown !== undefined) return;
    this.#thrown = { error };
    this.#native?.abort();
  }

  /** As an error in a step: the network stays as after the last finished epoch. */
  #failStream(error: unknown): void {
    this.#streamError = { error };
    this.#native?.failBatches();
  }

  #finish(error: Error | null, result: NativeFitResult | null): void {
    if (this.#thrown !== undefined) {
      this.#end({ error: this.#thrown.error, isAbort: true });
    } else if (result !== null) {
      this.#end(
        { history: historyOf(this.#history, result, this.#plan.classes) },
        storeHistory(this.#history, result, this.#plan.classes),
      );
    } else {
      const { signal } = this.#plan;
      const converted = toSetnetError(error);
      const isAbort = converted.code === 'ERR_SETNET_ABORTED';
      if (!isAbort && this.#streamError !== undefined) {
        this.#end({ error: this.#streamError.error, isAbort: false });
        return;
      }
      this.#end({ error: isAbort && signal?.aborted ? reasonOf(signal) : converted, isAbort });
    }
  }

  #end(ending: Ending, stored?: StoredHistory): void {
    this.#ending = ending;
    this.#native = undefined;
    this.#pump?.end();
    this.#plan.signal?.removeEventListener('abort', this.#onAbort);
    this.#plan.onEnd(stored);
    if ('history' in ending) this.#resolveDone(ending.history);
    else this.#rejectDone(ending.error);
    const [first, ...others] = this.#waiters.splice(0);
    if (first === undefined) return;
    this.#settle(ending).then(first.resolve, first.reject);
    for (const waiter of others) waiter.resolve({ value: undefined, done: true });
  }
}

/** Starts a training. */
export function beginTraining(plan: TrainingPlan): Training {
  return begin(plan);
}

/** A training that has ended before: its loop has no epochs, its history is there. */
export function endedTraining(history: History): Training {
  return begin({ history });
}

/** A rejection of `done` shall not count as unhandled: whoever disposes of a network knows that its training ends. */
export function silenceTraining(training: Training): void {
  silence(training);
}

function reasonOf(signal: AbortSignalLike): unknown {
  return signal.reason ?? new SetnetError('ERR_SETNET_ABORTED', 'training was aborted');
}

function layerEvolution(layer: NativeLayerEvolution): LayerEvolution {
  const { prunedPositive, prunedNegative, prunedZero, grown, connections } = layer;
  return {
    pruned: prunedPositive + prunedNegative + prunedZero,
    prunedPositive,
    prunedNegative,
    prunedZero,
    grown,
    connections,
  };
}

/** A native record as users see it. */
export function evolutionReport(record: NativeEvolutionRecord): EvolutionReport {
  const { zeta, evolutions } = record;
  return { zeta, evolutions, ...layerEvolution(record), layers: record.layers.map(layerEvolution) };
}

/** The names of the classes, where there are any. */
type Classes = readonly string[] | undefined;

function epochReport({ validation, evolution, ...record }: NativeEpochRecord, classes: Classes): EpochReport {
  return {
    ...record,
    ...(validation === undefined ? {} : { validation: evaluationOf(validation, classes) }),
    ...(evolution === undefined ? {} : { evolution: evolutionReport(evolution) }),
  };
}

function finalReport({ removal, connections, validation }: NativeFinalRecord, classes: Classes): FinalReport {
  return {
    removal: evolutionReport(removal),
    connections,
    ...(validation === undefined ? {} : { validation: evaluationOf(validation, classes) }),
  };
}

function storeHistory(epochs: readonly EpochReport[], result: NativeFitResult, classes: Classes): StoredHistory {
  const { final, stopped, stoppedEarly, best } = result;
  return {
    epochs: epochs.map(storeEpoch),
    ...(final === undefined ? {} : { final: finalReport(final, classes) }),
    stopped,
    stoppedEarly,
    ...(best === undefined ? {} : { best }),
  };
}

function historyOf(epochs: readonly EpochReport[], result: NativeFitResult, classes: Classes): History {
  return completeHistory(epochs, storeHistory(epochs, result, classes));
}

/** The history of a file, with times of 0. */
export function restoreHistory(stored: StoredHistory): History {
  return completeHistory(stored.epochs.map(restoreEpoch), stored);
}

/** What a fit did, from what is stored of it. */
export function completeHistory(epochs: readonly EpochReport[], stored: StoredHistory): History {
  const { final, stopped, stoppedEarly, best } = stored;
  const last = epochs.at(-1);
  const trained = last?.connections ?? 0;
  const history: HistoryData = {
    epochs,
    ...(final === undefined ? {} : { final }),
    stopped,
    stoppedEarly,
    ...(best === undefined ? {} : { best }),
    connections: { trained, final: final?.connections ?? last?.evolution?.connections ?? trained },
  };
  return withReport(history);
}

/** A history that can write itself; what it is made of stays plain data. */
function withReport(history: HistoryData): History {
  const report: History['report'] = async (path, options) => {
    // Loaded when it is needed: most programs never write a report.
    const { reportHistory } = require('./report/report') as typeof import('./report/report');
    return reportHistory(history, path, options);
  };
  return Object.defineProperty(history, 'report', { value: report }) as History;
}
