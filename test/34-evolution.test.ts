import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { adam, dense, Network, set, sgd, sparse } from '../lib/index';
import { blobs, digestOf, rejectsCode, smallNetwork, withFolder } from './helpers/helpers';

const data = blobs(400, 10, 4, 1);
const validation = blobs(200, 10, 4, 2);

describe('34 evolution', () => {
  it('evolution: prunes floor(zeta * count) per sign, grows as many, keeps the count; zeta falls along a cosine', async () => {
    const net = smallNetwork(10, 4);
    const history = await net.fit(data, { epochs: 6, validation }).done;
    const counts = net.layers.map((layer) => layer.units * layer.inputs);
    assert.deepEqual(
      history.epochs.map(({ connections }) => connections),
      new Array(6).fill(history.connections.trained),
    );
    for (const [index, { evolution }] of history.epochs.entries()) {
      if (index === 5) {
        assert.equal(evolution, undefined);
        continue;
      }
      assert.ok(evolution);
      assert.ok(Math.abs(evolution.zeta - 0.15 * (1 + Math.cos((Math.PI * index) / 5))) < 1e-12);
      assert.equal(evolution.layers.length, 3);
      for (const key of ['pruned', 'prunedPositive', 'prunedNegative', 'prunedZero', 'grown', 'connections'] as const) {
        assert.equal(
          evolution[key],
          evolution.layers.reduce((sum, layer) => sum + layer[key], 0),
        );
      }
      for (const [i, layer] of evolution.layers.entries()) {
        assert.equal(layer.grown, layer.pruned);
        assert.equal(layer.pruned, layer.prunedPositive + layer.prunedNegative + layer.prunedZero);
        assert.equal(layer.connections, i === 2 ? 96 : Math.round(0.4 * (counts[i] as number)));
      }
      assert.deepEqual(evolution.layers[2], {
        pruned: 0,
        prunedPositive: 0,
        prunedNegative: 0,
        prunedZero: 0,
        grown: 0,
        connections: 96,
      });
    }
  });

  it('evolution keeps survivors bit for bit, and newcomers are 0', async () => {
    const net = smallNetwork(10, 4);
    let last: Map<string, number>[] = [];
    const snapshot = () =>
      net.layers.map(({ weights }) => {
        const { rowPointers, columnIndices, values } = weights;
        const cells = new Map<string, number>();
        for (let row = 0; row < weights.rows; row++) {
          for (let k = rowPointers[row] as number; k < (rowPointers[row + 1] as number); k++) {
            cells.set(`${row},${columnIndices[k]}`, values[k] as number);
          }
        }
        return cells;
      });
    // With a learning rate of 0 nothing but evolution changes a weight.
    for await (const { evolution } of net.fit(data, {
      epochs: 4,
      optimizer: sgd({ learningRate: 0, weightDecay: 0 }),
    })) {
      const now = snapshot();
      for (const [i, cells] of now.entries()) {
        const report = evolution?.layers[i];
        const before = last[i];
        if (report === undefined || before === undefined) continue;
        let survivors = 0;
        for (const [cell, value] of cells) {
          if (before.has(cell) && (value !== 0 || before.get(cell) === 0)) {
            assert.ok(Object.is(value, before.get(cell)));
            survivors++;
          } else assert.ok(Object.is(value, 0));
        }
        assert.ok(survivors >= report.connections - report.grown);
      }
      last = now;
    }
  });

  it('final removal: both counts, and history.final is evaluated after it', async () => {
    const net = smallNetwork(10, 4);
    const history = await net.fit(data, { epochs: 4, validation }).done;
    const { final, connections } = history;
    assert.ok(final?.validation);
    assert.equal(connections.trained, history.epochs[3]?.connections);
    assert.equal(connections.final, final.connections);
    assert.equal(connections.final, connections.trained - final.removal.pruned);
    assert.equal(net.connections, connections.final);
    assert.equal(final.removal.zeta, 0.3);
    assert.equal(final.removal.grown, 0);
    assert.ok(final.removal.pruned > 0.25 * (connections.trained - 96));
    assert.deepEqual(await net.evaluate(validation), final.validation);
    assert.match(
      net.summary(),
      new RegExp(`${connections.trained} while training, ${connections.final} after the final removal`),
    );
    assert.match(net.summary(), /fitted with softmaxCrossEntropy, 4 epochs/);
  });

  it('without the final removal, or without evolution, the network keeps its size', async () => {
    for (const evolution of [set({ finalPrune: false }), null, false] as const) {
      const net = smallNetwork(10, 4);
      const size = net.connections;
      const history = await net.fit(data, { epochs: 3, evolution }).done;
      assert.deepEqual(history.connections, { trained: size, final: size });
      assert.equal(net.connections, size);
      assert.equal(
        history.epochs.some((epoch) => epoch.evolution !== undefined),
        Boolean(evolution),
      );
    }
  });

  it('a network that was finally pruned is not pruned again by a further fit, unless it is asked for', async () => {
    const net = smallNetwork(10, 4);
    const first = await net.fit(data, { epochs: 2 }).done;
    const size = first.connections.final;
    const second = await net.fit(data, { epochs: 2 }).done;
    assert.equal(second.final, undefined);
    assert.deepEqual(second.connections, { trained: size, final: size });
    assert.ok((second.epochs[0]?.evolution?.pruned ?? 0) > 0);
    const third = await net.fit(data, { epochs: 2, evolution: set({ finalPrune: true }) }).done;
    assert.equal(third.connections.trained, size);
    assert.ok(third.connections.final < size);
  });

  it('a layer keeps its topology with evolve: false, and has its own zeta', async () => {
    const layers = [
      sparse({ units: 30, density: 0.5, evolve: false }),
      sparse({ units: 30, density: 0.5, zeta: 0.1 }),
      dense({ units: 4 }),
    ];
    const net = Network.createSync({ inputs: 10, seed: 2, layers });
    const before = net.layers[0]?.weights.columnIndices;
    const { epochs, final } = await net.fit(data, { epochs: 2 }).done;
    assert.deepEqual(net.layers[0]?.weights.columnIndices, before);
    assert.equal(epochs[0]?.evolution?.layers[0]?.pruned, 0);
    const own = final?.removal.layers[1];
    assert.ok(
      own !== undefined && own.pruned - own.prunedZero <= 45 && own.pruned - own.prunedZero >= 43,
      `${own?.pruned}`,
    );
  });
});

