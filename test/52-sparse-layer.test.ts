import { strict as assert } from 'node:assert';
import {
  type Activation,
  adam,
  adamw,
  buildInfo,
  CsrMatrix,
  constant,
  cosine,
  type History,
  type LayerEvolveOptions,
  Network,
  type Optimizer,
  SparseLayer,
  type SparseLayerOptions,
  sampleOrder,
  sgd,
  sparse,
} from '../lib/index';
import { native } from '../lib/loader';
import {
  type Anything,
  assertSameBits,
  randomFeatures,
  randomSource,
  runChild,
  runChildJson,
  throwsCode,
} from './helpers/helpers';

const bits = new BigInt64Array(1);
const double = new Float64Array(bits.buffer);

/** a * b + c in f32, rounded once: the double sum is made odd where it was rounded, so that rounding it again is right. */
function fusedMultiplyAdd(a: number, b: number, c: number): number {
  const product = a * b; // exact: 48 bits
  double[0] = product + c;
  const sum = double[0];
  const part = sum - product;
  const error = product - (sum - part) + (c - part);
  if (error !== 0 && ((bits[0] as bigint) & 1n) === 0n) {
    (bits[0] as bigint) += error > 0 === sum > 0 ? 1n : -1n;
  }
  return Math.fround(double[0]);
}

const multiplyAdd =
  buildInfo().instructionSet === 'baseline'
    ? (a: number, b: number, c: number) => Math.fround(Math.fround(a * b) + c)
    : fusedMultiplyAdd;

/** The mean squared error of a batch, as the loss of that name: its gradient by the outputs, and the sum over samples. */
function squaredError(y: Float32Array, targets: Float32Array, outputs: number): { dy: Float32Array; lossSum: number } {
  const scale = Math.fround(1 / y.length);
  const twice = Math.fround(scale + scale);
  const dy = new Float32Array(y.length);
  let lossSum = 0;
  for (let row = 0; row < y.length / outputs; row++) {
    let sum = 0;
    for (let i = row * outputs; i < (row + 1) * outputs; i++) {
      const difference = Math.fround((y[i] as number) - (targets[i] as number));
      sum = multiplyAdd(difference, difference, sum);
      dy[i] = Math.fround(difference * twice);
    }
    lossSum += sum / outputs;
  }
  return { dy, lossSum };
}

function takeRows(data: Float32Array, width: number, rows: Uint32Array): Float32Array {
  const taken = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    taken.set(data.subarray(row * width, (row + 1) * width), i * width);
  });
  return taken;
}

interface Plan {
  inputs: number;
  layers: Omit<SparseLayerOptions & { units: number }, 'inputs' | 'weights'>[];
  seed: number;
  samples: number;
  batchSize: number;
  epochs: number;
  optimizer: Optimizer;
  learningRate: number;
  evolves: boolean;
  /** Beside its zeta. */
  evolution?: Pick<LayerEvolveOptions, 'keepZeros' | 'regrowPruned' | 'state'>;
}

function dataOf({ inputs, layers, samples, seed }: Plan): { x: Float32Array; y: Float32Array; outputs: number } {
  const outputs = layers.at(-1)?.units as number;
  return {
    x: randomFeatures(samples, inputs, seed + 1),
    y: randomFeatures(samples, outputs, seed + 2),
    outputs,
  };
}

async function trainNetwork(plan: Plan): Promise<{ net: Network; history: History }> {
  const { x, y } = dataOf(plan);
  const { inputs, seed, epochs, batchSize, optimizer, evolves } = plan;
  const net = Network.createSync({ inputs, seed, layers: plan.layers.map((layer) => sparse(layer as Anything)) });
  const training = net.fit(
    { x, y },
    {
      ...{ epochs, batchSize, optimizer, loss: 'meanSquaredError' },
      evolution: evolves ? { kind: 'set', zeta: constant({ value: 0.3 }), ...plan.evolution } : null,
    },
  );
  return { net, history: await training.done };
}

/** The same by hand. */
function trainLayers(plan: Plan): { layers: SparseLayer[]; losses: number[] } {
  const { x, y, outputs } = dataOf(plan);
  const { seed, samples, batchSize, optimizer, learningRate } = plan;
  let inputs = plan.inputs;
  const layers = plan.layers.map((options, index) => {
    const layer = SparseLayer.create({ ...options, inputs, seed, index, optimizer } as SparseLayerOptions);
    inputs = layer.units;
    return layer;
  });
  const losses: number[] = [];
  for (let epoch = 1; epoch <= plan.epochs; epoch++) {
    const order = sampleOrder(samples, { seed, epoch });
    let epochLoss = 0;
    for (let first = 0; first < samples; first += batchSize) {
      const rows = order.subarray(first, first + batchSize);
      let signal = takeRows(x, plan.inputs, rows);
      for (const layer of layers) signal = layer.forward(signal, { training: true });
      const { dy, lossSum } = squaredError(signal, takeRows(y, outputs, rows), outputs);
      epochLoss += lossSum;
      let gradient = dy;
      for (const layer of [...layers].reverse()) {
        if (layer === layers[0]) layer.backward(gradient, { inputGradient: false });
        else gradient = layer.backward(gradient);
      }
      for (const layer of layers) layer.step({ learningRate });
    }
    losses.push(epochLoss / samples);
    if (!plan.evolves) continue;
    for (const layer of layers) {
      if (epoch < plan.epochs) layer.evolve({ zeta: 0.3, ...plan.evolution });
      else layer.prune({ zeta: 0.3, keepZeros: plan.evolution?.keepZeros ?? false });
    }
  }
  return { layers, losses };
}

