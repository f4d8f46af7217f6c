// Streams of batches, for data that do not fit in memory: what users give, checked, and how it reaches native code.
import type { NumberArray } from './csr_matrix';
import { type DataShape, type Dataset, type Features, readDataset, rowsOf } from './data';
import { guard, SetnetError, toSetnetError } from './errors';
import type { NativeDataset, NativeStream, NativeTraining } from './native';
import { describe, readNumber, readOptions, typeError } from './options';
import { classesOf } from './rules/loss';
import type { Targets } from './types';
import { type ReadWeights, weighSamples } from './weights';

/** What one step learns from: one or more samples. */
export interface Batch {
  /** Features, a row for each sample. */
  readonly x: Features;
  /** What the network shall answer, as the loss takes it. */
  readonly y: Targets;
  /** How much each sample counts: finite numbers of at least 0. */
  readonly sampleWeights?: NumberArray;
}

/** Batches that come one by one, for data that do not fit in memory. */
export interface BatchStream {
  /**
   * Called at the beginning of each epoch (of the fit, from 1; with `resume` of those that are left) for the batches of that
   * epoch, in the order in which they are trained on; nothing is shuffled. An array, a generator, an async generator, a
   * `Readable` in object mode, or anything else to loop over, but a new one for each epoch. Each batch is one step and may have
   * any number of samples from 1.
   *
   * A batch is copied (a {@link CsrMatrix} is not: it never changes) before the next one is asked for, so that its arrays can
   * be filled anew. The next one is asked for while training works on the one before; at most two are under way. The epoch
   * ends with the iterator; `return()` is called where not all of it is wanted.
   */
  readonly batches: (epoch: number) => Iterable<Batch | PromiseLike<Batch>> | AsyncIterable<Batch>;
  /**
   * How many batches an epoch has, from 1: exactly so many are taken. Without it an epoch has those that come, and learning rates
   * follow their schedule from epoch to epoch, as nobody knows how far an epoch is.
   */
  readonly stepsPerEpoch?: number;
}

export interface ReadStream {
  readonly batches: (epoch: number) => unknown;
  readonly native: NativeStream;
}

/** Is it a stream, and not a data set? Nothing else is said about it. */
export function isStream(data: Dataset | BatchStream): data is BatchStream {
  return typeof data === 'object' && data !== null && 'batches' in data;
}

export function readStream(value: BatchStream, where: string): ReadStream {
  const { batches, stepsPerEpoch } = readOptions(value, where, ['batches', 'stepsPerEpoch']);
  if (typeof batches !== 'function') {
    throw typeError(
      `${where}.batches must be a function (epoch) => iterable, not ${describe(batches)}: it is called once an epoch, since most iterators can be gone through only once`,
    );
  }
  const limits = { min: 1, max: Number.MAX_SAFE_INTEGER, integer: true };
  return {
    batches: batches as ReadStream['batches'],
    native: {
      stepsPerEpoch: stepsPerEpoch === undefined ? 0 : readNumber(stepsPerEpoch, `${where}.stepsPerEpoch`, limits),
    },
  };
}

/** Rows of a batch: as many as `batchSize` may be. */
const maxRows = 2 ** 31 - 1;

/** A batch, checked as a data set is. */
export function readBatch(
  value: unknown,
  shape: DataShape,
  loss: string,
  weights: ReadWeights,
  where: string,
): NativeDataset {
  if (value === undefined) throw typeError(`${where} must be { x, y }, not undefined`);
  const { x, y, sampleWeights } = readOptions(value, where, ['x', 'y', 'sampleWeights']);
  const dataset = readDataset({ x, y }, shape, loss, `${where}: data`);
  const rows = rowsOf(dataset.x, shape.inputs);
  if (rows > maxRows) throw new SetnetError('ERR_SETNET_DATA', `${where} has ${rows} samples; ${maxRows} is the limit`);
  const read = sampleWeights === undefined ? weights : { ...weights, sampleWeights };
  return weighSamples(dataset, read, classesOf(loss, shape.outputs), where, true);
}

/** What iterators of any kind have in common. */
interface Steps {
  next(): unknown;
  return?(): unknown;
}

/** The steps of something to loop over, as `for await` takes them; undefined where it is nothing of the kind. */
function stepsOf(iterable: unknown): { steps: Steps; isAsync: boolean } | undefined {
  if (iterable === null || iterable === undefined) return undefined;
  const methods = iterable as { [Symbol.asyncIterator]?: unknown; [Symbol.iterator]?: unknown };
  for (const symbol of [Symbol.asyncIterator, Symbol.iterator] as const) {
    const method = methods[symbol];
    if (method === undefined || method === null) continue;
    if (typeof method !== 'function') return undefined;
    const steps: unknown = method.call(iterable);
    if (typeof steps !== 'object' || steps === null) return undefined;
    return { steps: steps as Steps, isAsync: symbol === Symbol.asyncIterator };
  }
  return undefined;
}

