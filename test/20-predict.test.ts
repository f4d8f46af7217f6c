import { strict as assert } from 'node:assert';
import vm from 'node:vm';
import { dense, type FeatureArray, masked, Network, type Scaling, sparse } from '../lib/index';
import { assertSameBits, blobs, randomFeatures, randomSource, smallNetwork } from './helpers/helpers';

/** The forward pass in double precision, from what the network shows of itself. */
function reference(net: Network, x: ArrayLike<number>): number[] {
  const rows = x.length / net.inputs;
  const answers: number[] = [];
  for (let row = 0; row < rows; row++) {
    let signal = Array.from({ length: net.inputs }, (_, i) => x[row * net.inputs + i] as number);
    for (const layer of net.layers) {
      const { rowPointers, columnIndices, values } = layer.weights;
      const bias = layer.bias;
      signal = Array.from({ length: layer.units }, (_, unit) => {
        let sum = bias?.[unit] ?? 0;
        for (let k = rowPointers[unit] as number; k < (rowPointers[unit + 1] as number); k++) {
          sum += (values[k] as number) * (signal[columnIndices[k] as number] as number);
        }
        return layer.activation === 'relu' ? Math.max(sum, 0) : sum;
      });
    }
    answers.push(...signal);
  }
  return answers;
}

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs((actual[i] as number) - (expected[i] as number));
    assert.ok(
      difference <= tolerance * (1 + Math.abs(expected[i] as number)),
      `[${i}]: ${actual[i]}, not ${expected[i]}`,
    );
  }
}

/** A network whose biases are not all zero. */
async function fittedNetwork(inputs: number, classes: number): Promise<Network> {
  const net = smallNetwork(inputs, classes);
  await net.fit(blobs(300, inputs, classes, 5), { epochs: 2 }).done;
  return net;
}

