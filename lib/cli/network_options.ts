// What the options of `setnet train` and `setnet compare` say about the network and its training.
import type { NetworkOptions } from '../definition';
import type { FitOptions } from '../fit_options';
import type { LayerDefinition } from '../layers/definition';
import { maxUnits } from '../layers/definition';
import { dense } from '../layers/dense';
import { masked } from '../layers/masked';
import { sparse } from '../layers/sparse';
import { maxThreads } from '../loader';
import type { Activation } from '../rules/activation';
import { adam } from '../rules/adam';
import { adamw } from '../rules/adamw';
import { cosine } from '../rules/cosine';
import type { Optimizer } from '../rules/optimizer';
import { set } from '../rules/set';
import { sgd } from '../rules/sgd';
import { ruleNames } from '../rules/table';
import type { Monitor } from '../stop_rule';
import { activationFor, batchSizeFor, enoughForAccuracy, epochsFor, weightDecayFor } from './defaults';
import { UsageError } from './failure';
import { choice, flag, grouped, number, numbers, type Option, type Values } from './options';

const largeInteger = Number.MAX_SAFE_INTEGER;

/** The kinds of network. */
export const kinds = ['sparse', 'masked', 'dense'] as const;
export type Kind = (typeof kinds)[number];

const optimizers = ['adam', 'adamw', 'sgd'] as const;

/** What trains best where one number must do: the learning rate of each optimizer, and its weight decay for so many samples. */
const settings: Readonly<
  Record<(typeof optimizers)[number], { learningRate: number; weightDecay: (samples: number) => number }>
> = {
  adam: { learningRate: 0.001, weightDecay: weightDecayFor },
  adamw: { learningRate: 0.001, weightDecay: () => 0.05 },
  sgd: { learningRate: 0.05, weightDecay: () => 1e-4 },
};

/** The table of these options; `kind` is train's alone. */
export interface NetworkOptionTable {
  readonly [name: string]: Option<unknown>;
  readonly hidden: Option<readonly number[]>;
  readonly epsilon: Option<number>;
  readonly density: Option<number>;
  readonly activation: Option<string>;
  readonly dropout: Option<number>;
  readonly 'no-standardise': Option<true>;
  readonly epochs: Option<number>;
  readonly 'batch-size': Option<number>;
  readonly optimizer: Option<(typeof optimizers)[number]>;
  readonly 'learning-rate': Option<number>;
  readonly 'weight-decay': Option<number>;
  readonly zeta: Option<number>;
  readonly balanced: Option<true>;
  readonly 'hold-out': Option<number>;
  readonly keep: Option<'best' | 'last'>;
  readonly 'best-by': Option<Monitor>;
  readonly patience: Option<number>;
  readonly 'final-removal': Option<true>;
  readonly seed: Option<bigint>;
  readonly threads: Option<number>;
}

const seed: Option<bigint> = {
  value: 'N',
  help: 'Everything random follows from it: equal seeds give equal networks, to the bit. Default 1.',
  read: (given, where) => {
    if (/^\d{1,20}$/.test(given) && BigInt(given) < 2n ** 64n) return BigInt(given);
    throw new UsageError(`${where} must be an integer from 0 to 2^64 - 1, not '${given}'`);
  },
};

export const networkOptions: NetworkOptionTable = {
  ...grouped('Network', {
    hidden: numbers(
      'UNITS,...',
      { min: 1, max: maxUnits, integer: true },
      'Units of each hidden layer, as in 1000,1000,500. Default 1000: one layer.',
    ),
    epsilon: number(
      'E',
      { min: 0, max: 1e9, open: true },
      'Sparsity of the hidden layers: each has about E * (inputs + units) connections. Default 20.',
    ),
    density: number(
      'FRACTION',
      { min: 0, max: 1, open: true },
      'Instead of --epsilon: the fraction of all possible connections that exist.',
    ),
    activation: choice(
      'NAME',
      () => ruleNames('activations'),
      'Of the hidden layers, such as relu, srelu or tanh. Default: allRelu where there are more samples than inputs, else relu.',
    ),
    dropout: number(
      'FRACTION',
      { min: 0, max: 1, openMaximum: true },
      'Fraction of hidden outputs dropped while training. Default 0.3.',
    ),
    'no-standardise': flag(
      'Take the inputs as they are. By default each one gets mean 0 and standard deviation 1 over the training data (sparse inputs are only divided, so that zeros stay zeros); the model keeps this.',
    ),
  }),
  ...grouped('Training', {
    epochs: number(
      'N',
      { min: 1, max: 1e9, integer: true },
      'Passes over the data. Default: as many as see about a million samples, from 20 to 100.',
    ),
    'batch-size': number(
      'N',
      { min: 1, max: 2 ** 31 - 1, integer: true },
      'Samples a step. Default: a power of 2 from 8 to 128, about a fortieth of the samples.',
    ),
    optimizer: choice('NAME', () => optimizers, 'adam (default), adamw or sgd (with momentum 0.9).'),
    'learning-rate': number(
      'RATE',
      { min: 0, max: 1e6, open: true },
      'At the beginning; it falls along a cosine. Default 0.001; of sgd 0.05.',
    ),
    'weight-decay': number(
      'D',
      { min: 0, max: 1e6 },
      'Default: of adam 15 / samples, at most 0.01; of adamw 0.05, of sgd 0.0001.',
    ),
    zeta: number(
      'FRACTION',
      { min: 0, max: 1 },
      'Fraction of the connections that is replaced after an epoch; it falls along a cosine. 0: the wiring stays. Default 0.3.',
    ),
    balanced: flag('Let all classes count the same, however many samples they have.'),
    'hold-out': number(
      'FRACTION',
      { min: 0, max: 1, openMaximum: true },
      'Fraction of the samples, of every class the same, that is kept away from training; by it the best epoch is told. 0: none. Default 0.1.',
    ),
    keep: choice(
      'WHICH',
      () => ['best', 'last'] as const,
      'Which network is saved: that of the best epoch by the samples held out (default), or the last one.',
    ),
    'best-by': choice(
      'FIGURE',
      () => ['accuracy', 'loss'] as const,
      'Of the samples held out. Default: accuracy; loss where fewer than 50 are held out, of which accuracy says too little, and for numbers.',
    ),
    patience: number(
      'N',
      { min: 1, max: largeInteger, integer: true },
      'End the training after so many epochs that bring nothing better. Default: never.',
    ),
    'final-removal': flag(
      'At the end remove the fraction zeta of the connections once more, growing nothing (Mocanu et al. 2018): a smaller network, a little less accurate as a rule.',
    ),
    seed,
    threads: number(
      'N',
      { min: 1, max: maxThreads, integer: true },
      'Results do not depend on it. Default: SETNET_THREADS, else all.',
    ),
  }),
};

