import { dense, Network, readTable, sparse } from 'setnet';

const read = (part) => readTable(`examples/fashion/data/${part}-images-idx3-ubyte.gz`); // the labels lie beside it
const [train, test] = [await read('train'), await read('t10k')];
const layers = [sparse({ units: 1000 }), sparse({ units: 1000 }), dense({ units: 10 })];
const net = await Network.create({ inputs: train.inputs, layers, scaling: 'perFeature', seed: 1 });
const training = net.fit({ x: train.x, y: train.y }, { epochs: 5, validation: { x: test.x, y: test.y } });
for await (const { epoch, validation, evolution } of training)
  console.log(`epoch ${epoch}: accuracy ${validation.accuracy}, ${evolution?.grown ?? 0} connections rewired`);
const { final } = await training.done;
console.log(`${final.removal.pruned} connections removed: accuracy ${final.validation.accuracy}`);
console.log(net.summary());
