// The one hand-written type of the native module. Everything here is internal: lib/ validates and converts, native code
// checks again what its memory safety depends on. Errors arrive as Error with `code` set to ERR_SETNET_*.

/** Features: row-major, rows * columns elements. */
export type FeatureArray = Float32Array | Float64Array | Uint8Array | Int8Array | Uint16Array | Int16Array;

/** What native code takes as features; a matrix is immutable and kept as long as it is needed. */
export type NativeFeatures = FeatureArray | NativeCsrMatrix;

export interface NativeRule {
  /** A name of the table of its kind. */
  name: string;
  /** Parameters by name; absent ones take the table's fallback. */
  parameters: Record<string, number>;
}

export interface NativeLayerSpec {
  kind: 'sparse' | 'masked' | 'dense';
  units: number;
  /** Exactly one of epsilon, density and connections (sparse and masked layers). */
  epsilon?: number;
  density?: number;
  /** The layer was made from a matrix of that many. */
  connections?: number;
  draw: 'exact' | 'bernoulli' | 'withReplacement';
  activation: NativeRule;
  initializer: NativeRule;
  dropout: number;
  bias: boolean;
  evolve: boolean;
  /** This layer's zeta; absent: the network's. */
  zeta?: number;
}

/** What a layer begins with where that is not drawn. */
export interface NativeGivenLayer {
  /** units x inputs, with the spec's number of connections. */
  weights: NativeCsrMatrix;
  /** Of units elements; absent: zeros, or none where the spec has no bias. */
  bias?: Float32Array;
}

export interface NativeScaling {
  kind: 'none' | 'perFeature' | 'global' | 'given';
  /** For 'given' (of length inputs or 1). */
  mean?: Float32Array;
  scale?: Float32Array;
  missing?: number;
}

export interface NativeNetworkSpec {
  inputs: number;
  /** 64 bits. */
  seed: bigint;
  layers: NativeLayerSpec[];
  scaling: NativeScaling;
  threads: number;
}

/** What a file's metadata say beside the definition. */
export interface NativeModelState {
  step: bigint;
  epoch: bigint;
  evolution: bigint;
  /** Name of the loss the network was fitted with, or null. */
  loss: string | null;
  finalised: boolean;
  /** Mean and scale are in the file. */
  scalingKnown: boolean;
}

export interface NativeMatrixData {
  rows: number;
  columns: number;
  /** BigUint64 in native code; here exact doubles. */
  rowPointers: Float64Array;
  columnIndices: Uint32Array;
  values: Float32Array;
}

export interface NativeDenseData {
  rows: number;
  columns: number;
  /** What is kept is above it in magnitude. */
  tolerance: number;
  /** rows * columns. Borrowed. */
  values: Float32Array;
}

export interface NativeCoordinates {
  rows: number;
  columns: number;
  rowIndices: Uint32Array;
  columnIndices: Uint32Array;
  values: Float32Array;
  /** Elements of one cell are added; otherwise they are ERR_SETNET_DATA. */
  sum: boolean;
}

/** An immutable canonical CSR matrix owned by native code; every getter returns a copy. */
export interface NativeCsrMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly count: number;
  rowPointers(): Float64Array;
  columnIndices(): Uint32Array;
  values(): Float32Array;
  toDense(): Float32Array;
  rowCounts(): Uint32Array;
  columnCounts(): Uint32Array;
  row(row: number): { columnIndices: Uint32Array; values: Float32Array };
  transpose(): NativeCsrMatrix;
  /** As a prediction of a linear layer without bias: `output` is `logits`. The matrix has cells. */
  multiply(x: FeatureArray, output: typeof NativeOutput.logits, threads: number): Promise<Float32Array>;
  multiplySync(x: FeatureArray, output: typeof NativeOutput.logits, out: Float32Array, threads: number): void;
  transposeMultiply(x: FeatureArray, output: typeof NativeOutput.logits, threads: number): Promise<Float32Array>;
  transposeMultiplySync(x: FeatureArray, output: typeof NativeOutput.logits, out: Float32Array, threads: number): void;
  /** a: samples x rows, b: samples x columns. */
  sampledProduct(a: FeatureArray, b: FeatureArray, samples: number, threads: number): Promise<NativeCsrMatrix>;
  sampledProductSync(a: FeatureArray, b: FeatureArray, samples: number, threads: number): NativeCsrMatrix;
}

