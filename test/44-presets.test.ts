import { strict as assert } from 'node:assert';
import {
  type CsrMatrix,
  type LayerDefinition,
  Network,
  type Preset,
  type PresetOptions,
  presets,
  type SetEvolution,
  type Sgd,
} from '../lib/index';
import { blobs, digestOf, rejectsCode, throwsCode } from './helpers/helpers';

// The columns of the table of what the sources do, point by point.

const shape: PresetOptions = { inputs: 300, hidden: [200, 100], outputs: 40, epsilon: 13 };
const names = ['published', 'keras', 'scipy', 'synapses'] as const;
const data = blobs(200, 300, 4, 5);

function make(preset: Preset, seed: number): Network {
  return Network.createSync({ ...preset.network, seed });
}

/** The preset's layers with other options. */
function changed({ network }: Preset, options: object): LayerDefinition[] {
  return network.layers.map((layer) => ({ ...layer, ...options }) as LayerDefinition);
}

function weightsOf(net: Network, layer = 0): CsrMatrix {
  return net.layers[layer]?.weights as CsrMatrix;
}

function deviation(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, w) => sum + w * w, 0) / values.length);
}

function cellsOf(matrix: CsrMatrix): Map<number, number> {
  const { rows, columns, rowPointers, columnIndices, values } = matrix;
  const cells = new Map<number, number>();
  for (let row = 0; row < rows; row++) {
    for (let k = rowPointers[row] as number; k < (rowPointers[row + 1] as number); k++)
      cells.set(row * columns + (columnIndices[k] as number), values[k] as number);
  }
  return cells;
}

/** The matrix before and after one evolution of the preset, and what it did to the first layer. */
async function evolved(name: (typeof names)[number]) {
  const preset = presets[name](shape);
  const net = make(preset, 3);
  const before = cellsOf(weightsOf(net));
  const report = await net.evolve(preset.fit.evolution as SetEvolution);
  const after = cellsOf(weightsOf(net));
  const newcomers = [...after].filter(([cell, value]) => !before.has(cell) || before.get(cell) !== value);
  return { net, before, after, newcomers, layers: report.layers, layer: report.layers[0] as (typeof report.layers)[0] };
}

function signs(before: Map<number, number>): { negative: number; positive: number; smallestIsNegative: boolean } {
  const values = [...before.values()];
  const smallest = values.reduce((least, w) => (Math.abs(w) < Math.abs(least) ? w : least), Number.POSITIVE_INFINITY);
  return {
    negative: values.filter((w) => w < 0).length,
    positive: values.filter((w) => w > 0).length,
    smallestIsNegative: smallest < 0,
  };
}

