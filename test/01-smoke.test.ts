import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildInfo, dense, masked, Network, sparse } from '../lib/index';
import { assertSameBits, digestOf, fashion } from './helpers/helpers';

/** Quick, and through every part at once: what a build that is checked for nothing else must do. */
describe('01 smoke', () => {
  it('smoke: learns real images, rewires itself, saves, loads and answers with the same bits', async () => {
    console.log(`      ${buildInfo().binary} ${buildInfo().instructionSet}`);
    const { xTrain, yTrain, xTest, yTest } = await fashion(2000, 500);
    const net = await Network.create({
      inputs: 784,
      seed: 1,
      scaling: 'perFeature',
      layers: [sparse({ units: 300, epsilon: 10 }), sparse({ units: 300, epsilon: 10 }), dense({ units: 10 })],
    });
    const before = net.connections;
    const training = net.fit(
      { x: xTrain, y: yTrain },
      { epochs: 4, batchSize: 50, validation: { x: xTest, y: yTest } },
    );
    const rewired: number[] = [];
    for await (const { evolution } of training) rewired.push(evolution?.grown ?? 0);
    const { final } = await training.done;
    assert.ok(rewired[0] !== undefined && rewired[0] > 1000, `${rewired[0]} connections grew in the first epoch`);
    assert.ok((final?.validation?.accuracy ?? 0) > 0.7, `accuracy ${final?.validation?.accuracy}`);
    assert.ok(net.connections < before);

    const folder = mkdtempSync(join(tmpdir(), 'setnet-smoke-'));
    try {
      const path = join(folder, 'model.safetensors');
      await net.save(path);
      const loaded = await Network.load(path);
      assert.equal(digestOf(loaded), digestOf(net));
      assertSameBits(await loaded.predict(xTest), net.predictSync(xTest));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('smoke: a masked network is the sparse one, bit by bit', async () => {
    const { xTrain, yTrain } = await fashion(640, 1);
    const digests = [];
    for (const layer of [sparse, masked]) {
      const layers = [layer({ units: 100, epsilon: 8, dropout: 0.2 }), dense({ units: 10 })];
      const net = Network.createSync({ inputs: 784, seed: 3, scaling: 'perFeature', layers });
      await net.fit({ x: xTrain, y: yTrain }, { epochs: 3, batchSize: 64 }).done;
      digests.push(digestOf(net));
    }
    assert.equal(digests[1], digests[0]);
  });
});
