import { strict as assert } from 'node:assert';
import {
  CsrMatrix,
  dense,
  type Features,
  type LayerDefinition,
  masked,
  Network,
  type NetworkOptions,
  sparse,
} from '../lib/index';
import { assertSameBits, randomSource, rejectsCode, throwsCode } from './helpers/helpers';

const rows = 200;
const classes = 4;

/** Documents of a few words: mostly zeros, the first words tell the class. The same numbers twice. */
function documents(columns: number): { x: CsrMatrix; full: Float32Array; y: Int32Array } {
  const random = randomSource(columns);
  const full = new Float32Array(rows * columns);
  const rowPointers = [0];
  const columnIndices: number[] = [];
  const values: number[] = [];
  const y = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const label = Math.floor(random() * classes);
    y[row] = label;
    const words = new Set([label]);
    while (words.size < 8) words.add(Math.floor(random() * columns));
    if (row % 41 === 40) words.clear();
    for (const word of [...words].sort((a, b) => a - b)) {
      const value = Math.fround(0.5 + random());
      columnIndices.push(word);
      values.push(value);
      full[row * columns + word] = value;
    }
    rowPointers.push(values.length);
  }
  return { x: CsrMatrix.from({ rows, columns, rowPointers, columnIndices, values }), full, y };
}

function create(inputs: number, first: LayerDefinition, options: Partial<NetworkOptions> = {}): Network {
  return Network.createSync({
    inputs,
    seed: 3,
    layers: [first, sparse({ units: 20, density: 0.4 }), dense({ units: classes })],
    ...options,
  });
}

function assertSameNetwork(a: Network, b: Network): void {
  for (const [i, layer] of a.layers.entries()) {
    const other = b.layers[i];
    assert.deepEqual(layer.weights.columnIndices, other?.weights.columnIndices);
    assertSameBits(layer.weights.values, other?.weights.values as Float32Array);
    assertSameBits(layer.bias as Float32Array, other?.bias as Float32Array);
  }
}

