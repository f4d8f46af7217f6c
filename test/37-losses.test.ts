import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { dense, Network, type NetworkOptions, Session, sparse } from '../lib/index';
import { onnxModel } from '../lib/onnx';
import {
  assertSameBits,
  blobs,
  digestOf,
  metadataOf,
  randomFeatures,
  rejectsCode,
  throwsCode,
  withFolder,
} from './helpers/helpers';
import { computeOnnx, readOnnx } from './helpers/onnx';

function networkOf(outputs: number, options: Partial<NetworkOptions> = {}): Network {
  const layers = [sparse({ units: 32, density: 0.5 }), dense({ units: outputs })];
  return Network.createSync({ inputs: 10, seed: 7, threads: 2, layers, ...options });
}

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
const rounds = { epochs: 15, batchSize: 16 };

/** Two classes, and of the same samples three labels that may be true together and two numbers. */
const { x, y } = blobs(300, 10, 2, 11);
const labels = Float32Array.from({ length: 3 * 300 }, (_, i) => {
  const row = Math.floor(i / 3);
  return [y[row] as number, 1 - (y[row] as number), Number((x[10 * row] as number) > 0)][i % 3] as number;
});
const numbers = Float64Array.from({ length: 2 * 300 }, (_, i) => {
  const row = Math.floor(i / 2);
  const [a, b] = [x[10 * row] as number, x[10 * row + 1] as number];
  return i % 2 === 0 ? a + 2 * b : a - b + 1;
});

/** Loss of a sample: the mean over its outputs. */
function meanOf(loss: (z: number, y: number) => number, z: ArrayLike<number>, targets: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < z.length; i++) sum += loss(z[i] as number, targets[i] as number);
  return sum / z.length;
}
const crossEntropy = (z: number, t: number): number => Math.max(z, 0) - z * t + Math.log1p(Math.exp(-Math.abs(z)));

function assertClose(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-5 * Math.max(1, Math.abs(expected)), `${actual}, not ${expected}`);
}

