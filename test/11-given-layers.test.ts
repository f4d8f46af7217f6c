import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import fc from 'fast-check';
import { CsrMatrix, dense, masked, Network, set, sparse } from '../lib/index';
import {
  assertSameBits,
  blobs,
  digestOf,
  metadataOf,
  randomFeatures,
  randomSource,
  smallNetwork,
  throwsCode,
  withFolder,
} from './helpers/helpers';

/** A matrix in which each cell exists with a probability. */
function randomMatrix(rows: number, columns: number, density: number, seed: number): CsrMatrix {
  const random = randomSource(seed);
  const [rowPointers, columnIndices, values]: number[][] = [[0], [], []];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (random() >= density) continue;
      columnIndices?.push(column);
      values?.push(2 * random() - 1);
    }
    rowPointers?.push(columnIndices?.length as number);
  }
  return CsrMatrix.from({ rows, columns, rowPointers, columnIndices, values } as never);
}

/** `count` elements a row at equal distances. */
function bandMatrix(size: number, count: number, shift: number): CsrMatrix {
  const rowPointers = Float64Array.from({ length: size + 1 }, (_, row) => row * count);
  const columnIndices = new Uint32Array(size * count);
  for (let row = 0; row < size; row++) {
    const columns = Array.from({ length: count }, (_, k) => (row + shift + k * Math.floor(size / count)) % size);
    columnIndices.set(
      columns.sort((a, b) => a - b),
      row * count,
    );
  }
  return CsrMatrix.from({
    rows: size,
    columns: size,
    rowPointers,
    columnIndices,
    values: new Float32Array(size * count).fill(0.1),
  });
}

function assertSameMatrix(actual: CsrMatrix, expected: CsrMatrix): void {
  assert.deepEqual([actual.rows, actual.columns], [expected.rows, expected.columns]);
  assertSameBits(actual.rowPointers, expected.rowPointers, 'rowPointers');
  assertSameBits(actual.columnIndices, expected.columnIndices, 'columnIndices');
  assertSameBits(actual.values, expected.values, 'values');
}

const layerOf = (net: Network, index = 0) => net.layers[index] as NonNullable<(typeof net.layers)[number]>;

