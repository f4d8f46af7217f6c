// The types of data that go in and reports that come out.

/** The element types of features; row-major. Converted to f32 and scaled while a batch is made, never as a whole. */
export type FeatureArray = Float32Array | Float64Array | Uint8Array | Int8Array | Uint16Array | Int16Array;

/** Features with their shape said: `data` has `rows * columns` elements, row-major; columns = inputs of the network. */
export interface FeatureMatrix {
  /** rows * columns numbers, row-major. */
  readonly data: FeatureArray;
  /** Samples and inputs. */
  readonly shape: readonly [rows: number, columns: number];
}

/** One class per sample: class numbers from 0, or class names where the network has `classes`. Copied. */
export type Labels =
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | readonly number[]
  | readonly string[];

/** A number for each sample and output, row-major: [samples, outputs]. Copied, as f32. */
export type TargetArray = FeatureArray | Int32Array | Uint32Array;

/** Targets with their shape said; columns = outputs of the network. */
export interface TargetMatrix {
  /** samples * outputs numbers, row-major. */
  readonly data: TargetArray;
  /** Samples and outputs. */
  readonly shape: readonly [rows: number, columns: number];
}

/**
 * What the network shall answer. {@link Labels} for 'softmaxCrossEntropy', and for 'binaryCrossEntropy' with one output (classes 0
 * and 1). A number for each output, from 0 to 1 for 'binaryCrossEntropy', any finite one for 'meanSquaredError'.
 */
export type Targets = Labels | TargetArray | TargetMatrix;

/** How many samples of each class were answered with each class. */
export interface Confusion {
  /** `counts[actual][predicted]`: a row for each class that samples are of, a column for each class that is answered. */
  readonly counts: readonly (readonly number[])[];
  /** The classes' names, in the order of rows and columns; absent where the network has none. */
  readonly classes?: readonly string[];
}

/** Loss, accuracy and the metrics that were asked for, on a data set, computed without dropout and without weights. */
export interface Evaluation {
  /** Mean loss per sample, in nats for cross-entropies. */
  readonly loss: number;
  /**
   * Fraction (0 to 1) of samples whose largest output is their class; ties go to the lower class. With 'binaryCrossEntropy' the
   * fraction of outputs on their target's side of 1/2; absent with 'meanSquaredError'.
   */
  readonly accuracy?: number;
  /**
   * The mean of the recalls (0 to 1) of the classes that occur. With 'binaryCrossEntropy' and several outputs each output has two
   * classes, and this is the mean over the outputs of which both occur; absent where there is no such output.
   */
  readonly balancedAccuracy?: number;
  /** For losses by class and 'binaryCrossEntropy' with one output, of at most 1024 classes. */
  readonly confusion?: Confusion;
  /**
   * The area under the ROC curve (0 to 1), ties counting half (Hanley and McNeil 1982). Two classes: of class 1. More classes: the
   * mean over the classes of each one against the rest, ordered by its probability. 'binaryCrossEntropy' with several outputs: the
   * mean over the outputs. A target above 1/2 is positive. A class or output of which all samples, or none, are positive is left
   * out; absent where all are, and where an output of the network is not a finite number.
   */
  readonly auc?: number;
  /** How many there were. */
  readonly samples: number;
}

/** What an evolution, or the final removal, did to one layer. */
export interface LayerEvolution {
  /** prunedPositive + prunedNegative + prunedZero. */
  readonly pruned: number;
  /** Removed connections of positive weight. */
  readonly prunedPositive: number;
  /** Removed connections of negative weight. */
  readonly prunedNegative: number;
  /** Connections whose weight was exactly 0: always removed. */
  readonly prunedZero: number;
  /** New connections. */
  readonly grown: number;
  /** Connections afterwards. */
  readonly connections: number;
}

/** What an evolution, or the final removal, did to the network: the sums, and each layer. */
export interface EvolutionReport extends LayerEvolution {
  /** The fraction that was pruned of the weights of each sign; where there were several evolutions, in the last one. */
  readonly zeta: number;
  /** How many evolutions this is the sum of: several where an epoch has more than one. */
  readonly evolutions: number;
  /** One entry per layer; a layer that does not evolve has zeros and its number of connections. */
  readonly layers: readonly LayerEvolution[];
}