describe('20 predict', () => {
  it('answers what a plain forward pass in double precision answers', async () => {
    for (const layer of [sparse, masked]) {
      const net = Network.createSync({
        inputs: 37,
        seed: 9,
        layers: [layer({ units: 61, epsilon: 6, bias: false }), layer({ units: 45, epsilon: 4 }), dense({ units: 7 })],
      });
      await net.fit(blobs(200, 37, 7, 3), { epochs: 2, evolution: null }).done;
      const x = randomFeatures(53, 37, 11);
      assertNear(net.predictSync(x, { output: 'logits' }), reference(net, x));
    }
  });

  it("a row's answer does not depend on the rows beside it, nor on the number of threads", () => {
    const layers = [sparse({ units: 300, epsilon: 15 }), masked({ units: 200, epsilon: 10 }), dense({ units: 10 })];
    const make = (threads: number) => Network.createSync({ inputs: 100, seed: 5, layers, threads });
    const x = randomFeatures(260, 100, 2);
    const whole = make(1).predictSync(x);
    for (const threads of [1, 2, 3]) {
      const net = make(threads);
      for (const rows of [1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 64, 100, 128, 260]) {
        for (const start of [0, 260 - rows]) {
          const part = net.predictSync(x.subarray(start * 100, (start + rows) * 100));
          assertSameBits(
            part,
            whole.subarray(start * 10, (start + rows) * 10),
            `${threads} threads, ${rows} rows from ${start}`,
          );
        }
      }
    }
  });

  it('predict and predictSync agree bit for bit', async () => {
    const net = await fittedNetwork(12, 3);
    const x = randomFeatures(77, 12, 4);
    for (const output of ['logits', 'probabilities'] as const) {
      assertSameBits(await net.predict(x, { output }), net.predictSync(x, { output }));
    }
    assertSameBits(await net.predict(x, { output: 'classes' }), net.predictSync(x, { output: 'classes' }));
  });

  it('many predictions at once are all answered', async () => {
    const net = smallNetwork(12, 3);
    const x = randomFeatures(40, 12, 4);
    const whole = net.predictSync(x);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, row) => net.predict(x.subarray(row * 12, (row + 1) * 12))),
    );
    for (let row = 0; row < 40; row++)
      assertSameBits(answers[row] as Float32Array, whole.subarray(row * 3, (row + 1) * 3));
  });

  it('predict copies its input before it returns', async () => {
    const net = smallNetwork(12, 3);
    const x = randomFeatures(500, 12, 4);
    const expected = net.predictSync(x);
    const answer = net.predict(x);
    x.fill(Number.NaN);
    assertSameBits(await answer, expected);
  });

  it('a network that was never fitted answers its raw output', async () => {
    const net = smallNetwork(12, 3);
    const x = randomFeatures(5, 12, 4);
    assertSameBits(net.predictSync(x), net.predictSync(x, { output: 'logits' }));
    assertSameBits(await net.predict(x), net.predictSync(x));
  });

  it('a fitted network answers probabilities: the softmax of the logits', async () => {
    const net = await fittedNetwork(12, 3);
    const x = randomFeatures(50, 12, 4);
    const logits = net.predictSync(x, { output: 'logits' });
    const probabilities = net.predictSync(x);
    assertSameBits(probabilities, net.predictSync(x, { output: 'probabilities' }));
    for (let row = 0; row < 50; row++) {
      const powers = Array.from(logits.subarray(3 * row, 3 * row + 3), Math.exp);
      const sum = powers.reduce((a, b) => a + b);
      assertNear(
        probabilities.subarray(3 * row, 3 * row + 3),
        powers.map((power) => power / sum),
      );
    }
  });

  it('classes are the largest outputs, ties to the lower one', async () => {
    const net = await fittedNetwork(12, 3);
    const x = randomFeatures(50, 12, 4);
    const logits = net.predictSync(x, { output: 'logits' });
    const classes = net.predictSync(x, { output: 'classes' });
    assert.ok(classes instanceof Int32Array);
    for (let row = 0; row < 50; row++) {
      const outputs = Array.from(logits.subarray(3 * row, 3 * row + 3));
      assert.equal(classes[row], outputs.indexOf(Math.max(...outputs)));
    }
    const tied = Network.createSync({ inputs: 2, seed: 1, layers: [dense({ units: 4, initializer: 'zero' })] });
    assert.deepEqual(tied.predictSync(new Float32Array(4), { output: 'classes' }), new Int32Array([0, 0]));
  });

  it('out receives the answers and is returned', async () => {
    const net = await fittedNetwork(12, 3);
    const x = randomFeatures(5, 12, 4);
    const out = new Float32Array(15);
    assert.equal(net.predictSync(x, out), out);
    assertSameBits(out, net.predictSync(x));
    assert.equal(net.predictSync(x, out, { output: 'logits' }), out);
    assertSameBits(out, net.predictSync(x, { output: 'logits' }));
    const classes = new Int32Array(5);
    assert.equal(net.predictSync(x, classes, { output: 'classes' }), classes);
    assertSameBits(classes, net.predictSync(x, { output: 'classes' }));
    const larger = new Float32Array(40).fill(5);
    net.predictSync(x, larger.subarray(10, 25));
    assertSameBits(larger.subarray(10, 25), net.predictSync(x));
    assert.ok(
      larger.subarray(0, 10).every((value) => value === 5) && larger.subarray(25).every((value) => value === 5),
    );
  });

  it('takes all six element types, with the same numbers the same bits', () => {
    const net = smallNetwork(12, 3);
    const random = randomSource(8);
    const numbers = Array.from({ length: 60 }, () => Math.floor(100 * random()));
    const expected = net.predictSync(Float32Array.from(numbers));
    for (const Type of [Float64Array, Uint8Array, Int8Array, Uint16Array, Int16Array]) {
      assertSameBits(net.predictSync(Type.from(numbers) as FeatureArray), expected, Type.name);
    }
    const negative = numbers.map((number) => -number);
    const expectedNegative = net.predictSync(Float32Array.from(negative));
    assertSameBits(net.predictSync(Int8Array.from(negative)), expectedNegative);
    assertSameBits(net.predictSync(Int16Array.from(negative)), expectedNegative);
  });

  it('takes a matrix with its shape, shared memory, parts of buffers and Buffers', () => {
    const net = smallNetwork(12, 3);
    const numbers = Uint8Array.from({ length: 36 }, (_, i) => (7 * i) % 100);
    const expected = net.predictSync(numbers);
    assertSameBits(net.predictSync({ data: numbers, shape: [3, 12] }), expected);
    const shared = new Uint8Array(new SharedArrayBuffer(36));
    shared.set(numbers);
    assertSameBits(net.predictSync(shared), expected);
    const wide = new Float64Array(50);
    wide.set(numbers, 5);
    assertSameBits(net.predictSync(wide.subarray(5, 41)), expected);
    assertSameBits(net.predictSync(Buffer.from(numbers)), expected);
    const odd = new Uint8Array(41);
    odd.set(numbers, 3);
    assertSameBits(net.predictSync(new Uint8Array(odd.buffer, 3, 36)), expected);
  });

  it('takes arrays of another realm, as jest makes them', async () => {
    const net = smallNetwork(12, 3);
    const numbers = Array.from({ length: 24 }, (_, i) => i / 10);
    const context = vm.createContext({ numbers });
    const x = vm.runInContext('Float32Array.from(numbers)', context) as Float32Array;
    assert.ok(!(x instanceof Float32Array));
    assertSameBits(net.predictSync(x), net.predictSync(Float32Array.from(numbers)));
    const y = vm.runInContext('Int32Array.from([0, 2])', context) as Int32Array;
    const out = vm.runInContext('new Float32Array(6)', context) as Float32Array;
    assert.equal(net.predictSync(x, out), out);
    assert.equal((await net.evaluate({ x, y })).samples, 2);
    await net.fit({ x, y: vm.runInContext('[1, 0]', context) as number[] }, { epochs: 1 }).done;
  });

  it('no rows give no answers', async () => {
    const net = smallNetwork(12, 3);
    assert.equal(net.predictSync(new Float32Array(0)).length, 0);
    assert.equal((await net.predict(new Float32Array(0))).length, 0);
    assert.equal((await net.predict({ data: new Uint8Array(0), shape: [0, 12] }, { output: 'classes' })).length, 0);
  });

  it('given scaling is (float(x) - mean) * scale, two roundings', () => {
    const x = Float64Array.from(randomFeatures(9, 12, 3), (value) => 100 * value);
    const random = randomSource(4);
    const mean = Float32Array.from({ length: 12 }, () => 10 * random());
    const scale = Float32Array.from({ length: 12 }, () => random());
    const scaled = Float32Array.from(x, (value, i) =>
      Math.fround(Math.fround(Math.fround(value) - (mean[i % 12] as number)) * (scale[i % 12] as number)),
    );
    const plain = smallNetwork(12, 3).predictSync(scaled);
    assertSameBits(smallNetwork(12, 3, { scaling: { mean, scale } }).predictSync(x), plain);
    assertSameBits(smallNetwork(12, 3, { scaling: { mean: [...mean], scale: [...scale] } }).predictSync(x), plain);
    const one: Scaling = { mean: 3, scale: 0.5 };
    const each: Scaling = { mean: new Float32Array(12).fill(3), scale: new Float32Array(12).fill(0.5) };
    assertSameBits(
      smallNetwork(12, 3, { scaling: one }).predictSync(x),
      smallNetwork(12, 3, { scaling: each }).predictSync(x),
    );
  });

  it('missing values become 0 after scaling', () => {
    const scaling: Scaling = { mean: 3, scale: 0.5 };
    const x = randomFeatures(4, 12, 3);
    const known = x.slice();
    for (const i of [0, 13, 14, 40]) known[i] = 3;
    const expected = smallNetwork(12, 3, { scaling }).predictSync(known);
    for (const missing of [Number.NaN, -999]) {
      const holes = known.slice();
      for (const i of [0, 13, 14, 40]) holes[i] = missing;
      assertSameBits(smallNetwork(12, 3, { scaling, missing }).predictSync(holes), expected);
    }
  });
});