describe('34 evolution between steps and by hand', () => {
  it('every so many steps: as often as there are, but after the last one', async () => {
    const net = smallNetwork(10, 4);
    const { epochs, final } = await net.fit(data, {
      epochs: 3,
      batchSize: 40, // 10 steps an epoch
      evolution: set({ every: { steps: 6 } }),
    }).done;
    assert.deepEqual(
      epochs.map(({ evolution }) => evolution?.evolutions),
      [1, 2, 1], // after steps 6, 12, 18, 24; not after 30
    );
    for (const { evolution } of epochs) assert.equal(evolution?.grown, evolution?.pruned);
    assert.ok(final);
  });

  it('by chance: a layer at a time, about p times as often as there are steps, equally for equal seeds', async () => {
    const run = async () => {
      const net = smallNetwork(10, 4);
      const evolution = set({ every: { probability: 0.2 }, finalPrune: false });
      const { epochs } = await net.fit(data, { epochs: 10, batchSize: 10, evolution, optimizer: adam() }).done;
      return { digest: digestOf(net), evolutions: epochs.reduce((sum, e) => sum + (e.evolution?.evolutions ?? 0), 0) };
    };
    const first = await run();
    // 400 steps, two layers that evolve, 0.1 each: 80 - 4 where both do at once, within five standard deviations.
    assert.ok(Math.abs(first.evolutions - 76) < 5 * 8, `${first.evolutions}`);
    assert.deepEqual(await run(), first);
  });

  it('state: reset forgets the momentum of every layer, as a new fit does', async () => {
    const fit = { batchSize: 40, optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }) } as const;
    const evolution = set({ zeta: { kind: 'constant', value: 0.3 }, state: 'reset', finalEvolution: true });
    const whole = smallNetwork(10, 4);
    await whole.fit(data, { ...fit, epochs: 4, evolution }).done;
    const pieces = smallNetwork(10, 4);
    for (let i = 0; i < 4; i++) await pieces.fit(data, { ...fit, epochs: 1, evolution }).done;
    assert.equal(digestOf(pieces), digestOf(whole));
    const kept = smallNetwork(10, 4);
    await kept.fit(data, {
      ...fit,
      epochs: 4,
      evolution: set({ zeta: { kind: 'constant', value: 0.3 }, finalEvolution: true }),
    }).done;
    assert.notEqual(digestOf(kept), digestOf(whole));
  });

  it('finalEvolution: the last epoch evolves as all others, and nothing is removed for good', async () => {
    const net = smallNetwork(10, 4);
    const size = net.connections;
    const { epochs, final } = await net.fit(data, { epochs: 2, evolution: set({ finalEvolution: true }) }).done;
    assert.ok(epochs[1]?.evolution !== undefined && final === undefined);
    assert.equal(net.connections, size);
  });

  it('keepZeros: a weight of 0 stays where it is', async () => {
    const zeros = (keepZeros: boolean) => {
      const layers = [sparse({ units: 30, density: 0.5, initializer: 'zero' }), dense({ units: 4 })];
      const net = Network.createSync({ inputs: 10, seed: 2, layers });
      return net.evolve(set({ keepZeros }));
    };
    assert.deepEqual([(await zeros(true)).pruned, (await zeros(false)).pruned], [0, 150]);
  });

  it('by hand: what a fit does at the end of an epoch, as the next evolution of its life', async () => {
    const options = { epochs: 2, optimizer: sgd({ learningRate: 0, weightDecay: 0 }) } as const;
    const fitted = smallNetwork(10, 4);
    const { epochs } = await fitted.fit(data, { ...options, evolution: set({ zeta: 0.3, finalPrune: false }) }).done;
    const evolved = smallNetwork(10, 4);
    const report = await evolved.evolve(set({ zeta: 0.3 }));
    const { prunedPositive, prunedNegative, grown, layers } = epochs[0]?.evolution ?? {};
    assert.deepEqual(
      [report.prunedPositive, report.prunedNegative, report.grown, report.layers, report.zeta, report.evolutions],
      [prunedPositive, prunedNegative, grown, layers, 0.3, 1],
    );
    assert.equal(digestOf(evolved), digestOf(fitted));
    // The next one draws other cells.
    const [before, second] = [digestOf(evolved), await evolved.evolve()];
    assert.ok(second.grown > 0 && digestOf(evolved) !== before);
  });

  it('by hand: budget and trigger mean nothing; two at once are busy, and so is a fit meanwhile', async () => {
    const net = smallNetwork(10, 4);
    const evolving = net.evolve();
    await rejectsCode(net.evolve(), 'ERR_SETNET_BUSY', /evolve: evolve is running/);
    await rejectsCode(net.finalize(), 'ERR_SETNET_BUSY', /finalize: evolve is running/);
    assert.throws(() => net.fit(data), { code: 'ERR_SETNET_BUSY' });
    assert.equal(net.predictSync(data.x.subarray(0, 10)).length, 4);
    await evolving;
    await net.fit(data, { epochs: 1 }).done;
  });

  it('finalize: once, unless it is asked for again; the network says so, and so does its file', () =>
    withFolder(async (folder) => {
      const net = smallNetwork(10, 4);
      await net.fit(data, { epochs: 2, evolution: set({ zeta: 0.2, finalPrune: false }) }).done;
      await net.evolve(set({ zeta: 0.5, newWeights: 'heNormal' }));
      const before = net.connections;
      const removal = await net.finalize();
      assert.equal(removal.removal.zeta, 0.2, 'that of the last fit');
      assert.equal(net.connections, before - removal.removal.pruned);
      await rejectsCode(net.finalize(), 'ERR_SETNET_STATE', /again: true/);
      const path = join(folder, 'net.safetensors');
      await net.save(path);
      const loaded = await Network.load(path);
      assert.equal(digestOf(loaded), digestOf(net));
      await rejectsCode(loaded.finalize(), 'ERR_SETNET_STATE', /has run/);
      const again = await loaded.finalize({ again: true, zeta: 0.4 });
      assert.equal(again.removal.zeta, 0.4);
      const other = join(folder, 'other.safetensors');
      await loaded.save(other);
      await (await Network.load(other)).save(path);
    }));

  it('finalize: a wrong data set removes nothing', async () => {
    const net = smallNetwork(10, 4);
    const size = net.connections;
    await rejectsCode(net.finalize({ validation: { x: data.x, y: [0] } }), 'ERR_SETNET_SHAPE', /labels/);
    await rejectsCode(net.finalize({ zeta: 2 }), 'ERR_SETNET_OPTION', /finalize: zeta must be/);
    assert.equal(net.connections, size);
  });
});
