import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildInfo, constant, dense, masked, Network, sgd, sparse } from '../lib/index';
import { blobs, digestOf, randomFeatures, runChildJson, withFolder } from './helpers/helpers';

const data = blobs(300, 12, 4, 1);
const names = ['leftThreshold', 'leftSlope', 'gap', 'rightSlope'];

function network(kind: typeof sparse | typeof masked = sparse, threads = 1): Network {
  return Network.createSync({
    inputs: 12,
    seed: 3,
    threads,
    layers: [
      // Weights large enough for outputs beyond the gap, so that all four parameters learn.
      kind({ units: 150, density: 0.4, activation: 'srelu', dropout: 0.3, initializer: 'heUniform' }),
      kind({ units: 101, density: 0.4, activation: 'srelu' }),
      dense({ units: 4 }),
    ],
  });
}

function parametersOf(net: Network, layer: number): Record<string, Float32Array> {
  const parameters = net.layers[layer]?.activationParameters;
  assert.ok(parameters);
  return parameters;
}

/** One unit's answer by the formula, in double precision. */
function srelu(parameters: Record<string, Float32Array>, unit: number, x: number): number {
  const [left, leftSlope, gap, rightSlope] = names.map((name) => parameters[name]?.[unit] as number) as [
    number,
    number,
    number,
    number,
  ];
  const right = left + Math.abs(gap);
  if (x >= right) return right + rightSlope * (x - right);
  return x <= left ? left + leftSlope * (x - left) : x;
}