describe('44 presets', () => {
  it('draw: independent cells, with replacement, or an exact number', () => {
    const counts = (name: (typeof names)[number]) =>
      [1, 2, 3, 4, 5, 6].map((seed) => make(presets[name](shape), seed).layers[0]?.connections as number);
    const asked = 13 * 500;
    for (const name of ['published', 'keras'] as const) {
      const drawn = counts(name);
      assert.ok(new Set(drawn).size > 3, `${name}: ${drawn}`);
      for (const count of drawn) assert.ok(Math.abs(count - asked) < 5 * Math.sqrt(asked), `${name}: ${count}`);
    }
    // Of 6,500 draws among 60,000 cells 60,000 (1 - e^(-6500 / 60000)) are expected to be distinct.
    for (const count of counts('scipy')) assert.ok(Math.abs(count - 6160) < 100, `${count}`);
    for (const count of counts('synapses')) assert.equal(count, asked);
  });

  it("epsilon is the source's where none is given: 20, and 11 for Synapses", () => {
    for (const name of names) {
      const { network } = presets[name]({ inputs: 300, hidden: [200], outputs: 4 });
      assert.equal((network.layers[0] as { epsilon: number }).epsilon, name === 'synapses' ? 11 : 20, name);
    }
  });

  it('initial weights', () => {
    const of = (name: (typeof names)[number]) => weightsOf(make(presets[name](shape), 1)).values;
    const glorot = of('keras');
    const bound = Math.sqrt(6 / 500);
    assert.ok(glorot.every((w) => Math.abs(w) <= bound));
    assert.ok(Math.abs(deviation(glorot) - bound / Math.sqrt(3)) < 0.03 * bound);
    assert.ok(Math.abs(deviation(of('scipy')) - 0.1) < 0.003);
    assert.ok(Math.abs(deviation(of('synapses')) - Math.sqrt(2 / 300)) < 0.003);
  });

  it('the output is dense, but sparse and evolved in the SciPy program', async () => {
    for (const name of names) {
      const { net, layers } = await evolved(name);
      const last = net.layers.at(-1);
      assert.equal(last?.kind, name === 'scipy' ? 'sparse' : 'dense', name);
      assert.equal(last?.evolved, name === 'scipy');
      assert.equal((layers.at(-1)?.pruned ?? 0) > 0, name === 'scipy');
    }
  });

  it('counts: floor(zeta n) of each sign, or what the thresholds of the programs take', async () => {
    for (const name of names) {
      const { before, layer } = await evolved(name);
      const { negative, positive, smallestIsNegative } = signs(before);
      assert.ok(negative > 1000 && positive > 1000);
      const exact = [Math.floor(0.3 * negative + 1e-9), Math.floor(0.3 * positive + 1e-9)];
      // Of n sorted numbers the positive ones begin at n - positive; the smallest in magnitude are from `first` to `end`.
      const threshold = (n: number, first: number, end: number) => [
        negative - Math.trunc((1 - 0.3) * first),
        Math.trunc(end + 0.3 * (n - end)) - (n - positive) + 1,
      ];
      const stored = negative + positive;
      const expected = {
        published: exact,
        synapses: exact,
        // The cells without a connection are the smallest.
        keras: threshold(60_000, negative, 60_000 - positive),
        scipy: smallestIsNegative
          ? threshold(stored, negative - 1, negative)
          : threshold(stored, negative, negative + 1),
      }[name];
      assert.deepEqual([layer.prunedNegative, layer.prunedPositive], expected, name);
    }
  });

  it('newcomers: 0, N(0, 0.1^2), or as the first weights; as many as were removed', async () => {
    for (const name of names) {
      const { newcomers, layer, before, after } = await evolved(name);
      assert.equal(after.size, before.size, name);
      assert.equal(layer.grown, layer.pruned, name);
      const values = newcomers.map(([, value]) => value);
      const sigma = { published: 0, keras: 0, scipy: 0.1, synapses: Math.sqrt(2 / 300) }[name];
      assert.ok(Math.abs(deviation(values) - sigma) < 0.06 * sigma + 1e-12, `${name}: ${deviation(values)}`);
    }
  });

  it('a cell that was just emptied stays empty in Synapses alone', async () => {
    for (const name of names) {
      const { newcomers, before } = await evolved(name);
      const returned = newcomers.filter(([cell]) => before.has(cell)).length;
      assert.equal(returned > 0, name !== 'synapses', `${name}: ${returned}`);
    }
  });

  it('weights of 0 are removed, but kept by Synapses', async () => {
    for (const name of names) {
      const preset = presets[name](shape);
      const layers = changed(preset, { initializer: 'zero' });
      const net = Network.createSync({ ...preset.network, layers });
      const { layers: reports } = await net.evolve(preset.fit.evolution as SetEvolution);
      assert.equal(reports[0]?.prunedZero, name === 'synapses' ? 0 : net.layers[0]?.connections, name);
    }
  });

  it('momentum is lost with every evolution in Keras alone', async () => {
    for (const name of names) {
      const { fit, network } = presets[name](shape);
      const layers = changed({ fit, network }, { dropout: 0 });
      const net = () => Network.createSync({ ...network, layers, seed: 4 });
      // A new fit starts with new momentum; with an evolution at its end one epoch after the other is then the same.
      const evolution = { ...(fit.evolution as SetEvolution), finalEvolution: true, finalPrune: false };
      const whole = net();
      await whole.fit(data, { ...fit, evolution, epochs: 3, batchSize: 20 }).done;
      const pieces = net();
      for (let i = 0; i < 3; i++) await pieces.fit(data, { ...fit, evolution, epochs: 1, batchSize: 20 }).done;
      assert.equal(digestOf(whole) === digestOf(pieces), name === 'keras', name);
    }
  });

  it('weight decay: with the learning rate, none, beside it, or none unless asked for', () => {
    const decays = names.map((name) => {
      const { learningRate, weightDecay, decay, momentum } = presets[name](shape).fit.optimizer as Sgd;
      assert.equal(momentum, 0.9);
      assert.equal(learningRate, 0.01);
      return [weightDecay, decay];
    });
    assert.deepEqual(decays, [
      [2e-4, undefined],
      [0, undefined],
      [2e-4, 'unscaled'],
      [0, undefined],
    ]);
  });

  it('after the last epoch: the removal, an evolution, or nothing', async () => {
    for (const name of names) {
      const preset = presets[name](shape);
      const net = make(preset, 2);
      const { epochs, final } = await net.fit(data, { ...preset.fit, epochs: 2 }).done;
      assert.equal(final !== undefined, name === 'published' || name === 'synapses', name);
      assert.equal(epochs[1]?.evolution !== undefined, name === 'keras', name);
      assert.ok((epochs[0]?.evolution?.pruned ?? 0) > 0);
      assert.equal(epochs[0]?.evolution?.zeta, 0.3, 'constant');
    }
  });

  it('Synapses in each training forward: a layer with the probability p over their number', async () => {
    const preset = presets.synapses({ ...shape, every: { probability: 0.2 } });
    const net = make(preset, 2);
    const { epochs } = await net.fit(data, { ...preset.fit, epochs: 20, batchSize: 10 }).done;
    const evolutions = epochs.reduce((sum, { evolution }) => sum + (evolution?.evolutions ?? 0), 0);
    // 400 steps with two layers at 0.1 each: 76 of them have at least one, within five standard deviations.
    assert.ok(Math.abs(evolutions - 76) < 5 * 8, `${evolutions}`);
  });

  it('all of them learn', async () => {
    for (const name of names) {
      const preset = presets[name](shape);
      const net = make(preset, 6);
      const { epochs } = await net.fit(data, { ...preset.fit, epochs: 15, batchSize: 20 }).done;
      assert.ok((epochs.at(-1)?.accuracy as number) > 0.6, `${name}: ${epochs.at(-1)?.accuracy}`);
    }
  });

  it('options are checked by name', async () => {
    const wrong = (
      options: object | undefined,
      pattern: RegExp,
      code: 'ERR_SETNET_OPTION' | 'ERR_SETNET_TYPE' = 'ERR_SETNET_OPTION',
    ) => throwsCode(() => presets.keras(options as PresetOptions), code, pattern);
    wrong(undefined, /presets\.keras needs/, 'ERR_SETNET_TYPE');
    wrong({ ...shape, hidden: 100 }, /hidden must be an array/, 'ERR_SETNET_TYPE');
    wrong({ ...shape, hidden: [0] }, /hidden\[0\] must be an integer from 1/);
    wrong({ ...shape, epsilon: 0 }, /epsilon must be/);
    wrong({ ...shape, zeta: 2 }, /zeta must be/);
    wrong({ ...shape, every: 'epoch' }, /unknown option "every"/);
    await rejectsCode(Network.create({ ...presets.keras(shape).network, seed: -1 }), 'ERR_SETNET_OPTION', /seed/);
  });
});
