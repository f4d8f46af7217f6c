// What was wrong with Synapses, the library whose article started this one, and must not be wrong here: a test for each.
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  adam,
  adamw,
  CsrMatrix,
  dense,
  type LayerEvolution,
  masked,
  Network,
  Session,
  SparseLayer,
  set,
  sgd,
  sparse,
} from '../lib/index';
import {
  assertSameBits,
  blobs,
  digestOf,
  mean,
  randomFeatures,
  runChildJson,
  smallNetwork,
  withFolder,
} from './helpers/helpers';
import { type FileParts, floatsOf, integersOf, takeApart } from './helpers/model_files';

const data = blobs(300, 10, 4, 1);
const kinds = { sparse, masked } as const;

/** Row pointers that fit, and columns that are in range, sorted and distinct in every row. */
function assertValidTopology({ rows, columns, rowPointers, columnIndices, values }: CsrMatrix): void {
  assert.equal(rowPointers.length, rows + 1);
  assert.equal(Number(rowPointers[0]), 0);
  assert.equal(Number(rowPointers[rows]), values.length);
  assert.equal(columnIndices.length, values.length);
  for (let row = 0; row < rows; row++) {
    const inRow = columnIndices.subarray(Number(rowPointers[row]), Number(rowPointers[row + 1]));
    inRow.forEach((column, i) => {
      assert.ok(column < columns && (i === 0 || column > (inRow[i - 1] as number)), `row ${row}, connection ${i}`);
    });
  }
}

/** relu or linear layers in double, over the arrays of their matrices alone. */
function naiveAnswers(layers: { weights: CsrMatrix; bias: Float32Array | null }[], x: Float32Array): Float64Array {
  let signal = Float64Array.from(x);
  for (const [index, { weights, bias }] of layers.entries()) {
    const { rows: units, columns, rowPointers, columnIndices, values } = weights;
    const samples = signal.length / columns;
    const next = new Float64Array(samples * units);
    for (let sample = 0; sample < samples; sample++) {
      for (let unit = 0; unit < units; unit++) {
        let sum = bias?.[unit] ?? 0;
        for (let i = Number(rowPointers[unit]); i < Number(rowPointers[unit + 1]); i++)
          sum += (values[i] as number) * (signal[sample * columns + (columnIndices[i] as number)] as number);
        next[sample * units + unit] = index === layers.length - 1 ? sum : Math.max(0, sum);
      }
    }
    signal = next;
  }
  return signal;
}

function assertClose(actual: Float32Array, expected: Float64Array): void {
  assert.equal(actual.length, expected.length);
  const scale = Math.max(1e-3, ...expected.map(Math.abs));
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - (expected[i] as number)) < 1e-5 * scale, `answer ${i}: ${value}, not ${expected[i]}`);
  });
}

