/// <reference lib="esnext.disposable" preserve="true" />

import { type BatchStream, isStream, readBatch, readStream, type StreamPlan } from './batch_stream';
import { checkSameFit, type ReadCheckpoint, type StoredHistory, type StoredTraining } from './checkpoint';
import { type DataShape, type Dataset, type Features, pinDataset, readDataset } from './data';
import { type Definition, type NetworkOptions, readNetworkOptions, readThreads } from './definition';
import { readDevice } from './devices';
import { guard, guardAsync, SetnetError } from './errors';
import { type FitOptions, type ReadFitOptions, readFitOptions } from './fit_options';
import { type FitRecord, fitRecord, type RecordedData } from './fit_record';
import { type LayerView, viewLayer } from './layer_view';
import { native } from './loader';
import { addByHand, addFit, emptyRecord, lastZeta, type RunRecord, writeMetadata } from './metadata';
import type { EvaluateOptions, FinalizeOptions, LoadOptions, SaveOptions } from './method_options';
import { openModel } from './model_file';
import type { NativeDataset, NativeEvolutionRecord, NativeNetwork, NativeNetworkInfo, NativeStream } from './native';
import { describe, optionError, readBoolean, readNumber, readOptions, readPath, typeError } from './options';
import { Predictions, type PredictOptions } from './prediction';
import type { ReportOptions } from './report/options';
import { type Evolution, evolutionObject, type NativeEvolution, readEvolution } from './rules/evolution';
import { classesOf, type Losses, targetKindOf } from './rules/loss';
import { evaluationOf, type Metric, meaningfulMetrics, readMetrics } from './rules/metric';
import { set } from './rules/set';
import { freezeNetwork, type Session, type SessionOptions } from './session';
import { summarize } from './summary';
import {
  beginTraining,
  endedTraining,
  evolutionReport,
  restoreHistory,
  silenceTraining,
  type Training,
} from './training';
import type { Evaluation, EvolutionReport, FileUrl, FinalReport } from './types';
import { weighSamples } from './weights';

/** What a fit learns from, checked. */
interface TrainingData {
  readonly recorded: RecordedData;
  /** Of a stream. */
  readonly batches?: StreamPlan;
  /** As native code takes it, in memory that stays. */
  pin(): NativeDataset | NativeStream;
}

const key = Symbol('Network');
let takeParts: (network: Network, where: string) => NetworkParts;

/** With the network's record while that fit runs. */
type ResumableTraining = StoredTraining & { readonly record: RunRecord };

/** A fit that runs: what the network's record will be once an epoch of it is published. */
interface Running {
  readonly startStep: bigint;
  readonly record: RunRecord;
  training: Training | undefined;
}

/**
 * A network of sparse, masked and dense layers. It owns native memory: `dispose()` frees it at once, or use `using`.
 *
 * While `fit` runs, everything but `fit` works and reads the state at the end of the last finished epoch (at first the
 * initial weights); it never waits for the training. After `dispose()` everything is `ERR_SETNET_STATE`, except
 * `dispose`, `isDisposed`, `isFitting` and the names and sizes.
 */
export class Network {
  readonly #native: NativeNetwork;
  readonly #predictions: Predictions;
  readonly #definition: Definition;
  readonly #shape: DataShape;
  readonly #layers: readonly LayerView[];
  #record: RunRecord;
  #running: Running | undefined;
  /** The training that can go on, or has ended, with what native code keeps of it. */
  #stored: ResumableTraining | undefined;
  /** What changes the network between fits, while it runs. */
  #changing: 'evolve' | 'finalize' | undefined;
  #isDisposed = false;

  private constructor(
    caller: symbol,
    network: NativeNetwork,
    definition: Definition,
    record: RunRecord,
    stored?: StoredTraining,
  ) {
    if (caller !== key) throw typeError('a Network is made by Network.create, Network.createSync or Network.load');
    this.#native = network;
    this.#definition = definition;
    this.#record = record;
    this.#stored = stored === undefined ? undefined : { ...stored, record };
    this.#shape = { inputs: definition.spec.inputs, outputs: definition.outputs, classes: definition.classes };
    this.#predictions = new Predictions(network, this.#shape.inputs, this.#shape.outputs);
    this.#layers = Object.freeze(definition.spec.layers.map((spec, index) => viewLayer(network, index, spec)));
  }