/** One finished epoch of a fit. */
export interface EpochReport {
  /** From 1, of this fit. */
  readonly epoch: number;
  /** Mean over the epoch's samples, computed while training: with dropout, under weights that change. */
  readonly loss: number;
  /** Fraction (0 to 1), computed while training; absent with 'meanSquaredError'. */
  readonly accuracy?: number;
  /** Of the epoch's last step. */
  readonly learningRate: number;
  /** Wall time of the training steps alone; with a stream of batches, also of waiting for them. */
  readonly seconds: number;
  /** Wall time of its evolutions. */
  readonly evolutionSeconds: number;
  /** Wall time of its validation. */
  readonly validationSeconds: number;
  /** Connections this epoch began with. */
  readonly connections: number;
  /** On the validation data, before the evolution; absent where fit got none. */
  readonly validation?: Evaluation;
  /**
   * What the evolutions of this epoch did, or the one at its end; absent where there was none: in a static network, in the last
   * epoch, and where training stopped early.
   */
  readonly evolution?: EvolutionReport;
}

/** The final removal, after the last epoch (Mocanu et al. 2018: the deployed network is smaller than the trained one). */
export interface FinalReport {
  /** What was removed; nothing grew. */
  readonly removal: EvolutionReport;
  /** Connections of the network that is deployed. */
  readonly connections: number;
  /** On the validation data, after the removal; absent where fit got none. */
  readonly validation?: Evaluation;
}

/** What a fit did: plain data, which JSON and a message to a worker keep. */
export interface HistoryData {
  /** One for each finished epoch. */
  readonly epochs: readonly EpochReport[];
  /** Absent where nothing was removed: after stop(), in a static network, or with `finalPrune: false`. */
  readonly final?: FinalReport;
  /** True where the fit ended before its last epoch: by stop(), by leaving the loop, or early. */
  readonly stopped: boolean;
  /** True where it ended by `earlyStopping`. */
  readonly stoppedEarly: boolean;
  /** The epoch with the best validation and its number (loss or accuracy); absent where fit got no validation data. */
  readonly best?: {
    /** From 1. */
    readonly epoch: number;
    /** Its validation's loss or accuracy, whichever is monitored. */
    readonly value: number;
    /** Whether that epoch's network was put back (`restoreBest`). */
    readonly restored: boolean;
  };
  /** The two sizes of a network: while it trained, and now (after the final removal, if there was one). */
  readonly connections: {
    /** While it trained. */
    readonly trained: number;
    /** Now. */
    readonly final: number;
  };
}

/** Options of `history.report`. */
export interface HistoryReportOptions {
  /** Default 'Learning curves'. */
  readonly title?: string;
}

/** What a fit did. `report` is not enumerable: histories are compared and serialised as the plain data that they are. */
export interface History extends HistoryData {
  /**
   * Writes the learning curves to one HTML file that needs nothing else, atomically, through symbolic links.
   *
   * Errors (rejections): `ERR_SETNET_IO`, `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`.
   */
  report(path: string | FileUrl, options?: HistoryReportOptions): Promise<void>;
}

/** How far the running epoch is. */
export interface Progress {
  /** From 1, of `epochs`. */
  readonly epoch: number;
  /** Of the fit. */
  readonly epochs: number;
  /** Steps done, of `steps` in this epoch; these are absent with a stream of batches without `stepsPerEpoch`. */
  readonly step: number;
  /** Of this epoch. */
  readonly steps?: number;
  /** Samples done in this epoch. */
  readonly samples: number;
  /** Running mean of this epoch. */
  readonly loss: number;
  /** Running fraction (0 to 1) of this epoch; absent with 'meanSquaredError'. */
  readonly accuracy?: number;
  /** Of the last step. */
  readonly learningRate: number;
  /** Since the epoch began. */
  readonly seconds: number;
  /** That the network has now. */
  readonly connections: number;
}

/** What setnet needs of an AbortSignal: any AbortSignal fits, of Node, a browser's types or another realm. */
export interface AbortSignalLike {
  /** Whether it has been aborted. */
  readonly aborted: boolean;
  /** What a training rejects with. */
  readonly reason?: unknown;
  /** As of an EventTarget. */
  addEventListener(type: 'abort', listener: () => void): void;
  /** As of an EventTarget. */
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** What setnet needs of a file: URL; any URL object fits. */
export interface FileUrl {
  /** The whole URL, 'file:///...'. */
  readonly href: string;
  /** 'file:'. */
  readonly protocol: string;
}