describe('47 the known defects of Synapses', () => {
  it('1: the topology is part of what is saved, as evolution has made it', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'net');
      const net = smallNetwork(10, 4);
      const drawn = digestOf(net);
      const training = net.fit(data, { epochs: 5, evolution: set({ newWeights: 'initializer' }) });
      for await (const { epoch } of training) if (epoch === 3) break;
      await training.done;
      assert.notEqual(digestOf(net), drawn);
      const x = randomFeatures(20, 10, 3);
      const answers = net.predictSync(x, { output: 'logits' });
      for (const options of [{}, { training: true }]) {
        await net.save(path, options);
        // In a process that never saw the network.
        const loaded = await runChildJson<{ digest: string; answers: number[] }>(`
          (async () => {
            const net = await setnet.Network.load(${JSON.stringify(path)});
            const answers = net.predictSync(helpers.randomFeatures(20, 10, 3), { output: 'logits' });
            console.log(JSON.stringify({ digest: helpers.digestOf(net), answers: Array.from(answers) }));
          })();`);
        assert.deepEqual(loaded, { digest: digestOf(net), answers: Array.from(answers) });
        const session = await Session.load(path);
        assertSameBits(session.predictSync(x, { output: 'logits' }), answers);
        await session.close();
        const parts = takeApart(readFileSync(path));
        for (const [k, { weights }] of net.layers.slice(0, 2).entries()) {
          assert.deepEqual(integersOf(parts, `layers.${k}.columnIndices`), Array.from(weights.columnIndices));
          assert.deepEqual(integersOf(parts, `layers.${k}.rowPointers`), Array.from(weights.rowPointers, Number));
        }
      }
    }));

  it('2: layers without bias train, evolve, are saved and loaded, alone and in networks of every kind', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'net');
      for (const optimizer of [sgd({ weightDecay: 1e-4, decayBias: true }), adam({ learningRate: 0.01 }), adamw()]) {
        for (const activation of ['relu', 'srelu'] as const) {
          const net = smallNetwork(10, 4, {
            layers: [
              sparse({ units: 30, density: 0.4, bias: false, activation, dropout: 0.1 }),
              masked({ units: 20, density: 0.4, bias: false, activation }),
              dense({ units: 4, bias: false }),
            ],
          });
          const { epochs } = await net.fit(data, { epochs: 6, optimizer, checkpoint: { path } }).done;
          assert.ok((epochs.at(-1)?.loss as number) < (epochs[0]?.loss as number), 'it learns');
          assert.equal(epochs[0]?.evolution?.evolutions, 1);
          assert.deepEqual(
            net.layers.map(({ bias }) => bias),
            [null, null, null],
          );
          await net.evolve();
          await net.save(path);
          const loaded = await Network.load(path);
          assert.equal(digestOf(loaded), digestOf(net));
          assertSameBits(await loaded.predict(data.x), net.predictSync(data.x));
          assert.equal(loaded.summary(), net.summary());
        }
        const layer = SparseLayer.create({ inputs: 10, units: 6, density: 0.5, bias: false, seed: 1, optimizer });
        layer.backward(layer.forward(randomFeatures(5, 10, 1), { training: true }));
        layer.step({ learningRate: 0.01 });
        layer.evolve();
        assert.equal(layer.bias, null);
        assert.ok(Object.values(layer.state).every(({ bias }) => bias === null));
      }
    }));

  describe('3: newcomers of an evolution start with an optimizer state of 0, survivors keep theirs', () => {
    /** What the file holds of a layer, by cell. */
    const cellsOf = (parts: FileParts, layer: string, inputs: number) => {
      const pointers = integersOf(parts, `${layer}.rowPointers`);
      const columns = integersOf(parts, `${layer}.columnIndices`);
      const [weights, ...moments] = ['', '.state.firstMoment', '.state.secondMoment'].map((end) =>
        floatsOf(parts, `${layer}.weights${end}`),
      ) as [Float32Array, Float32Array, Float32Array];
      const cells = new Map<number, { weight: number; moments: number[] }>();
      for (let row = 0; row + 1 < pointers.length; row++) {
        for (let i = pointers[row] as number; i < (pointers[row + 1] as number); i++) {
          const state = { weight: weights[i] as number, moments: moments.map((moment) => moment[i] as number) };
          cells.set(row * inputs + (columns[i] as number), state);
        }
      }
      return cells;
    };
    for (const [kind, layer] of Object.entries(kinds)) {
      for (const optimizer of [adam(), adamw()]) {
        it(`${kind}, ${optimizer.kind}: in the file of a training that was stopped`, () =>
          withFolder(async (folder) => {
            const layers = [
              layer({ units: 24, density: 0.4 }),
              layer({ units: 20, density: 0.4 }),
              dense({ units: 4 }),
            ];
            /** After the second of five epochs, which an evolution ends unless there is none. */
            const stopped = async (name: string, evolution: ReturnType<typeof set> | null) => {
              const path = join(folder, name);
              const net = smallNetwork(10, 4, { layers });
              // A first epoch alike for both, so that what follows is the first evolution of a trained network.
              const training = net.fit(data, { epochs: 5, optimizer, evolution, batchSize: 16 });
              let report: readonly LayerEvolution[] = [];
              for await (const epoch of training) {
                report = epoch.evolution?.layers ?? [];
                break;
              }
              await training.done;
              await net.save(path, { training: true });
              return { parts: takeApart(readFileSync(path)), report };
            };
            const before = await stopped('before', null);
            const after = await stopped('after', set({ regrowPruned: false }));
            const reset = await stopped('reset', set({ state: 'reset' }));
            for (const [k, inputs] of [10, 24].entries()) {
              const was = cellsOf(before.parts, `layers.${k}`, inputs);
              const is = cellsOf(after.parts, `layers.${k}`, inputs);
              const newcomers = [...is].filter(([cell]) => !was.has(cell));
              assert.ok(newcomers.length > 5);
              assert.equal(newcomers.length, after.report[k]?.grown);
              for (const [cell, { weight, moments }] of newcomers)
                assert.deepEqual([weight, ...moments], [0, 0, 0], `the newcomer at ${cell}`);
              const survivors = [...is].filter(([cell]) => was.has(cell));
              assert.equal(survivors.length, was.size - (after.report[k]?.pruned ?? 0));
              for (const [cell, state] of survivors) assert.deepEqual(state, was.get(cell), `the survivor at ${cell}`);
              const second = survivors.map(([, { moments }]) => moments[1] as number);
              assert.ok(mean(second) > 0 && second.filter((moment) => moment > 0).length > 0.8 * second.length);
              for (const [cell, { moments }] of cellsOf(reset.parts, `layers.${k}`, inputs))
                assert.deepEqual(moments, [0, 0], `state: 'reset', the cell ${cell}`);
            }
          }));
      }
    }
  });

  it('4: small layers, whose epsilon asks for more than there are cells, are full at once and are not evolved', async () => {
    // A loop that never ends would hold the event loop: in a process of its own, which is ended after a while.
    const results = await runChildJson<{ what: string; counts: number[]; changed: number; grown: number }[]>(
      `
      const results = [];
      const { x, y } = helpers.blobs(60, 6, 3, 1);
      (async () => {
        for (const draw of ['exact', 'bernoulli', 'withReplacement']) {
          // 6 * 5 cells; 11 * epsilon of them are asked for: far too many, just too many, all.
          for (const epsilon of [1e9, 20, 2.75, 30 / 11]) {
            for (const kind of ['sparse', 'masked']) {
              const layers = [setnet[kind]({ units: 5, epsilon, draw }), setnet[kind]({ units: 3, epsilon, draw })];
              const net = setnet.Network.createSync({ inputs: 6, seed: 1, layers });
              const wiring = () => net.layers.map(({ weights }) => Array.from(weights.columnIndices).join()).join();
              const before = wiring();
              const { epochs } = await net.fit({ x, y }, { epochs: 3, evolution: setnet.set({ zeta: 0.5 }) }).done;
              const report = await net.evolve();
              const grown = report.grown + report.pruned + epochs.reduce((sum, { evolution }) => sum + (evolution?.grown ?? 0), 0);
              results.push({ what: [draw, epsilon, kind].join(), counts: net.layers.map(({ connections }) => connections), changed: Number(wiring() !== before), grown });
            }
            const layer = setnet.SparseLayer.create({ inputs: 6, units: 5, epsilon, draw, seed: 1 });
            const { grown, pruned } = layer.evolve();
            results.push({ what: [draw, epsilon].join(), counts: [layer.connections, 15], changed: Number(layer.evolved), grown: grown + pruned });
          }
        }
        console.log(JSON.stringify(results));
      })();`,
      { timeout: 15_000 },
    );
    assert.equal(results.length, 36);
    for (const { what, ...result } of results)
      assert.deepEqual(result, { counts: [30, 15], changed: 0, grown: 0 }, what);
  });

  it('4: a layer with one free cell, or none to grow into, evolves and ends', async () => {
    const rounds = await runChildJson<{ connections: number; counts: number[] }>(
      `
      const layer = setnet.SparseLayer.create({ inputs: 6, units: 5, density: 29 / 30, seed: 1 });
      const { connections } = layer;
      const counts = [];
      for (let round = 0; round < 20; round++) {
        layer.evolve({ zeta: 1, newWeights: 'initializer', regrowPruned: round % 2 === 0 });
        counts.push(layer.connections);
      }
      console.log(JSON.stringify({ connections, counts }));`,
      { timeout: 15_000 },
    );
    assert.equal(rounds.connections, 29);
    // All go. Where none of them may come back, one cell is free; from then on one goes, and up to one grows.
    assert.deepEqual(rounds.counts.slice(0, 2), [29, 1]);
    assert.ok(rounds.counts.every((count) => count >= 1 && count <= 29));
  });

  it('5: where the last neurons and the last inputs have no connection, shapes stay, and the unit answers act(bias)', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'net');
      // Units 0, 3 and 4 have none, nor have inputs 0 and 3.
      const weights = CsrMatrix.from({
        rows: 5,
        columns: 4,
        rowPointers: [0, 0, 2, 3, 3, 3],
        columnIndices: [1, 2, 2],
        values: [1, -2, 3],
      });
      const bias = Float32Array.of(0.5, 0.25, -1, -0.75, 1.5);
      const x = randomFeatures(7, 4, 1);
      const functions: Record<string, (z: number) => number> = {
        linear: (z) => z,
        relu: (z) => Math.max(0, z),
        leakyRelu: (z) => (z < 0 ? 0.01 * z : z),
        sigmoid: (z) => 1 / (1 + Math.exp(-z)),
        tanh: Math.tanh,
      };
      for (const [activation, act] of Object.entries(functions)) {
        const given = activation === 'leakyRelu' ? { kind: 'leakyRelu' as const, slope: 0.01 } : (activation as 'relu');
        const net = smallNetwork(4, 5, { layers: [sparse({ weights, bias, activation: given })] });
        await net.save(path);
        const session = await net.freeze();
        const layer = SparseLayer.create({ weights, bias, activation: given, seed: 1 });
        const answers = [
          net.predictSync(x),
          await net.predict(x),
          (await Network.load(path)).predictSync(x),
          session.predictSync(x),
          layer.forward(x),
        ];
        await session.close();
        assert.deepEqual([net.outputs, layer.units, layer.inputs], [5, 5, 4]);
        for (const answer of answers) {
          assert.equal(answer.length, 7 * 5, activation);
          for (let sample = 0; sample < 7; sample++) {
            for (const unit of [0, 3, 4]) {
              const [actual, expected] = [answer[sample * 5 + unit] as number, act(bias[unit] as number)];
              assert.ok(Math.abs(actual - expected) <= 2e-7, `${activation}, unit ${unit}: ${actual}, not ${expected}`);
            }
          }
        }
      }
      // Training, evolution and removal leave the shape alone.
      const net = smallNetwork(4, 5, { layers: [sparse({ weights, bias }), dense({ units: 3 })] });
      await net.fit(blobs(60, 4, 3, 1), { epochs: 4 }).done;
      const after = net.layers[0]?.weights as CsrMatrix;
      assert.deepEqual([after.rows, after.columns, after.rowPointers.length], [5, 4, 6]);
      assert.equal(net.predictSync(x).length, 21);
      assert.ok(existsSync(path));
    }));

  describe('6: nothing of an earlier pruning is left after a removal: evolve, remove, evolve, predict', () => {
    const x = randomFeatures(30, 10, 8);
    for (const [kind, layer] of Object.entries(kinds)) {
      it(`in a network of ${kind} layers`, async () => {
        const layers = [layer({ units: 32, density: 0.4 }), layer({ units: 24, density: 0.4 }), dense({ units: 4 })];
        const net = smallNetwork(10, 4, { layers });
        const evolution = set({ newWeights: 'initializer' });
        const check = (what: string) => {
          for (const { weights } of net.layers) assertValidTopology(weights);
          const answers = net.predictSync(x, { output: 'logits' });
          assertClose(answers, naiveAnswers([...net.layers], x));
          // A network that has no past answers the same bits.
          const again = net.layers.map(({ weights, bias }, k) => {
            const activation = k < 2 ? 'relu' : 'linear';
            return sparse({ weights, bias: bias as Float32Array, activation });
          });
          assertSameBits(smallNetwork(10, 4, { layers: again }).predictSync(x), answers, what);
        };
        const counts = [net.connections];
        for (const work of ['evolve', 'finalize', 'evolve', 'fit', 'evolve', 'finalize', 'fit', 'evolve']) {
          if (work === 'fit') await net.fit(data, { epochs: 3, evolution }).done;
          else if (work === 'evolve') await net.evolve(evolution);
          else await net.finalize({ zeta: 0.3, again: true });
          check(`${kind}: ${work}`);
          counts.push(net.connections);
        }
        const [first, evolved, removed, again] = counts as [number, number, number, number];
        assert.equal(evolved, first);
        assert.ok(removed < 0.8 * evolved);
        assert.equal(again, removed, 'what was removed does not come back');
      });
    }

    it('in a layer by itself', () => {
      const layer = SparseLayer.create({ inputs: 10, units: 20, density: 0.4, activation: 'linear', seed: 3 });
      for (const work of ['evolve', 'prune', 'evolve', 'step', 'evolve', 'prune', 'prune', 'step', 'evolve']) {
        const before = layer.connections;
        if (work === 'step') {
          layer.backward(layer.forward(x, { training: true }));
          layer.step({ learningRate: 0.01 });
        } else {
          const report = work === 'evolve' ? layer.evolve({ newWeights: 'initializer' }) : layer.prune();
          assert.ok(report.pruned > 0);
          assert.equal(layer.connections, before - report.pruned + report.grown);
        }
        assertValidTopology(layer.weights);
        assertClose(layer.forward(x), naiveAnswers([layer], x));
      }
    });
  });
});
