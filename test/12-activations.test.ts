import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { type Activation, CsrMatrix, dense, masked, Network, sgd, sparse } from '../lib/index';
import { blobs, digestOf, metadataOf, randomFeatures, throwsCode, withFolder } from './helpers/helpers';

/** A network that shows its activation: one unit, weight 1, no bias; behind `linears` linear ones of the same kind. */
function answers(activation: Activation, z: number[], linears = 0): number[] {
  const weights = CsrMatrix.from({ rows: 1, columns: 1, rowPointers: [0, 1], columnIndices: [0], values: [1] });
  const layers = [...Array<Activation>(linears).fill('linear'), activation].map((each) =>
    sparse({ weights, activation: each, bias: false }),
  );
  const net = Network.createSync({ inputs: 1, layers });
  return [...net.predictSync(Float32Array.from(z), { output: 'logits' })];
}

/** Each within `bound` of its size, or so near 0 that a float flushes it. */
function assertNear(actual: number[], expected: number[], bound: number): void {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of expected.entries()) {
    const error = Math.abs((actual[i] as number) - value);
    assert.ok(error <= bound * Math.abs(value) + 1e-36, `number ${i}: ${actual[i]}, not ${value}`);
  }
}

/** The upper tail of the normal distribution, x >= 0: the trapezoidal rule, which is exact to rounding for such integrands. */
function normalTail(x: number): number {
  const step = 1 / 64;
  let sum = 0.5 * Math.exp((-x * x) / 2);
  for (let t = x + step; t < x + 40; t += step) sum += Math.exp((-t * t) / 2);
  // Euler and Maclaurin: the ends count beside the sum.
  const slope = -x * Math.exp((-x * x) / 2);
  const third = (3 * x - x ** 3) * Math.exp((-x * x) / 2);
  return (sum * step + (step ** 2 / 12) * slope - (step ** 4 / 720) * third) / Math.sqrt(2 * Math.PI);
}

const smooth = ['sigmoid', 'tanh', 'gelu'] as const;
const added: Activation[] = ['leakyRelu', 'allRelu', ...smooth];

