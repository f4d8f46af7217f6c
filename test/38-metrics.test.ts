import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { CsrMatrix, dense, type Evaluation, type FitOptions, Network, sgd, sparse } from '../lib/index';
import { type Anything, blobs, mean, randomFeatures, rejectsCode, smallNetwork, throwsCode } from './helpers/helpers';

/** A network whose raw outputs are its inputs. */
function identity(units: number, classes?: readonly string[]): Network {
  const indices = Array.from({ length: units }, (_, i) => i);
  const weights = CsrMatrix.fromCoo({
    rows: units,
    columns: units,
    rowIndices: indices,
    columnIndices: indices,
    values: indices.map(() => 1),
  });
  const layers = [sparse({ weights, bias: false, activation: 'linear' })];
  return Network.createSync({ inputs: units, layers, threads: 1, ...(classes === undefined ? {} : { classes }) });
}

/** The same, measured by another loss than softmax cross-entropy. */
async function identityBy(loss: 'binaryCrossEntropy' | 'meanSquaredError', units: number): Promise<Network> {
  const net = identity(units);
  const data = { x: new Float32Array(units), y: new Float32Array(units) };
  const options = { epochs: 1, loss, optimizer: sgd({ learningRate: 0 }), evolution: null };
  await net.fit(data, options).done;
  return net;
}

const row = (values: Float32Array, units: number, i: number): number[] => [
  ...values.subarray(units * i, units * (i + 1)),
];

/** The mean of the recalls of the classes that occur. */
function plainRecall(actual: readonly number[], predicted: readonly number[]): number {
  return mean(
    [...new Set(actual)].map((c) => mean(predicted.filter((_, i) => actual[i] === c).map((p) => +(p === c)))),
  );
}

/** Every positive with every negative; undefined where there are none. */
function plainArea(scores: readonly number[], positive: readonly boolean[]): number | undefined {
  const of = (wanted: boolean): number[] => scores.filter((_, i) => positive[i] === wanted);
  const pairs = of(true).flatMap((p) => of(false).map((n) => (p > n ? 1 : p === n ? 0.5 : 0)));
  return pairs.length === 0 ? undefined : mean(pairs);
}

/** The mean of what is defined; undefined where nothing is. */
function meanOfDefined(values: readonly (number | undefined)[]): number | undefined {
  const defined = values.filter((value) => value !== undefined);
  return defined.length === 0 ? undefined : mean(defined);
}

function assertClose(actual: number | undefined, expected: number | undefined): void {
  if (expected === undefined) assert.equal(actual, undefined);
  else assert.ok(Math.abs((actual as number) - expected) < 1e-12, `${actual}, not ${expected}`);
}

const all = ['loss', 'accuracy', 'balancedAccuracy', 'confusion', 'auc'] as const;

/** Logits on a grid, so that there are ties. */
const logits = (length: number): fc.Arbitrary<Float32Array> =>
  fc
    .array(fc.integer({ min: -8, max: 8 }), { minLength: length, maxLength: length })
    .map((values) => Float32Array.from(values, (value) => value / 4));

const fractions = (length: number): fc.Arbitrary<Float32Array> =>
  fc
    .array(fc.constantFrom(0, 0.25, 0.5, 0.75, 1), { minLength: length, maxLength: length })
    .map((values) => Float32Array.from(values));

