// Networks and trainings as the sources of Sparse Evolutionary Training have them, where their programs differ.

import type { NetworkOptions } from './definition';
import type { FitOptions } from './fit_options';
import { maxUnits } from './layers/definition';
import { dense } from './layers/dense';
import { sparse } from './layers/sparse';
import { describe, readNumber, readOptions, typeError } from './options';
import type { Activation } from './rules/activation';
import { constant } from './rules/constant';
import type { Initializer } from './rules/initializer';
import { set } from './rules/set';
import { sgd } from './rules/sgd';
import type { Trigger } from './rules/trigger';

/** The shape of a preset's network. */
export interface PresetOptions {
  /** Features per sample. */
  readonly inputs: number;
  /** Units of each hidden layer, all of them sparse. */
  readonly hidden: readonly number[];
  /** Classes. */
  readonly outputs: number;
  /** Default: the source's. */
  readonly epsilon?: number;
  /** The fraction removed in each evolution, constant as in all sources. Default 0.3. */
  readonly zeta?: number;
}

/** Options of `presets.synapses`. */
export interface SynapsesOptions extends PresetOptions {
  /** 'epoch' (default), or `{ probability: 0.05 }`: in each training forward, the library's other mode. */
  readonly every?: Trigger;
}

/** Ready for `Network.create(network)` and `net.fit(data, fit)`; more options can be spread in beside. */
export interface Preset {
  /** For `Network.create`. */
  readonly network: NetworkOptions;
  /** For `net.fit`. */
  readonly fit: FitOptions;
}

const names = ['inputs', 'hidden', 'outputs', 'epsilon', 'zeta'] as const;

interface ReadPreset {
  inputs: number;
  hidden: readonly number[];
  outputs: number;
  epsilon: number;
  zeta: number;
  every: unknown;
}

function readPreset(
  options: PresetOptions,
  name: string,
  epsilon: number,
  others: readonly 'every'[] = [],
): ReadPreset {
  const where = `presets.${name}`;
  if (options === undefined) throw typeError(`${where} needs { inputs, hidden, outputs }`);
  const read = readOptions(options, where, [...names, ...others]);
  const size = (value: unknown, what: string) =>
    readNumber(value, `${where}: ${what}`, { min: 1, max: maxUnits, integer: true });
  if (!Array.isArray(read.hidden))
    throw typeError(`${where}: hidden must be an array of units, not ${describe(read.hidden)}`);
  return {
    inputs: size(read.inputs, 'inputs'),
    hidden: read.hidden.map((units: unknown, i) => size(units, `hidden[${i}]`)),
    outputs: size(read.outputs, 'outputs'),
    epsilon: readNumber(read.epsilon ?? epsilon, `${where}: epsilon`, { min: 0, max: Number.MAX_VALUE, open: true }),
    zeta: readNumber(read.zeta ?? 0.3, `${where}: zeta`, { min: 0, max: 1, open: true }),
    every: (read as { every?: unknown }).every,
  };
}

interface PresetLayers {
  readonly draw: 'exact' | 'bernoulli' | 'withReplacement';
  readonly initializer: Initializer;
  /** Of the hidden layers. */
  readonly activation: Activation;
  readonly dropout?: number;
  readonly output: 'dense' | 'sparse';
}

function networkOf({ inputs, hidden, outputs, epsilon }: ReadPreset, layers: PresetLayers): NetworkOptions {
  const { draw, initializer, activation, dropout = 0, output } = layers;
  const sparseOf = (units: number) => ({ initializer, units, epsilon, draw });
  return {
    inputs,
    layers: [
      ...hidden.map((units) => sparse({ ...sparseOf(units), activation, dropout })),
      output === 'dense'
        ? dense({ initializer, units: outputs })
        : sparse({ ...sparseOf(outputs), activation: 'linear' }),
    ],
  };
}

/**
 * SET as it was published (Mocanu et al., Nature Communications 9:2383, 2018): every cell of a hidden layer with the
 * probability epsilon (n + m) / (n m), epsilon 20; SReLU, dropout 0.3, a dense output; zeta 0.3 per sign at every epoch's end,
 * as many grown at random, and after the last epoch the removal alone. SGD with learning rate 0.01, momentum 0.9 and weight
 * decay 2e-4. What the article leaves open is as everywhere here: He's initial weights by the sparse fan-in, newcomers 0.
 */
