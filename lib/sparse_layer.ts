/// <reference lib="esnext.disposable" preserve="true" />
// One sparse layer without a network around it, for loops of one's own.
import { type CsrMatrix, wrapMatrix } from './csr_matrix';
import { type Features, readFeatures, rowsOf } from './data';
import { drawSeed, readSeed, readThreads } from './definition';
import { guard, SetnetError } from './errors';
import {
  type DrawnLayerOptions,
  type EvolvableOptions,
  type GivenLayerOptions,
  maxUnits,
  type ReadLayer,
  readLayer,
} from './layers/definition';
import { native } from './loader';
import type { NativeSparseLayer } from './native';
import { optionError, readBoolean, readNumber, readOptions, typeError } from './options';
import { type RowTaker, readOut, readRowBatch } from './row_batch';
import { evolutionRuleNames, readEvolutionRules } from './rules/evolution';
import type { Grow } from './rules/grow';
import type { Initializer } from './rules/initializer';
import { type Optimizer, readOptimizer } from './rules/optimizer';
import type { Prune } from './rules/prune';
import type { FeatureArray, FeatureMatrix, LayerEvolution } from './types';

/** What a layer that trains by itself needs beside a layer's options. @inline */
interface OwnOptions {
  /**
   * Default `sgd()`: momentum 0.9, weight decay 1e-4. A learning rate that is a number is what `step` takes where it is told
   * none; a schedule belongs to a fit and says nothing here.
   */
  readonly optimizer?: Optimizer;
  /** As of a network: everything random follows from it. Where it is absent one is drawn; `layer.seed` says which. */
  readonly seed?: number | bigint;
  /**
   * The layer's number, from 0 to 65535, in the keys of random numbers: layers of one loop have one each, and are then what
   * `layers[index]` of a network with this seed is. Also where `allRelu` has its place, and the first layer's initial weights. Default 0.
   */
  readonly index?: number;
  /** 1 to 1024; results do not depend on it. Default: SETNET_THREADS, else all. */
  readonly threads?: number;
}

/** Options of {@link SparseLayer.create}: those of `sparse()` that are not of an evolution, and what is known of the rest. */
export type SparseLayerOptions = OwnOptions &
  (
    | (Omit<DrawnLayerOptions, keyof EvolvableOptions> & {
        /** Features per sample, 1 to 2^32 - 1. */
        readonly inputs: number;
      })
    | (Omit<GivenLayerOptions, keyof EvolvableOptions> & {
        /** The weights say how many. Where it is given it must be `weights.columns`. */
        readonly inputs?: number;
      })
  );

/** Options of {@link SparseLayer.forward}. */
export interface ForwardOptions {
  /** True: with dropout, and what `backward` needs is kept. Default false: inference. */
  readonly training?: boolean;
  /** Receives the outputs and is returned: rows * units elements, not overlapping x. */
  readonly out?: Float32Array;
}

/** Options of {@link SparseLayer.backward}. */
export interface BackwardOptions {
  /** False: the gradient of the inputs, which nobody needs of a first layer, is not computed. Default true. */
  readonly inputGradient?: boolean;
  /** Receives the gradient of the inputs and is returned: rows * inputs elements, not overlapping dy. */
  readonly out?: Float32Array;
}

/** Options of {@link SparseLayer.step}. */
export interface LayerStepOptions {
  /** At least 0, rounded to f32. Default: the optimizer's, where that is a number. */
  readonly learningRate?: number;
}

/** Options of {@link SparseLayer.prune}. */
export interface LayerPruneOptions {
  /** The fraction of each sign's weights that is removed, 0 to 1. Default 0.3. */
  readonly zeta?: number;
  /** Which connections are removed. Default 'signMagnitude'. */
  readonly prune?: Prune;
  /** Connections whose weight is exactly 0 stay, unless the rule takes them for something else. Default false. */
  readonly keepZeros?: boolean;
}

/** Options of {@link SparseLayer.evolve}; as of `set()`. */
export interface LayerEvolveOptions extends LayerPruneOptions {
  /** Where as many grow again. Default 'random'. */
  readonly grow?: Grow;
  /** The value of new connections: an initializer, or 'initializer' for the layer's own. Default 'zero'. */
  readonly newWeights?: Initializer | 'initializer';
  /** Whether a cell that was just emptied may be chosen again at once. Default true. */
  readonly regrowPruned?: boolean;
  /** 'keep' (default): survivors keep their optimizer state. 'reset': all state of the layer starts at 0 again. */
  readonly state?: 'keep' | 'reset';
}

