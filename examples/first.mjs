import { dense, Network, sparse } from 'setnet';

// 4,000 samples of 100 random numbers; the class says whether the first five of them sum to more than 2.5.
const random = (i) => (Math.imul(Math.imul(i, 0x9e3779b1) ^ (i >>> 7), 0x85ebca6b) >>> 0) / 2 ** 32;
const x = Float32Array.from({ length: 4000 * 100 }, (_, i) => random(i + 1));
const y = Array.from({ length: 4000 }, (_, i) =>
  x.subarray(100 * i, 100 * i + 5).reduce((a, b) => a + b) > 2.5 ? 1 : 0,
);
const [train, test] = [
  { x: x.subarray(0, 300000), y: y.slice(0, 3000) },
  { x: x.subarray(300000), y: y.slice(3000) },
];

const layers = [sparse({ units: 50, epsilon: 2 }), dense({ units: 2 })];
const net = await Network.create({ inputs: 100, layers, scaling: 'perFeature', seed: 1 });
const training = net.fit(train, { epochs: 20, validation: test });
for await (const { epoch, loss, evolution } of training) {
  if (epoch % 5 === 1) console.log(`epoch ${epoch}: loss ${loss.toFixed(3)}, ${evolution.grown} connections rewired`);
}
console.log('accuracy on the test samples:', (await training.done).final.validation.accuracy);
console.log(net.summary());
