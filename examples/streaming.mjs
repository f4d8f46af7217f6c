// Training from a file that does not fit in memory: images are read block by block, in another order in each epoch, and handed to
// `fit` as batches. At any time one block of the file and two batches are in memory.
//
//   node examples/streaming.mjs [--mb 400] [--epochs 2] [--seed 1]
//
// writes a file of --mb megabytes into a temporary folder, trains from it and removes it.
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dense, Network, sampleOrder, sparse } from 'setnet';
import { bundledDir, height, loadFashion, width } from './fashion/data.mjs';
import { count, readOptions, runMain } from './lib/program.mjs';

const batchSize = 128;
/** What is read at once: the longer, the better rows are mixed, and the more memory it takes. */
const blockRows = 4096;

await runMain(async () => {
  const { mb, epochs, seed } = readOptions({ mb: 400, epochs: 2, seed: 1 });
  const images = loadFashion({ dir: bundledDir });
  const rowBytes = images.inputs + 1;
  const rows = Math.floor((mb * 1e6) / rowBytes);
  const folder = mkdtempSync(join(tmpdir(), 'setnet-streaming-'));
  try {
    const path = join(folder, 'rows');
    await write(path, images, rows, seed);
    console.log(`a file of ${mb} MB: ${count(rows)} rows of ${images.inputs} pixels and a label`);
    await train(path, images, rows, epochs, seed);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Rows of pixels and a label, a byte each: the images over and over, each time moved by up to two pixels. */
async function write(path, { xTrain, yTrain, trainRows, inputs }, rows, seed) {
  const file = await open(path, 'w');
  const rowBytes = inputs + 1;
  const block = new Uint8Array(blockRows * rowBytes);
  for (let first = 0; first < rows; first += blockRows) {
    const length = Math.min(blockRows, rows - first);
    for (let i = 0; i < length; i++) {
      const round = Math.floor((first + i) / trainRows);
      const image = (first + i) % trainRows;
      // Five rows by five columns of places, in a different order for each image.
      const place = (round * 7 + image * seed) % 25;
      const [down, right] = [Math.floor(place / 5) - 2, (place % 5) - 2];
      const row = block.subarray(i * rowBytes, (i + 1) * rowBytes);
      row.fill(0);
      for (let y = Math.max(0, down); y < Math.min(height, height + down); y++) {
        for (let x = Math.max(0, right); x < Math.min(width, width + right); x++)
          row[y * width + x] = xTrain[image * inputs + (y - down) * width + x - right];
      }
      row[inputs] = yTrain[image];
    }
    await file.write(block, 0, length * rowBytes);
  }
  await file.close();
}

/** The batches of an epoch: blocks of the file in random order, and the rows of each block in random order. */
async function* batchesOf(file, rows, inputs, seed, epoch) {
  const rowBytes = inputs + 1;
  const block = new Uint8Array(blockRows * rowBytes);
  // Used for every batch: fit has copied one when it asks for the next.
  const [x, y] = [new Uint8Array(batchSize * inputs), new Uint8Array(batchSize)];
  for (const number of sampleOrder(Math.ceil(rows / blockRows), { seed, epoch })) {
    const first = number * blockRows;
    const length = Math.min(blockRows, rows - first);
    const { bytesRead } = await file.read(block, 0, length * rowBytes, first * rowBytes);
    if (bytesRead !== length * rowBytes) throw new Error('the file is shorter than it was');
    const order = sampleOrder(length, { seed: seed + 1 + number, epoch });
    for (let i = 0; i < length; i += batchSize) {
      const batch = order.subarray(i, i + batchSize);
      batch.forEach((row, k) => {
        x.set(block.subarray(row * rowBytes, (row + 1) * rowBytes - 1), k * inputs);
        y[k] = block[(row + 1) * rowBytes - 1];
      });
      yield { x: x.subarray(0, batch.length * inputs), y: y.subarray(0, batch.length) };
    }
  }
}

async function train(path, { xTest, yTest, inputs, classes }, rows, epochs, seed) {
  // A stream cannot be looked at beforehand: pixels from 0 to 255 become -1 to 1.
  const scaling = { mean: 127.5, scale: 1 / 127.5 };
  const layers = [sparse({ units: 600 }), sparse({ units: 600 }), dense({ units: classes.length })];
  const net = await Network.create({ inputs, layers, classes, scaling, seed, threads: 1 });
  const before = peak();
  const file = await open(path);
  // Blocks are whole numbers of batches, but for the file's last one.
  const stepsPerEpoch = Math.ceil(rows / batchSize);
  const stream = { batches: (epoch) => batchesOf(file, rows, inputs, seed, epoch), stepsPerEpoch };
  try {
    for await (const { epoch, loss, validation } of net.fit(stream, { epochs, validation: { x: xTest, y: yTest } })) {
      const right = (100 * validation.accuracy).toFixed(1);
      console.log(`epoch ${epoch}: loss ${loss.toFixed(3)}, ${right} % of the test images right`);
    }
  } finally {
    await file.close();
  }
  console.log(`peak memory of the process: ${count(before)} MB before training, ${count(peak())} MB after it`);
}

/** The most memory that the process has had so far, in MB. */
function peak() {
  return process.resourceUsage().maxRSS / 1000;
}
