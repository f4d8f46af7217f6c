import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { type Activation, CsrMatrix, dense, masked, Network, sparse } from '../lib/index';
import { blobs, digestOf, metadataOf, randomFeatures, throwsCode, withFolder } from './helpers/helpers';

/** A network that shows its activation: one unit, weight 1, no bias. */
function answers(activation: Activation, z: number[]): number[] {
  const weights = CsrMatrix.from({ rows: 1, columns: 1, rowPointers: [0, 1], columnIndices: [0], values: [1] });
  const net = Network.createSync({ inputs: 1, layers: [sparse({ weights, activation, bias: false })] });
  return [...net.predictSync(Float32Array.from(z), { output: 'logits' })];
}

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