/** What is the same for networks and layers by themselves. */
export interface NativeEvolutionRules {
  prune: NativeRule;
  grow: NativeRule;
  /** An initializer by name, or 'initializer': as the layer's own. */
  newWeights: NativeRule;
  regrowPruned: boolean;
  keepZeros: boolean;
  /** Optimizer state of all layers starts at 0 again after each evolution. */
  resetState: boolean;
}

export interface NativeDataset {
  x: NativeFeatures;
  rows: number;
  /** Exactly one of the two, as the loss takes it. Class numbers; copied and checked against the number of outputs. */
  classes?: Int32Array;
  /** Row-major, rows * outputs finite numbers; copied. */
  numbers?: Float32Array;
  /** Of training data: what each row's loss is multiplied by, finite and at least 0; copied. Absent: 1. */
  weights?: Float32Array;
}

/** Training data that come as batches. */
export interface NativeStream {
  /** 0: not known. */
  stepsPerEpoch: number;
}

export interface NativeFitOptions {
  epochs: number;
  /** Of a data set; without meaning for a stream. */
  batchSize: number;
  loss: NativeRule;
  optimizer: NativeRule;
  learningRate: NativeRule;
  warmup: number;
  /** 0: gradients are not clipped. */
  clipNorm: number;
  /** null: a static topology. */
  evolution:
    | null
    | (NativeEvolutionRules & {
        zeta: number;
        /** 'constant', 'cosine', ... of the schedules table. */
        schedule: NativeRule;
        /** 'epoch', 'steps' or 'probability' of the triggers table. */
        trigger: NativeRule;
        /** Layers grow back to the connections they had when the fit began; else as many as were removed. */
        initialBudget: boolean;
        finalEvolution: boolean;
        finalPrune: boolean;
      });
  stopRule: NativeStopRule;
  /** Epochs; 0: no checkpoint is stored. */
  checkpointEvery: number;
  /** Go on with what `checkpoint()` describes. */
  resume: boolean;
  /** Names of the metrics table, of validations. */
  metrics: string[];
  threads: number;
  progressSeconds: number;
}

export interface NativeStopRule {
  /** The number of a validation that tells which epoch is the best. */
  monitor: 'loss' | 'accuracy';
  /** Epochs in a row that may bring nothing better; null: training does not stop early. */
  patience: number | null;
  minDelta: number;
  restoreBest: boolean;
}

/** How far a fit is that can go on. */
export interface NativeFitState {
  /** Finished epochs. */
  epoch: number;
  /** Nothing is left to do. */
  finished: boolean;
  fitBegan: bigint;
  stateBegan: bigint;
  /** 0: nothing was validated. */
  bestEpoch: number;
  bestValue: number;
  bestSteps: bigint;
  /** The best network is kept beside the present one. */
  hasBestNetwork: boolean;
  budgets: number[];
  /** 16 hexadecimal digits. */
  dataDigest: string;
  /** Of the network as it was then. */
  info: NativeNetworkInfo;
}

/** What a file says of it. */
export interface NativeCheckpoint extends Omit<NativeFitState, 'info'> {
  /** The name of the rule that its state belongs to. */
  optimizer: string;
}

export interface NativeEvaluation {
  loss: number;
  /** Absent where the loss knows no right answers. */
  accuracy?: number;
  /** Where they were asked for and are defined. */
  balancedAccuracy?: number;
  confusion?: number[][];
  auc?: number;
  samples: number;
}

export interface NativeLayerEvolution {
  prunedPositive: number;
  prunedNegative: number;
  prunedZero: number;
  grown: number;
  connections: number;
}

export interface NativeEvolutionRecord extends NativeLayerEvolution {
  zeta: number;
  /** How many this is the sum of. */
  evolutions: number;
  layers: NativeLayerEvolution[];
}

