import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { dense, masked, Network, sparse } from '../lib/index';
import { assertSameBits, digestOf, randomFeatures, smallNetwork, smallOptions } from './helpers/helpers';

/** round() of the specification: half away from zero. */
function requested(epsilon: number, inputs: number, units: number): number {
  return Math.min(inputs * units, Math.floor(epsilon * (inputs + units) + 0.5));
}

describe('10 Network.create', () => {
  it('gives a layer min(cells, round(epsilon * (inputs + units))) connections', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0.01, max: 40, noNaN: true }),
        fc.constantFrom(sparse, masked),
        (inputs, units, epsilon, layer) => {
          const net = Network.createSync({
            inputs,
            seed: 1,
            layers: [layer({ units, epsilon, activation: 'linear' })],
          });
          assert.equal(net.layers[0]?.connections, requested(epsilon, inputs, units));
          net.dispose();
        },
      ),
      { numRuns: 200 },
    );
  });

  it('gives a layer round(density * cells) connections', () => {
    for (const density of [0.001, 0.05, 0.5, 1]) {
      const net = Network.createSync({ inputs: 50, seed: 1, layers: [sparse({ units: 30, density })] });
      assert.equal(net.connections, Math.round(density * 1500));
      assert.equal(net.layers[0]?.density, Math.round(density * 1500) / 1500);
    }
  });

  it("epsilon is 20 where nothing is said: 784-1000-1000-1000 has the paper's number of connections", () => {
    const layers = [sparse({ units: 1000 }), sparse({ units: 1000 }), sparse({ units: 1000 }), dense({ units: 10 })];
    const net = Network.createSync({ inputs: 784, seed: 1, layers });
    assert.deepEqual(
      net.layers.map((layer) => layer.connections),
      [35_680, 40_000, 40_000, 10_000],
    );
    assert.equal(net.connections, 125_680);
  });

  it("draws: 'bernoulli' scatters around the count, 'withReplacement' keeps the distinct draws", () => {
    const count = (draw: 'bernoulli' | 'withReplacement', seed: number) =>
      Network.createSync({ inputs: 100, seed, layers: [sparse({ units: 100, epsilon: 20, draw })] }).connections;
    const seeds = Array.from({ length: 40 }, (_, seed) => seed);
    const bernoulli = seeds.map((seed) => count('bernoulli', seed));
    const average = bernoulli.reduce((a, b) => a + b) / seeds.length;
    // 4000 expected, sigma 49: the mean of 40 lies within 4 sigma / sqrt(40).
    assert.ok(Math.abs(average - 4000) < 31, `mean ${average}`);
    assert.ok(new Set(bernoulli).size > 10);
    for (const seed of seeds.slice(0, 5)) {
      // 10000 * (1 - (1 - 1/10000)^4000) = 3297 distinct cells expected.
      const distinct = count('withReplacement', seed);
      assert.ok(distinct > 3200 && distinct < 3400, `${distinct}`);
    }
  });

  it('a layer whose count is all cells is full, and does not evolve', () => {
    const net = Network.createSync({
      inputs: 10,
      seed: 1,
      layers: [sparse({ units: 8, epsilon: 1000 }), sparse({ units: 8 })],
    });
    assert.equal(net.layers[0]?.density, 1);
    assert.equal(net.layers[0]?.evolved, false);
    const kept = Network.createSync({
      inputs: 100,
      seed: 1,
      layers: [sparse({ units: 80, epsilon: 2, evolve: false }), sparse({ units: 8, epsilon: 1 })],
    });
    assert.deepEqual(
      kept.layers.map((layer) => layer.evolved),
      [false, true],
    );
  });

  it('the seed decides everything, and create equals createSync', async () => {
    const one = digestOf(smallNetwork(20, 4));
    assert.equal(digestOf(await Network.create(smallOptions(20, 4))), one);
    assert.equal(digestOf(smallNetwork(20, 4, { seed: 42n })), one);
    assert.notEqual(digestOf(smallNetwork(20, 4, { seed: 43 })), one);
    assert.notEqual(digestOf(smallNetwork(20, 4, { seed: 42n + (1n << 40n) })), one);
  });

  it('draws a seed where none is given, and says which', () => {
    const layers = [sparse({ units: 32, density: 0.4 }), dense({ units: 4 })];
    const [a, b] = [Network.createSync({ inputs: 20, layers }), Network.createSync({ inputs: 20, layers })];
    assert.notEqual(a.seed, b.seed);
    assert.equal(digestOf(Network.createSync({ inputs: 20, layers, seed: a.seed })), digestOf(a));
  });

  it('seed is a number where it fits, else a bigint', () => {
    assert.equal(smallNetwork(4, 2, { seed: 2n ** 53n - 1n }).seed, Number.MAX_SAFE_INTEGER);
    assert.equal(smallNetwork(4, 2, { seed: 2n ** 64n - 1n }).seed, 2n ** 64n - 1n);
  });

  it('weights of sparse and masked layers are the same, bit for bit', () => {
    const make = (layer: typeof sparse | typeof masked) =>
      Network.createSync({
        inputs: 50,
        seed: 3,
        layers: [layer({ units: 40, epsilon: 5 }), layer({ units: 30, epsilon: 3 }), dense({ units: 4 })],
      });
    assert.equal(digestOf(make(sparse)), digestOf(make(masked)));
  });

  it('he uniform weights lie within sqrt(6 / fan-in), fan-in being the sparse mean; biases are 0', () => {
    const net = Network.createSync({
      inputs: 200,
      seed: 3,
      layers: [
        sparse({ units: 100, epsilon: 10, initializer: 'heUniform' }),
        sparse({ units: 100, epsilon: 10 }),
        dense({ units: 10 }),
      ],
    });
    for (const layer of net.layers) {
      const { values } = layer.weights;
      const bound = Math.fround(Math.sqrt(6 / (layer.connections / layer.units)));
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      assert.ok(largest <= bound && largest > 0.99 * bound, `${largest} of ${bound}`);
      assert.ok(values.every((value) => value !== 0));
      assert.ok(layer.bias?.every((value) => value === 0));
    }
  });

  it('a first layer whose connections are drawn starts with N(0, 2 / inputs), the others with he uniform', () => {
    for (const kind of [sparse, masked]) {
      const weightsOf = (...layers: (object | undefined)[]) =>
        Network.createSync({
          inputs: 300,
          seed: 1,
          layers: layers.map((options) => kind({ units: 300, epsilon: 30, ...options })),
        }).layers.map(({ weights }) => weights.values);
      const byDefault = weightsOf({}, {}) as [Float32Array, Float32Array];
      assert.deepEqual(byDefault, weightsOf({ initializer: 'denseHe' }, { initializer: 'heUniform' }));
      const variance = byDefault[0].reduce((sum, value) => sum + value * value, 0) / byDefault[0].length;
      // 18,000 draws: the variance lies within 4 * sqrt(2 / 18000) of itself.
      assert.ok(Math.abs((variance * 300) / 2 - 1) < 0.043, `${variance}`);
    }
  });

  it('initializers are chosen by name or with parameters', () => {
    const values = (initializer: Parameters<typeof sparse>[0]['initializer']) =>
      Network.createSync({
        inputs: 300,
        seed: 1,
        layers: [sparse({ units: 200, epsilon: 20, ...(initializer && { initializer }) })],
      }).layers[0]?.weights.values as Float32Array;
    assert.ok(values('zero').every((value) => value === 0));
    const normal = values({ kind: 'normal', sigma: 0.25 });
    const variance = normal.reduce((sum, value) => sum + value * value, 0) / normal.length;
    // 10,000 draws: the variance lies within 4 * sqrt(2 / 10000) of itself.
    assert.ok(Math.abs(variance / 0.0625 - 1) < 0.057, `${variance}`);
    const xavier = values('xavierUniform');
    const bound = Math.sqrt(6 / (10_000 / 200 + 10_000 / 300));
    assert.ok(Math.max(...xavier) <= bound && Math.max(...xavier) > 0.99 * bound);
  });

  it('layers show themselves: sizes, degrees, weights, bias', () => {
    const net = smallNetwork(20, 4);
    assert.equal(net.layers.length, 3);
    assert.ok(Object.isFrozen(net.layers));
    const [first, , last] = net.layers;
    assert.deepEqual([first?.index, first?.kind, first?.inputs, first?.units], [0, 'sparse', 20, 32]);
    assert.deepEqual([first?.activation, first?.dropout, first?.evolved], ['relu', 0.1, true]);
    assert.deepEqual([last?.kind, last?.activation, last?.evolved, last?.density], ['dense', 'linear', false, 1]);
    for (const layer of net.layers) {
      const { weights } = layer;
      assert.deepEqual([weights.rows, weights.columns, weights.count], [layer.units, layer.inputs, layer.connections]);
      const inDegree = layer.inDegree();
      const outDegree = layer.outDegree();
      const { rowPointers, columnIndices } = weights;
      for (let row = 0; row < layer.units; row++) {
        assert.equal(inDegree[row], (rowPointers[row + 1] as number) - (rowPointers[row] as number));
      }
      const counts = new Uint32Array(layer.inputs);
      for (const column of columnIndices) counts[column] = (counts[column] as number) + 1;
      assert.deepEqual(outDegree, counts);
    }
  });

  it('a layer without bias has none', () => {
    const net = Network.createSync({
      inputs: 5,
      seed: 1,
      layers: [sparse({ units: 6, epsilon: 1, bias: false }), dense({ units: 2 })],
    });
    assert.equal(net.layers[0]?.bias, null);
    assert.equal(net.layers[1]?.bias?.length, 2);
  });

  it('what a layer hands out is a copy', () => {
    const net = smallNetwork(20, 4);
    const before = digestOf(net);
    net.layers[0]?.bias?.fill(7);
    net.layers[0]?.weights.values.fill(7);
    net.layers[0]?.weights.columnIndices.fill(7);
    assert.equal(digestOf(net), before);
  });

  it('knows its names and sizes', () => {
    const net = smallNetwork(3, 2, { classes: ['cat', 'dog'], features: ['a', 'b', 'c'] });
    assert.deepEqual([net.inputs, net.outputs, net.classes, net.features], [3, 2, ['cat', 'dog'], ['a', 'b', 'c']]);
    assert.equal(smallNetwork(3, 2).classes, undefined);
    assert.deepEqual([net.isFitting, net.isDisposed], [false, false]);
  });

  it('summary() is a table of the layers and their sums', () => {
    const net = Network.createSync({ inputs: 784, seed: 7, layers: [sparse({ units: 1000 }), dense({ units: 10 })] });
    const lines = net.summary().split('\n');
    assert.match(lines[0] as string, /784 inputs, 10 outputs, scaling none, seed 7, never fitted/);
    assert.match(lines[2] as string, /^0\s+sparse\s+784 x 1000\s+35,680\s+4\.55 %\s+relu\s+-\s+297\.4 kB$/);
    assert.match(lines[3] as string, /^1\s+dense\s+1000 x 10\s+10,000\s+100\.00 %\s+linear/);
    assert.match(lines[4] as string, /^total\s+45,680/);
    assert.match(lines[5] as string, /45,680 while training; the final removal has not run/);
  });

  it('a clone is equal and independent', () => {
    const net = smallNetwork(6, 3);
    const copy = net.clone();
    assert.equal(digestOf(copy), digestOf(net));
    const x = randomFeatures(4, 6, 1);
    const before = copy.predictSync(x);
    net.dispose();
    assertSameBits(copy.predictSync(x), before);
    assert.equal(copy.seed, 42);
  });

  it('dispose twice is fine, and Symbol.dispose is dispose', () => {
    const net = smallNetwork(6, 3);
    net[Symbol.dispose]();
    net.dispose();
    assert.equal(net.isDisposed, true);
  });

  it("device 'auto' is the cpu where there is no other", () => {
    assert.equal(digestOf(smallNetwork(6, 3, { device: 'auto' })), digestOf(smallNetwork(6, 3, { device: 'cpu' })));
  });
});