describe('metrics', () => {
  describe('equal plain models that count', () => {
    it('of classes', async () => {
      const networks = [2, 3, 5].map((units) => identity(units));
      const cases = fc
        .record({ net: fc.constantFrom(...networks), samples: fc.integer({ min: 1, max: 30 }) })
        .chain(({ net, samples }) =>
          fc.record({
            net: fc.constant(net),
            x: logits(samples * net.outputs),
            y: fc.array(fc.nat(net.outputs - 1), { minLength: samples, maxLength: samples }),
          }),
        );
      await fc.assert(
        fc.asyncProperty(cases, async ({ net, x, y }) => {
          const k = net.outputs;
          const evaluation = await net.evaluate({ x, y }, { metrics: all });
          const rows = y.map((_, i) => row(x, k, i));
          const predicted = rows.map((z) => z.indexOf(Math.max(...z)));
          assertClose(evaluation.accuracy, mean(predicted.map((p, i) => +(p === y[i]))));
          assertClose(evaluation.balancedAccuracy, plainRecall(y, predicted));
          const counts = Array.from({ length: k }, (_, a) =>
            Array.from({ length: k }, (_, p) => y.filter((c, i) => c === a && predicted[i] === p).length),
          );
          assert.deepEqual(evaluation.confusion, { counts });
          // The probability of a class orders as its log-odds do. Of two classes they are exact, and so are ties.
          const odds = (z: number[], c: number): number => {
            if (k === 2) return (z[c] as number) - (z[1 - c] as number);
            return Math.fround(
              (z[c] as number) - Math.log(z.reduce((sum, v, u) => sum + (u === c ? 0 : Math.exp(v)), 0)),
            );
          };
          const area = (c: number): number | undefined =>
            plainArea(
              rows.map((z) => odds(z, c)),
              y.map((label) => label === c),
            );
          assertClose(evaluation.auc, k === 2 ? area(1) : meanOfDefined(Array.from({ length: k }, (_, c) => area(c))));
        }),
        { numRuns: 150 },
      );
    });

    it('of fractions, one output or several', async () => {
      const networks = await Promise.all([1, 2, 4].map((units) => identityBy('binaryCrossEntropy', units)));
      const cases = fc
        .record({ net: fc.constantFrom(...networks), samples: fc.integer({ min: 1, max: 30 }) })
        .chain(({ net, samples }) =>
          fc.record({
            net: fc.constant(net),
            x: logits(samples * net.outputs),
            y: fractions(samples * net.outputs),
          }),
        );
      await fc.assert(
        fc.asyncProperty(cases, async ({ net, x, y }) => {
          const k = net.outputs;
          const { auc, balancedAccuracy, confusion, ...others } = await net.evaluate(
            { x, y },
            { metrics: k === 1 ? all : ['auc', 'balancedAccuracy'] },
          );
          assert.deepEqual(Object.keys(others), ['loss', 'accuracy', 'samples']);
          const of = (values: Float32Array, u: number, threshold: number): number[] =>
            [...values].filter((_, i) => i % k === u).map((value) => +(value > threshold));
          const outputs = Array.from({ length: k }, (_, u) => ({ actual: of(y, u, 0.5), predicted: of(x, u, 0) }));
          assertClose(
            balancedAccuracy,
            k === 1
              ? plainRecall(of(y, 0, 0.5), of(x, 0, 0))
              : meanOfDefined(
                  outputs.map(({ actual, predicted }) =>
                    new Set(actual).size === 2 ? plainRecall(actual, predicted) : undefined,
                  ),
                ),
          );
          const area = ({ actual }: { actual: number[] }, u: number): number | undefined =>
            plainArea(
              [...x].filter((_, i) => i % k === u),
              actual.map((value) => value === 1),
            );
          assertClose(auc, meanOfDefined(outputs.map(area)));
          if (k > 1) return;
          const { actual, predicted } = outputs[0] as (typeof outputs)[number];
          const counts = [0, 1].map((a) =>
            [0, 1].map((p) => actual.filter((c, i) => c === a && predicted[i] === p).length),
          );
          assert.deepEqual(confusion, { counts });
        }),
        { numRuns: 150 },
      );
    });
  });

  it('confusion has the names of the classes, rows are what is true, columns what is answered', async () => {
    const net = identity(3, ['cat', 'dog', 'fox']);
    const x = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 1, 0);
    const { confusion } = await net.evaluate({ x, y: ['cat', 'dog', 'fox'] }, { metrics: ['confusion'] });
    const expected = [
      [1, 0, 0],
      [0, 1, 0],
      [0, 1, 0],
    ];
    assert.deepEqual(confusion, { counts: expected, classes: ['cat', 'dog', 'fox'] });
    assert.deepEqual(JSON.parse(JSON.stringify(confusion)).counts, expected);
  });

  it('what is undefined is absent: an area of one class, one of outputs that are no numbers', async () => {
    const net = identity(2);
    const options = { metrics: all };
    const one = await net.evaluate({ x: Float32Array.of(0, 1, 1, 0), y: [1, 1] }, options);
    assert.ok(!('auc' in one));
    assert.equal(one.balancedAccuracy, 0.5);
    const several = await identityBy('binaryCrossEntropy', 2);
    const data = { x: Float32Array.of(0, 1, 1, 0), y: Float32Array.of(0, 1, 0, 1) };
    const labels = await several.evaluate(data, { metrics: ['balancedAccuracy', 'auc'] });
    assert.deepEqual(Object.keys(labels), ['loss', 'accuracy', 'samples']);

    const ten = CsrMatrix.fromDense(Float32Array.of(10, 10, 10, 10), { rows: 2, columns: 2 });
    const large = Network.createSync({
      inputs: 2,
      layers: [sparse({ weights: ten, bias: false, activation: 'linear' })],
    });
    const overflown = await large.evaluate({ x: new Float32Array(4).fill(3e38), y: [0, 1] }, options);
    assert.ok(!('auc' in overflown));
    assert.ok(Number.isNaN(overflown.loss));
    assert.deepEqual(
      overflown.confusion?.counts.flat().reduce((a, b) => a + b),
      2,
    );
  });

  describe('of validations', () => {
    const { x, y } = blobs(300, 10, 3, 5);
    const validation = blobs(200, 10, 3, 6);
    const run = async (options: FitOptions, threads = 1): Promise<Evaluation[]> => {
      const net = smallNetwork(10, 3, { classes: ['a', 'b', 'c'], threads });
      const training = net.fit({ x, y }, { epochs: 3, validation, metrics: all, ...options });
      const seen: Evaluation[] = [];
      for await (const epoch of training) {
        seen.push(epoch.validation as Evaluation);
        // An evolution would come between the two.
        if (options.evolution === null)
          assert.deepEqual(epoch.validation, await net.evaluate(validation, { metrics: all }));
      }
      const { epochs, final } = await training.done;
      assert.deepEqual(
        epochs.map((epoch) => epoch.validation),
        seen,
      );
      const last = final?.validation ?? seen.at(-1);
      assert.deepEqual(last, await net.evaluate(validation, { metrics: all }));
      return [...seen, last as Evaluation];
    };

    it('every epoch and the final removal have them, as evaluate has, with names', async () => {
      for (const evaluation of [...(await run({ epochs: 6 })), ...(await run({ evolution: null }))]) {
        assert.deepEqual(evaluation.confusion?.classes, ['a', 'b', 'c']);
        const counts = evaluation.confusion?.counts as number[][];
        assert.equal(
          counts.flat().reduce((a, b) => a + b),
          200,
        );
        assertClose(evaluation.accuracy, counts.reduce((sum, of, c) => sum + (of[c] as number), 0) / 200);
        assertClose(
          evaluation.balancedAccuracy,
          mean(counts.map((of, c) => (of[c] as number) / of.reduce((a, b) => a + b))),
        );
        assert.ok((evaluation.auc as number) > 0.5 && (evaluation.auc as number) <= 1, `${evaluation.auc}`);
      }
    });

    it('they are the same for any number of threads', async () => {
      assert.deepEqual(await run({}), await run({}, 3));
    });

    it('they change nothing, and without them there are loss and accuracy alone', async () => {
      const withThem = await run({});
      const net = smallNetwork(10, 3);
      const { epochs } = await net.fit({ x, y }, { epochs: 3, validation }).done;
      for (const [i, epoch] of epochs.entries()) {
        const { loss, accuracy } = withThem[i] as Evaluation;
        assert.deepEqual(epoch.validation, { loss, accuracy, samples: 200 });
      }
    });
  });

  it('a network that was never fitted is measured by softmax', async () => {
    const { x, y } = blobs(60, 10, 4, 2);
    const evaluation = await smallNetwork(10, 4).evaluate({ x, y }, { metrics: ['auc', 'auc'] });
    assert.deepEqual(Object.keys(evaluation), ['loss', 'accuracy', 'auc', 'samples']);
  });

  describe('what is refused', () => {
    const net = smallNetwork(10, 4);
    const data = blobs(20, 10, 4, 3);
    const numbers = { x: data.x, y: new Float32Array(80) };
    const validation = data;
    const mse = { loss: 'meanSquaredError', validation: numbers } as const;
    const bce = { loss: 'binaryCrossEntropy', validation: numbers } as const;
    // biome-ignore format: a table
    const cases: [string, object, object, Parameters<typeof throwsCode>[1], RegExp][] = [
      ['an unknown name', data, { validation, metrics: ['aucc'] }, 'ERR_SETNET_OPTION', /metrics\[0\]: there is no "aucc"\. Did you mean 'auc'\? There is 'loss', 'accuracy', 'balancedAccuracy', 'confusion' or 'auc'/],
      ['no list', data, { validation, metrics: 'auc' }, 'ERR_SETNET_TYPE', /metrics must be an array of names, not "auc"/],
      ['a list of other things', data, { validation, metrics: [1] }, 'ERR_SETNET_TYPE', /metrics\[0\] must be 'loss'.*not 1/],
      ['confusion of numbers', numbers, { ...mse, metrics: ['loss', 'confusion'] }, 'ERR_SETNET_OPTION', /metrics\[1\]: 'confusion' has no meaning for the loss 'meanSquaredError'/],
      ['auc of numbers', numbers, { ...mse, metrics: ['auc'] }, 'ERR_SETNET_OPTION', /'auc' has no meaning for the loss 'meanSquaredError'/],
      ['accuracy of numbers', numbers, { ...mse, metrics: ['accuracy'] }, 'ERR_SETNET_OPTION', /'accuracy' has no meaning for the loss 'meanSquaredError'/],
      ['confusion of several labels', numbers, { ...bce, metrics: ['confusion'] }, 'ERR_SETNET_OPTION', /'confusion' has no meaning for the loss 'binaryCrossEntropy' with 4 outputs/],
      ['metrics of nothing', data, { metrics: ['auc'] }, 'ERR_SETNET_OPTION', /metrics are of validations, but there is no `validation`/],
    ];
    for (const [what, given, options, code, pattern] of cases)
      it(what, () => throwsCode(() => net.fit(given as Anything, options as FitOptions), code, pattern));

    it('in evaluate too', async () => {
      const numbersOf = await identityBy('meanSquaredError', 2);
      const two = { x: new Float32Array(2), y: new Float32Array(2) };
      await rejectsCode(
        numbersOf.evaluate(two, { metrics: ['auc'] }),
        'ERR_SETNET_OPTION',
        /evaluate: metrics\[0\]: 'auc' has no meaning for the loss 'meanSquaredError'/,
      );
      assert.ok(!('auc' in (await numbersOf.evaluate(two, { metrics: ['loss'] }))));
      await rejectsCode(net.evaluate(data, { metrics: 3 } as Anything), 'ERR_SETNET_TYPE', /metrics must be an array/);
    });

    it('a table of more than 1024 classes', async () => {
      const wide = Network.createSync({ inputs: 2, layers: [dense({ units: 1025 })] });
      const one = { x: randomFeatures(1, 2, 1), y: [1024] };
      await rejectsCode(
        wide.evaluate(one, { metrics: ['confusion'] }),
        'ERR_SETNET_OPTION',
        /'confusion' is for at most 1024 classes, but there are 1025/,
      );
      assert.equal((await wide.evaluate(one, { metrics: ['balancedAccuracy'] })).samples, 1);
    });
  });
});
