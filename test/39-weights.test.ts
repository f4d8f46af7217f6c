import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { dense, type FitOptions, type Loss, masked, Network, set, sgd, sparse } from '../lib/index';
import {
  type Anything,
  blobs,
  digestOf,
  metadataOf,
  randomFeatures,
  randomSource,
  smallNetwork,
  throwsCode,
  withFolder,
} from './helpers/helpers';

const names = ['a', 'b', 'c'];
const { x, y } = blobs(300, 10, 3, 5);
/** Half of class 0 only, of class 1 a tenth. */
const kept = [...y.keys()].filter((i) => y[i] === 2 || i % 10 === 0 || (y[i] === 0 && i % 2 === 0));
const uneven = {
  x: Float32Array.from(kept.flatMap((i) => [...x.subarray(10 * i, 10 * i + 10)])),
  y: Int32Array.from(kept, (i) => y[i] as number),
};
const timesOf = (c: number): number => uneven.y.filter((label) => label === c).length;
const balanced = [0, 1, 2].map((c) => uneven.y.length / (3 * timesOf(c)));
const ownWeights = Float64Array.from(kept, (_, i) => (i % 7) / 3);

/** What a fit of the small network gives, as bits. */
async function run(
  options: FitOptions,
  data: Anything = uneven,
  layer: typeof sparse | typeof masked = sparse,
  threads = 1,
): Promise<string> {
  const layers = [
    layer({ units: 32, density: 0.4, dropout: 0.2 }),
    layer({ units: 24, density: 0.4 }),
    dense({ units: 3 }),
  ];
  const net = Network.createSync({ inputs: 10, seed: 3, layers, classes: names, threads });
  const optimizer = sgd({ learningRate: 0.1, weightDecay: 0 });
  const { epochs } = await net.fit(data, { epochs: 3, batchSize: 16, optimizer, ...options }).done;
  return digestOf(net) + epochs.map(({ loss, accuracy }) => `${loss} ${accuracy}`).join();
}

/** One step of gradient descent of a single dense layer over all samples, in double. */
function plainStep(
  loss: Loss,
  { weights, bias }: { weights: Float32Array; bias: Float32Array },
  features: Float32Array,
  targets: (sample: number, output: number) => number,
  w: readonly number[],
  rate: number,
): { weights: number[]; bias: number[]; loss: number } {
  const outputs = bias.length;
  const inputs = weights.length / outputs;
  const after = { weights: [...weights], bias: [...bias], loss: 0 };
  for (const [i, weight] of w.entries()) {
    const row = features.subarray(i * inputs, (i + 1) * inputs);
    const z = [...bias].map((b, u) =>
      row.reduce((sum, value, k) => sum + value * (weights[u * inputs + k] as number), b),
    );
    const top = Math.max(...z);
    const sum = z.reduce((total, value) => total + Math.exp(value - top), 0);
    for (const [u, value] of z.entries()) {
      const target = targets(i, u);
      const [cost, slope] = {
        softmaxCrossEntropy: [target * (Math.log(sum) + top - value), Math.exp(value - top) / sum - target],
        binaryCrossEntropy: [
          Math.log1p(Math.exp(-Math.abs(value))) + Math.max(value, 0) - value * target,
          1 / (1 + Math.exp(-value)) - target,
        ],
        meanSquaredError: [(value - target) ** 2, 2 * (value - target)],
      }[loss as string] as [number, number];
      const share = weight / w.length / (loss === 'softmaxCrossEntropy' ? 1 : outputs);
      after.loss += share * cost;
      after.bias[u] = (after.bias[u] as number) - rate * share * slope;
      for (const [k, feature] of row.entries()) {
        const at = u * inputs + k;
        after.weights[at] = (after.weights[at] as number) - rate * share * slope * feature;
      }
    }
  }
  return after;
}

function assertClose(actual: ArrayLike<number>, expected: readonly number[]): void {
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs((actual[i] as number) - value) < 2e-5, `${i}: ${actual[i]}, not ${value}`);
}

