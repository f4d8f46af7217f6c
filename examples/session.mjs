import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dense, Network, Session, sparse } from 'setnet';

// A small classifier: is the mean of eight numbers from 0 to 255 above or below the middle?
const random = (i) => (Math.imul(Math.imul(i, 0x9e3779b1) ^ (i >>> 7), 0x85ebca6b) >>> 24) & 255;
const x = Uint8Array.from({ length: 2000 * 8 }, (_, i) => random(i + 1));
const y = Array.from({ length: 2000 }, (_, i) =>
  x.subarray(8 * i, 8 * i + 8).reduce((a, b) => a + b, 0) > 1020 ? 'above' : 'below',
);
const net = await Network.create({
  inputs: 8,
  classes: ['below', 'above'],
  layers: [sparse({ units: 16, density: 0.5 }), dense({ units: 2 })],
  scaling: 'perFeature',
  seed: 1,
});
await net.fit({ x, y }, { epochs: 10 }).done;

// What a server does: once at its start ...
const path = join(tmpdir(), `setnet-example-${process.pid}.safetensors`);
await net.save(path);
const session = await Session.load(path, { threads: 1 });
rmSync(path);

// ... and then for every request. With an output of one's own nothing is allocated.
const out = new Float32Array(session.outputs);
session.predictSync(Uint8Array.of(130, 140, 120, 150, 110, 160, 125, 135), out);
console.log(session.classes.map((name, i) => `${name} ${(100 * out[i]).toFixed(1)} %`).join(', '));

// Many samples at once do not hold the event loop up.
const classes = await session.predict(x, { output: 'classes' });
const right = classes.reduce((sum, number, i) => sum + (session.classes[number] === y[i] ? 1 : 0), 0);
console.log(`${right} of ${y.length} right`);

// The network's own answers, bit for bit.
const same = Buffer.from(session.predictSync(x).buffer).equals(Buffer.from(net.predictSync(x).buffer));
console.log(`the same bits as the network: ${same}`);

await session.close();
