/// <reference lib="esnext.disposable" preserve="true" />
import type { Features } from './data';
import { type Definition, readThreads } from './definition';
import { guard, guardAsync, SetnetError } from './errors';
import { openModel } from './model_file';
import type { NativeNetwork, NativePredictorOptions, NativeSession } from './native';
import { readName, readOptions, readPath, typeError } from './options';
import { Predictions, type PredictOptions } from './prediction';
import type { FileUrl } from './types';

/** Options of `network.freeze` and `Session.load`. None of them changes an answer, but for `precision`. */
export interface SessionOptions {
  /** Threads for one prediction, 1 to 1024. Default: the network's; of a file: SETNET_THREADS, else all. */
  readonly threads?: number;
  /**
   * 'throughput' (default): one packed form of the weights for every batch. 'latency': further forms for single rows, where
   * they are quicker (wider blocks, columns that skip zeros, dense weights of very full layers), for about three times the memory.
   */
  readonly optimizeFor?: 'throughput' | 'latency';
  /** Of the packed weights. Default 'f32': the network's own bits. Sums are f32 with either. */
  readonly precision?: 'f32' | 'bf16';
}

const aims = ['throughput', 'latency'] as const;
const precisions = ['f32', 'bf16'] as const;

/** `threads`: where nothing is said. */
function readSessionOptions(value: unknown, where: string, threads: number | undefined): NativePredictorOptions {
  const options = readOptions(value, `${where}: options`, ['threads', 'optimizeFor', 'precision']);
  return {
    threads: readThreads(options.threads ?? threads, `${where}: threads`),
    optimizeFor: readName(options.optimizeFor ?? 'throughput', `${where}: optimizeFor`, aims),
    precision: readName(options.precision ?? 'f32', `${where}: precision`, precisions),
  };
}

const key = Symbol('Session');
let wrap: (session: NativeSession, definition: Definition) => Session;

/**
 * A network that only answers: packed once, immutable, independent of the network it was frozen from. Its answers are the
 * network's, bit for bit. It owns native memory: `close()` frees it, or use `await using`.
 *
 * After `close()` predictions are `ERR_SETNET_STATE`; everything else works on.
 */
export class Session {
  readonly #native: NativeSession;
  readonly #predictions: Predictions;
  readonly #inputs: number;
  readonly #outputs: number;
  readonly #classes: readonly string[] | undefined;
  readonly #features: readonly string[] | undefined;
  readonly #connections: number;
  /** Asynchronous predictions that are not answered yet. */
  #running = 0;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  private constructor(caller: symbol, session: NativeSession, definition: Definition) {
    if (caller !== key) throw typeError('a Session is made by network.freeze() or Session.load');
    this.#native = session;
    this.#inputs = definition.spec.inputs;
    this.#outputs = definition.outputs;
    this.#classes = definition.classes;
    this.#features = definition.features;
    this.#connections = session.connections;
    this.#predictions = new Predictions(session, this.#inputs, this.#outputs);
  }

  static {
    wrap = (session, definition) => new Session(key, session, definition);
  }

  /**
   * A session of the network in a file that `save` wrote. Everything in the file is checked before it is used; nothing but
   * the packed weights is kept.
   *
   * Errors (rejections): `ERR_SETNET_FORMAT` where the file is truncated, changed or not a model of setnet; `ERR_SETNET_IO`;
   * `ERR_SETNET_STATE` where the file's network has yet to learn its scaling; `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`,
   * `ERR_SETNET_MEMORY`, `ERR_SETNET_LOAD`.
   */
  static async load(path: string | FileUrl, options?: SessionOptions): Promise<Session> {
    const where = 'Session.load';
    const file = readPath(path, `${where}: path`);
    const read = readSessionOptions(options, where, undefined);
    const { network, definition } = await openModel(file, read.threads);
    const frozen = guardAsync(() => network.freeze(read));
    // The packing has what it needs.
    network.dispose();
    return wrap(await frozen, definition);
  }

  /** Features per sample. */
  get inputs(): number {
    return this.#inputs;
  }

  /** Outputs per sample: the units of the last layer. */
  get outputs(): number {
    return this.#outputs;
  }

  /** The names of the outputs, or undefined. */
  get classes(): readonly string[] | undefined {
    return this.#classes;
  }

  /** The names of the inputs, or undefined. */
  get features(): readonly string[] | undefined {
    return this.#features;
  }

  /** Weights of all layers, biases not counted. */
  get connections(): number {
    return this.#connections;
  }

  /** Whether `close` has been called. */
  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * The answers to one or more samples, [samples, outputs] row-major, or one class number per sample. Copies x before it
   * returns and computes off the event loop.
   *
   * Errors (rejections): `ERR_SETNET_STATE`, `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`, `ERR_SETNET_SHAPE`,
   * `ERR_SETNET_BUFFER`, `ERR_SETNET_NONFINITE`, `ERR_SETNET_MEMORY`.
   */
  predict(x: Features, options: { readonly output: 'classes' }): Promise<Int32Array>;
  predict(x: Features, options?: { readonly output?: 'logits' | 'probabilities' }): Promise<Float32Array>;
  predict(x: Features, options?: PredictOptions): Promise<Float32Array | Int32Array>;
  predict(x: Features, options?: PredictOptions): Promise<Float32Array | Int32Array> {
    const answer = this.#answer(x, options);
    if (!this.isClosed) {
      this.#running++;
      const onSettled = () => {
        this.#running--;
        if (this.#running === 0) this.#onIdle?.();
      };
      answer.then(onSettled, onSettled);
    }
    return answer;
  }

  async #answer(x: Features, options: PredictOptions | undefined): Promise<Float32Array | Int32Array> {
    this.#check('predict');
    return this.#predictions.predict(x, options);
  }

  /**
   * As {@link Session.predict}, on the calling thread: the lowest latency for few samples. `out` receives the answers and is
   * returned, so that nothing is allocated; it must have exactly samples * outputs elements ('classes': an Int32Array
   * with one per sample) and not overlap x. Throws.
   */
  predictSync(x: Features, options: { readonly output: 'classes' }): Int32Array;
  predictSync(x: Features, out: Int32Array | undefined, options: { readonly output: 'classes' }): Int32Array;
  predictSync(x: Features, options: { readonly output?: 'logits' | 'probabilities' }): Float32Array;
  predictSync(
    x: Features,
    out?: Float32Array,
    options?: { readonly output?: 'logits' | 'probabilities' },
  ): Float32Array;
  predictSync(
    x: Features,
    out?: Float32Array | Int32Array | PredictOptions,
    options?: PredictOptions,
  ): Float32Array | Int32Array {
    this.#check('predictSync');
    return this.#predictions.predictSync(x, out, options);
  }

  /**
   * Refuses new predictions from now on, resolves when the running ones are answered, and frees native memory. Every call
   * gives the same promise.
   */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  /** {@link Session.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(): Promise<void> {
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    guard(() => this.#native.close());
  }

  #check(where: string): void {
    if (this.#closing !== undefined) throw new SetnetError('ERR_SETNET_STATE', `${where}: the session was closed`);
  }
}

/** The session of a network as it is now. */
export async function freezeNetwork(
  network: NativeNetwork,
  definition: Definition,
  options: unknown,
): Promise<Session> {
  const read = readSessionOptions(options, 'freeze', definition.spec.threads);
  return wrap(await guardAsync(() => network.freeze(read)), definition);
}