/** What an optimizer keeps under one name. */
export interface OptimizerBuffer {
  /** One number per connection, in the order of `weights.values`. */
  readonly weights: Float32Array;
  /** One number per unit; null for a layer without a bias. */
  readonly bias: Float32Array | null;
  /** By the name of the parameter, one number per unit; null where the activation learns nothing. */
  readonly activationParameters: Record<string, Float32Array> | null;
}

const ownNames = ['inputs', 'optimizer', 'seed', 'index', 'threads'] as const;
const layerNames = [
  'units',
  'epsilon',
  'density',
  'draw',
  'weights',
  'bias',
  'activation',
  'initializer',
  'dropout',
] as const;

const ofInputs: RowTaker = { owner: 'layer', axis: 'inputs', others: ', a CsrMatrix ' };
const ofUnits: RowTaker = { owner: 'layer', axis: 'units' };

const largestFloat = 3.4028234663852886e38;

function readInputs(value: unknown, { given }: ReadLayer, where: string): number {
  if (value === undefined) {
    if (given === undefined) throw optionError(`${where}: inputs is missing`);
    return given.weights.columns;
  }
  const inputs = readNumber(value, `${where}: inputs`, { min: 1, max: maxUnits, integer: true });
  if (given === undefined || given.weights.columns === inputs) return inputs;
  throw new SetnetError(
    'ERR_SETNET_SHAPE',
    `${where}: inputs is ${inputs}, but weights has ${given.weights.columns} columns; leave inputs out`,
  );
}

/** An absent bias, or an activation that learns nothing, is null to users. */
function orNull(array: Float32Array): Float32Array | null {
  return array.length === 0 ? null : array;
}

function parametersOrNull(parameters: Record<string, Float32Array>): Record<string, Float32Array> | null {
  return Object.keys(parameters).length === 0 ? null : parameters;
}

const key = Symbol('SparseLayer');

/**
 * One sparse layer that trains by your own loop: `forward`, `backward`, `step`, `evolve`. Its numbers are those of the same
 * layer in a network, bit for bit: a loop of such layers that computes the same loss trains the same weights as `fit`.
 * It counts its steps, which dropout is drawn by, and its evolutions, as a network does.
 *
 * All calls compute on the calling thread (and the pool) before they return: it is a part to build with, whose calls follow
 * each other, and a loop that must not hold up an event loop belongs into a worker thread. There are no asynchronous twins,
 * so the names do without `Sync`.
 *
 * A step is `forward(x, { training: true })`, `backward(dy)`, `step()`, in this order; another one is `ERR_SETNET_STATE`, and
 * the layer can go on. Numbers that leave the finite ones are not looked for: a later layer's `forward` refuses them
 * (`ERR_SETNET_NONFINITE`), and so does what shows weights. It owns native memory: `dispose()` frees it at once, or use
 * `using`. After that everything but the sizes and counts is `ERR_SETNET_STATE`.
 */
export class SparseLayer {
  /** Features per sample. */
  readonly inputs: number;
  /** Outputs per sample. */
  readonly units: number;
  /** The layer's number in the keys of random numbers. */
  readonly index: number;
  /** What everything random follows from; a bigint where it is above 2^53 - 1. */
  readonly seed: number | bigint;
  /** Name of the activation. */
  readonly activation: string;
  /** Fraction of outputs dropped in training. */
  readonly dropout: number;
  readonly #native: NativeSparseLayer;
  readonly #learningRate: number | undefined;
  #isDisposed = false;