export interface StreamPlan {
  readonly stream: ReadStream;
  /** Checks a batch; `where` names it. */
  readonly read: (batch: unknown, where: string) => NativeDataset;
}

export interface PumpPlan extends StreamPlan {
  /** The next batch will never come. */
  readonly onError: (error: unknown) => void;
}

/** Takes batches from the user's iterators and hands them to native code, as fast as that has room for them. */
export class BatchPump {
  readonly #plan: PumpPlan;
  readonly #native: () => NativeTraining | undefined;
  #epoch = 0;
  /** The iterator of this epoch, as long as it has not come to its end. */
  #steps: Steps | undefined;
  /** Iterators of epochs so far: most of them can be gone through only once. */
  readonly #used = new WeakSet<object>();
  #wake: (() => void) | undefined;
  #hasEnded = false;

  /** `native`: the training, while it runs. */
  constructor(plan: PumpPlan, native: () => NativeTraining | undefined) {
    this.#plan = plan;
    this.#native = native;
  }

  /** Native code has room for a batch of this epoch. */
  wanted(epoch: number): void {
    if (this.#hasEnded) return;
    if (epoch === this.#epoch) {
      this.#wake?.();
      return;
    }
    this.#epoch = epoch;
    this.#run(epoch).catch((error: unknown) => this.#close(error));
  }

  /** The training is over, however it ended. */
  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
    this.#return();
  }

  async #run(epoch: number): Promise<void> {
    const { stream, read } = this.#plan;
    const limit = stream.native.stepsPerEpoch;
    const { steps, isAsync } = this.#open(epoch);
    const isUsed = this.#used.has(steps);
    this.#used.add(steps);
    this.#steps = steps;
    for (let batch = 1; ; batch++) {
      if (limit > 0 && batch > limit) {
        this.#steps = undefined;
        await steps.return?.();
        break;
      }
      await this.#room();
      if (this.#hasEnded) return;
      const item = await this.#next(steps, isAsync);
      if (this.#hasEnded) return;
      if (item === undefined) {
        if (batch > 1 || !isUsed) break;
        throw new SetnetError(
          'ERR_SETNET_DATA',
          `fit: batches(${epoch}) returned an iterator that an earlier epoch has used up; it must make a new one for each epoch`,
        );
      }
      const where = `fit: epoch ${epoch}, batch ${batch}`;
      const dataset = read(item.value, where);
      // What the caller's code did meanwhile may have ended it.
      if (this.#hasEnded) return;
      try {
        this.#native()?.pushBatch(dataset);
      } catch (error) {
        const { code, message } = toSetnetError(error);
        throw new SetnetError(code, `${where}: ${message}`);
      }
    }
    if (!this.#hasEnded) guard(() => this.#native()?.endEpoch());
  }

  #open(epoch: number): { steps: Steps; isAsync: boolean } {
    const iterable = this.#plan.stream.batches(epoch);
    const opened = stepsOf(iterable);
    if (opened === undefined) {
      throw typeError(`fit: batches(${epoch}) must return something to loop over, not ${describe(iterable)}`);
    }
    return opened;
  }

  /** The next item, or undefined at the end. */
  async #next(steps: Steps, isAsync: boolean): Promise<{ value: unknown } | undefined> {
    let result: unknown;
    try {
      result = await steps.next();
    } catch (error) {
      // An iterator that throws is over.
      this.#steps = undefined;
      throw error;
    }
    if (typeof result !== 'object' || result === null) {
      this.#steps = undefined;
      throw typeError(`fit: the iterator's next() answered ${describe(result)}, which is no object`);
    }
    const { done, value } = result as { done?: unknown; value?: unknown };
    if (done) {
      this.#steps = undefined;
      return undefined;
    }
    return { value: isAsync ? value : await value };
  }

  /** Waits until native code takes another batch, or the training ends. */
  async #room(): Promise<void> {
    while (!this.#hasEnded && this.#native()?.hasRoom() === false) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  /** Something failed: the training ends with it. */
  #close(error: unknown): void {
    if (this.#hasEnded) return;
    this.end();
    this.#plan.onError(error);
  }

  /** Tells the iterator that nobody wants more. What it does about that is its own business, failures as well. */
  #return(): void {
    const steps = this.#steps;
    this.#steps = undefined;
    try {
      Promise.resolve(steps?.return?.()).catch(() => {});
    } catch {
      // As above.
    }
  }
}