export interface NativeEpochRecord {
  epoch: number;
  loss: number;
  /** Absent where the loss knows no right answers. */
  accuracy?: number;
  learningRate: number;
  seconds: number;
  evolutionSeconds: number;
  validationSeconds: number;
  connections: number;
  validation?: NativeEvaluation;
  evolution?: NativeEvolutionRecord;
}

export interface NativeFinalRecord {
  removal: NativeEvolutionRecord;
  connections: number;
  validation?: NativeEvaluation;
}

export interface NativeProgress {
  epoch: number;
  epochs: number;
  step: number;
  /** Absent where that is not known. */
  steps?: number;
  samples: number;
  loss: number;
  /** Absent where the loss knows no right answers. */
  accuracy?: number;
  learningRate: number;
  seconds: number;
  connections: number;
}

export interface NativeFitResult {
  epochs: NativeEpochRecord[];
  final?: NativeFinalRecord;
  stopped: boolean;
  /** By the stop rule. */
  stoppedEarly: boolean;
  /** Of the stop rule's monitor; absent where nothing was validated. */
  best?: { epoch: number; value: number; restored: boolean };
}

/** A running fit. The callbacks are called on the JS thread; onDone exactly once, unless the environment ends first. */
export interface NativeTraining {
  /** Takes effect within a step. */
  abort(): void;
  /** Takes effect after the running epoch. */
  stop(): void;
  /**
   * While true, the trainer waits after each epoch until acknowledge(epoch) has been called with at least that epoch's
   * number. Setting it to false lets it run on. A training begins with true, so that a loop over it does not race with
   * the first epoch; whoever does not loop sets it to false.
   */
  setStepped(stepped: boolean): void;
  acknowledge(epoch: number): void;
  /** What onCheckpoint asked for is stored: the trainer goes on. */
  acknowledgeCheckpoint(): void;
  /** Of a stream: at most two batches are under way, the one that is worked on and one that waits. */
  hasRoom(): boolean;
  /** The running epoch's next batch, while there is room: checked as a data set of fit is, then copied. */
  pushBatch(batch: NativeDataset): void;
  /** The running epoch has no more batches. */
  endEpoch(): void;
  /** The next batch will never come: the training fails, the network as after the last finished epoch. */
  failBatches(): void;
}

export interface NativeTrainingCallbacks {
  /** Called at most every progressSeconds; late ones are dropped, never queued. */
  onProgress: null | ((progress: NativeProgress) => void);
  onEpoch: (record: NativeEpochRecord) => void;
  /**
   * The network's checkpoint() is to be stored; the trainer waits. record: of the epoch, before onEpoch tells it; null before
   * the first one. result: what there is so far, without epochs.
   */
  onCheckpoint: (record: NativeEpochRecord | null, result: NativeFitResult) => void;
  /**
   * Of a stream: an epoch begins, or the trainer has done with a batch of it, so that there is room. null: the data are there as
   * a whole.
   */
  onBatchWanted: null | ((epoch: number) => void);
  /** error: null on success. The published state and counters are already those of the end. */
  onDone: (error: Error | null, result: NativeFitResult | null) => void;
}

export interface NativeNetworkInfo {
  /** Of the published state: */
  step: bigint;
  epoch: bigint;
  evolution: bigint;
  loss: string | null;
  finalised: boolean;
  scaling: {
    kind: 'none' | 'perFeature' | 'global' | 'given';
    known: boolean;
    mean: Float32Array;
    scale: Float32Array;
    missing?: number;
  };
  topologyDigest: string;
  connections: number;
  layers: {
    inputs: number;
    units: number;
    connections: number;
    evolved: boolean;
    /** How many numbers the activations of all units learn. */
    activationParameters: number;
  }[];
}

/** What a prediction answers, as a small number; `default`: probabilities where there is a loss that makes them, else logits. */
export const NativeOutput = { default: 0, logits: 1, probabilities: 2, classes: 3 } as const;
export type NativeOutput = (typeof NativeOutput)[keyof typeof NativeOutput];

/**
 * Answers on the calling thread into `out`: rows * units floats, or for classes an Int32Array with one per row. x is used
 * during the call only. ERR_SETNET_BUFFER where the two overlap.
 */