describe('12 activations', () => {
  it('clippedRelu is min(max(z, 0), max)', () => {
    const z = [-1000, -0.5, -0, 0, 0.25, 5.5, 6, 6.5, 31.75, 32, 33, 1e30];
    const clip = (max: number) => z.map((x) => (x <= 0 ? 0 : Math.min(x, max)));
    assert.deepEqual(answers('clippedRelu', z), clip(6));
    assert.deepEqual(answers({ kind: 'clippedRelu' }, z), clip(6));
    assert.deepEqual(answers({ kind: 'clippedRelu', max: 32 }, z), clip(32));
    assert.deepEqual(answers({ kind: 'clippedRelu', max: 0.25 }, z), clip(0.25));
  });

  it('clippedRelu that never clips trains as relu does, bit for bit', async () => {
    const { x, y } = blobs(200, 12, 3, 1);
    const digest = async (activation: Activation, dropout: number) => {
      const layers = [sparse({ units: 30, density: 0.4, activation, dropout }), dense({ units: 3 })];
      const net = Network.createSync({ inputs: 12, seed: 5, layers });
      await net.fit({ x, y }, { epochs: 3 }).done;
      return digestOf(net);
    };
    for (const dropout of [0, 0.3])
      assert.equal(await digest({ kind: 'clippedRelu', max: 1e30 }, dropout), await digest('relu', dropout));
    assert.notEqual(await digest({ kind: 'clippedRelu', max: 0.2 }, 0), await digest('relu', 0));
  });

  it('a network with clippedRelu learns, with the same bits sparse and masked', async () => {
    const { x, y } = blobs(400, 12, 4, 1);
    const digests = [];
    for (const kind of [sparse, masked]) {
      const activation = { kind: 'clippedRelu', max: 0.8 } as const;
      const layers = [kind({ units: 60, density: 0.4, activation, dropout: 0.1 }), dense({ units: 4 })];
      const net = Network.createSync({ inputs: 12, seed: 5, layers });
      const { epochs } = await net.fit({ x, y }, { epochs: 15 }).done;
      const [first, last] = [epochs[0], epochs.at(-1)];
      assert.ok((last?.loss as number) < 0.5 * (first?.loss as number), `${first?.loss} to ${last?.loss}`);
      assert.ok((last?.accuracy as number) > 0.9, `accuracy ${last?.accuracy}`);
      digests.push(digestOf(net));
    }
    assert.equal(digests[0], digests[1]);
  });

  it('leakyRelu is z above 0, slope * z elsewhere', () => {
    const z = [-1e30, -8, -0.5, 0, 0.25, 3, 1e30];
    const leaky = (slope: number) => z.map((x) => Math.fround(x > 0 ? x : Math.fround(slope) * Math.fround(x)));
    const plus = (numbers: number[]) => numbers.map((x) => x + 0);
    assert.deepEqual(plus(answers('leakyRelu', z)), plus(leaky(0.01).map(Math.fround)));
    assert.deepEqual(plus(answers({ kind: 'leakyRelu', slope: 0.5 }, z)), plus(leaky(0.5)));
    assert.deepEqual(plus(answers({ kind: 'leakyRelu', slope: 0 }, z)), plus(leaky(0)));
  });

  it('allRelu turns the sign of its slope over from layer to layer, -slope in layers[0]', () => {
    const z = [-8, -1, 0, 1, 8];
    for (const [linears, slope] of [-0.5, 0.5, -0.5, 0.5].entries()) {
      const expected = z.map((x) => (x > 0 ? x : slope * x + 0));
      assert.deepEqual(
        answers({ kind: 'allRelu', slope: 0.5 }, z, linears).map((x) => x + 0),
        expected,
      );
      const usual = z.map((x) => (x > 0 ? x : Math.fround(1.2 * slope) * x + 0));
      assertNear(answers('allRelu', z, linears), usual, 1e-7);
    }
  });

  it('sigmoid, tanh and gelu (the exact form) follow their formulas from tiny to huge numbers', () => {
    const sizes = [0, 1e-37, 1e-20, 1e-4, 0.1, 0.5, 0.7, 1, 2, 3.3, 5, 8, 12, 20, 80, 1e10, 3e38];
    const z = [...sizes, ...sizes.map((x) => -x)].map(Math.fround);
    assertNear(
      answers('sigmoid', z),
      z.map((x) => 1 / (1 + Math.exp(-x))),
      4e-7,
    );
    assertNear(answers('tanh', z), z.map(Math.tanh), 4e-7);
    const gelu = (x: number) => (x > 0 ? x - x * normalTail(x) : x < -40 ? 0 : x * normalTail(-x));
    assertNear(answers('gelu', z), z.map(gelu), 1e-6);
  });

  it('a row alone and in a batch, sparse and masked, before and after freezing: the same bits', async () => {
    const x = randomFeatures(100, 12, 4);
    x.fill(0, 12 * 10, 12 * 60); // rows of zeros, which sigmoid does not answer with 0
    for (const activation of added) {
      const all = [sparse, masked].map((kind) =>
        Network.createSync({
          inputs: 12,
          seed: 5,
          layers: [
            kind({ units: 40, density: 0.3, activation, bias: false }),
            kind({ units: 30, density: 0.3, activation }),
            dense({ units: 3, activation }),
          ],
        }),
      );
      const [first, second] = all as [Network, Network];
      const expected = first.predictSync(x);
      assert.deepEqual(second.predictSync(x), expected);
      await using session = await first.freeze({ optimizeFor: 'latency' });
      for (const row of [0, 9, 10, 59, 60, 99]) {
        const alone = expected.subarray(3 * row, 3 * row + 3);
        assert.deepEqual(first.predictSync(x.subarray(12 * row, 12 * row + 12)), alone);
        assert.deepEqual(session.predictSync(x.subarray(12 * row, 12 * row + 12)), alone);
      }
    }
  });

  it('networks with each of them learn, with the same bits sparse and masked, with dropout and without', async () => {
    const { x, y } = blobs(400, 12, 4, 1);
    for (const activation of added) {
      for (const dropout of [0, 0.1]) {
        const digests = [];
        for (const kind of [sparse, masked]) {
          const hidden = { units: 40, density: 0.4, activation, dropout };
          const net = Network.createSync({
            inputs: 12,
            seed: 5,
            layers: [kind(hidden), kind(hidden), dense({ units: 4 })],
          });
          // The sigmoid's slopes are a quarter at most.
          const optimizer = sgd({ learningRate: activation === 'sigmoid' ? 0.5 : 0.05 });
          const { epochs } = await net.fit({ x, y }, { epochs: 15, optimizer }).done;
          const [start, end] = [epochs[0], epochs.at(-1)];
          assert.ok(
            (end?.loss as number) < 0.7 * (start?.loss as number),
            `${activation}: ${start?.loss} to ${end?.loss}`,
          );
          assert.ok((end?.accuracy as number) > 0.9, `${activation}: accuracy ${end?.accuracy}`);
          digests.push(digestOf(net));
        }
        assert.equal(digests[0], digests[1]);
      }
    }
  });

  it('their names and parameters are saved, loaded and shown, whatever the layer', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'net');
      const choices: [Activation, object][] = [
        ['leakyRelu', { kind: 'leakyRelu', slope: 0.01 }],
        [
          { kind: 'leakyRelu', slope: 0.2 },
          { kind: 'leakyRelu', slope: 0.2 },
        ],
        ['allRelu', { kind: 'allRelu', slope: 0.6 }],
        [
          { kind: 'allRelu', slope: 0.75 },
          { kind: 'allRelu', slope: 0.75 },
        ],
        ...smooth.map((kind): [Activation, object] => [kind, { kind }]),
      ];
      const layers = choices.map(([activation]) => sparse({ units: 20, activation }));
      const net = Network.createSync({ inputs: 10, seed: 1, layers });
      await net.save(path);
      assert.deepEqual(
        metadataOf(path).definition.layers.map(({ activation }: { activation: object }) => activation),
        choices.map(([, written]) => written),
      );
      const loaded = await Network.load(path);
      const x = randomFeatures(20, 10, 1);
      assert.deepEqual(loaded.predictSync(x), net.predictSync(x));
      assert.deepEqual(
        loaded.layers.map(({ activation }) => activation),
        choices.map(([, written]) => (written as { kind: string }).kind),
      );
      assert.equal(loaded.summary(), net.summary());
      assert.match(net.summary(), /leakyRelu.*allRelu.*sigmoid.*tanh.*gelu/s);
    }));

  it('the parameter is saved and loaded', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'net');
      const layers = [
        sparse({ units: 20, activation: { kind: 'clippedRelu', max: 0.1 } }),
        sparse({ units: 5, activation: 'clippedRelu' }),
      ];
      const net = Network.createSync({ inputs: 10, seed: 1, layers });
      await net.save(path);
      assert.deepEqual(
        metadataOf(path).definition.layers.map(({ activation }: { activation: object }) => activation),
        [
          { kind: 'clippedRelu', max: 0.1 },
          { kind: 'clippedRelu', max: 6 },
        ],
      );
      const loaded = await Network.load(path);
      const x = randomFeatures(20, 10, 1);
      assert.deepEqual(loaded.predictSync(x), net.predictSync(x));
      assert.equal(loaded.layers[0]?.activation, 'clippedRelu');
    }));

  it('parameters out of their limits, unknown ones and those of other rules are refused', () => {
    const call = (activation: unknown) => () => sparse({ units: 3, activation } as never);
    for (const max of [0, -1, 1e-40, Number.POSITIVE_INFINITY, Number.NaN, 1e39])
      throwsCode(
        call({ kind: 'clippedRelu', max }),
        'ERR_SETNET_OPTION',
        /activation\.max must be a finite number from/,
      );
    for (const kind of ['leakyRelu', 'allRelu']) {
      for (const slope of [-0.1, Number.NaN, Number.POSITIVE_INFINITY, 1e39])
        throwsCode(call({ kind, slope }), 'ERR_SETNET_OPTION', /activation\.slope must be a finite number from 0/);
      for (const slope of ['1', true, null]) throwsCode(call({ kind, slope }), 'ERR_SETNET_TYPE', /activation\.slope/);
      throwsCode(call({ kind, max: 1 }), 'ERR_SETNET_OPTION', /unknown option "max".*There are: kind, slope/);
    }
    for (const kind of smooth) throwsCode(call({ kind, slope: 1 }), 'ERR_SETNET_OPTION', /unknown option "slope"/);
    throwsCode(call({ kind: 'clippedRelu', max: '6' }), 'ERR_SETNET_TYPE', /activation\.max/);
    throwsCode(
      call({ kind: 'clippedRelu', maximum: 6 }),
      'ERR_SETNET_OPTION',
      /unknown option "maximum".*There are: kind, max/,
    );
    throwsCode(call({ kind: 'relu', max: 6 }), 'ERR_SETNET_OPTION', /unknown option "max"/);
    throwsCode(call('clipedRelu'), 'ERR_SETNET_OPTION', /Did you mean 'clippedRelu'/);
  });
});
