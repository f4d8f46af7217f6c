// Trainings on real images, condensed to digests; run in child processes, so that every run can have an instruction set of
// its own.
import { createHash } from 'node:crypto';
import { adam, dense, type FitOptions, masked, Network, set, sgd, sparse } from '../../lib/index';
import { bytesOf, digestOf, fashion } from './helpers';

/** Equal for equal bits. */
export interface ParityRun {
  instructionSet: string;
  /** Topologies, weights, biases at the start, after each of the four epochs, and after the final removal. */
  networks: string[];
  /** The losses and accuracies of epochs and validations, as bits. */
  losses: string;
  /** Of the whole. */
  digest: string;
  /** For people. */
  loss: number;
  accuracy: number;
  evolutions: number;
  steps: number;
  seconds: number;
}

/** Three hidden layers of one kind, with dropout 0.3. */
interface Scenario {
  samples: number;
  units: number;
  activation: 'relu' | 'srelu';
  fit: FitOptions & { epochs: number; batchSize: number };
}

const scenarios = {
  sgd: {
    samples: 9600,
    units: 1000,
    activation: 'relu',
    fit: { epochs: 4, batchSize: 128, optimizer: sgd({ momentum: 0.9 }) },
  },
  /** Everything that learns at once, and evolutions between steps. */
  adam: {
    samples: 2000,
    units: 300,
    activation: 'srelu',
    fit: { epochs: 4, batchSize: 50, optimizer: adam(), evolution: set({ every: { steps: 7 } }) },
  },
} satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;

export async function parityRun(
  name: ScenarioName,
  kind: 'sparse' | 'masked',
  threads: number,
): Promise<Omit<ParityRun, 'instructionSet'>> {
  const { samples, units, activation, fit }: Scenario = scenarios[name];
  const { xTrain, yTrain, xTest, yTest } = await fashion(samples, 300);
  const layer = kind === 'sparse' ? sparse : masked;
  const layers = [0, 1, 2].map(() => layer({ units, epsilon: 20, dropout: 0.3, activation }));
  const net = Network.createSync({
    inputs: 784,
    seed: 7,
    scaling: 'perFeature',
    threads,
    layers: [...layers, dense({ units: 10 })],
  });
  const networks = [digestOf(net)];
  const started = performance.now();
  const training = net.fit({ x: xTrain, y: yTrain }, { ...fit, validation: { x: xTest, y: yTest } });
  for await (const _ of training) networks.push(digestOf(net));
  const { epochs, final } = await training.done;
  const numbers = epochs.flatMap(({ loss, accuracy, learningRate, validation }) => [
    loss,
    accuracy ?? 0,
    learningRate,
    validation?.loss ?? 0,
    validation?.accuracy ?? 0,
  ]);
  numbers.push(final?.validation?.loss ?? 0, final?.validation?.accuracy ?? 0);
  const losses = createHash('sha256')
    .update(bytesOf(Float64Array.from(numbers)))
    .digest('hex');
  return {
    networks,
    losses,
    digest: createHash('sha256')
      .update([...networks, losses].join())
      .digest('hex'),
    loss: epochs.at(-1)?.loss ?? 0,
    accuracy: final?.validation?.accuracy ?? 0,
    evolutions: epochs.reduce((sum, { evolution }) => sum + (evolution?.evolutions ?? 0), 0),
    steps: epochs.length * Math.ceil(samples / fit.batchSize),
    seconds: (performance.now() - started) / 1000,
  };
}
