// One training of 784-1000-1000-1000-10 on real images, condensed to digests; run in child processes, so that every run can
// have an instruction set of its own.
import { createHash } from 'node:crypto';
import { dense, masked, Network, sgd, sparse } from '../../lib/index';
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

export async function parityRun(
  kind: 'sparse' | 'masked',
  threads: number,
): Promise<Omit<ParityRun, 'instructionSet'>> {
  const { xTrain, yTrain, xTest, yTest } = await fashion(9600, 300);
  const layer = kind === 'sparse' ? sparse : masked;
  const layers = [0, 1, 2].map(() => layer({ units: 1000, epsilon: 20, dropout: 0.3 }));
  const net = Network.createSync({
    inputs: 784,
    seed: 7,
    scaling: 'perFeature',
    threads,
    layers: [...layers, dense({ units: 10 })],
  });
  const networks = [digestOf(net)];
  const started = performance.now();
  const training = net.fit(
    { x: xTrain, y: yTrain },
    { epochs: 4, batchSize: 128, optimizer: sgd({ momentum: 0.9 }), validation: { x: xTest, y: yTest } },
  );
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
    evolutions: epochs.filter(({ evolution }) => evolution !== undefined).length,
    steps: epochs.length * Math.ceil(9600 / 128),
    seconds: (performance.now() - started) / 1000,
  };
}