function assertSameMatrix(actual: CsrMatrix, expected: CsrMatrix, what: string): void {
  assertSameBits(actual.rowPointers, expected.rowPointers, `${what}: rowPointers`);
  assertSameBits(actual.columnIndices, expected.columnIndices, `${what}: columnIndices`);
  assertSameBits(actual.values, expected.values, `${what}: values`);
}

function assertSameParameters(
  actual: Record<string, Float32Array> | null,
  expected: Record<string, Float32Array> | null,
  what: string,
): void {
  assert.deepEqual(Object.keys(actual ?? {}), Object.keys(expected ?? {}), what);
  for (const [name, values] of Object.entries(expected ?? {})) {
    assertSameBits(actual?.[name] as Float32Array, values, `${what}: ${name}`);
  }
}

/** Weights, wiring, biases, learned parameters and losses of loop and fit are equal, bit for bit. */
async function compareWithFit(plan: Plan, what: string): Promise<void> {
  const { net, history } = await trainNetwork(plan);
  const { layers, losses } = trainLayers(plan);
  assert.deepEqual(
    losses,
    history.epochs.map(({ loss }) => loss),
    `${what}: losses`,
  );
  layers.forEach((layer, l) => {
    const view = net.layers[l] as Network['layers'][number];
    assertSameMatrix(layer.weights, view.weights, `${what}: weights of layer ${l}`);
    assert.equal(layer.bias === null, view.bias === null);
    if (view.bias !== null) assertSameBits(layer.bias as Float32Array, view.bias, `${what}: bias of layer ${l}`);
    assertSameParameters(layer.activationParameters, view.activationParameters, `${what}: layer ${l}`);
    assert.equal(layer.connections, view.connections);
    assert.deepEqual(layer.inDegree(), view.inDegree());
    assert.deepEqual(layer.outDegree(), view.outDegree());
    assert.equal(layer.density, view.density);
    layer.dispose();
  });
  net.dispose();
}

const small: SparseLayerOptions = { inputs: 6, units: 4, density: 0.5, activation: 'tanh', seed: 1 };