describe('11 layers made from weights', () => {
  it('have the wiring, values and biases they were given, bit for bit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 30 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer(),
        fc.boolean(),
        fc.constantFrom(sparse, masked),
        async (inputs, units, density, seed, isAsync, kind) => {
          const weights = randomMatrix(units, inputs, density, seed);
          const bias = randomFeatures(1, units, seed + 1);
          const options = { inputs, layers: [kind({ weights, bias }), dense({ units: 2 })] };
          const net = isAsync ? await Network.create(options) : Network.createSync(options);
          const layer = layerOf(net);
          assertSameMatrix(layer.weights, weights);
          assertSameBits(layer.bias as Float32Array, bias);
          assert.equal(layer.units, units);
          assert.equal(layer.connections, weights.count);
          assert.equal(layer.evolved, weights.count < inputs * units);
          net.dispose();
        },
      ),
      { numRuns: 100 },
    );
  });

  it('compute weights * x + bias', () => {
    const weights = CsrMatrix.from({
      rows: 3,
      columns: 2,
      rowPointers: [0, 2, 2, 3],
      columnIndices: [0, 1, 1],
      values: [1, -2, 0.5],
    });
    const answer = (bias: number | boolean | Float32Array) =>
      Network.createSync({ inputs: 2, layers: [sparse({ weights, bias, activation: 'linear' })] }).predictSync(
        Float32Array.of(3, 4),
      );
    assert.deepEqual(answer(false), Float32Array.of(-5, 0, 2));
    assert.deepEqual(answer(true), Float32Array.of(-5, 0, 2));
    assert.deepEqual(answer(-1.5), Float32Array.of(-6.5, -1.5, 0.5));
    assert.deepEqual(answer(Float32Array.of(1, 2, 3)), Float32Array.of(-4, 2, 5));
  });

  it('bias: true and nothing are zeros, a number fills, false is none', () => {
    const weights = randomMatrix(4, 3, 0.5, 1);
    const bias = (options: object) =>
      layerOf(Network.createSync({ inputs: 3, layers: [sparse({ weights, ...options })] })).bias;
    assert.deepEqual(bias({}), new Float32Array(4));
    assert.deepEqual(bias({ bias: true }), new Float32Array(4));
    assert.deepEqual(bias({ bias: 0.1 }), new Float32Array(4).fill(0.1));
    assert.equal(bias({ bias: false }), null);
  });

  it('what is done to the bias afterwards changes nothing', () => {
    const weights = randomMatrix(3, 3, 0.5, 1);
    const bias = Float32Array.of(1, 2, 3);
    const layer = sparse({ weights, bias });
    bias.fill(Number.NaN);
    assert.deepEqual(layerOf(Network.createSync({ inputs: 3, layers: [layer] })).bias, Float32Array.of(1, 2, 3));
  });

  it('one matrix may serve several layers and networks, and none of them changes it', async () => {
    const weights = randomMatrix(12, 12, 0.5, 3);
    const before = weights.values;
    const { x, y } = blobs(100, 12, 12, 1);
    const layers = [sparse({ weights }), sparse({ weights, evolve: false }), sparse({ weights, activation: 'linear' })];
    const [a, b] = [Network.createSync({ inputs: 12, seed: 1, layers }), Network.createSync({ inputs: 12, layers })];
    await a.fit({ x, y }, { epochs: 2 }).done;
    assertSameBits(weights.values, before);
    for (const layer of b.layers) assertSameMatrix(layer.weights, weights);
    assert.notDeepEqual(layerOf(a).weights.values, before);
  });

  it("a network's own layers can be taken apart and put together again: the same answers", () => {
    const net = smallNetwork(20, 4);
    const again = Network.createSync({
      inputs: 20,
      threads: 1,
      layers: net.layers.map(({ weights, bias, activation }) =>
        sparse({ weights, bias: bias ?? false, activation: activation as 'relu' }),
      ),
    });
    const x = randomFeatures(50, 20, 7);
    assertSameBits(again.predictSync(x), net.predictSync(x));
    assert.equal(digestOf(again), digestOf(net));
  });

  it('do not disturb what the seed draws for the other layers', () => {
    const drawn = smallNetwork(20, 4);
    const mixed = Network.createSync({
      inputs: 20,
      seed: 42,
      layers: [
        sparse({ units: 32, density: 0.4 }),
        sparse({ weights: layerOf(drawn, 1).weights }),
        dense({ units: 4 }),
      ],
    });
    assert.equal(digestOf(mixed), digestOf(drawn));
  });

  it('evolve like drawn ones, keep their count while training, and give the same bits sparse and masked', async () => {
    const { x, y } = blobs(200, 16, 4, 1);
    const weights = randomMatrix(40, 16, 0.3, 5);
    const results = [];
    for (const kind of [sparse, masked]) {
      const net = Network.createSync({ inputs: 16, seed: 9, layers: [kind({ weights }), dense({ units: 4 })] });
      const { epochs, final } = await net.fit({ x, y }, { epochs: 4, evolution: set({ zeta: 0.4 }) }).done;
      for (const { evolution, connections } of epochs) {
        assert.equal(connections, weights.count + 160);
        if (evolution !== undefined) assert.ok(evolution.grown > 10);
      }
      assert.ok((final?.connections as number) < weights.count + 160);
      assert.notDeepEqual(layerOf(net).weights.columnIndices, weights.columnIndices);
      results.push(digestOf(net));
    }
    assert.equal(results[0], results[1]);
  });

  it('full ones and those with `evolve: false` keep their wiring', async () => {
    const { x, y } = blobs(100, 6, 3, 1);
    const [full, half] = [randomMatrix(5, 6, 1, 1), randomMatrix(3, 5, 0.5, 2)];
    assert.equal(full.count, 30);
    const layers = [sparse({ weights: full }), sparse({ weights: half, evolve: false, activation: 'linear' })];
    const net = Network.createSync({ inputs: 6, seed: 1, layers });
    await net.fit({ x, y }, { epochs: 3 }).done;
    assert.deepEqual(layerOf(net).weights.columnIndices, full.columnIndices);
    assert.deepEqual(layerOf(net, 1).weights.columnIndices, half.columnIndices);
  });

  it('are saved with their count of connections, and load and save again to the same bytes', () =>
    withFolder(async (folder) => {
      const { x, y } = blobs(100, 8, 3, 1);
      const weights = randomMatrix(20, 8, 0.4, 5);
      const [path, again] = [join(folder, 'a.safetensors'), join(folder, 'b.safetensors')];
      const layers = [sparse({ weights, bias: 0.5, zeta: 0.2 }), dense({ units: 3 })];
      const net = Network.createSync({ inputs: 8, seed: 1, layers });
      await net.fit({ x, y }, { epochs: 2 }).done;
      assert.ok(layerOf(net).connections < weights.count, 'the final removal has run');
      await net.save(path);
      const [definition] = metadataOf(path).definition.layers;
      assert.deepEqual(definition, {
        kind: 'sparse',
        units: 20,
        activation: { kind: 'relu' },
        initializer: { kind: 'heUniform' },
        dropout: 0,
        bias: true,
        connections: weights.count,
        evolve: true,
        zeta: 0.2,
      });
      const loaded = await Network.load(path);
      await loaded.save(again);
      assert.deepEqual(metadataOf(again), metadataOf(path));
      assert.equal(digestOf(loaded), digestOf(net));
      assert.equal(loaded.summary(), net.summary());
      for (const one of [net, loaded, net.clone()]) await one.fit({ x, y }, { epochs: 2 }).done;
      assert.equal(digestOf(loaded), digestOf(net), 'trains on alike');
    }));

  it('120 layers of 1024 x 1024 with 32 a row are made at once', () => {
    const matrices = Array.from({ length: 120 }, (_, i) => bandMatrix(1024, 32, i));
    const start = performance.now();
    const layers = matrices.map((weights) => sparse({ weights, bias: -0.3 }));
    const net = Network.createSync({ inputs: 1024, layers });
    const seconds = (performance.now() - start) / 1000;
    assert.equal(net.connections, 120 * 32 * 1024);
    assertSameMatrix(layerOf(net, 119).weights, matrices[119] as CsrMatrix);
    // Some hundredths of a second; the limit is for a machine that is busy with other things.
    assert.ok(seconds < 5, `${seconds} s`);
    net.dispose();
  });

  it('shapes that do not fit are ERR_SETNET_SHAPE, and both are named', () => {
    const weights = randomMatrix(6, 5, 0.5, 1);
    const make = (inputs: number, layers: unknown) => () => Network.createSync({ inputs, layers } as never);
    throwsCode(
      make(4, [sparse({ weights })]),
      'ERR_SETNET_SHAPE',
      /layers\[0\]\.weights has 5 columns, but the network has 4 inputs/,
    );
    throwsCode(
      make(9, [sparse({ units: 7 }), sparse({ weights })]),
      'ERR_SETNET_SHAPE',
      /layers\[1\]\.weights has 5 columns, but the layer before has 7 units/,
    );
    throwsCode(() => sparse({ weights, units: 5 }), 'ERR_SETNET_SHAPE', /units is 5, but weights has 6 rows/);
    assert.doesNotThrow(() => sparse({ weights, units: 6 }));
    throwsCode(() => sparse({ weights, bias: new Float32Array(5) }), 'ERR_SETNET_SHAPE', /5 numbers.*6 rows/);
    for (const [rows, columns] of [
      [0, 3],
      [3, 0],
    ] as const) {
      const empty = CsrMatrix.from({
        rows,
        columns,
        rowPointers: new Uint8Array(rows + 1),
        columnIndices: [],
        values: [],
      });
      throwsCode(() => sparse({ weights: empty }), 'ERR_SETNET_SHAPE', /at least one/);
    }
  });

  it('options that contradict weights, and weights that are none, are refused', () => {
    const weights = randomMatrix(6, 5, 0.5, 1);
    const call = (options: object) => () => sparse({ weights, ...options } as never);
    for (const [name, value] of [
      ['epsilon', 3],
      ['density', 0.5],
      ['draw', 'exact'],
      ['initializer', 'zero'],
    ] as const)
      throwsCode(call({ [name]: value }), 'ERR_SETNET_OPTION', new RegExp(`both weights and ${name}`));
    throwsCode(call({ connections: 15 }), 'ERR_SETNET_OPTION', /unknown option "connections"/);
    throwsCode(call({ bias: '1' }), 'ERR_SETNET_TYPE', /bias must be true, false, a number or a Float32Array/);
    throwsCode(call({ bias: [1, 2, 3, 4, 5, 6] }), 'ERR_SETNET_TYPE', /bias/);
    throwsCode(call({ bias: Number.NaN }), 'ERR_SETNET_NONFINITE', /bias is NaN/);
    throwsCode(call({ bias: 1e39 }), 'ERR_SETNET_NONFINITE', /bias is 1e\+39/);
    throwsCode(
      call({ bias: new Float32Array(6).fill(Number.POSITIVE_INFINITY, 4) }),
      'ERR_SETNET_NONFINITE',
      /bias\[4\]/,
    );
    throwsCode(() => sparse({ units: 3, bias: 0.5 } as never), 'ERR_SETNET_TYPE', /bias must be true or false/);
    throwsCode(() => dense({ units: 6, weights } as never), 'ERR_SETNET_OPTION', /unknown option "weights"/);
    for (const wrong of [weights.toDense(), { rows: 6, columns: 5 }, Object.create(CsrMatrix.prototype), null, 3])
      throwsCode(() => sparse({ weights: wrong as never }), 'ERR_SETNET_TYPE', /weights must be a CsrMatrix/);
    const bias = new Float32Array(6);
    structuredClone(bias, { transfer: [bias.buffer] });
    throwsCode(call({ bias }), 'ERR_SETNET_BUFFER', /bias is detached/);
  });
});