  private constructor(caller: symbol, options: unknown) {
    if (caller !== key) throw typeError('a SparseLayer is made by SparseLayer.create');
    const where = 'SparseLayer.create';
    if (options === undefined) throw typeError(`${where} needs { inputs, units } or { weights }`);
    const read = readOptions(options, where, [...ownNames, ...layerNames]);
    const layer: { [Name in (typeof layerNames)[number] | 'kind']?: unknown } = { kind: 'sparse' };
    for (const name of layerNames) if (read[name] !== undefined) layer[name] = read[name];
    this.index = readNumber(read.index ?? 0, `${where}: index`, { min: 0, max: 65535, integer: true });
    const definition = readLayer(layer, `${where}: options`, this.index);
    const { spec } = definition;
    const optimizer = readOptimizer(read.optimizer ?? 'sgd', `${where}: optimizer`);
    const { rule, warmup } = optimizer.learningRate;
    this.#learningRate = rule.name === 'constant' && warmup === 0 ? rule.parameters.value : undefined;
    this.inputs = readInputs(read.inputs, definition, where);
    this.units = spec.units;
    const seed = read.seed === undefined ? drawSeed() : readSeed(read.seed, `${where}: seed`);
    this.seed = seed <= Number.MAX_SAFE_INTEGER ? Number(seed) : seed;
    this.activation = spec.activation.name;
    this.dropout = spec.dropout;
    const network = {
      inputs: this.inputs,
      seed,
      layers: [spec],
      scaling: { kind: 'none' as const },
      threads: readThreads(read.threads, `${where}: threads`),
    };
    const { index } = this;
    this.#native = guard(() =>
      native().createSparseLayer(network, [definition.given], { optimizer: optimizer.rule, index }),
    );
    Object.freeze(this);
  }

  /**
   * A layer whose connections and weights are drawn from the seed, or made from `weights`.
   *
   * Errors: `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`, `ERR_SETNET_SHAPE`, `ERR_SETNET_NONFINITE`, `ERR_SETNET_BUFFER`,
   * `ERR_SETNET_MEMORY`, `ERR_SETNET_LOAD`.
   */
  static create(options: SparseLayerOptions): SparseLayer {
    return new SparseLayer(key, options);
  }

  /**
   * The outputs for one or more rows of inputs, [rows, units] row-major: f(weights * x + bias). x is what a network takes,
   * unscaled; it is not needed any more afterwards. In training nothing of an earlier `forward` is kept, and until the next
   * `step` every batch has the same dropout. A `forward` without training in between disturbs nothing.
   *
   * Errors: `ERR_SETNET_STATE`; `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`, `ERR_SETNET_SHAPE`; `ERR_SETNET_BUFFER`;
   * `ERR_SETNET_NONFINITE` where x is not finite; `ERR_SETNET_DATA` for no rows in training; `ERR_SETNET_MEMORY`.
   */
  forward(x: Features, options?: ForwardOptions): Float32Array {
    const where = 'forward';
    this.#check(where);
    const read = readOptions(options, `${where}: options`, ['training', 'out']);
    const training = readBoolean(read.training ?? false, `${where}: training`);
    const features = readFeatures(x, this.inputs, `${where}: x`, ofInputs);
    const out = readOut(read.out, rowsOf(features, this.inputs) * this.units, where, 'answer');
    guard(() => this.#native.forward(features, training, out));
    return out;
  }

  /**
   * Takes dy, the gradient of the loss by the outputs of the last `forward` in training ([rows, units], dropout included, with
   * any mean over the batch in it), back through dropout and activation, and gives the gradient of the loss by the inputs,
   * [rows, inputs] row-major. May be called again with another dy before `step`: the last one counts.
   *
   * Errors: `ERR_SETNET_STATE` where there is no such `forward`, or it had another number of rows; `ERR_SETNET_OPTION`,
   * `ERR_SETNET_TYPE`, `ERR_SETNET_SHAPE`, `ERR_SETNET_BUFFER`; `ERR_SETNET_NONFINITE` where dy is not finite;
   * `ERR_SETNET_MEMORY`.
   */
  backward(dy: FeatureArray | FeatureMatrix, options: BackwardOptions & { readonly inputGradient: false }): undefined;
  backward(
    dy: FeatureArray | FeatureMatrix,
    options?: BackwardOptions & { readonly inputGradient?: true },
  ): Float32Array;
  backward(dy: FeatureArray | FeatureMatrix, options?: BackwardOptions): Float32Array | undefined;
  backward(dy: FeatureArray | FeatureMatrix, options?: BackwardOptions): Float32Array | undefined {
    const where = 'backward';
    this.#check(where);
    const read = readOptions(options, `${where}: options`, ['inputGradient', 'out']);
    const wantsGradient = readBoolean(read.inputGradient ?? true, `${where}: inputGradient`);
    if (!wantsGradient && read.out !== undefined) {
      throw optionError(`${where}: there is an out for the gradient of the inputs, but inputGradient is false`);
    }
    const { data, rows } = readRowBatch(dy, this.units, ofUnits, `${where}: dy`);
    const out = wantsGradient ? readOut(read.out, (rows as number) * this.inputs, where, 'gradient') : undefined;
    guard(() => this.#native.backward(data, out));
    return out;
  }

  /**
   * Sums the gradients of the existing connections, of the bias and of what the activation learns over the batch, and lets the
   * optimizer update them. Once for each `backward`.
   *
   * Errors: `ERR_SETNET_STATE` where there is no `backward`; `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`.
   */
  step(options?: LayerStepOptions): void {
    const where = 'step';
    this.#check(where);
    const read = readOptions(options, `${where}: options`, ['learningRate']);
    const rate = read.learningRate ?? this.#learningRate;
    if (rate === undefined) {
      throw optionError(
        `${where}: learningRate is missing; only an optimizer whose learning rate is a number says it for every step`,
      );
    }
    const learningRate = readNumber(rate, `${where}: learningRate`, { min: 0, max: largestFloat });
    guard(() => this.#native.step(learningRate));
  }

  /**
   * One evolution (Mocanu et al. 2018): removes the weakest connections, and lets as many grow. What survives keeps its value
   * and its optimizer's state; newcomers have the state 0. A full layer stays as it is. A step that was begun is forgotten.
   *
   * Errors: `ERR_SETNET_STATE`; `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`; `ERR_SETNET_NONFINITE` where a weight is not finite;
   * `ERR_SETNET_MEMORY`.
   */
  evolve(options?: LayerEvolveOptions): LayerEvolution {
    const where = 'evolve';
    this.#check(where);
    return this.#evolve(readOptions(options, `${where}: options`, ['zeta', ...evolutionRuleNames]), where, true);
  }

  /** As {@link SparseLayer.evolve}, but nothing grows: what `fit` does after its last epoch. Counted as an evolution. */
  prune(options?: LayerPruneOptions): LayerEvolution {
    const where = 'prune';
    this.#check(where);
    return this.#evolve(readOptions(options, `${where}: options`, ['zeta', 'prune', 'keepZeros']), where, false);
  }

  #evolve(
    options: { [Name in 'zeta' | (typeof evolutionRuleNames)[number]]?: unknown },
    where: string,
    growBack: boolean,
  ): LayerEvolution {
    const rules = readEvolutionRules(options, `${where}: `);
    const zeta = readNumber(options.zeta ?? 0.3, `${where}: zeta`, { min: 0, max: 1 });
    const report = guard(() => this.#native.evolve({ ...rules, zeta }, growBack));
    return { pruned: report.prunedPositive + report.prunedNegative + report.prunedZero, ...report };
  }

  /**
   * The gradient of the weights that the next `step` will use, without weight decay, as a matrix of the layer's connections:
   * to look at, or to clip by (then `backward` again with a dy that is multiplied, `inputGradient: false`).
   *
   * Errors: `ERR_SETNET_STATE` where there is no `backward`; `ERR_SETNET_NONFINITE` where a sum is not finite;
   * `ERR_SETNET_MEMORY`.
   */
  weightGradient(): CsrMatrix {
    this.#check('weightGradient');
    return wrapMatrix(guard(() => this.#native.weightGradient()));
  }

  /** A snapshot of the weights, [units, inputs]. `ERR_SETNET_DIVERGED` where they, or their state, are not finite. */
  get weights(): CsrMatrix {
    this.#check('weights');
    return wrapMatrix(guard(() => this.#native.weights()));
  }

  /** A copy of the bias, one number per unit; null for a layer without. */
  get bias(): Float32Array | null {
    this.#check('bias');
    return orNull(guard(() => this.#native.bias()));
  }

  /** Copies of what the activation learns, by name, one number per unit; null where it learns nothing. */
  get activationParameters(): Record<string, Float32Array> | null {
    this.#check('activationParameters');
    return parametersOrNull(guard(() => this.#native.activationParameters()));
  }

  /** Copies of what the optimizer keeps: of `sgd` `velocity`, of `adam` and `adamw` `firstMoment` and `secondMoment`. */
  get state(): Record<string, OptimizerBuffer> {
    this.#check('state');
    const buffers = Object.entries(guard(() => this.#native.state()));
    return Object.fromEntries(
      buffers.map(([name, { weights, bias, activationParameters }]) => [
        name,
        { weights, bias: orNull(bias), activationParameters: parametersOrNull(activationParameters) },
      ]),
    );
  }

  /** Stored weights. */
  get connections(): number {
    return this.#native.info().connections;
  }

  /** connections / (inputs * units), from 0 to 1. */
  get density(): number {
    return this.connections / (this.inputs * this.units);
  }

  /** Whether an evolution changes this layer: not where every cell was asked for. */
  get evolved(): boolean {
    return this.#native.info().evolved;
  }

  /** Steps done. */
  get steps(): number {
    return this.#native.info().steps;
  }

  /** Evolutions and removals done. */
  get evolutions(): number {
    return this.#native.info().evolutions;
  }

  /** Incoming connections of each unit, its fan-in: one number per unit; their sum is `connections`. */
  inDegree(): Uint32Array {
    return this.weights.rowCounts();
  }

  /** Outgoing connections of each input: one number per input; their sum is `connections`. */
  outDegree(): Uint32Array {
    return this.weights.columnCounts();
  }

  /** Whether `dispose` has been called. */
  get isDisposed(): boolean {
    return this.#isDisposed;
  }

  /** Frees native memory. Twice is fine. */
  dispose(): void {
    this.#isDisposed = true;
    guard(() => this.#native.dispose());
  }

  /** {@link SparseLayer.dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #check(where: string): void {
    if (this.#isDisposed) throw new SetnetError('ERR_SETNET_STATE', `${where}: the layer was disposed`);
  }
}