describe('52 SparseLayer', () => {
  describe('a loop of layers is fit', () => {
    it('bit for bit in weights, wiring, biases and losses: three layers, dropout, evolution, the removal', async () => {
      const plan: Plan = {
        inputs: 50,
        layers: [
          { units: 70, epsilon: 6, activation: 'srelu', dropout: 0.2 },
          { units: 45, density: 0.2, activation: 'relu', dropout: 0.3, bias: false },
          { units: 3, density: 0.5, activation: 'linear' },
        ],
        seed: 11,
        samples: 150,
        batchSize: 40,
        epochs: 4,
        optimizer: sgd({ learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4 }),
        learningRate: 0.05,
        evolves: true,
      };
      await compareWithFit(plan, 'sgd');
      const { layers } = trainLayers(plan);
      assert.deepEqual(
        layers.map(({ steps, evolutions }) => [steps, evolutions]),
        [
          [16, 4],
          [16, 4],
          [16, 4],
        ],
      );
      const other = trainLayers({ ...plan, seed: 12 });
      assert.notDeepEqual(other.losses, trainLayers(plan).losses);
    });

    it('with every activation, in the first layer and in the second', async () => {
      const activations = native()
        .rules()
        .activations.map(({ name }) => name as Activation);
      assert.ok(activations.length >= 9);
      for (const activation of activations) {
        const layers = [
          { units: 20, density: 0.3, activation, dropout: 0.1 },
          { units: 17, density: 0.3, activation },
          { units: 2, density: 0.6, activation },
        ];
        const optimizer = sgd({ learningRate: 0.02 });
        const common = { inputs: 13, samples: 60, batchSize: 60, epochs: 3, learningRate: 0.02 };
        await compareWithFit({ ...common, layers, seed: 5, optimizer, evolves: true }, activation as string);
      }
    });

    it('with every optimizer and its options', async () => {
      const optimizers: [string, (learningRate: number) => Optimizer][] = [
        ['sgd', (learningRate) => sgd({ learningRate })],
        ['nesterov', (learningRate) => sgd({ learningRate, nesterov: true, decayBias: true })],
        ['unscaled', (learningRate) => sgd({ learningRate, decay: 'unscaled' })],
        ['adam', (learningRate) => adam({ learningRate, weightDecay: 1e-3 })],
        ['adamw', (learningRate) => adamw({ learningRate, decayBias: true })],
      ];
      for (const [name, make] of optimizers) {
        const layers = [
          { units: 20, density: 0.3, activation: 'srelu', dropout: 0.2 },
          { units: 3, density: 0.6, activation: 'linear' },
        ] as const;
        const common = { inputs: 13, layers: [...layers], seed: 9, samples: 50, batchSize: 16, epochs: 3 };
        await compareWithFit({ ...common, optimizer: make(0.01), learningRate: 0.01, evolves: true }, name);
      }
    });

    it('where an evolution keeps zeros, or begins the optimizer anew', async () => {
      const layers = [
        { units: 20, density: 0.3, activation: 'srelu' },
        { units: 3, density: 0.6, activation: 'linear' },
      ] as const;
      const common = { inputs: 13, layers: [...layers], seed: 9, samples: 50, batchSize: 16, epochs: 3, evolves: true };
      for (const evolution of [{ state: 'reset' }, { keepZeros: true, regrowPruned: false }] as const) {
        const optimizer = adam({ learningRate: 0.01 });
        await compareWithFit({ ...common, optimizer, learningRate: 0.01, evolution }, JSON.stringify(evolution));
      }
    });

    it('for any number of threads', async () => {
      const script = `
        const digests = [];
        for (const threads of [1, 2, 3]) {
          const layer = setnet.SparseLayer.create({ inputs: 400, units: 500, density: 0.2, activation: 'srelu', dropout: 0.2, seed: 1, threads });
          const hash = require('node:crypto').createHash('sha256');
          for (let step = 0; step < 3; step++) {
            const y = layer.forward(helpers.randomFeatures(120, 400, step), { training: true });
            hash.update(y).update(layer.backward(y)).update(layer.weightGradient().values);
            layer.step({ learningRate: 0.1 });
            if (step === 1) layer.evolve();
          }
          hash.update(layer.weights.columnIndices).update(layer.weights.values).update(layer.bias);
          digests.push(hash.digest('hex'));
        }
        console.log(JSON.stringify(digests));`;
      const digests = await runChildJson<string[]>(script);
      assert.equal(digests.length, 3);
      assert.deepEqual(new Set(digests).size, 1);
    });
  });

  it('has the gradients that central differences give', () => {
    const [inputs, units, rows] = [9, 7, 5];
    for (const activation of ['tanh', 'sigmoid', 'gelu', 'linear'] as const) {
      const start = SparseLayer.create({ inputs, units, density: 0.5, activation, seed: 4 }).weights;
      const bias = randomFeatures(1, units, 5);
      const x = randomFeatures(rows, inputs, 6);
      const weight = randomFeatures(rows, units, 7);
      // The loss is a weighted sum of the outputs, so that the weights are its gradient by them.
      const lossOf = (weights: CsrMatrix, ofBias: Float32Array, ofX: Float32Array): number => {
        using layer = SparseLayer.create({ weights, bias: ofBias, activation });
        return layer.forward(ofX).reduce((sum, y, i) => sum + y * (weight[i] as number), 0);
      };
      const changed = (values: Float32Array, i: number, by: number): Float32Array =>
        values.map((value, k) => (k === i ? value + by : value));
      const withValues = (values: Float32Array): CsrMatrix => {
        const { rowPointers, columnIndices } = start;
        return CsrMatrix.from({ rows: units, columns: inputs, rowPointers, columnIndices, values });
      };
      const h = 1e-2;
      const difference = (loss: (by: number) => number): number => (loss(h) - loss(-h)) / (2 * h);
      const assertGradient = (actual: Float32Array, loss: (i: number, by: number) => number, what: string): void => {
        actual.forEach((value, i) => {
          const expected = difference((by) => loss(i, by));
          assert.ok(Math.abs(value - expected) < 2e-3, `${activation}: ${what} ${i}: ${value}, ${expected}`);
        });
      };

      const plain = sgd({ learningRate: 1, momentum: 0, weightDecay: 0 });
      using layer = SparseLayer.create({ weights: start, bias, activation, optimizer: plain });
      layer.forward(x, { training: true });
      const dx = layer.backward(weight);
      const gradient = layer.weightGradient();
      assertGradient(dx, (i, by) => lossOf(start, bias, changed(x, i, by)), 'input');
      assertGradient(
        gradient.values,
        (i, by) => lossOf(withValues(changed(start.values, i, by)), bias, x),
        'connection',
      );
      layer.step();
      const change = (layer.bias as Float32Array).map((after, i) => (bias[i] as number) - after);
      assertGradient(change, (i, by) => lossOf(start, changed(bias, i, by), x), 'bias');
      // Without momentum and decay the velocity is the gradient.
      assertSameBits(layer.state.velocity?.weights as Float32Array, gradient.values);
      assertSameBits(
        layer.weights.values,
        start.values.map((value, i) => Math.fround(value - (gradient.values[i] as number))),
      );
    }
  });

  it('multiplies what dropout left by 1 / (1 - rate), and passes gradients through that alone', () => {
    using layer = SparseLayer.create({
      inputs: 4,
      units: 200,
      density: 0.5,
      activation: 'linear',
      dropout: 0.25,
      seed: 3,
    });
    const x = randomFeatures(3, 4, 1);
    const [plain, dropped] = [layer.forward(x), layer.forward(x, { training: true })];
    const kept = dropped.filter((y, i) => y === Math.fround((plain[i] as number) * Math.fround(4 / 3))).length;
    const zeros = dropped.filter((y, i) => y === 0 && plain[i] !== 0).length;
    assert.equal(kept + zeros, 600);
    assert.ok(zeros > 100 && zeros < 200, `${zeros} of 600`);
    assertSameBits(layer.forward(x, { training: true }), dropped);
    layer.backward(new Float32Array(600).fill(1), { inputGradient: false });
    layer.step({ learningRate: 0.1 });
    assert.notDeepEqual(layer.forward(x, { training: true }).map(Number), dropped.map(Number));
  });

  describe('takes as x what a network takes', () => {
    it('a CsrMatrix with the bits of the same numbers dense, also of very many inputs', () => {
      for (const [inputs, density] of [
        [80, 0.2],
        [20_000, 0.01],
      ] as const) {
        const random = randomSource(inputs);
        const rows = 21;
        const cells = Float32Array.from({ length: rows * inputs }, () => (random() < 0.01 ? random() - 0.5 : 0));
        const matrix = CsrMatrix.fromDense(cells, { rows, columns: inputs });
        const options = { inputs, units: 30, density, activation: 'srelu', dropout: 0.1, seed: 2 } as const;
        using ofSparse = SparseLayer.create(options);
        using ofDense = SparseLayer.create(options);
        for (let step = 0; step < 3; step++) {
          const dy = randomFeatures(rows, 30, step);
          const expected = ofDense.forward(cells, { training: true });
          assertSameBits(ofSparse.forward(matrix, { training: true }), expected);
          assertSameBits(ofSparse.forward(matrix), ofDense.forward(cells));
          assertSameBits(ofSparse.backward(dy), ofDense.backward(dy));
          assertSameMatrix(ofSparse.weightGradient(), ofDense.weightGradient(), 'gradient');
          for (const layer of [ofSparse, ofDense]) layer.step({ learningRate: 0.1 });
        }
        assertSameMatrix(ofSparse.weights, ofDense.weights, 'weights');
      }
    });

    it('typed arrays of six kinds, and { data, shape }', () => {
      using layer = SparseLayer.create(small);
      const numbers = Array.from({ length: 12 }, (_, i) => (i * 7) % 5);
      const expected = layer.forward(Float32Array.from(numbers), { training: true });
      const gradients = Array.from({ length: 8 }, (_, i) => i % 3);
      const dx = layer.backward(Float32Array.from(gradients));
      for (const Type of [Float64Array, Uint8Array, Int8Array, Uint16Array, Int16Array]) {
        assertSameBits(layer.forward(Type.from(numbers), { training: true }), expected);
        assertSameBits(layer.backward(Type.from(gradients)), dx);
        assertSameBits(layer.forward({ data: Type.from(numbers), shape: [2, 6] }), layer.forward(Type.from(numbers)));
      }
      const shared = new Float32Array(new SharedArrayBuffer(48));
      shared.set(numbers);
      assertSameBits(layer.forward(shared, { training: true }), expected);
    });

    it('and infers any number of rows, none among them', () => {
      using layer = SparseLayer.create(small);
      const net = Network.createSync({
        inputs: 6,
        seed: 1,
        layers: [sparse({ units: 4, density: 0.5, activation: 'tanh' })],
      });
      for (const rows of [0, 1, 2, 16, 17, 100]) {
        const x = randomFeatures(rows, 6, rows);
        assertSameBits(layer.forward(x), net.predictSync(x));
      }
    });
  });

  it('writes into out where it is given, and does not look at x, dy or its options again', () => {
    using layer = SparseLayer.create(small);
    const x = randomFeatures(3, 6, 1);
    const dy = randomFeatures(3, 4, 2);
    const [out, dx] = [new Float32Array(12).fill(9), new Float32Array(18).fill(9)];
    assert.equal(layer.forward(x, { training: true, out }), out);
    const expected = layer.forward(x, { training: true });
    assertSameBits(out, expected);
    x.fill(0);
    out.fill(0);
    assert.equal(layer.backward(dy, { out: dx }), dx);
    assertSameBits(layer.backward(dy), dx);
    assert.equal(layer.backward(dy, { inputGradient: false }), undefined);
    dy.fill(0);
    assert.ok(layer.weightGradient().values.some((value) => value !== 0));
  });

  it('keeps connections at an evolution with value and state, and loses them at a removal', () => {
    using layer = SparseLayer.create({ inputs: 40, units: 30, density: 0.3, seed: 8, optimizer: adam() });
    for (let step = 0; step < 3; step++) {
      layer.forward(randomFeatures(20, 40, step), { training: true });
      layer.backward(randomFeatures(20, 30, step + 10), { inputGradient: false });
      layer.step();
    }
    const cellsOf = (matrix: CsrMatrix): string[] =>
      Array.from({ length: matrix.rows }, (_, row) =>
        Array.from(matrix.row(row).columnIndices, (column) => `${row},${column}`),
      ).flat();
    const [weights, state] = [layer.weights, layer.state];
    assert.deepEqual(Object.keys(state), ['firstMoment', 'secondMoment']);
    const before = new Map(cellsOf(weights).map((cell, i) => [cell, i]));
    const report = layer.evolve({ zeta: 0.4, regrowPruned: false });
    assert.equal(report.pruned, report.grown);
    assert.equal(report.pruned, report.prunedPositive + report.prunedNegative + report.prunedZero);
    assert.equal(report.connections, weights.count);
    assert.ok(Math.abs(report.pruned / weights.count - 0.4) < 0.01);
    const [after, afterState] = [layer.weights, layer.state];
    let survivors = 0;
    cellsOf(after).forEach((cell, i) => {
      const was = before.get(cell);
      if (was !== undefined) survivors++;
      assert.equal(after.values[i], was === undefined ? 0 : weights.values[was]);
      for (const name of ['firstMoment', 'secondMoment']) {
        assert.equal(afterState[name]?.weights[i], was === undefined ? 0 : state[name]?.weights[was]);
      }
    });
    assert.equal(survivors, weights.count - report.grown);
    assertSameBits(afterState.firstMoment?.bias as Float32Array, state.firstMoment?.bias as Float32Array);
    const removal = layer.prune({ zeta: 0.5 });
    assert.equal(removal.grown, 0);
    assert.equal(removal.connections, weights.count - removal.pruned);
    assert.equal(layer.connections, removal.connections);
    assert.equal(layer.evolutions, 2);

    using full = SparseLayer.create({ inputs: 3, units: 2, density: 1 });
    assert.equal(full.evolved, false);
    assert.deepEqual([full.evolve().pruned, full.connections], [0, 6]);
  });

  it('is made from weights and a bias, and says what it is', () => {
    const weights = CsrMatrix.from({
      rows: 2,
      columns: 3,
      rowPointers: [0, 2, 3],
      columnIndices: [0, 2, 1],
      values: [1, 2, 3],
    });
    using layer = SparseLayer.create({
      weights,
      bias: Float32Array.of(10, 20),
      activation: 'linear',
      index: 7,
      seed: 2n ** 60n,
    });
    assert.deepEqual(layer.forward(Float32Array.of(1, 2, 3)), Float32Array.of(17, 26));
    assertSameMatrix(layer.weights, weights, 'weights');
    const { inputs, units, index, seed, activation, dropout, connections, density, steps, evolutions, evolved } = layer;
    assert.deepEqual(
      { inputs, units, index, seed, activation, dropout, connections, density, steps, evolutions, evolved },
      {
        ...{ inputs: 3, units: 2, index: 7, seed: 2n ** 60n, activation: 'linear', dropout: 0, connections: 3 },
        ...{ density: 0.5, steps: 0, evolutions: 0, evolved: true },
      },
    );
    assert.deepEqual([...layer.inDegree(), ...layer.outDegree()], [2, 1, 1, 1, 1]);
    assert.deepEqual(layer.state, {
      velocity: { weights: new Float32Array(3), bias: new Float32Array(2), activationParameters: null },
    });
    assert.equal(SparseLayer.create({ weights, bias: false }).bias, null);
    const drawn = SparseLayer.create({ inputs: 30, units: 20 });
    assert.equal(SparseLayer.create({ inputs: 30, units: 20, seed: drawn.seed }).connections, drawn.connections);
    assertSameMatrix(SparseLayer.create({ inputs: 30, units: 20, seed: drawn.seed }).weights, drawn.weights, 'drawn');
  });

  describe('refuses', () => {
    it('phases out of order, and can go on', () => {
      using layer = SparseLayer.create(small);
      const [x, dy] = [randomFeatures(3, 6, 1), randomFeatures(3, 4, 2)];
      const step = () => layer.step({ learningRate: 0.1 });
      throwsCode(() => layer.backward(dy), 'ERR_SETNET_STATE', /forward pass in training comes first/);
      throwsCode(step, 'ERR_SETNET_STATE', /backward pass/);
      throwsCode(() => layer.weightGradient(), 'ERR_SETNET_STATE', /backward pass/);
      layer.forward(x);
      throwsCode(() => layer.backward(dy), 'ERR_SETNET_STATE', /forward pass in training comes first/);
      layer.forward(x, { training: true });
      throwsCode(step, 'ERR_SETNET_STATE');
      throwsCode(() => layer.backward(randomFeatures(2, 4, 2)), 'ERR_SETNET_STATE', /has 2 rows.*had 3/);
      layer.backward(dy);
      step();
      throwsCode(step, 'ERR_SETNET_STATE');
      throwsCode(() => layer.backward(dy), 'ERR_SETNET_STATE');
      layer.forward(x, { training: true });
      layer.backward(dy);
      // A new batch, or an evolution, makes the gradient old.
      layer.forward(randomFeatures(5, 6, 3), { training: true });
      throwsCode(step, 'ERR_SETNET_STATE');
      layer.backward(randomFeatures(5, 4, 3));
      layer.evolve();
      throwsCode(step, 'ERR_SETNET_STATE');
      assert.equal(layer.steps, 1);
    });

    it('everything but sizes and counts when it is disposed', () => {
      const layer = SparseLayer.create(small);
      layer.forward(randomFeatures(3, 6, 1), { training: true });
      assert.equal(layer.isDisposed, false);
      layer.dispose();
      layer.dispose();
      assert.equal(layer.isDisposed, true);
      const calls: [string, () => unknown][] = [
        ['forward', () => layer.forward(new Float32Array(6))],
        ['backward', () => layer.backward(new Float32Array(12))],
        ['step', () => layer.step({ learningRate: 1 })],
        ['evolve', () => layer.evolve()],
        ['prune', () => layer.prune()],
        ['weightGradient', () => layer.weightGradient()],
        ['weights', () => layer.weights],
        ['bias', () => layer.bias],
        ['activationParameters', () => layer.activationParameters],
        ['state', () => layer.state],
        ['weights', () => layer.inDegree()],
        ['weights', () => layer.outDegree()],
      ];
      for (const [name, call] of calls) {
        throwsCode(call, 'ERR_SETNET_STATE', new RegExp(`^${name}: the layer was disposed$`));
      }
      assert.deepEqual([layer.inputs, layer.units, layer.connections, layer.steps], [6, 4, 12, 0]);
    });

    it('what does not fit in forward and backward', () => {
      using layer = SparseLayer.create(small);
      const x = randomFeatures(3, 6, 1);
      const loose = layer as Anything;
      const matrix = CsrMatrix.fromDense(new Float32Array(10), { rows: 2, columns: 5 });
      throwsCode(() => layer.forward(new Float32Array(7)), 'ERR_SETNET_SHAPE', /7 elements.*layer's 6 inputs/);
      throwsCode(() => layer.forward(matrix), 'ERR_SETNET_SHAPE', /5 columns, but the layer has 6 inputs/);
      throwsCode(() => loose.forward([1, 2, 3, 4, 5, 6]), 'ERR_SETNET_TYPE', /CsrMatrix or \{ data, shape/);
      throwsCode(() => layer.forward(x, { out: new Float32Array(11) }), 'ERR_SETNET_SHAPE', /11 elements.*12/);
      throwsCode(
        () => loose.forward(x, { out: new Float64Array(12) }),
        'ERR_SETNET_TYPE',
        /out must be a Float32Array/,
      );
      throwsCode(() => loose.forward(x, { trainig: true }), 'ERR_SETNET_OPTION', /Did you mean 'training'/);
      throwsCode(() => loose.forward(x, { training: 1 }), 'ERR_SETNET_TYPE', /true or false/);
      throwsCode(() => layer.forward(new Float32Array(0), { training: true }), 'ERR_SETNET_DATA');
      throwsCode(
        () => layer.forward(x.map((value, i) => (i === 8 ? Number.NaN : value))),
        'ERR_SETNET_NONFINITE',
        /row 1, column 2/,
      );
      const both = new Float32Array(18);
      throwsCode(() => layer.forward(both, { out: both.subarray(4, 16) }), 'ERR_SETNET_BUFFER', /out and x overlap/);
      layer.forward(x, { training: true });
      throwsCode(() => layer.backward(new Float32Array(13)), 'ERR_SETNET_SHAPE', /layer's 4 units/);
      throwsCode(() => loose.backward(matrix), 'ERR_SETNET_TYPE');
      throwsCode(
        () => layer.backward(new Float32Array(12).fill(Number.POSITIVE_INFINITY)),
        'ERR_SETNET_NONFINITE',
        /dy: /,
      );
      throwsCode(() => layer.backward(both.subarray(0, 12), { out: both }), 'ERR_SETNET_BUFFER', /out and dy overlap/);
      throwsCode(() => loose.backward(both.subarray(0, 12), { inputGradient: false, out: both }), 'ERR_SETNET_OPTION');
      throwsCode(() => layer.step(), 'ERR_SETNET_OPTION', /learningRate is missing/);
      layer.backward(new Float32Array(12));
      for (const rate of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e39]) {
        throwsCode(() => layer.step({ learningRate: rate }), 'ERR_SETNET_OPTION', /learningRate/);
      }
      throwsCode(() => loose.step({ learningRate: '1' }), 'ERR_SETNET_TYPE', /learningRate/);
      layer.step({ learningRate: 0 });
      const detached = new Float32Array(6);
      structuredClone(detached.buffer, { transfer: [detached.buffer] });
      throwsCode(() => layer.forward(detached), 'ERR_SETNET_BUFFER', /detached/);
    });

    it('options that say nothing or too much', () => {
      const create = SparseLayer.create as (options?: Anything) => SparseLayer;
      const weights = CsrMatrix.fromDense([1, 2, 3, 4, 5, 6], { rows: 2, columns: 3 });
      throwsCode(() => create(), 'ERR_SETNET_TYPE', /needs \{ inputs, units \}/);
      throwsCode(() => create({ units: 3 }), 'ERR_SETNET_OPTION', /inputs is missing/);
      throwsCode(() => create({ inputs: 3 }), 'ERR_SETNET_OPTION', /units is missing/);
      throwsCode(() => create({ inputs: 3, units: 0 }), 'ERR_SETNET_OPTION', /units/);
      throwsCode(() => create({ ...small, density: 2 }), 'ERR_SETNET_OPTION', /density/);
      throwsCode(() => create({ ...small, epsilon: 2 }), 'ERR_SETNET_OPTION', /both epsilon and density/);
      throwsCode(() => create({ ...small, evolve: false }), 'ERR_SETNET_OPTION', /unknown option "evolve"/);
      throwsCode(() => create({ ...small, dropout: 1 }), 'ERR_SETNET_OPTION', /dropout/);
      throwsCode(() => create({ ...small, index: 65536 }), 'ERR_SETNET_OPTION', /index/);
      throwsCode(() => create({ ...small, seed: -1 }), 'ERR_SETNET_OPTION', /seed/);
      throwsCode(() => create({ ...small, threads: 0 }), 'ERR_SETNET_OPTION', /threads/);
      throwsCode(() => create({ ...small, optimizer: 'sgdd' }), 'ERR_SETNET_OPTION', /Did you mean 'sgd'/);
      throwsCode(() => create({ inputs: 4, weights }), 'ERR_SETNET_SHAPE', /inputs is 4, but weights has 3 columns/);
      throwsCode(() => create({ weights, density: 0.5 }), 'ERR_SETNET_OPTION', /both weights and density/);
      throwsCode(
        () => create({ inputs: 2 ** 32 - 1, units: 2 ** 32 - 1, density: 1 }),
        'ERR_SETNET_OPTION',
        /below 2\^63/,
      );
      throwsCode(() => create({ inputs: 2 ** 30, units: 2 ** 30, density: 0.5 }), 'ERR_SETNET_MEMORY');
      throwsCode(() => new (SparseLayer as Anything)(), 'ERR_SETNET_TYPE', /SparseLayer.create/);

      using layer = SparseLayer.create(small);
      const loose = layer as Anything;
      throwsCode(() => layer.evolve({ zeta: 1.5 }), 'ERR_SETNET_OPTION', /evolve: zeta/);
      throwsCode(() => loose.evolve({ zeta: cosine({ from: 0.3 }) }), 'ERR_SETNET_TYPE', /evolve: zeta/);
      throwsCode(() => loose.evolve({ prune: 'weakest' }), 'ERR_SETNET_OPTION', /evolve: prune/);
      throwsCode(() => loose.evolve({ finalPrune: true }), 'ERR_SETNET_OPTION', /finalPrune/);
      throwsCode(() => loose.prune({ grow: 'random' }), 'ERR_SETNET_OPTION', /unknown option "grow"/);
      assert.equal(layer.evolutions, 0);
    });

    it('in native code, what is no single sparse layer without scaling', () => {
      const rule = (name: string) => ({ name, parameters: {} });
      const [activation, initializer] = [rule('relu'), rule('heUniform')];
      const common = {
        units: 4,
        draw: 'exact',
        activation,
        initializer,
        dropout: 0,
        bias: true,
        evolve: true,
      } as const;
      const one = { kind: 'sparse', density: 0.5, ...common };
      const create = (
        layers: Anything[],
        scaling: Anything,
        options: Anything = { optimizer: rule('sgd'), index: 0 },
      ) => {
        const given = layers.map(() => undefined);
        return native().createSparseLayer({ inputs: 3, seed: 1n, layers, scaling, threads: 1 }, given, options);
      };
      const none = { kind: 'none' };
      assert.equal(create([one], none).info().connections, 6);
      const refused = (call: () => unknown) => assert.throws(call, { code: 'ERR_SETNET_OPTION' });
      refused(() => create([one, one], none));
      refused(() => create([{ kind: 'dense', ...common }], none));
      refused(() => create([{ ...one, kind: 'masked' }], none));
      refused(() => create([one], { kind: 'given', mean: new Float32Array(3), scale: new Float32Array(3) }));
      refused(() => create([one], none, { optimizer: rule('sgd'), index: 65536 }));
      assert.throws(() => create([one], none, undefined as Anything).forward(3 as Anything, true, 4 as Anything), {
        code: 'ERR_SETNET_TYPE',
      });
    });

    it('to show weights that are not finite any more', () => {
      using layer = SparseLayer.create({ ...small, activation: 'linear' });
      for (let step = 0; step < 3; step++) {
        layer.forward(new Float32Array(6).fill(3e38), { training: true });
        layer.backward(new Float32Array(4).fill(3e38), { inputGradient: false });
        if (step === 0) throwsCode(() => layer.weightGradient(), 'ERR_SETNET_NONFINITE');
        layer.step({ learningRate: 3e38 });
        throwsCode(() => layer.weights, 'ERR_SETNET_DIVERGED', /not finite/);
      }
      throwsCode(() => layer.evolve(), 'ERR_SETNET_NONFINITE');
    });
  });

  it('takes the learning rate of an optimizer only where that is one number', () => {
    const train = (optimizer: Optimizer | undefined, options?: { learningRate: number }): Float32Array => {
      using layer = SparseLayer.create(optimizer === undefined ? small : { ...small, optimizer });
      layer.forward(randomFeatures(3, 6, 1), { training: true });
      layer.backward(randomFeatures(3, 4, 2));
      layer.step(options);
      return layer.weights.values;
    };
    const expected = train(undefined, { learningRate: 0.25 });
    assertSameBits(train(sgd({ learningRate: 0.25 })), expected);
    assertSameBits(train(sgd({ learningRate: constant({ value: 0.25 }) })), expected);
    assertSameBits(train(sgd({ learningRate: 7 }), { learningRate: 0.25 }), expected);
    throwsCode(() => train(sgd({ learningRate: constant({ value: 0.25, warmup: 1 }) })), 'ERR_SETNET_OPTION');
    throwsCode(() => train(sgd({ learningRate: cosine({ from: 0.25 }) })), 'ERR_SETNET_OPTION');
    throwsCode(() => train(undefined), 'ERR_SETNET_OPTION', /learningRate is missing/);
  });

  it('survives the end of its worker thread in mid-work, and its collection', async () => {
    const { code, stderr } = await runChild(
      `
      const { Worker } = require('node:worker_threads');
      const work = \`
        const setnet = require(\${JSON.stringify(require.resolve(process.cwd() + '/dist/index.js'))});
        for (let round = 0; ; round++) {
          const layer = setnet.SparseLayer.create({ inputs: 300, units: 300, density: 0.2, seed: round });
          for (let step = 0; step < 5; step++) {
            const y = layer.forward(new Float32Array(64 * 300).fill(0.5), { training: true });
            layer.backward(y);
            layer.step({ learningRate: 0.01 });
          }
          layer.evolve();
          if (round === 2) require('node:worker_threads').parentPort.postMessage('running');
        }\`;
      (async () => {
        const workers = [1, 2, 3].map(() => new Worker(work, { eval: true }));
        await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
        await Promise.all(workers.map((worker) => worker.terminate()));
        gc();
      })();`,
      { args: ['--expose-gc'] },
    );
    assert.equal(code, 0, stderr);
  }).timeout(60_000);

  describe('sampleOrder', () => {
    it('is a permutation that seed and epoch decide', () => {
      const order = sampleOrder(1000, { seed: 5, epoch: 1 });
      assert.deepEqual(
        order.slice().sort(),
        Uint32Array.from({ length: 1000 }, (_, i) => i),
      );
      assert.deepEqual(sampleOrder(1000, { seed: 5n, epoch: 1 }), order);
      assert.notDeepEqual(sampleOrder(1000, { seed: 5, epoch: 2 }), order);
      assert.notDeepEqual(sampleOrder(1000, { seed: 6, epoch: 1 }), order);
      assert.deepEqual(sampleOrder(0, { seed: 5, epoch: 1 }), new Uint32Array(0));
      assert.deepEqual(sampleOrder(1, { seed: 5, epoch: 9 }), Uint32Array.of(0));
    });

    it('refuses what is no number of samples, seed or epoch', () => {
      const loose = sampleOrder as (samples: Anything, options?: Anything) => Uint32Array;
      throwsCode(() => loose(-1, { seed: 1, epoch: 1 }), 'ERR_SETNET_OPTION', /samples/);
      throwsCode(() => loose('3', { seed: 1, epoch: 1 }), 'ERR_SETNET_TYPE', /samples/);
      throwsCode(() => loose(3), 'ERR_SETNET_OPTION', /seed is missing/);
      throwsCode(() => loose(3, { seed: 1 }), 'ERR_SETNET_OPTION', /epoch is missing/);
      throwsCode(() => loose(3, { seed: 1, epoch: 0 }), 'ERR_SETNET_OPTION', /epoch/);
      throwsCode(() => loose(3, { seed: 1.5, epoch: 1 }), 'ERR_SETNET_OPTION', /seed/);
    });
  });
});