  static {
    takeParts = (network, where) => {
      if (typeof network !== 'object' || network === null || !(#native in network))
        throw typeError(`${where} needs a Network, not ${describe(network)}`);
      network.#check(where);
      const copy = network.clone();
      return {
        definition: copy.#definition,
        info: copy.#info(where),
        record: copy.#record,
        layers: copy.layers,
        dispose: () => copy.dispose(),
        evaluate: (data, metrics, place) => copy.#evaluate(data, metrics, false, place),
      };
    };
  }

  /**
   * A new network: topologies and weights drawn from the seed, but of layers made from `weights`; off the event loop.
   *
   * Errors (rejections): `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`, `ERR_SETNET_SHAPE`, `ERR_SETNET_NONFINITE`,
   * `ERR_SETNET_DEVICE`, `ERR_SETNET_MEMORY`, `ERR_SETNET_LOAD`.
   */
  static async create(options: NetworkOptions): Promise<Network> {
    const { definition, given } = readNetworkOptions(options, 'Network.create');
    const network = await guardAsync(() => native().createNetwork(definition.spec, given), 'Network.create');
    return new Network(key, network, definition, emptyRecord);
  }

  /** As {@link Network.create}, on the calling thread; for small networks. Throws. */
  static createSync(options: NetworkOptions): Network {
    const { definition, given } = readNetworkOptions(options, 'Network.createSync');
    const network = guard(() => native().createNetworkSync(definition.spec, given), 'Network.createSync');
    return new Network(key, network, definition, emptyRecord);
  }

  /**
   * A network from a file that `save` wrote. Everything in the file is checked before it is used.
   *
   * Errors (rejections): `ERR_SETNET_FORMAT` where the file is truncated, changed or not a model of setnet; `ERR_SETNET_IO`;
   * `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`, `ERR_SETNET_DEVICE`, `ERR_SETNET_MEMORY`, `ERR_SETNET_LOAD`.
   */
  static async load(path: string | FileUrl, options?: LoadOptions): Promise<Network> {
    const where = 'Network.load';
    const file = readPath(path, `${where}: path`);
    const { device, threads } = readOptions(options, `${where}: options`, ['device', 'threads']);
    readDevice(device, `${where}: device`);
    const opened = await openModel(file, readThreads(threads, `${where}: threads`));
    return new Network(key, opened.network, opened.definition, opened.record, opened.training);
  }

  /** Features per sample. */
  get inputs(): number {
    return this.#definition.spec.inputs;
  }

  /** Outputs per sample: the units of the last layer. */
  get outputs(): number {
    return this.#definition.outputs;
  }

  /** The names of the outputs, or undefined. */
  get classes(): readonly string[] | undefined {
    return this.#definition.classes;
  }

  /** The names of the inputs, or undefined. */
  get features(): readonly string[] | undefined {
    return this.#definition.features;
  }

  /** The value that means "unknown" in features (NaN: any NaN), or undefined. */
  get missing(): number | undefined {
    return this.#definition.spec.scaling.missing;
  }

  /** What everything random follows from; a bigint where it is above 2^53 - 1. */
  get seed(): number | bigint {
    const { seed } = this.#definition.spec;
    return seed <= Number.MAX_SAFE_INTEGER ? Number(seed) : seed;
  }

  /** The layers, from the first hidden one to the output. */
  get layers(): readonly LayerView[] {
    return this.#layers;
  }

  /** Stored weights of all layers, biases not counted. */
  get connections(): number {
    return this.#info('connections').connections;
  }

  /** The name of the last fit's loss, which says what targets are and what `predict` answers; undefined before the first fit. */
  get loss(): keyof Losses | undefined {
    return (this.#info('loss').loss ?? undefined) as keyof Losses | undefined;
  }

  /** Whether a fit is running. */
  get isFitting(): boolean {
    return this.#running !== undefined;
  }

  /** Whether `dispose` has been called. */
  get isDisposed(): boolean {
    return this.#isDisposed;
  }

  /**
   * Trains on a thread of its own and returns at once: on a data set, or on a {@link BatchStream}, whose batches are checked and
   * copied when they come. Arguments are checked before it returns; targets and weights are copied, features are not (see `copy`). A second fit starts with fresh optimizer state and schedules from the present weights; steps,
   * epochs and evolutions of the network's life count on.
   *
   * Throws `ERR_SETNET_BUSY` while a fit runs, `ERR_SETNET_STATE` after dispose, `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`,
   * `ERR_SETNET_SHAPE`, `ERR_SETNET_DATA`, `ERR_SETNET_NONFINITE`, `ERR_SETNET_BUFFER`. What happens later rejects `done`: see
   * {@link Training}.
   */
  fit(data: Dataset | BatchStream, options?: FitOptions): Training {
    this.#check('fit');
    this.#checkIdle('fit');
    const info = this.#info('fit');
    const read = readFitOptions(
      options,
      this.#shape,
      this.#definition.spec.threads,
      this.#isFinalisedFor(options, info),
      isStream(data),
    );
    const training = isStream(data) ? this.#readStream(data, read, info) : this.#readTraining(data, read);
    const fit = fitRecord(read.native, training.recorded, read.weights);
    const resumed = read.native.resume ? this.#resumable(fit) : undefined;
    if (resumed?.state.finished) return endedTraining(restoreHistory(resumed.history));
    const running: Running = {
      startStep: info.step,
      record: resumed?.record ?? addFit(this.#record, fit, info.connections),
      training: undefined,
    };
    this.#running = running;
    const before = this.#stored;
    /** When the last checkpoint was written. */
    let written = Number.NEGATIVE_INFINITY;
    const keep = (history: StoredHistory) => {
      const checkpoint = guard(() => this.#native.checkpoint());
      if (checkpoint === null) return;
      const { info: _, ...state } = checkpoint;
      this.#stored = { options: fit, state, history, record: running.record };
    };
    // Another fit than the one that could go on.
    if (resumed === undefined) this.#stored = undefined;
    try {
      running.training = beginTraining({
        signal: read.signal,
        onProgress: read.onProgress,
        classes: this.classes,
        ...(training.batches === undefined ? {} : { batches: training.batches }),
        start: (callbacks) => {
          const taken = training.pin();
          const validation = read.validation === null ? null : pinDataset(read.validation, read.copy);
          return guard(() => this.#native.fit(taken, validation, read.native, callbacks));
        },
        before: resumed === undefined ? [] : restoreHistory(resumed.history).epochs,
        store: async (history) => {
          keep(history);
          const { path, everySeconds } = read.checkpoint as ReadCheckpoint;
          // The beginning and the end are always written.
          const isDue = performance.now() >= written + 1000 * everySeconds;
          if (!isDue && this.#stored?.state.finished === false) return;
          await this.#saveTraining(path, this.#stored);
          written = performance.now();
        },
        onEnd: (history) => {
          this.#endFit(running);
          if (history !== undefined && !this.#isDisposed) keep(history);
        },
      });
      return running.training;
    } catch (error) {
      this.#running = undefined;
      this.#stored = before;
      throw error;
    }
  }

  #readTraining(data: Dataset, { native: { loss }, weights, copy }: ReadFitOptions): TrainingData {
    const samples = readDataset(data, this.#shape, loss.name, 'fit: data');
    const training = weighSamples(samples, weights, classesOf(loss.name, this.outputs), 'fit');
    return { recorded: { samples: training.rows }, pin: () => pinDataset(training, copy) };
  }

  #readStream(data: BatchStream, { native: { loss }, weights }: ReadFitOptions, info: NativeNetworkInfo): TrainingData {
    const stream = readStream(data, 'fit: data');
    const { kind, known } = info.scaling;
    if (!known && (kind === 'perFeature' || kind === 'global')) {
      throw optionError(
        `fit: the scaling '${kind}' has yet to be learned, which a stream of batches cannot do; create the network with scaling 'none' or { mean, scale }`,
      );
    }
    return {
      recorded: stream.native,
      batches: { stream, read: (batch, where) => readBatch(batch, this.#shape, loss.name, weights, where) },
      pin: () => stream.native,
    };
  }

  /** Whether a final removal came before the fit: before the one that goes on, where one does. */
  #isFinalisedFor(options: FitOptions | undefined, info: NativeNetworkInfo): boolean {
    const evolution = options?.resume === true ? this.#stored?.options.evolution : undefined;
    if (evolution === undefined || evolution === null) return info.finalised;
    return (evolution as { finalPrune: boolean }).finalPrune === false;
  }

  /** The training that `resume` goes on with, which must be the same fit. */
  #resumable(fit: FitRecord): ResumableTraining {
    const stored = this.#stored;
    if (stored === undefined) {
      throw new SetnetError(
        'ERR_SETNET_STATE',
        'fit: resume: there is no training that could go on: load a checkpoint, or resume a fit that was stopped',
      );
    }
    checkSameFit(stored.options, fit);
    return stored;
  }

  /**
   * One evolution by hand, of the network as it is, off the event loop: what `fit` does at an epoch's end. It is the next one of
   * the network's life. Layers that are dense, full or made with `evolve: false` stay. Of `set()` the schedule of zeta (its
   * first value counts), `every`, `state`, `finalEvolution` and `finalPrune` have no meaning here, and `budget: 'initial'`
   * means what the layer has now.
   *
   * Errors (rejections): `ERR_SETNET_BUSY` while a fit or another evolution runs, `ERR_SETNET_STATE`, `ERR_SETNET_OPTION`,
   * `ERR_SETNET_TYPE`, `ERR_SETNET_MEMORY`.
   */
  async evolve(evolution: Evolution = set()): Promise<EvolutionReport> {
    const native = readEvolution(evolution, 'evolve: evolution');
    const record = await this.#change('evolve', native, true, evolutionObject(native));
    return evolutionReport(record);
  }

  /**
   * The final removal (Mocanu et al. 2018): the fraction zeta of the weights of each sign that are closest to zero goes, and
   * nothing grows. `fit` does this itself after its last epoch; this is for networks whose training was stopped, or made
   * without it.
   *
   * Errors (rejections): `ERR_SETNET_STATE` where a final removal has run already and `again` is not true, or after dispose;
   * `ERR_SETNET_BUSY` while a fit or an evolution runs; of validation as `evaluate`; `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`,
   * `ERR_SETNET_MEMORY`.
   */
  async finalize(options?: FinalizeOptions): Promise<FinalReport> {
    const where = 'finalize';
    const read = readOptions(options, `${where}: options`, ['zeta', 'again', 'validation']);
    const zeta = readNumber(read.zeta ?? lastZeta(this.#record) ?? 0.3, `${where}: zeta`, {
      min: 0,
      max: 1,
      open: true,
    });
    const again = readBoolean(read.again ?? false, `${where}: again`);
    this.#check(where);
    if (this.#info(where).finalised && !again) {
      throw new SetnetError(
        'ERR_SETNET_STATE',
        'finalize: the final removal has run on this network; { again: true } removes once more',
      );
    }
    // A wrong data set is said before anything is removed.
    if (read.validation !== undefined) this.#readEvaluated(read.validation as Dataset, where);
    const native = readEvolution({ kind: 'set', zeta }, where);
    const removal = evolutionReport(await this.#change(where, native, false, { zeta }));
    return {
      removal,
      connections: removal.connections,
      ...(read.validation === undefined ? {} : { validation: await this.evaluate(read.validation as Dataset) }),
    };
  }

  async #change(
    kind: 'evolve' | 'finalize',
    evolution: NativeEvolution,
    growBack: boolean,
    options: object,
  ): Promise<NativeEvolutionRecord> {
    this.#check(kind);
    this.#checkIdle(kind);
    const info = this.#info(kind);
    this.#changing = kind;
    try {
      const record = await guardAsync(() => this.#native.evolve(evolution, growBack));
      this.#check(kind);
      // The network is no longer the one that a training could go on with.
      this.#stored = undefined;
      this.#native.dropCheckpoint();
      this.#record = addByHand(this.#record, { evolution: String(info.evolution + 1n), kind, options });
      return record;
    } finally {
      this.#changing = undefined;
    }
  }

  #checkIdle(where: string): void {
    if (this.#running !== undefined) {
      throw new SetnetError('ERR_SETNET_BUSY', `${where}: the network is training; await its done, or stop it first`);
    }
    if (this.#changing !== undefined) {
      throw new SetnetError('ERR_SETNET_BUSY', `${where}: ${this.#changing} is running; await its promise first`);
    }
  }

  /** The record of a fit counts once a step of it is part of the network. */
  #endFit(running: Running): void {
    this.#running = undefined;
    if (this.#isDisposed) return;
    if (this.#native.info().step > running.startStep) this.#record = running.record;
  }

  /**
   * Loss, accuracy and further metrics on a data set, without dropout, off the event loop, by the loss of the last fit; a network
   * that was never fitted is measured by softmax cross-entropy.
   *
   * Errors (rejections): `ERR_SETNET_STATE`, `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`, `ERR_SETNET_SHAPE`, `ERR_SETNET_DATA`,
   * `ERR_SETNET_BUFFER`, `ERR_SETNET_NONFINITE`, `ERR_SETNET_MEMORY`.
   */
  async evaluate(data: Dataset, options?: EvaluateOptions): Promise<Evaluation> {
    this.#check('evaluate');
    const { copy, metrics } = readOptions(options, 'evaluate: options', ['copy', 'metrics']);
    const isCopied = readBoolean(copy ?? false, 'evaluate: copy');
    return this.#evaluate(data, (metrics ?? []) as readonly Metric[] | 'all', isCopied, 'evaluate');
  }

  async #evaluate(
    data: Dataset,
    metrics: readonly Metric[] | 'all',
    isCopied: boolean,
    where: string,
  ): Promise<Evaluation> {
    const loss = this.#info(where).loss ?? 'softmaxCrossEntropy';
    const names =
      metrics === 'all'
        ? meaningfulMetrics(loss, this.outputs)
        : readMetrics(metrics, loss, this.outputs, `${where}: metrics`);
    const dataset = this.#readEvaluated(data, where);
    const evaluation = await guardAsync(() => this.#native.evaluate(pinDataset(dataset, isCopied), names), where);
    return evaluationOf(evaluation, this.classes);
  }

  /**
   * Writes one HTML file that shows what is known of the network: learning curves, connections of the inputs and their
   * distribution at epoch 0 and now, weights, answers by class, run record. The file needs nothing else, and is written
   * atomically, through symbolic links. It is of the state at the call; while a fit runs, at the end of the last finished
   * epoch.
   *
   * Errors (rejections): `ERR_SETNET_IO`; `ERR_SETNET_STATE` after dispose; `ERR_SETNET_SHAPE` where `image` or `positions` do not
   * fit the inputs; of `test` as `evaluate`; `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`, `ERR_SETNET_MEMORY`.
   */
  async report(path: string | FileUrl, options?: ReportOptions): Promise<void> {
    const where = 'report';
    this.#check(where);
    const file = readPath(path, `${where}: path`);
    // Loaded when they are needed: most programs never write a report.
    const { readReportOptions } = require('./report/options') as typeof import('./report/options');
    const { reportNetwork } = require('./report/report') as typeof import('./report/report');
    const read = readReportOptions(options, this.inputs, where);
    const parts = takeParts(this, where);
    try {
      const evaluation = read.test === undefined ? undefined : await parts.evaluate(read.test, 'all', `${where}: test`);
      await reportNetwork(parts, file, read, evaluation);
    } finally {
      parts.dispose();
    }
  }

  /** Data with the targets that the last fit's loss takes. */
  #readEvaluated(data: Dataset, where: string): NativeDataset {
    const loss = this.#info(where).loss ?? 'softmaxCrossEntropy';
    if (this.outputs < 2 && targetKindOf(loss) === 'class') {
      throw new SetnetError(
        'ERR_SETNET_SHAPE',
        `${where}: accuracy needs at least 2 outputs, but the last layer has 1 unit; fit it with another loss first`,
      );
    }
    return readDataset(data, this.#shape, loss, `${where}: data`);
  }

  /**
   * The network's answers to one or more samples, [samples, outputs] row-major, or one class number per sample. Copies x
   * before it returns and computes off the event loop.
   *
   * Errors (rejections): `ERR_SETNET_STATE`, `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`, `ERR_SETNET_SHAPE`,
   * `ERR_SETNET_BUFFER`, `ERR_SETNET_NONFINITE`, `ERR_SETNET_MEMORY`.
   */
  predict(x: Features, options: { readonly output: 'classes' }): Promise<Int32Array>;
  predict(x: Features, options?: { readonly output?: 'logits' | 'probabilities' }): Promise<Float32Array>;
  predict(x: Features, options?: PredictOptions): Promise<Float32Array | Int32Array>;
  async predict(x: Features, options?: PredictOptions): Promise<Float32Array | Int32Array> {
    this.#check('predict');
    return this.#predictions.predict(x, options);
  }

  /**
   * As {@link Network.predict}, on the calling thread: the lowest latency for few samples. `out` receives the answers and is
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
   * A {@link Session}: the network as it is now, packed for inference off the event loop, immutable and independent of what
   * becomes of the network. While a fit runs, the state at the end of the last finished epoch.
   *
   * Errors (rejections): `ERR_SETNET_STATE` after dispose, or where the scaling has yet to be learned; `ERR_SETNET_OPTION`,
   * `ERR_SETNET_TYPE`, `ERR_SETNET_MEMORY`.
   */
  async freeze(options?: SessionOptions): Promise<Session> {
    this.#check('freeze');
    return freezeNetwork(this.#native, this.#definition, options);
  }

  /**
   * Writes the network, and with `training: true` the state of its last training, to a safetensors file: atomically and durably, through symbolic links.
   * The file is of the state at the call. Equal networks give equal bytes.
   *
   * Errors (rejections): `ERR_SETNET_IO`, `ERR_SETNET_STATE`, `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`, `ERR_SETNET_MEMORY`.
   */
  async save(path: string | FileUrl, options?: SaveOptions): Promise<void> {
    this.#check('save');
    const file = readPath(path, 'save: path');
    const { training } = readOptions(options, 'save: options', ['training']);
    if (readBoolean(training ?? false, 'save: training')) return this.#saveTraining(file, this.#stored);
    // Metadata and tensors must be of one state, and a running fit may publish another one at any time.
    const snapshot = guard(() => this.#native.clone());
    try {
      const info = guard(() => snapshot.info());
      const json = writeMetadata(this.#definition, info, this.#recordAt(info));
      await guardAsync(() => snapshot.save(file, json));
    } finally {
      snapshot.dispose();
    }
  }

  async #saveTraining(file: string, stored: ResumableTraining | undefined): Promise<void> {
    const checkpoint = guard(() => this.#native.checkpoint());
    if (checkpoint === null || stored === undefined) {
      throw new SetnetError(
        'ERR_SETNET_STATE',
        'save: there is no training of this network that could go on: none has been stopped, and none has a checkpoint',
      );
    }
    const { info, ...state } = checkpoint;
    const json = writeMetadata(this.#definition, info, stored.record, { ...stored, state });
    await guardAsync(() => this.#native.saveCheckpoint(file, json));
  }

  /** The record that belongs to a state: with the running fit as soon as a step of it is in. */
  #recordAt(info: NativeNetworkInfo): RunRecord {
    const running = this.#running;
    return running !== undefined && info.step > running.startStep ? running.record : this.#record;
  }

  /** An independent network with the present state; what never changes is shared. `ERR_SETNET_STATE`, `ERR_SETNET_MEMORY`. */
  clone(): Network {
    this.#check('clone');
    const copy = guard(() => this.#native.clone());
    const info = guard(() => copy.info());
    return new Network(key, copy, this.#definition, this.#recordAt(info));
  }

  /** A table of the layers: shape, connections, density, activation, bytes in a file; and both sizes of the network. */
  summary(): string {
    const info = this.#info('summary');
    return summarize(this.#definition, info, this.#recordAt(info).trainedConnections);
  }

  /** Ends a running fit (its `done` rejects with `ERR_SETNET_ABORTED`) and frees native memory. Twice is fine. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    if (this.#running?.training !== undefined) silenceTraining(this.#running.training);
    guard(() => this.#native.dispose());
  }

  /** {@link Network.dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #check(where: string): void {
    if (this.#isDisposed) throw new SetnetError('ERR_SETNET_STATE', `${where}: the network was disposed`);
  }

  #info(where: string): NativeNetworkInfo {
    this.#check(where);
    return guard(() => this.#native.info());
  }
}

/** A network laid open, all of one state. */
export interface NetworkParts {
  readonly definition: Definition;
  readonly info: NativeNetworkInfo;
  readonly record: RunRecord;
  readonly layers: readonly LayerView[];
  /** As `Network.evaluate`; `where` begins the messages of errors. `metrics`: all that have a meaning. */
  evaluate(data: Dataset, metrics: readonly Metric[] | 'all', where: string): Promise<Evaluation>;
  /** Frees the snapshot; the layers cannot be read any more. */
  dispose(): void;
}

/** For modules of this package that write networks in other forms. Throws as `clone` does. */
export function partsOf(network: Network, where: string): NetworkParts {
  return takeParts(network, where);
}
