import { strict as assert } from 'node:assert';
import { mean, runChildJson } from './helpers/helpers';

describe('70 memory @memory', function () {
  this.timeout(120_000);

  /** Resident memory in MB after each of 200 rounds of `work`, in a process of its own. */
  function rounds(work: string): Promise<number[]> {
    return runChildJson<number[]>(
      `
      const { x, y } = helpers.blobs(500, 100, 5, 1);
      const layers = [setnet.sparse({ units: 400, density: 0.3 }), setnet.masked({ units: 300, density: 0.2 }), setnet.dense({ units: 5 })];
      const options = (seed) => ({ inputs: 100, seed, scaling: 'perFeature', layers });
      const path = require('node:path').join(require('node:os').tmpdir(), 'setnet-memory-' + process.pid);
      (async () => {
        const sizes = [];
        for (let round = 0; round < 200; round++) {
          ${work}
          gc();
          sizes.push(process.memoryUsage.rss() / 1e6);
        }
        require('node:fs').rmSync(path, { force: true });
        console.log(JSON.stringify(sizes));
      })();`,
      { args: ['--expose-gc'], timeout: 120_000 },
    );
  }

  /** The mean of the last 50 lies at most 5 MB above that of the second 50. */
  function assertLevel(sizes: number[]): void {
    const [early, late] = [mean(sizes.slice(50, 100)), mean(sizes.slice(150, 200))];
    console.log(`      ${early.toFixed(1)} MB in rounds 51-100, ${late.toFixed(1)} MB in rounds 151-200`);
    assert.equal(sizes.length, 200);
    assert.ok(late - early <= 5, `${early} MB, then ${late} MB`);
  }

  it('200 networks created, trained, disposed: the level stays', async () => {
    assertLevel(
      await rounds(`
        const net = await setnet.Network.create(options(round));
        await net.fit({ x, y }, { epochs: 2, validation: { x, y } }).done;
        net.dispose();`),
    );
  });

  it('200 networks that are used in every other way, and not disposed: the level stays', async () => {
    assertLevel(
      await rounds(`
        const net = setnet.Network.createSync(options(round));
        for await (const epoch of net.fit({ x, y }, { epochs: 3, copy: true })) if (epoch.epoch === 2) break;
        net.predictSync(x);
        await net.predict(x);
        await net.evaluate({ x, y });
        await net.save(path);
        const loaded = await setnet.Network.load(path);
        loaded.clone().layers[0].weights.toDense();
        const controller = new AbortController();
        const training = loaded.fit({ x, y }, { epochs: 1e6, signal: controller.signal });
        setTimeout(() => controller.abort(), 2);
        await training.done.catch(() => {});
        await new Promise(setImmediate);`),
    );
  });

  it('200 layers by themselves, trained, evolved, half of them not disposed: the level stays', async () => {
    assertLevel(
      await rounds(`
        const layer = setnet.SparseLayer.create({ inputs: 300, units: 400, density: 0.3, activation: 'srelu', dropout: 0.1, seed: round });
        for (let step = 0; step < 3; step++) {
          const y = layer.forward(helpers.randomFeatures(40, 300, round), { training: true });
          layer.backward(y, { inputGradient: step > 0 });
          layer.weightGradient();
          layer.step({ learningRate: 0.01 });
        }
        layer.evolve();
        layer.prune();
        [layer.weights, layer.bias, layer.state];
        if (round % 2) layer.dispose();
        await new Promise(setImmediate);`),
    );
  });

  it('200 matrices with packed forms of their own: the level stays', async () => {
    assertLevel(
      await rounds(`
        const cells = Float32Array.from({ length: 400 * 500 }, (_, i) => (i * 7 + round) % 5 ? 0 : i % 9);
        const matrix = setnet.CsrMatrix.fromDense(cells, { rows: 400, columns: 500 });
        const [a, b] = [new Float32Array(400 * 3).fill(1), new Float32Array(500 * 3).fill(1)];
        matrix.multiplySync(b);
        matrix.transpose().transposeMultiplySync(b);
        const running = [matrix.multiply(b), matrix.transposeMultiply(a), matrix.sampledProduct(a, b)];
        if (round % 2) await Promise.all(running);
        matrix.sampledProductSync(a, b);
        await new Promise(setImmediate);`),
    );
  });
});