describe('37 sparse inputs', () => {
  const shapes: [string, number, LayerDefinition, Partial<NetworkOptions>][] = [
    ['a sparse layer', 60, sparse({ units: 40, density: 0.3, dropout: 0.2 }), {}],
    ['a masked layer', 60, masked({ units: 40, density: 0.3 }), { scaling: { mean: 0, scale: 1.5 } }],
    ['a dense layer', 60, dense({ units: 40 }), {}],
    ['a sparse layer of very many inputs', 20_000, sparse({ units: 40, density: 0.01 }), {}],
    ['three threads', 20_000, sparse({ units: 40, density: 0.05 }), { threads: 3, scaling: { mean: 0, scale: 0.7 } }],
  ];
  for (const [name, columns, first, options] of shapes) {
    it(`a CsrMatrix trains, validates and is answered with the bits of the same numbers dense: ${name}`, async () => {
      const { x, full, y } = documents(columns);
      const [a, b] = [create(columns, first, options), create(columns, first, options)];
      const fit = { epochs: 3, batchSize: 48 };
      const one = await a.fit({ x, y }, { ...fit, validation: { x, y } }).done;
      const two = await b.fit({ x: full, y }, { ...fit, validation: { x: full, y } }).done;
      assertSameNetwork(a, b);
      const numbers = (history: typeof one) => history.epochs.map(({ loss, validation }) => [loss, validation]);
      assert.deepEqual(numbers(one), numbers(two));
      assert.deepEqual(await a.evaluate({ x, y }), await b.evaluate({ x: full, y }));

      const expected = b.predictSync(full);
      assertSameBits(a.predictSync(x), expected);
      assertSameBits(await a.predict(x), expected);
      assert.deepEqual(await a.predict(x, { output: 'classes' }), b.predictSync(full, { output: 'classes' }));
      for (const optimizeFor of ['throughput', 'latency'] as const) {
        await using session = await a.freeze({ optimizeFor });
        assertSameBits(session.predictSync(x), expected);
        assertSameBits(await session.predict(x), expected);
        for (const row of [0, 7, 40]) {
          const [begin, end] = [x.rowPointers[row] as number, x.rowPointers[row + 1] as number];
          const single = CsrMatrix.from({
            rows: 1,
            columns,
            rowPointers: [0, end - begin],
            columnIndices: x.columnIndices.slice(begin, end),
            values: x.values.slice(begin, end),
          });
          const answer = session.predictSync(single, new Float32Array(classes));
          assertSameBits(answer, expected.slice(row * classes, (row + 1) * classes));
        }
      }
    });
  }

  it('scaling learned from a CsrMatrix is 1 / root mean square with zeros counted, and serves dense rows as well', async () => {
    const columns = 60;
    const { x, full, y } = documents(columns);
    for (const scaling of ['perFeature', 'global'] as const) {
      const squares = new Float64Array(scaling === 'global' ? 1 : columns);
      full.forEach((value, i) => {
        const k = scaling === 'global' ? 0 : i % columns;
        squares[k] = (squares[k] as number) + value * value;
      });
      const cells = scaling === 'global' ? rows * columns : rows;
      const scale = Float32Array.from(squares, (sum) => (sum > 0 ? 1 / Math.sqrt(sum / cells) : 0));
      const first = sparse({ units: 40, density: 0.3 });
      const learned = create(columns, first, { scaling });
      await learned.fit({ x, y }, { epochs: 2 }).done;
      const given = create(columns, first, { scaling: { mean: 0, scale } });
      await given.fit({ x: full, y }, { epochs: 2 }).done;
      assertSameNetwork(learned, given);
      assertSameBits(learned.predictSync(full), given.predictSync(x));
    }
  });

  it('a mean that is not 0 refuses a CsrMatrix, with advice', async () => {
    const { x, full, y } = documents(60);
    const first = sparse({ units: 40, density: 0.3 });
    const given = create(60, first, { scaling: { mean: 0.5, scale: 1 } });
    const advice = /a CsrMatrix cannot be centred.*scaling 'none'/;
    await rejectsCode(given.fit({ x, y }, { epochs: 1 }).done, 'ERR_SETNET_OPTION', advice);
    throwsCode(() => given.predictSync(x), 'ERR_SETNET_OPTION', advice);
    await rejectsCode(given.predict(x), 'ERR_SETNET_OPTION', advice);
    await rejectsCode(given.evaluate({ x, y }), 'ERR_SETNET_OPTION', advice);

    const learned = create(60, first, { scaling: 'perFeature' });
    const training = learned.fit({ x: full, y }, { epochs: 1, validation: { x, y } });
    await rejectsCode(training.done, 'ERR_SETNET_OPTION', advice);
    await learned.fit({ x: full, y }, { epochs: 1 }).done;
    await using session = await learned.freeze();
    throwsCode(() => session.predictSync(x), 'ERR_SETNET_OPTION', advice);
  });

  it('another number of columns or of labels is refused with both numbers, infinite numbers by row and column', async () => {
    const { x, y } = documents(60);
    const net = create(50, sparse({ units: 40, density: 0.3 }));
    const sizes = /a CsrMatrix with 60 columns, but the network has 50 inputs/;
    throwsCode(() => net.fit({ x, y }), 'ERR_SETNET_SHAPE', sizes);
    throwsCode(() => net.predictSync(x), 'ERR_SETNET_SHAPE', sizes);
    await rejectsCode(net.predict(x), 'ERR_SETNET_SHAPE', sizes);
    await rejectsCode(net.evaluate({ x, y }), 'ERR_SETNET_SHAPE', sizes);
    const right = create(60, sparse({ units: 40, density: 0.3 }), { scaling: { mean: 0, scale: 3e38 } });
    throwsCode(() => right.fit({ x, y: y.subarray(1) }), 'ERR_SETNET_SHAPE', /199 labels, but there are 200 samples/);
    throwsCode(() => right.predictSync(x, new Float32Array(3)), 'ERR_SETNET_SHAPE', /3 elements.*800/);
    throwsCode(() => right.predictSync(x), 'ERR_SETNET_NONFINITE', /row \d+, column \d+.*when scaled/);
    const empty = CsrMatrix.from({ rows: 0, columns: 60, rowPointers: [0], columnIndices: [], values: [] });
    throwsCode(() => right.fit({ x: empty, y: [] }), 'ERR_SETNET_DATA', /no samples/);
    assert.equal(right.predictSync(empty).length, 0);
    const fake = { rows: 1, columns: 60, rowPointers: [0, 0], columnIndices: [], values: [] };
    throwsCode(() => right.predictSync(fake as unknown as Features), 'ERR_SETNET_OPTION');
  });

  it('a matrix that nobody else holds stays while it is trained on and predicted from', async () => {
    const { x, y } = documents(60);
    const first = sparse({ units: 40, density: 0.3 });
    const [a, b] = [create(60, first), create(60, first)];
    await b.fit({ x, y }, { epochs: 20 }).done;
    const training = a.fit({ x: documents(60).x, y }, { epochs: 20 });
    const answer = b.predict(documents(60).x);
    for (let i = 0; i < 5; i++) {
      global.gc?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await training.done;
    assertSameNetwork(a, b);
    assertSameBits(await answer, b.predictSync(x));
  });
});