export type NativeSyncPredictor = (x: NativeFeatures, output: NativeOutput, out: Float32Array | Int32Array) => void;

/** What networks and sessions share. x: any number of whole rows. */
export interface NativePredictor {
  /** A function that is bound to this object and keeps its memory: the quickest way in. */
  syncPredictor(): NativeSyncPredictor;
  /** Copies x before it returns; computed on a thread of the addon. Int32Array: for classes. */
  predict(x: NativeFeatures, output: NativeOutput): Promise<Float32Array | Int32Array>;
}

export interface NativePredictorOptions {
  threads: number;
  optimizeFor: 'throughput' | 'latency';
  precision: 'f32' | 'bf16';
}

/** A frozen network. After close predictions fail with ERR_SETNET_STATE; those that run are answered. */
export interface NativeSession extends NativePredictor {
  readonly connections: number;
  close(): void;
}

/**
 * All methods but fit and dispose work on the published state (of the last finished epoch while a fit runs).
 * After dispose every method fails with ERR_SETNET_STATE; dispose twice is fine.
 */
export interface NativeNetwork extends NativePredictor {
  info(): NativeNetworkInfo;
  isFitting(): boolean;
  /** The published state, packed on a thread of the addon; independent from then on. */
  freeze(options: NativePredictorOptions): Promise<NativeSession>;
  /** References x's buffer (the caller has marked it untransferable) until the promise settles. */
  evaluate(data: NativeDataset, metrics: string[]): Promise<NativeEvaluation>;
  /**
   * One evolution of the published state, or with growBack false the removal alone, on a thread of the addon; published when
   * the promise resolves. Nothing else may change the network meanwhile. ERR_SETNET_BUSY while a fit runs.
   */
  evolve(evolution: NonNullable<NativeFitOptions['evolution']>, growBack: boolean): Promise<NativeEvolutionRecord>;
  /** As evaluate for x of both data sets, until onDone. ERR_SETNET_BUSY while a fit runs. */
  fit(
    training: NativeDataset | NativeStream,
    validation: NativeDataset | null,
    options: NativeFitOptions,
    callbacks: NativeTrainingCallbacks,
  ): NativeTraining;
  /** A matrix of its own (a full one for a dense layer). */
  weights(layer: number): NativeCsrMatrix;
  bias(layer: number): Float32Array;
  /** What the activation learns, by name, one number per unit; an empty object where it learns nothing. */
  activationParameters(layer: number): Record<string, Float32Array>;
  /** Shares the immutable published state; independent from then on. */
  clone(): NativeNetwork;
  /** Writes the published state; `json` becomes the metadata entry "setnet". */
  save(path: string, json: string): Promise<void>;
  /** What a fit can go on from, or null. */
  checkpoint(): NativeFitState | null;
  /** Writes it, with its network; `json` becomes the metadata entry "setnet". ERR_SETNET_STATE where there is none. */
  saveCheckpoint(path: string, json: string): Promise<void>;
  dropCheckpoint(): void;
  /** Aborts a running fit, then frees. */
  dispose(): void;
}

/** What an optimizer keeps under one name. An array is empty where there is no bias, an object where nothing is learned. */
export interface NativeOptimizerBuffer {
  /** One number per connection, in canonical order. */
  weights: Float32Array;
  bias: Float32Array;
  activationParameters: Record<string, Float32Array>;
}

/**
 * One sparse layer, driven from outside, all on the calling thread. After dispose everything but info and dispose fails
 * with ERR_SETNET_STATE.
 */
export interface NativeSparseLayer {
  info(): { connections: number; evolved: boolean; steps: number; evolutions: number };
  /** x: any number of whole rows; out: rows * units. ERR_SETNET_BUFFER where the two overlap. */
  forward(x: NativeFeatures, training: boolean, out: Float32Array): void;
  /** dy: rows * units; out: rows * inputs, or undefined. */
  backward(dy: FeatureArray, out: Float32Array | undefined): void;
  step(learningRate: number): void;
  evolve(options: NativeEvolutionRules & { zeta: number }, growBack: boolean): NativeLayerEvolution;
  weightGradient(): NativeCsrMatrix;
  weights(): NativeCsrMatrix;
  bias(): Float32Array;
  activationParameters(): Record<string, Float32Array>;
  state(): Record<string, NativeOptimizerBuffer>;
  dispose(): void;
}

