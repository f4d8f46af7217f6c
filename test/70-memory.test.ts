import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
      // A thread of its own for every fit: each may get an arena of the allocator's, a step of some MB that is no leak.
      { args: ['--expose-gc'], timeout: 120_000, env: { MALLOC_ARENA_MAX: '2' } },
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

  describe('500 networks of mixed kinds, each trained for an epoch: the level stays, and what V8 is told as well', () => {
    interface Levels {
      /** Resident memory, and the memory outside of its heap that V8 was told of, in MB after each round. */
      resident: number[];
      external: number[];
      counters: { networks: number; fits: number; jobs: number };
    }
    /** `end` disposes of what is there, or does not. */
    const mixed = (end: string) =>
      runChildJson<Levels>(
        `
        const { sparse, masked, dense, adam, sgd, set, Network } = setnet;
        const { x, y } = helpers.blobs(200, 60, 5, 1);
        const { join } = require('node:path');
        const folder = require('node:fs').mkdtempSync(join(require('node:os').tmpdir(), 'setnet-memory-'));
        const path = join(folder, 'checkpoint');
        const hidden = (round) => {
          const activation = round % 2 ? 'srelu' : 'relu';
          const kinds = [
            () => sparse({ units: 200, density: 0.2, activation }),
            () => masked({ units: 150, density: 0.2, activation, dropout: 0.2 }),
            () => dense({ units: 100, activation }),
          ];
          return [kinds[round % 3](), kinds[(round >> 1) % 3]()];
        };
        const { counters } = require(helpers.root + '/dist/loader.js').native();
        const { networks: before } = counters();
        (async () => {
          const [resident, external] = [[], []];
          for (let round = 0; round < 500; round++) {
            const net = await Network.create({ inputs: 60, seed: round, scaling: 'perFeature', layers: [...hidden(round), dense({ units: 5 })] });
            const optimizer = round % 4 < 2 ? adam() : sgd();
            const checkpoint = round % 5 === 0 ? { checkpoint: { path } } : {};
            await net.fit({ x, y }, { epochs: 1, optimizer, evolution: round % 7 ? set() : null, ...checkpoint }).done;
            const session = round % 3 === 1 ? await net.freeze() : undefined;
            session?.predictSync(x);
            const loaded = round % 10 === 0 ? await Network.load(path) : undefined;
            ${end}
            gc();
            await new Promise(setImmediate);
            resident.push(process.memoryUsage.rss() / 1e6);
            external.push(counters().toldBytes / 1e6);
          }
          require('node:fs').rmSync(folder, { recursive: true });
          // What is collected is finalised a turn later.
          for (let i = 0; i < 5; i++) { await new Promise(setImmediate); gc(); }
          const { networks, fits, jobs } = counters();
          console.log(JSON.stringify({ resident, external, counters: { networks: networks - before, fits, jobs } }));
        })();`,
        { args: ['--expose-gc'], timeout: 120_000 },
      );
    const check = ({ resident, external, counters }: Levels) => {
      assert.equal(resident.length, 500);
      const part = (sizes: number[]) => [mean(sizes.slice(150, 250)), mean(sizes.slice(400, 500))] as const;
      const [early, late] = part(resident);
      const [told, toldLate] = part(external);
      console.log(
        `      ${early.toFixed(1)} MB, then ${late.toFixed(1)}; of them V8 knows of ${told.toFixed(1)}, ${toldLate.toFixed(1)}`,
      );
      assert.ok(late - early <= 5, `${early} MB resident, then ${late} MB`);
      assert.ok(toldLate - told <= 0.5, `${told} MB external, then ${toldLate} MB`);
      assert.deepEqual({ ...counters, networks: Math.max(1, counters.networks) }, { networks: 1, fits: 0, jobs: 0 });
      return toldLate;
    };

    it('disposed', async () => {
      check(await mixed('net.dispose(); loaded?.dispose(); await session?.close();'));
    });

    it('dropped without a word', async () => {
      check(await mixed('await new Promise(setImmediate);'));
    });

    it('V8 is told of networks, sessions and layers that are kept, at once, and no more of what was disposed', async () => {
      const script = (make: string) => `
        const { counters } = require(helpers.root + '/dist/loader.js').native();
        const told = () => { gc(); return counters().toldBytes; };
        const net = setnet.Network.createSync({ inputs: 500, seed: 1, layers: [setnet.dense({ units: 500 })] });
        (async () => {
          await new Promise(setImmediate);
          const start = told();
          const owner = await (${make});
          await new Promise(setImmediate);
          const kept = told();
          await (owner.dispose ? owner.dispose() : owner.close());
          await new Promise(setImmediate);
          console.log(JSON.stringify([kept - start, told() - start]));
        })();`;
      const makes = [
        'setnet.Network.create({ inputs: 500, seed: 1, layers: [setnet.dense({ units: 500 })] })',
        'setnet.Network.create({ inputs: 500, seed: 1, layers: [setnet.sparse({ units: 1000, density: 0.25 })] })',
        'setnet.Network.create({ inputs: 500, seed: 1, layers: [setnet.masked({ units: 1000, density: 0.25 })] })',
        'net.clone()',
        'net.freeze()',
        'setnet.SparseLayer.create({ inputs: 500, units: 1000, density: 0.25, seed: 1 })',
      ];
      for (const make of makes) {
        const [kept, disposed] = await runChildJson<[number, number]>(script(make), { args: ['--expose-gc'] });
        // At least the weights, 4 bytes each.
        const least = make.includes('1000') ? 500_000 : 1_000_000;
        assert.ok(kept >= least && kept < 20 * least, `${make}: ${kept} bytes`);
        assert.ok(Math.abs(disposed) < 50_000, `${make}: ${disposed} bytes are left`);
      }
    });
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

  it('a file is read straight into the arrays of its network: there is no second copy', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'setnet-memory-'));
    try {
      const path = JSON.stringify(join(folder, 'wide'));
      const layers = '[setnet.sparse({ units: 20000, density: 0.01 })]';
      await runChildJson(`
        setnet.Network.create({ inputs: 50000, seed: 1, layers: ${layers} })
          .then((net) => net.save(${path})).then(() => console.log('{}'));`);
      // The peak of a process that has only read.
      const { connections, peak } = await runChildJson<{ connections: number; peak: number }>(`
        const peak = () => process.resourceUsage().maxRSS * 1024;
        const before = peak();
        setnet.Network.load(${path}).then(({ connections }) =>
          console.log(JSON.stringify({ connections, peak: peak() - before })));`);
      const bytes = statSync(join(folder, 'wide')).size;
      console.log(`      a file of ${(bytes / 1e6).toFixed(0)} MB, ${(peak / 1e6).toFixed(0)} MB of memory at most`);
      assert.equal(connections, 10_000_000);
      assert.ok(bytes > 80e6 && peak < 1.25 * bytes, `${peak}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
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