describe('losses', () => {
  describe('binaryCrossEntropy with one output', () => {
    it('learns two classes, by number, by name and as fractions alike', async () => {
      const digests = new Set<string>();
      for (const targets of [
        y,
        Uint8Array.from(y),
        Array.from(y, (k) => ['no', 'yes'][k] as string),
        Float32Array.from(y),
      ]) {
        const net = networkOf(1, { classes: ['no', 'yes'] });
        const options = { ...rounds, loss: 'binaryCrossEntropy', validation: { x, y: targets } } as const;
        const { epochs, final } = await net.fit({ x, y: targets }, options).done;
        assert.ok((final?.validation?.accuracy as number) > 0.95, `accuracy ${final?.validation?.accuracy}`);
        assert.ok((epochs.at(-1)?.loss as number) < 0.5 * (epochs[0]?.loss as number));
        digests.add(digestOf(net));
      }
      assert.equal(digests.size, 1);
    });

    it('predict answers sigmoids, and the class by the threshold 1/2; sessions answer the same', async () => {
      const net = networkOf(1);
      await net.fit({ x, y }, { ...rounds, loss: 'binaryCrossEntropy' }).done;
      const logits = net.predictSync(x, { output: 'logits' });
      const probabilities = net.predictSync(x);
      for (const [i, z] of logits.entries()) assert.ok(Math.abs((probabilities[i] as number) - sigmoid(z)) < 1e-6);
      const classes = await net.predict(x, { output: 'classes' });
      assert.deepEqual(
        [...classes],
        Array.from(logits, (z) => Number(z > 0)),
      );
      assert.deepEqual(net.predictSync(x, { output: 'classes' }), classes);
      const { accuracy, loss, samples } = await net.evaluate({ x, y });
      assert.equal(accuracy, classes.reduce((right, k, i) => right + Number(k === y[i]), 0) / 300);
      assertClose(loss, meanOf(crossEntropy, logits, y));
      assert.equal(samples, 300);
      const session: Session = await net.freeze();
      assertSameBits(await session.predict(x), probabilities);
      assert.deepEqual(session.predictSync(x, { output: 'classes' }), classes);
      await session.close();
    });
  });

  it('binaryCrossEntropy with several outputs learns labels that are true together', async () => {
    const net = networkOf(3);
    const data = { x, y: { data: labels, shape: [300, 3] as const } };
    await net.fit(data, { ...rounds, epochs: 30, loss: 'binaryCrossEntropy' }).done;
    const logits = net.predictSync(x, { output: 'logits' });
    const { accuracy, loss } = await net.evaluate({ x, y: Uint8Array.from(labels) });
    assert.equal(accuracy, logits.reduce((right, z, i) => right + Number(Number(z > 0) === labels[i]), 0) / 900);
    assert.ok((accuracy as number) > 0.9, `accuracy ${accuracy}`);
    assertClose(loss, meanOf(crossEntropy, logits, labels));
    throwsCode(() => net.predictSync(x, { output: 'classes' }), 'ERR_SETNET_STATE', /3 outputs.*'probabilities'/);
    await rejectsCode(net.predict(x, { output: 'classes' }), 'ERR_SETNET_STATE', /threshold/);
  });

  it('meanSquaredError learns numbers; predict answers them', async () => {
    const net = networkOf(2);
    const training = net.fit(
      { x, y: numbers },
      { ...rounds, epochs: 30, loss: 'meanSquaredError', validation: { x, y: numbers } },
    );
    const { epochs, final } = await training.done;
    for (const report of [epochs[0], final?.validation]) assert.ok(report !== undefined && !('accuracy' in report));
    const answers = net.predictSync(x);
    assertSameBits(answers, net.predictSync(x, { output: 'logits' }));
    const { loss } = await net.evaluate({ x, y: { data: numbers, shape: [300, 2] } });
    assertClose(
      loss,
      meanOf((z, t) => (z - t) ** 2, answers, numbers),
    );
    assert.ok((epochs.at(-1)?.loss as number) < 0.1 * (epochs[0]?.loss as number), `${epochs.at(-1)?.loss}`);
    for (const output of ['probabilities', 'classes'] as const) {
      const call = (): unknown => net.predictSync(x, undefined, { output } as { output: 'classes' });
      throwsCode(call, 'ERR_SETNET_STATE', /'meanSquaredError'.*ask for 'logits'/);
    }
    throwsCode(() => onnxModel(net, { probabilities: true }), 'ERR_SETNET_STATE', /leave `probabilities` out/);
  });

  it('results do not depend on the number of threads', async () => {
    for (const loss of ['binaryCrossEntropy', 'meanSquaredError'] as const) {
      const run = async (threads: number): Promise<string> => {
        const net = networkOf(3, { threads });
        const { epochs } = await net.fit({ x, y: labels }, { ...rounds, epochs: 3, loss }).done;
        return digestOf(net) + epochs.map((epoch) => epoch.loss).join();
      };
      assert.equal(await run(1), await run(3));
    }
  });

  it('targets are copied: changed after the call they change nothing', async () => {
    const digests: string[] = [];
    for (const spoil of [false, true]) {
      const net = networkOf(3);
      const mine = labels.slice();
      const training = net.fit({ x, y: mine }, { epochs: 3, loss: 'binaryCrossEntropy' });
      if (spoil) mine.fill(Number.NaN);
      await training.done;
      digests.push(digestOf(net));
    }
    assert.equal(digests[0], digests[1]);
  });

  it('a file and an ONNX model know the loss', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'binary.safetensors');
      const net = networkOf(1, { classes: ['no', 'yes'] });
      await net.fit({ x, y }, { ...rounds, loss: 'binaryCrossEntropy' }).done;
      await net.save(path);
      assert.equal(metadataOf(path).loss, 'binaryCrossEntropy');
      const loaded = await Network.load(path);
      assert.deepEqual(loaded.classes, ['no', 'yes']);
      assertSameBits(loaded.predictSync(x), net.predictSync(x));
      assert.deepEqual(await loaded.evaluate({ x, y }), await net.evaluate({ x, y }));
      const session = await Session.load(path);
      assertSameBits(session.predictSync(x), net.predictSync(x));
      await session.close();
      const { model } = onnxModel(net, { probabilities: true });
      const answers = computeOnnx(readOnnx(Buffer.concat([...model])), x).data;
      for (const [i, p] of net.predictSync(x).entries()) assert.ok(Math.abs((answers[i] as number) - p) < 1e-5);
    });
  });

  it('another loss in a second fit asks for other targets', async () => {
    const net = networkOf(3);
    await net.fit({ x, y: labels }, { epochs: 1, loss: 'meanSquaredError' }).done;
    await rejectsCode(
      net.evaluate({ x, y }),
      'ERR_SETNET_SHAPE',
      /300 elements, but 300 samples of 3 outputs need 900/,
    );
    await net.fit({ x, y }, { epochs: 1 }).done;
    assert.equal((await net.evaluate({ x, y })).samples, 300);
    await rejectsCode(net.evaluate({ x, y: labels }), 'ERR_SETNET_TYPE', /class numbers/);
  });

  describe('what is refused', () => {
    const few = { x: randomFeatures(4, 10, 1) };
    const changed = (at: number, value: number): Float32Array => {
      const copy = new Float32Array(12);
      copy[at] = value;
      return copy;
    };
    const three = networkOf(3);
    const one = networkOf(1);
    const bce = { loss: 'binaryCrossEntropy' } as const;
    const mse = { loss: 'meanSquaredError' } as const;
    // biome-ignore format: a table
    const cases: [string, () => unknown, Parameters<typeof throwsCode>[1], RegExp][] = [
      ['too few numbers', () => three.fit({ ...few, y: new Float32Array(11) }, mse), 'ERR_SETNET_SHAPE', /data\.y has 11 elements, but 4 samples of 3 outputs need 12/],
      ['another shape', () => three.fit({ ...few, y: { data: new Float32Array(12), shape: [3, 4] } }, mse), 'ERR_SETNET_SHAPE', /shape must be \[4, 3\].*not \[3, 4\]/],
      ['no shape', () => three.fit({ ...few, y: { data: new Float32Array(12) } as never }, mse), 'ERR_SETNET_TYPE', /shape must be \[rows, columns\], not undefined/],
      ['NaN', () => three.fit({ ...few, y: changed(7, Number.NaN) }, mse), 'ERR_SETNET_NONFINITE', /row 2, column 1 is NaN/],
      ['more than f32 holds', () => three.fit({ ...few, y: Float64Array.from(changed(7, 0), (_, i) => (i === 3 ? 1e39 : 0)) }, mse), 'ERR_SETNET_NONFINITE', /row 1, column 0 is Infinity/],
      ['a fraction above 1', () => three.fit({ ...few, y: changed(11, 1.5) }, bce), 'ERR_SETNET_DATA', /row 3, column 2 is 1\.5, but 'binaryCrossEntropy' takes targets from 0 to 1/],
      ['a fraction below 0', () => three.fit({ ...few, y: changed(0, -0.5) }, bce), 'ERR_SETNET_DATA', /row 0, column 0 is -0\.5/],
      ['NaN as a fraction', () => three.fit({ ...few, y: changed(4, Number.NaN) }, bce), 'ERR_SETNET_NONFINITE', /row 1, column 1/],
      ['a third class of one output', () => one.fit({ ...few, y: [0, 1, 2, 1] }, bce), 'ERR_SETNET_DATA', /y\[2\] must be a class number from 0 to 1 \(the network has 1 output, for two classes\), not 2/],
      ['names without classes', () => one.fit({ ...few, y: ['a', 'b', 'a', 'b'] }, bce), 'ERR_SETNET_DATA', /created without/],
      ['a list where a number for each output is needed', () => three.fit({ ...few, y: [0, 1, 2, 0] }, bce), 'ERR_SETNET_TYPE', /a number for each output.*'binaryCrossEntropy'.*not an array of length 4/],
      ['a matrix for softmax', () => three.fit({ ...few, y: new Float32Array(12) }), 'ERR_SETNET_TYPE', /not a Float32Array.*'binaryCrossEntropy' and 'meanSquaredError'/],
      ['a matrix with a shape for softmax', () => three.fit({ ...few, y: { data: new Float32Array(12), shape: [4, 3] } }), 'ERR_SETNET_TYPE', /not an object/],
      ['nothing', () => three.fit({ ...few, y: undefined as never }, mse), 'ERR_SETNET_TYPE', /not undefined/],
      ['validation alike', () => three.fit({ ...few, y: new Float32Array(12) }, { ...mse, validation: { ...few, y: changed(1, Infinity) } }), 'ERR_SETNET_NONFINITE', /validation\.y: row 0, column 1/],
      ['softmax over one output', () => one.fit({ ...few, y: [0, 1, 0, 1] }), 'ERR_SETNET_SHAPE', /at least 2 outputs.*'binaryCrossEntropy'/],
    ];
    for (const [what, call, code, pattern] of cases) it(what, () => throwsCode(call, code, pattern));

    it('detached targets', () => {
      const gone = new Float32Array(12);
      structuredClone(gone, { transfer: [gone.buffer] });
      throwsCode(() => three.fit({ ...few, y: gone }, mse), 'ERR_SETNET_BUFFER', /data\.y is detached/);
    });
  });
});