/** A file that was read and whose container, offsets and checksum are valid. */
export interface NativeModelFile {
  readonly json: string;
  /**
   * Uses up what was read: a second call fails with ERR_SETNET_STATE. ERR_SETNET_FORMAT where tensors do not fit the definition,
   * or `digest` is not that of the connections.
   */
  network(
    spec: NativeNetworkSpec,
    state: NativeModelState,
    checkpoint: NativeCheckpoint | null,
    digest: string,
  ): Promise<NativeNetwork>;
  /** Frees what was read; `network` fails with ERR_SETNET_STATE then. */
  letGo(): void;
}

export interface NativeParameterSpec {
  name: string;
  fallback: number;
  minimum: number;
  /** Infinity: no limit. */
  maximum: number;
  /** The minimum itself is excluded. */
  open: boolean;
  /** The maximum itself is excluded. */
  openMaximum: boolean;
  /** The names of the values 0, 1, ..., separated by '|'. */
  choices?: string;
}

export interface NativeRuleInfo {
  name: string;
  parameters: NativeParameterSpec[];
}

export interface NativeMetricInfo extends NativeRuleInfo {
  /** Outputs that are right or wrong, or samples of one class each. */
  needs: 'nothing' | 'answers' | 'classes';
  /** Infinity: no limit. */
  mostClasses: number;
}

export interface NativeModule {
  /** Sizes the pool; called once by the loader with os.availableParallelism(). */
  configure(options: { parallelism: number }): void;
  /** `given`: an entry for each layer; undefined where it is drawn. */
  createNetwork(spec: NativeNetworkSpec, given: (NativeGivenLayer | undefined)[]): Promise<NativeNetwork>;
  createNetworkSync(spec: NativeNetworkSpec, given: (NativeGivenLayer | undefined)[]): NativeNetwork;
  readModelFile(path: string): Promise<NativeModelFile>;
  /** Copies, validates the copy. Any integer typed array or array of numbers was converted by lib/ before. */
  createCsrMatrix(data: NativeMatrixData): NativeCsrMatrix;
  createCsrMatrixFromDense(data: NativeDenseData): NativeCsrMatrix;
  createCsrMatrixFromCoordinates(data: NativeCoordinates): NativeCsrMatrix;
  rules(): Record<
    'activations' | 'losses' | 'optimizers' | 'prune' | 'grow' | 'schedules' | 'triggers' | 'initializers',
    NativeRuleInfo[]
  > & { metrics: NativeMetricInfo[] };
  /** `spec` has one layer, which is sparse, and no scaling. `index`: its number in the keys of random numbers. */
  createSparseLayer(
    spec: NativeNetworkSpec,
    given: (NativeGivenLayer | undefined)[],
    options: { optimizer: NativeRule; index: number },
  ): NativeSparseLayer;
  /** The order in which epoch `epoch` (from 1) of a network with this seed takes its samples. */
  sampleOrder(samples: number, seed: bigint, epoch: number): Uint32Array;
  /** The codes of SetnetError, without prefix. */
  codes(): string[];
  buildInfo(): {
    version: string;
    compiler: string;
    napi: number;
    platform: string;
    architecture: string;
    /** Compiled in, best first, and whether this processor runs it. */
    instructionSets: { name: string; available: boolean }[];
    /** The one in use (SETNET_FORCE_ISA can force another available one). */
    instructionSet: string;
  };
  /**
   * Threads of the pool that exist now, fits that run, networks and sessions alive; bytes outside of its heap that V8 of this
   * thread has been told of (by everybody; process.memoryUsage().external has array buffers only): for tests of leaks.
   */
  counters(): {
    poolThreads: number;
    fits: number;
    networks: number;
    sessions: number;
    jobs: number;
    toldBytes: number;
  };
}
