import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import {
  type Activation,
  dense,
  type LayerDefinition,
  masked,
  Network,
  type NetworkOptions,
  sparse,
} from '../lib/index';
import { type OnnxModel, onnxModel } from '../lib/onnx';
import { Message } from '../lib/onnx/protobuf';
import { blobs, digestOf, randomFeatures, smallNetwork, throwsCode } from './helpers/helpers';
import { computeOnnx, readOnnx, type Values } from './helpers/onnx';

function bytesOf(file: Iterable<Uint8Array>): Buffer {
  return Buffer.concat([...file]);
}

function compute({ model, externalData }: OnnxModel, x: Float32Array): Values {
  return computeOnnx(readOnnx(bytesOf(model), externalData && bytesOf(externalData)), x);
}

/** The model's numbers are the network's, up to f32 sums. */
function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    const [a, b] = [actual[i] as number, expected[i] as number];
    assert.ok(Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(b)), `element ${i}: ${a}, not ${b}`);
  }
}

const layers: fc.Arbitrary<LayerDefinition> = fc
  .record({
    kind: fc.constantFrom(sparse, masked, dense),
    units: fc.integer({ min: 1, max: 30 }),
    activation: fc.constantFrom<Activation[]>(
      'relu',
      'linear',
      'clippedRelu',
      { kind: 'clippedRelu', max: 0.3 },
      'leakyRelu',
      { kind: 'leakyRelu', slope: 0.5 },
      'allRelu',
      { kind: 'allRelu', slope: 0.25 },
      'sigmoid',
      'tanh',
      'gelu',
    ),
    density: fc.double({ min: 0.01, max: 1, noNaN: true }),
    bias: fc.boolean(),
  })
  .map(({ kind, density, ...common }) =>
    kind === dense ? dense(common) : (kind as typeof sparse)({ ...common, density }),
  );

const networks: fc.Arbitrary<NetworkOptions> = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.nat(), fc.array(layers, { minLength: 1, maxLength: 4 }))
  .chain(([inputs, seed, layers]) =>
    fc
      .record({
        scaling: fc.option(
          fc.constantFrom(1, inputs).chain((length) =>
            fc.record({
              mean: fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: length, maxLength: length }),
              scale: fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { minLength: length, maxLength: length }),
            }),
          ),
        ),
        missing: fc.option(fc.constantFrom(Number.NaN, 0.1, -7)),
      })
      .map(({ scaling, missing }) => ({
        inputs,
        seed,
        layers,
        threads: 1,
        ...(scaling === null ? {} : { scaling }),
        ...(missing === null ? {} : { missing }),
      })),
  );

