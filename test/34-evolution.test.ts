import { strict as assert } from 'node:assert';
import { dense, Network, set, sgd, sparse } from '../lib/index';
import { blobs, smallNetwork } from './helpers/helpers';

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