/** What is known of the data. */
export interface DataFacts {
  readonly inputs: number;
  readonly outputs: number;
  readonly isRegression: boolean;
  readonly classes?: readonly string[];
  readonly features?: readonly string[];
  /** Samples to train on. */
  readonly samples: number;
  /** Samples held out. */
  readonly heldOut: number;
  /** A value that means "unknown" in the features. */
  readonly missing?: number;
}

/** Options that contradict each other. Throws UsageError. */
export function checkNetworkValues(values: Values<NetworkOptionTable>, target: 'class' | 'number' | undefined): void {
  if (target === 'number' && values.balanced)
    throw new UsageError('--balanced is for classes, but --target number has none');
  if (target === 'number' && values['best-by'] === 'accuracy')
    throw new UsageError('--best-by accuracy is for classes; numbers have a loss only');
  if (values.epsilon !== undefined && values.density !== undefined)
    throw new UsageError('--epsilon and --density are two ways to say the same; give one of them');
  if (values['hold-out'] === 0) {
    if (values.keep === 'best') throw new UsageError('--keep best needs samples held out; --hold-out 0 holds out none');
    if (values['best-by'] !== undefined)
      throw new UsageError('--best-by needs samples held out; --hold-out 0 holds out none');
    if (values.patience !== undefined)
      throw new UsageError('--patience needs samples held out; --hold-out 0 holds out none');
  }
}

/** The network that is asked for. */
export function networkOf(values: Values<NetworkOptionTable>, kind: Kind, facts: DataFacts): NetworkOptions {
  const { hidden = [1000], epsilon, density, dropout = 0.3, threads } = values;
  const activation = (values.activation ?? activationFor(facts.samples, facts.inputs)) as Activation;
  const common = { activation, dropout };
  const amount = density === undefined ? { epsilon: epsilon ?? 20 } : { density };
  const layers: LayerDefinition[] = hidden.map((units) => {
    if (kind === 'dense') return dense({ ...common, units });
    return (kind === 'sparse' ? sparse : masked)({ ...common, ...amount, units });
  });
  const { inputs, outputs, classes, features, missing } = facts;
  return {
    inputs,
    layers: [...layers, dense({ units: outputs })],
    seed: values.seed ?? 1n,
    scaling: values['no-standardise'] ? 'none' : 'perFeature',
    ...(missing === undefined ? {} : { missing }),
    ...(classes === undefined ? {} : { classes }),
    ...(features === undefined ? {} : { features }),
    ...(threads === undefined ? {} : { threads }),
  };
}

/** The training that is asked for, without its data. */
export function fitOf(values: Values<NetworkOptionTable>, kind: Kind, facts: DataFacts): FitOptions {
  const { zeta = 0.3, patience, threads } = values;
  const isTold = !facts.isRegression && facts.heldOut >= enoughForAccuracy;
  const monitor = values['best-by'] ?? (isTold ? 'accuracy' : 'loss');
  const restores = facts.heldOut > 0 && values.keep !== 'last';
  return {
    epochs: values.epochs ?? epochsFor(facts.samples),
    batchSize: values['batch-size'] ?? batchSizeFor(facts.samples),
    loss: facts.isRegression ? 'meanSquaredError' : 'softmaxCrossEntropy',
    optimizer: optimizerOf(values, facts),
    evolution: kind === 'dense' || zeta === 0 ? null : set({ zeta, finalPrune: values['final-removal'] === true }),
    ...(restores ? { restoreBest: monitor } : {}),
    ...(patience === undefined ? {} : { earlyStopping: { patience, monitor } }),
    ...(values.balanced ? { classWeights: 'balanced' as const } : {}),
    ...(threads === undefined ? {} : { threads }),
  };
}

function optimizerOf(values: Values<NetworkOptionTable>, { samples }: DataFacts): Optimizer {
  const name = values.optimizer ?? 'adam';
  const learningRate = cosine({ from: values['learning-rate'] ?? settings[name].learningRate });
  const weightDecay = values['weight-decay'] ?? settings[name].weightDecay(samples);
  const options = { learningRate, weightDecay };
  if (name === 'sgd') return sgd(options);
  return name === 'adam' ? adam(options) : adamw(options);
}