function published(options: PresetOptions): Preset {
  const read = readPreset(options, 'published', 20);
  return {
    network: networkOf(read, {
      draw: 'bernoulli',
      initializer: 'heUniform',
      activation: 'srelu',
      dropout: 0.3,
      output: 'dense',
    }),
    fit: {
      optimizer: sgd({ learningRate: 0.01, momentum: 0.9, weightDecay: 2e-4 }),
      evolution: set({ zeta: constant({ value: read.zeta }) }),
    },
  };
}

/**
 * The authors' Keras program, which masks dense layers: Glorot's initial weights by the dense fans; thresholds taken from all
 * cells of the matrix; newcomers 0, grown back to the first count; the network is built anew after each evolution, so that
 * momentum starts at 0; no weight decay; the last epoch evolves like all others.
 */
function keras(options: PresetOptions): Preset {
  const read = readPreset(options, 'keras', 20);
  return {
    network: networkOf(read, {
      draw: 'bernoulli',
      initializer: 'denseXavier',
      activation: 'srelu',
      dropout: 0.3,
      output: 'dense',
    }),
    fit: {
      optimizer: sgd({ learningRate: 0.01, momentum: 0.9, weightDecay: 0 }),
      evolution: set({
        zeta: constant({ value: read.zeta }),
        prune: 'thresholdOfMatrix',
        newWeights: 'zero',
        budget: 'initial',
        state: 'reset',
        finalEvolution: true,
      }),
    },
  };
}

/**
 * The authors' SciPy program: epsilon (n + m) draws with replacement; weights and newcomers N(0, 0.1^2); all layers sparse and
 * evolved, the output too; thresholds taken from the stored weights; survivors keep their momentum; w -= 2e-4 w beside the
 * step, biases too; nothing happens after the last epoch. Three things that program does are left out: it multiplies by the
 * derivative of the sigmoid twice, drops connections whose weight becomes 0 while training, and drops incomplete batches.
 */
function scipy(options: PresetOptions): Preset {
  const read = readPreset(options, 'scipy', 20);
  const tenth = { kind: 'normal', sigma: 0.1 } as const;
  return {
    network: networkOf(read, {
      draw: 'withReplacement',
      initializer: tenth,
      activation: 'relu',
      dropout: 0.3,
      output: 'sparse',
    }),
    fit: {
      optimizer: sgd({ learningRate: 0.01, momentum: 0.9, weightDecay: 2e-4, decay: 'unscaled' }),
      evolution: set({
        zeta: constant({ value: read.zeta }),
        prune: 'thresholdOfStored',
        newWeights: tenth,
        finalPrune: false,
      }),
    },
  };
}

/**
 * The library Synapses: an exact number of distinct cells, epsilon 11; weights and newcomers N(0, 2 / inputs); exactly
 * floor(zeta * count) per sign, weights of 0 are of neither and stay; a cell that was emptied is not filled at once; survivors
 * keep their momentum; weight decay as part of the gradient (0 unless asked for); the weakest are removed for inference at the
 * end. By epoch, or with `every: { probability: 0.05 }` in each training forward.
 */
function synapses(options: SynapsesOptions): Preset {
  const read = readPreset(options, 'synapses', 11, ['every']);
  return {
    network: networkOf(read, { draw: 'exact', initializer: 'denseHe', activation: 'relu', output: 'dense' }),
    fit: {
      optimizer: sgd({ learningRate: 0.01, momentum: 0.9, weightDecay: 0 }),
      evolution: set({
        zeta: constant({ value: read.zeta }),
        ...(read.every === undefined ? {} : { every: read.every as Trigger }),
        keepZeros: true,
        newWeights: 'denseHe',
        regrowPruned: false,
      }),
    },
  };
}

/**
 * What the sources of SET do, point by point, where they differ: `published`, `keras`, `scipy`, `synapses`. Each answers
 * `{ network, fit }`.
 *
 * Errors: `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`.
 */
export const presets: {
  /** As the article has it: Mocanu et al., Nature Communications 9:2383, 2018. */
  readonly published: (options: PresetOptions) => Preset;
  /** As the authors' program with Keras and masks. */
  readonly keras: (options: PresetOptions) => Preset;
  /** As the authors' program with SciPy's sparse matrices. */
  readonly scipy: (options: PresetOptions) => Preset;
  /** As the library Synapses for PyTorch (M. Klear). */
  readonly synapses: (options: SynapsesOptions) => Preset;
} = Object.freeze({ published, keras, scipy, synapses });