describe('42 ONNX', () => {
  it('random networks, read back and computed in double, give the numbers of predict', () => {
    fc.assert(
      fc.property(networks, fc.boolean(), (options, isExternal) => {
        const net = Network.createSync(options);
        const x = randomFeatures(3, options.inputs, 5);
        const { missing } = options;
        if (missing !== undefined) for (let i = 0; i < x.length; i += 2) x[i] = missing;
        const model = onnxModel(net, isExternal ? { externalData: 'weights' } : {});
        const { shape, data } = compute(model, x);
        assert.deepEqual(shape, [3, net.outputs]);
        assertNear(data, net.predictSync(x, { output: 'logits' }));
        net.dispose();
      }),
      { numRuns: 150 },
    );
  });

  it('a fitted network: learned scaling, the wiring of now, logits and probabilities', async () => {
    const { x, y } = blobs(200, 12, 3, 1);
    const net = smallNetwork(12, 3, { scaling: 'perFeature' });
    throwsCode(() => onnxModel(net), 'ERR_SETNET_STATE', /scaling \('perFeature'\) is not known yet/);
    await net.fit({ x, y }, { epochs: 3 }).done;
    const some = x.subarray(0, 12 * 20);
    assertNear(compute(onnxModel(net), some).data, net.predictSync(some, { output: 'logits' }));
    const probabilities = onnxModel(net, { probabilities: true });
    assertNear(compute(probabilities, some).data, net.predictSync(some));
    assert.equal(readOnnx(bytesOf(probabilities.model)).output.name, 'probabilities');
  });

  it('declares what readers want to know: versions, ports of a symbolic batch, weights by layer', () => {
    const net = smallNetwork(7, 3);
    const model = readOnnx(bytesOf(onnxModel(net).model));
    assert.equal(model.irVersion, 8);
    assert.equal(model.opset, 17);
    assert.deepEqual(model.input, { name: 'x', batch: 'batch', columns: 7 });
    assert.deepEqual(model.output, { name: 'logits', batch: 'batch', columns: 3 });
    assert.deepEqual(
      model.nodes.map((node) => node.operator),
      ['Gemm', 'Relu', 'Gemm', 'Relu', 'Gemm'],
    );
    net.layers.forEach(({ weights, bias, units, inputs }, index) => {
      const tensor = model.tensors.get(`layers.${index}.weights`);
      assert.deepEqual(tensor?.shape, [units, inputs]);
      assert.deepEqual(tensor?.data, Float64Array.from(weights.toDense()));
      assert.deepEqual(model.tensors.get(`layers.${index}.bias`)?.data, Float64Array.from(bias as Float32Array));
    });
    assert.deepEqual(model.external, []);
  });

  it('writes every activation that learns nothing, allRelu with the sign of its layer', () => {
    const kinds = ['leakyRelu', 'allRelu', 'allRelu', 'sigmoid', 'tanh', 'gelu'] as const;
    const net = Network.createSync({
      inputs: 5,
      seed: 3,
      layers: kinds.map((activation) => dense({ units: 5, activation })),
    });
    const { nodes } = readOnnx(bytesOf(onnxModel(net).model));
    assert.deepEqual(
      nodes.map(({ operator }) => operator).filter((operator) => operator !== 'Gemm'),
      ['LeakyRelu', 'LeakyRelu', 'LeakyRelu', 'Sigmoid', 'Tanh', 'Mul', 'Erf', 'Add', 'Mul', 'Mul'],
    );
    assert.deepEqual(
      nodes.filter(({ operator }) => operator === 'LeakyRelu').map(({ attributes }) => attributes.get('alpha')),
      [0.01, 0.6, -0.6].map(Math.fround),
    );
  });

  it('knows its length before it is made, gives the same bytes twice, and outlives the network', () => {
    const net = smallNetwork(700, 3, { layers: [sparse({ units: 5000 }), dense({ units: 3 })] });
    const before = digestOf(net);
    const { model } = onnxModel(net);
    assert.equal(digestOf(net), before);
    net.dispose();
    const pieces = [...model];
    assert.equal(
      pieces.reduce((sum, piece) => sum + piece.byteLength, 0),
      model.byteLength,
    );
    assert.ok(pieces.length > 3 && pieces.length < 30, `${pieces.length} pieces`);
    assert.ok(Math.max(...pieces.map((piece) => piece.byteLength)) < 2 ** 23, 'large weights come in pieces');
    assert.ok(bytesOf(model).equals(bytesOf(model)));
  });

  it('externalData: weights lie in the second file, each from a page on, everything else in the model', () => {
    const net = smallNetwork(9, 4);
    const { model, externalData } = onnxModel(net, { externalData: 'net.weights' });
    const second = bytesOf(externalData as Iterable<Uint8Array>);
    assert.equal(second.length, externalData?.byteLength);
    assert.equal(bytesOf(model).length, model.byteLength);
    const { external } = readOnnx(bytesOf(model), second);
    assert.deepEqual(external, [
      { name: 'layers.0.weights', file: 'net.weights', offset: 0, length: 4 * 32 * 9 },
      { name: 'layers.1.weights', file: 'net.weights', offset: 4096, length: 4 * 24 * 32 },
      { name: 'layers.2.weights', file: 'net.weights', offset: 8192, length: 4 * 4 * 24 },
    ]);
    assert.equal(onnxModel(net).externalData, undefined);
  });

  it('a model of more than 2 GiB is refused by its size before it is made, and can be had with a second file', () => {
    const net = Network.createSync({ inputs: 70_000, seed: 1, layers: [sparse({ units: 9000, epsilon: 0.01 })] });
    throwsCode(() => onnxModel(net), 'ERR_SETNET_OPTION', /has 25200\d{5} bytes.*at most 2147483647.*externalData/);
    const { model, externalData } = onnxModel(net, { externalData: 'weights' });
    assert.equal(externalData?.byteLength, 4 * 70_000 * 9000);
    assert.ok(model.byteLength < 40_000);
    net.dispose();
  });

  it('integers are written as 64 bits, seven a byte', () => {
    const written = (value: number | bigint) => [...bytesOf(new Message().integer(1, value).pieces())];
    assert.deepEqual(written(0), [8, 0]);
    assert.deepEqual(written(127), [8, 127]);
    assert.deepEqual(written(300), [8, 0xac, 2]);
    assert.deepEqual(written(-1), [8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
    assert.deepEqual(written(2 ** 53 - 1), [8, 255, 255, 255, 255, 255, 255, 255, 15]);
  });

  it('says what is wrong', () => {
    const net = smallNetwork(4, 2);
    const call = (options: object) => () => onnxModel(net, options);
    throwsCode(call({ probabilities: true }), 'ERR_SETNET_STATE', /never fitted/);
    throwsCode(call({ probabilities: 1 }), 'ERR_SETNET_TYPE', /probabilities/);
    throwsCode(call({ external: 'x' }), 'ERR_SETNET_OPTION', /externalData/);
    throwsCode(call({ externalData: 3 }), 'ERR_SETNET_TYPE', /externalData/);
    for (const name of ['', '.', '..', 'a/b', 'a\\b', 'a\0'])
      throwsCode(call({ externalData: name }), 'ERR_SETNET_OPTION', /beside/);
    throwsCode(() => onnxModel({} as never), 'ERR_SETNET_TYPE', /needs a Network/);
    throwsCode(() => onnxModel(null as never), 'ERR_SETNET_TYPE', /needs a Network/);
    net.dispose();
    throwsCode(() => onnxModel(net), 'ERR_SETNET_STATE', /disposed/);
  });
});