describe('weights', () => {
  it('a step follows the mean over the samples of weight * loss', async () => {
    const cases = fc.record({
      loss: fc.constantFrom('softmaxCrossEntropy', 'binaryCrossEntropy', 'meanSquaredError'),
      outputs: fc.integer({ min: 2, max: 4 }),
      seed: fc.nat(),
      classWeights: fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { minLength: 4, maxLength: 4 }),
      weights: fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 3, noNaN: true })), {
        minLength: 1,
        maxLength: 40,
      }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ loss, outputs, seed, classWeights, weights }) => {
        const random = randomSource(seed + 1);
        const byClass = loss === 'softmaxCrossEntropy';
        const of = classWeights.slice(0, outputs).map((weight) => weight + 0.01);
        const features = randomFeatures(weights.length, 5, seed + 2);
        const labels = weights.map(() => Math.floor(outputs * random()));
        const numbers = Float32Array.from({ length: outputs * weights.length }, random);
        weights[0] = 1;
        const net = Network.createSync({ inputs: 5, seed, layers: [dense({ units: outputs })] });
        const [layer] = net.layers as [(typeof net.layers)[number]];
        const before = { weights: layer.weights.toDense(), bias: layer.bias as Float32Array };
        const { epochs } = await net.fit(
          { x: features, y: byClass ? labels : numbers },
          {
            epochs: 1,
            loss,
            optimizer: sgd({ learningRate: 0.5, momentum: 0, weightDecay: 0 }),
            evolution: null,
            sampleWeights: weights,
            ...(byClass ? { classWeights: of } : {}),
          },
        ).done;
        const target = (i: number, u: number): number =>
          byClass ? Number(labels[i] === u) : (numbers[i * outputs + u] as number);
        const w = weights.map((weight, i) => weight * (byClass ? (of[labels[i] as number] as number) : 1));
        const expected = plainStep(loss, before, features, target, w, 0.5);
        assertClose(layer.weights.toDense(), expected.weights);
        assertClose(layer.bias as Float32Array, expected.bias);
        assertClose([epochs[0]?.loss as number], [expected.loss]);
      }),
      { numRuns: 100 },
    );
  });

  it('weights of 1 change no bit; of 2 they are a learning rate twice as high', async () => {
    const plain = await run({});
    assert.equal(await run({ sampleWeights: new Uint8Array(kept.length).fill(1) }), plain);
    assert.equal(await run({ classWeights: [1, 1, 1] }), plain);
    const [digest, ...epochs] = (await run({ optimizer: sgd({ learningRate: 0.2, weightDecay: 0 }) })).split(
      /(?<=^.{64})/,
    );
    const twice = (await run({ sampleWeights: Array.from(kept, () => 2) })).split(/(?<=^.{64})/);
    assert.equal(twice[0], digest);
    assert.notEqual(twice.slice(1).join(), epochs.join());
  });

  it('samples of weight 0 teach nothing, whatever they are', async () => {
    const ghosts = { x: Float32Array.from(uneven.x), y: Int32Array.from(uneven.y) };
    for (const [i, weight] of ownWeights.entries()) {
      if (weight > 0) continue;
      ghosts.x.fill(17, 10 * i, 10 * i + 10);
    }
    const options = { sampleWeights: ownWeights };
    // Accuracies count the ghosts.
    const digest = async (data: unknown): Promise<string> => (await run(options, data)).slice(0, 64);
    assert.equal(await digest(ghosts), await digest(uneven));
    assert.notEqual((await run({}, ghosts)).slice(0, 64), (await run({})).slice(0, 64));
  });

  it('balanced is n / (k n_c), as numbers, by name and sample by sample', async () => {
    const digest = await run({ classWeights: 'balanced' });
    assert.notEqual(digest, await run({}));
    const [a, b, c] = balanced as [number, number, number];
    for (const classWeights of [balanced, Float64Array.from(balanced), { c, a, b }])
      assert.equal(await run({ classWeights }), digest);
    assert.equal(await run({ sampleWeights: Array.from(uneven.y, (label) => balanced[label] as number) }), digest);
    const both = Array.from(ownWeights, (weight, i) => weight * (balanced[uneven.y[i] as number] as number));
    assert.equal(
      await run({ classWeights: 'balanced', sampleWeights: ownWeights }),
      await run({ sampleWeights: Float32Array.from(both) }),
    );
    assert.equal(await run({ classWeights: { b: 3 } }), await run({ classWeights: [1, 3, 1] }));
  });

  it('balanced gives every class that occurs the same influence', async () => {
    // Nothing but a bias can learn; class 3 never occurs.
    const labels = Array.from({ length: 90 }, (_, i) => (i < 70 ? 0 : i < 85 ? 1 : 2));
    const gradients = async (options: FitOptions): Promise<number[]> => {
      const net = Network.createSync({ inputs: 1, layers: [dense({ units: 4, initializer: 'zero' })] });
      const optimizer = sgd({ learningRate: 1, momentum: 0, weightDecay: 0 });
      await net.fit({ x: new Float32Array(90), y: labels }, { epochs: 1, optimizer, ...options }).done;
      const [layer] = net.layers as [(typeof net.layers)[number]];
      return [...(layer.bias as Float32Array)];
    };
    assertClose(await gradients({ classWeights: 'balanced' }), [1 / 3 - 0.25, 1 / 3 - 0.25, 1 / 3 - 0.25, -0.25]);
    assertClose(await gradients({}), [70 / 90 - 0.25, 15 / 90 - 0.25, 5 / 90 - 0.25, -0.25]);
  });

  it('balanced finds a rare class that is missed without it', async () => {
    const random = randomSource(9);
    const rare = (rows: number): { x: Float32Array; y: number[] } => {
      const labels = Array.from({ length: rows }, () => Number(random() < 0.05));
      const noise = (): number => random() + random() + random() - 1.5;
      return { x: Float32Array.from(labels.flatMap((c) => [0.5 * c + noise(), -0.5 * c + noise()])), y: labels };
    };
    const [train, test] = [rare(2000), rare(2000)];
    const recall = async (options: FitOptions, loss: Loss, outputs: number): Promise<number> => {
      const net = Network.createSync({ inputs: 2, seed: 1, layers: [dense({ units: outputs })] });
      await net.fit(train, { epochs: 10, loss, ...options }).done;
      return (await net.evaluate(test, { metrics: ['balancedAccuracy'] })).balancedAccuracy as number;
    };
    for (const [loss, outputs] of [['softmaxCrossEntropy', 2] as const, ['binaryCrossEntropy', 1] as const]) {
      const [without, withThem] = [
        await recall({}, loss, outputs),
        await recall({ classWeights: 'balanced' }, loss, outputs),
      ];
      assert.ok(without < 0.6 && withThem > 0.7, `${loss}: ${without}, ${withThem}`);
    }
  });

  it('sparse and masked layers and any number of threads give the same bits', async () => {
    const options = { classWeights: 'balanced', sampleWeights: ownWeights, evolution: set({ zeta: 0.3 }) } as const;
    const digest = await run(options);
    assert.equal(await run(options, uneven, masked), digest);
    assert.equal(await run(options, uneven, sparse, 3), digest);
  });

  it('the loss of training is weighted, its accuracy and validations are not', async () => {
    const net = smallNetwork(10, 3, { layers: [dense({ units: 3 })] });
    const still = { optimizer: sgd({ learningRate: 0 }), evolution: null, epochs: 1 };
    const { loss, accuracy } = await net.evaluate(uneven);
    const two = new Float32Array(kept.length).fill(2);
    const { epochs } = await net.fit(uneven, { ...still, sampleWeights: two, validation: uneven }).done;
    assert.ok(Math.abs((epochs[0]?.loss as number) - 2 * loss) < 1e-9);
    assert.equal(epochs[0]?.accuracy, accuracy);
    assert.ok(Math.abs((epochs[0]?.validation?.loss as number) - loss) < 1e-9);
  });

  it('they are copied: changed after the call they change nothing', async () => {
    const mine = ownWeights.slice();
    const expected = await run({ sampleWeights: ownWeights });
    const net = run({ sampleWeights: mine });
    mine.fill(Number.NaN);
    assert.equal(await net, expected);
  });

  it('a file says that there were some, and what those of the classes were', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'weights.safetensors');
      const net = smallNetwork(10, 3, { classes: names });
      for (const options of [{ classWeights: { b: 2.5 } }, { classWeights: 'balanced' }, {}] as const)
        await net.fit(uneven, {
          epochs: 1,
          ...options,
          ...('classWeights' in options ? { sampleWeights: ownWeights } : {}),
        }).done;
      await net.save(path);
      const { fits } = metadataOf(path).run;
      assert.deepEqual(
        fits.map(({ options }: Anything) => [options.classWeights, options.sampleWeights]),
        [
          [[1, 2.5, 1], true],
          ['balanced', true],
          [undefined, undefined],
        ],
      );
      const bytes = readFileSync(path);
      await (await Network.load(path)).save(path);
      assert.ok(readFileSync(path).equals(bytes));
    });
  });

  describe('what is refused', () => {
    const net = smallNetwork(10, 3, { classes: names });
    const unnamed = smallNetwork(10, 3);
    const one = Network.createSync({ inputs: 10, layers: [dense({ units: 1 })] });
    const four = { x: randomFeatures(4, 10, 1), y: [0, 1, 2, 0] };
    const numbers = { x: four.x, y: new Float32Array(12) };
    const fractions = { x: four.x, y: Float32Array.of(0, 1, 0.25, 1) };
    const bce = { loss: 'binaryCrossEntropy', classWeights: 'balanced' };
    // biome-ignore format: a table
    const cases: [string, Network, object, object, Parameters<typeof throwsCode>[1], RegExp][] = [
      ['another word', net, four, { classWeights: 'equal' }, 'ERR_SETNET_TYPE', /classWeights must be 'balanced', an array.*not "equal"/],
      ['a number', net, four, { classWeights: 2 }, 'ERR_SETNET_TYPE', /classWeights must be.*not 2/],
      ['big integers', net, four, { classWeights: new BigInt64Array(3) }, 'ERR_SETNET_TYPE', /not a BigInt64Array/],
      ['too few numbers', net, four, { classWeights: [1, 2] }, 'ERR_SETNET_SHAPE', /classWeights has 2 numbers, but there are 3 classes/],
      ['a negative one', net, four, { classWeights: [1, -2, 1] }, 'ERR_SETNET_OPTION', /classWeights\[1\] must be a finite number of at least 0, not -2/],
      ['one that is not finite', net, four, { classWeights: [1, Number.NaN, 1] }, 'ERR_SETNET_OPTION', /classWeights\[1\].*not NaN/],
      ['text among numbers', net, four, { classWeights: [1, '2', 1] }, 'ERR_SETNET_TYPE', /classWeights\[1\].*not "2"/],
      ['an unknown class', net, four, { classWeights: { a: 1, d: 2 } }, 'ERR_SETNET_OPTION', /classWeights: there is no class "d"/],
      ['no class', net, four, { classWeights: new Map([['a', 2]]) }, 'ERR_SETNET_OPTION', /names no class/],
      ['a class with text', net, four, { classWeights: { a: '1' } }, 'ERR_SETNET_TYPE', /classWeights\["a"\]/],
      ['names where there are none', unnamed, four, { classWeights: { a: 1 } }, 'ERR_SETNET_OPTION', /created without `classes`/],
      ['classes of numbers', net, numbers, { loss: 'meanSquaredError', classWeights: 'balanced' }, 'ERR_SETNET_OPTION', /classWeights have no meaning for the loss 'meanSquaredError'/],
      ['classes of several labels', net, numbers, bce, 'ERR_SETNET_OPTION', /classWeights have no meaning for the loss 'binaryCrossEntropy' with 3 outputs/],
      ['classes of fractions', one, fractions, bce, 'ERR_SETNET_DATA', /classWeights need labels, but row 2 of data\.y is 0\.25/],
      ['sample weights of another type', net, four, { sampleWeights: 'all' }, 'ERR_SETNET_TYPE', /sampleWeights must have a number for each sample.*not "all"/],
      ['too many', net, four, { sampleWeights: new Float32Array(5) }, 'ERR_SETNET_SHAPE', /sampleWeights has 5 numbers, but there are 4 samples/],
      ['a negative one of a sample', net, four, { sampleWeights: [1, 1, -1, 1] }, 'ERR_SETNET_DATA', /sampleWeights\[2\] is -1; weights are at least 0/],
      ['infinity', net, four, { sampleWeights: Float32Array.of(1, Infinity, 1, 1) }, 'ERR_SETNET_NONFINITE', /sampleWeights\[1\] is Infinity/],
      ['text', net, four, { sampleWeights: [1, 1, 1, null] }, 'ERR_SETNET_TYPE', /sampleWeights\[3\] must be a number, not null/],
      ['more than f32 holds', net, four, { sampleWeights: [1, 1, 1, 1e39] }, 'ERR_SETNET_NONFINITE', /weight of sample 3 is no finite number in 32 bits/],
      ['nothing but zeros', net, four, { sampleWeights: new Float32Array(4) }, 'ERR_SETNET_DATA', /no sample has a weight above 0/],
      ['zeros for all classes that occur', net, { x: four.x, y: [0, 0, 0, 0] }, { classWeights: [0, 1, 1] }, 'ERR_SETNET_DATA', /no sample has a weight above 0/],
    ];
    for (const [what, network, data, options, code, pattern] of cases)
      it(what, () => throwsCode(() => network.fit(data as Anything, options as FitOptions), code, pattern));

    it('detached weights', () => {
      const gone = new Float32Array(4);
      structuredClone(gone, { transfer: [gone.buffer] });
      throwsCode(() => net.fit(four, { sampleWeights: gone }), 'ERR_SETNET_BUFFER', /sampleWeights is detached/);
    });

    it('a network that was refused weights can be fitted', async () => {
      assert.equal(net.isFitting, false);
      await net.fit(four, { epochs: 1, classWeights: 'balanced' }).done;
    });
  });
});
