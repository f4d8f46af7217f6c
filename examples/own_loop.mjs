import { adam, SparseLayer, sampleOrder } from 'setnet';
import { bundledDir, loadFashion } from './fashion/data.mjs';

// 2,000 images of clothes to learn from, 500 to test with; pixels from 0 to 1.
const data = loadFashion({ dir: bundledDir, limitTrain: 2000, limitTest: 500 });
const [x, xTest] = [data.xTrain, data.xTest].map((pixels) => Float32Array.from(pixels, (pixel) => pixel / 255));
const [seed, epochs, batchSize, classes] = [1, 5, 50, 10];

// The layers of the network, each with a number of its own.
const optimizer = adam({ learningRate: 0.002 });
const hidden = SparseLayer.create({ inputs: 784, units: 300, epsilon: 20, optimizer, seed, index: 0 });
const output = SparseLayer.create({
  inputs: 300,
  units: 10,
  density: 0.5,
  activation: 'linear',
  optimizer,
  seed,
  index: 1,
});

// Softmax cross-entropy: changes the outputs into the gradient of the mean loss, and gives the sum of the losses.
function lossAndGradient(z, labels) {
  let lossSum = 0;
  labels.forEach((label, row) => {
    const outputs = z.subarray(row * classes, (row + 1) * classes);
    const largest = Math.max(...outputs);
    const sum = outputs.reduce((total, output) => total + Math.exp(output - largest), 0);
    lossSum += largest + Math.log(sum) - outputs[label];
    outputs.forEach((output, i) => {
      outputs[i] = (Math.exp(output - largest) / sum - (i === label ? 1 : 0)) / labels.length;
    });
  });
  return lossSum;
}

const classOf = (outputs) => outputs.indexOf(Math.max(...outputs));

for (let epoch = 1; epoch <= epochs; epoch++) {
  const order = sampleOrder(data.trainRows, { seed, epoch });
  let lossSum = 0;
  for (let first = 0; first < order.length; first += batchSize) {
    const rows = order.subarray(first, first + batchSize);
    const batch = new Float32Array(rows.length * 784);
    rows.forEach((row, i) => void batch.set(x.subarray(row * 784, (row + 1) * 784), i * 784));

    const labels = Array.from(rows, (row) => data.yTrain[row]);

    const z = output.forward(hidden.forward(batch, { training: true }), { training: true });
    lossSum += lossAndGradient(z, labels);
    hidden.backward(output.backward(z), { inputGradient: false });
    for (const layer of [hidden, output]) layer.step();
  }

  const answers = output.forward(hidden.forward(xTest));
  let right = 0;
  data.yTest.forEach((label, row) => {
    if (classOf(answers.subarray(row * classes, (row + 1) * classes)) === label) right++;
  });
  // The weakest connections of the hidden layer go, and as many grow elsewhere; in the end they go for good.
  const zeta = 0.3 * (1 - epoch / epochs);
  const { pruned, grown } = epoch < epochs ? hidden.evolve({ zeta }) : hidden.prune({ zeta: 0.3 });
  const [loss, accuracy] = [lossSum / order.length, (100 * right) / data.testRows];
  console.log(
    `epoch ${epoch}: loss ${loss.toFixed(2)}, test accuracy ${accuracy.toFixed(1)} %, then -${pruned} +${grown} connections`,
  );
}
console.log(`${hidden.connections + output.connections} weights are left`);
