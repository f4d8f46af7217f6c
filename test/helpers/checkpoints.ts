// Trainings that are interrupted and go on; here, so that child processes can begin them as well.
import {
  adam,
  adamw,
  cosine,
  dense,
  type FitOptions,
  masked,
  type Network,
  type NetworkOptions,
  type Preset,
  presets,
  set,
  sgd,
  sparse,
  type Training,
} from '../../lib/index';
import { blobs } from './helpers';

export const data = blobs(150, 12, 4, 1);
export const validation = blobs(60, 12, 4, 2);

export interface Scenario {
  network: NetworkOptions;
  fit: FitOptions;
}

const hidden = { units: 24, density: 0.4, dropout: 0.2 } as const;
const layers = [sparse({ ...hidden, activation: 'srelu' }), sparse(hidden), dense({ units: 4 })];
export const network: NetworkOptions = { inputs: 12, seed: 5, scaling: 'perFeature', layers };
const shape = { inputs: 12, hidden: [24, 16], outputs: 4, epsilon: 4 };

const seeded = (preset: Preset): Scenario => ({ ...preset, network: { ...preset.network, seed: 5 } });

export const scenarios: Record<string, Scenario> = {
  'momentum, srelu, dropout': { network, fit: { optimizer: sgd({ nesterov: true }) } },
  'Adam by steps, clipped': {
    network,
    fit: { optimizer: adam(), evolution: set({ every: { steps: 7 } }), clipNorm: 0.2 },
  },
  'AdamW from birth by chance, warm-up': {
    network,
    fit: {
      optimizer: adamw({ learningRate: cosine({ from: 0.01, warmup: 2 }), newState: 'birthStep' }),
      evolution: set({ every: { probability: 0.3 }, newWeights: 'initializer' }),
    },
  },
  'the best epoch comes back, Adam': {
    network,
    fit: {
      optimizer: adam({ learningRate: 0.02 }),
      restoreBest: 'accuracy',
      earlyStopping: { patience: 6, monitor: 'accuracy' },
    },
  },
  'masked layers, no evolution': {
    network: { ...network, layers: [masked(hidden), masked(hidden), dense({ units: 4 })] },
    fit: { evolution: null },
  },
  'binary cross-entropy': { network, fit: { loss: 'binaryCrossEntropy' } },
  published: seeded(presets.published(shape)),
  keras: seeded(presets.keras(shape)),
  scipy: seeded(presets.scipy(shape)),
  synapses: seeded(presets.synapses({ ...shape, every: { probability: 0.4 } })),
};

const epochs = 8;

function targets({ x, y }: typeof data, { loss }: FitOptions): { x: Float32Array; y: Int32Array | Float32Array } {
  const oneHot = new Float32Array(y.length * 4);
  for (const [i, label] of y.entries()) oneHot[i * 4 + label] = 1;
  return { x, y: loss === 'binaryCrossEntropy' ? oneHot : y };
}

export function fitOf(net: Network, { fit }: Scenario, more: FitOptions): Training {
  const options: FitOptions = { epochs, batchSize: 16, validation: targets(validation, fit), ...fit, ...more };
  return net.fit(targets(data, fit), options);
}
