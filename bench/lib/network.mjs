// The network of the benchmarks, 784-1000-1000-1000-10, with the recommended settings: those of the example.
import { createHash } from 'node:crypto';
import { settings as recommended } from '../../examples/fashion/settings.mjs';

export { recommended };

/**
 * A network of `kind` ('sparse' or 'masked') for the data of examples/fashion/data.mjs. `settings` replaces recommended
 * ones by name.
 */
export function createNetwork(setnet, { kind, seed, threads, data, settings = {} }) {
  const { hidden, epsilon, dropout, activation = 'relu' } = { ...recommended, ...settings };
  return setnet.Network.create({
    inputs: data.inputs,
    classes: data.classes,
    scaling: 'perFeature',
    seed,
    threads,
    layers: [
      ...hidden.map((units) => setnet[kind]({ units, epsilon, activation, dropout })),
      setnet.dense({ units: data.classes.length }),
    ],
  });
}

/** The options of fit. `evolve` false: a static topology. */
export function fitOptions(setnet, { epochs, threads, evolve = true, settings = {} }) {
  const {
    batchSize,
    learningRate,
    warmup = 0,
    momentum,
    weightDecay,
    nesterov = false,
    zeta,
  } = { ...recommended, ...settings };
  return {
    epochs,
    batchSize,
    threads,
    loss: 'softmaxCrossEntropy',
    optimizer: setnet.sgd({
      learningRate: setnet.cosine({ from: learningRate, warmup }),
      momentum,
      weightDecay,
      nesterov,
    }),
    evolution: evolve ? setnet.set({ zeta }) : null,
  };
}

/** The repository has 10,000 of the 60,000 images; the time of a step does not depend on which images it sees. */
export function repeated(data, times) {
  const xTrain = new Uint8Array(data.xTrain.length * times);
  const yTrain = new Int32Array(data.yTrain.length * times);
  for (let i = 0; i < times; i++) {
    xTrain.set(data.xTrain, i * data.xTrain.length);
    yTrain.set(data.yTrain, i * data.yTrain.length);
  }
  return { ...data, xTrain, yTrain, trainRows: data.trainRows * times };
}

/** One digest over the wiring, every weight and bias to the bit, and the numbers given. */
export function digest(net, numbers) {
  const hash = createHash('sha256');
  for (const { weights, bias } of net.layers) {
    for (const array of [weights.rowPointers, weights.columnIndices, weights.values, bias]) hash.update(array);
  }
  return hash.update(Float64Array.from(numbers)).digest('hex');
}