describe('36 activations that learn', () => {
  it('show their parameters by name, as copies; those that learn nothing have none', () => {
    const net = network();
    assert.equal(net.layers[2]?.activationParameters, null);
    const before = digestOf(net);
    const parameters = parametersOf(net, 0);
    assert.deepEqual(Object.keys(parameters), names);
    for (const values of Object.values(parameters)) {
      assert.ok(values instanceof Float32Array);
      assert.equal(values.length, 150);
    }
    assert.ok(parameters.leftThreshold?.every((x) => x === 0));
    assert.ok(parameters.leftSlope?.every((x) => x >= 0 && x < 1));
    assert.ok(parameters.gap?.every((x) => x >= 0 && x <= 5));
    assert.ok(parameters.rightSlope?.every((x) => x === 1));
    assert.ok(new Set(parameters.gap).size > 140, 'every unit has a gap of its own');
    assert.notDeepEqual(parametersOf(net, 1).gap?.slice(0, 5), parameters.gap?.slice(0, 5));
    assert.deepEqual(parametersOf(network(masked), 0), parameters, 'the kind of layer does not matter');
    for (const values of Object.values(parameters)) values.fill(7);
    assert.equal(digestOf(net), before);
  });

  it('learn all of them, and predict by the formula', async () => {
    const net = network();
    const before = parametersOf(net, 0);
    await net.fit(data, { epochs: 5, batchSize: 32, optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }) }).done;
    const after = parametersOf(net, 0);
    for (const name of names) {
      const moved = after[name]?.filter((x, unit) => x !== before[name]?.[unit]).length ?? 0;
      // Right of its thresholds not every unit has been.
      assert.ok(moved > (/gap|right/.test(name) ? 20 : 140), `${name}: ${moved} of 150 moved`);
    }
    const x = randomFeatures(40, 12, 5);
    const logits = net.predictSync(x, { output: 'logits' });
    for (let row = 0; row < 40; row++) {
      let signal = Array.from(x.subarray(12 * row, 12 * row + 12));
      for (const [index, layer] of net.layers.entries()) {
        const weights = layer.weights.toDense();
        const { bias, inputs, units, activationParameters } = layer;
        signal = Array.from({ length: units }, (_, unit) => {
          const sum = signal.reduce((total, value, i) => total + value * (weights[unit * inputs + i] as number), 0);
          const z = sum + (bias?.[unit] ?? 0);
          return activationParameters === null ? z : srelu(parametersOf(net, index), unit, z);
        });
      }
      for (const [unit, value] of signal.entries()) {
        const answer = logits[4 * row + unit] as number;
        assert.ok(Math.abs(answer - value) < 1e-4 * (1 + Math.abs(value)), `row ${row}: ${answer}, not ${value}`);
      }
    }
  });

  it('their parameters are decayed where biases are', async () => {
    const moved = async (weightDecay: number, decayBias: boolean): Promise<Float32Array> => {
      const net = network();
      const optimizer = sgd({ learningRate: constant({ value: 0.5 }), momentum: 0, weightDecay, decayBias });
      await net.fit(data, { epochs: 1, batchSize: 300, evolution: null, optimizer }).done;
      return parametersOf(net, 1).gap as Float32Array;
    };
    const start = parametersOf(network(), 1).gap as Float32Array;
    const [plain, withoutBias, withBias] = [await moved(0, true), await moved(0.1, false), await moved(0.1, true)];
    assert.deepEqual(withoutBias, plain);
    for (const [unit, gap] of start.entries()) {
      const expected = (plain[unit] as number) - 0.5 * 0.1 * gap;
      assert.ok(Math.abs((withBias[unit] as number) - expected) < 1e-5, `unit ${unit}`);
    }
  });

  it('sparse and masked give the same bits, for every number of threads and instruction set', async function () {
    this.timeout(120_000);
    const script = (kind: string, threads: number): string => `
      const { blobs, digestOf } = require(${JSON.stringify(join(__dirname, 'helpers', 'helpers.js'))});
      const layers = [
        setnet.${kind}({ units: 260, density: 0.3, activation: 'srelu', dropout: 0.3 }),
        setnet.${kind}({ units: 205, density: 0.3, activation: 'srelu', dropout: 0.1 }),
        setnet.dense({ units: 4, activation: 'srelu' }),
      ];
      const net = setnet.Network.createSync({ inputs: 40, seed: 3, threads: ${threads}, layers });
      const optimizer = setnet.sgd({ learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4, decayBias: true });
      net.fit(blobs(500, 40, 4, 1), { epochs: 4, batchSize: 60, optimizer }).done.then(({ epochs }) =>
        console.log(JSON.stringify({
          instructionSet: setnet.buildInfo().instructionSet,
          digest: digestOf(net),
          losses: epochs.map(({ loss }) => loss),
          grown: epochs.map(({ evolution }) => evolution?.grown ?? 0),
        })));`;
    interface Run {
      instructionSet: string;
      digest: string;
      losses: number[];
      grown: number[];
    }
    const sets = buildInfo()
      .instructionSets.filter(({ name, available }) => available && name !== 'baseline')
      .map(({ name }) => name);
    if (sets.length === 0) this.skip();
    const results: Run[] = [];
    for (const instructionSet of sets) {
      for (const [kind, threads] of [
        ['sparse', 1],
        ['sparse', 2],
        ['masked', 3],
      ] as const) {
        const run = await runChildJson<Run>(script(kind, threads), { env: { SETNET_FORCE_ISA: instructionSet } });
        assert.equal(run.instructionSet, instructionSet);
        results.push({ ...run, instructionSet: '' });
      }
    }
    const first = results[0] as Run;
    assert.ok((first.losses[3] as number) < (first.losses[0] as number) && (first.grown[0] as number) > 0);
    for (const run of results) assert.deepEqual(run, first);
  });

  it('are in model files, under their names, and train on from there', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'net.safetensors');
      const net = network();
      await net.fit(data, { epochs: 2 }).done;
      await net.save(path);
      const bytes = readFileSync(path);
      const header = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE(0))));
      for (const name of names) {
        const { dtype, shape, data_offsets } = header[`layers.1.activation.${name}`];
        assert.deepEqual([dtype, shape], ['F32', [101]]);
        const start = 8 + Number(bytes.readBigUInt64LE(0)) + data_offsets[0];
        const stored = new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + start + 404));
        assert.deepEqual(stored, parametersOf(net, 1)[name]);
      }
      assert.equal(header['layers.2.activation.gap'], undefined);
      const loaded = await Network.load(path);
      assert.equal(loaded.layers[0]?.activation, 'srelu');
      assert.equal(digestOf(loaded), digestOf(net));
      await Promise.all([net, loaded].map((each) => each.fit(data, { epochs: 2 }).done));
      assert.equal(digestOf(loaded), digestOf(net));
    }));

  it('are counted by summary(), and their bytes are', () => {
    const withRelu = Network.createSync({
      inputs: 12,
      seed: 3,
      layers: [sparse({ units: 1000 }), dense({ units: 4 })],
    });
    assert.doesNotMatch(withRelu.summary(), /parameters of activations/);
    const withSrelu = Network.createSync({
      inputs: 12,
      seed: 3,
      layers: [sparse({ units: 1000, activation: 'srelu' }), dense({ units: 4 })],
    });
    assert.match(withSrelu.summary(), /^parameters of activations: 4,000$/m);
    const bytes = (net: Network): number => Number(/relu.* ([\d.]+) kB$/m.exec(net.summary())?.[1]);
    assert.ok(Math.abs(bytes(withSrelu) - bytes(withRelu) - 16) < 0.11);
  });
});
