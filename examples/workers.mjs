// Predictions from several worker threads: each loads the same model file, gets rows from the main thread and sends its answers
// back. They are the network's own, bit for bit, whoever answered.
//
//   node examples/workers.mjs [--rows 20000] [--workers 2] [--epochs 2] [--train 10000]
//
// prints rows per second with one worker and with --workers of them.
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { dense, Network, Session, sparse } from 'setnet';
import { bundledDir, loadFashion } from './fashion/data.mjs';
import { count, readOptions, runMain } from './lib/program.mjs';

const batchRows = 100;

if (isMainThread) await runMain(main);
else await answer(workerData);

/** In a worker: one thread of its own for the session, the other workers have theirs. */
async function answer(path) {
  const session = await Session.load(path, { threads: 1 });
  parentPort.on('message', ({ number, x }) => {
    const y = session.predictSync(x);
    parentPort.postMessage({ number, y }, [y.buffer]);
  });
  parentPort.postMessage('ready');
}

async function main() {
  const options = readOptions({ rows: 20000, workers: 2, epochs: 2, train: 10000 });
  const { xTrain, yTrain, xTest, testRows, inputs, classes } = loadFashion({
    dir: bundledDir,
    limitTrain: options.train,
  });
  const layers = [sparse({ units: 1000 }), sparse({ units: 1000 }), sparse({ units: 1000 }), dense({ units: 10 })];
  const net = await Network.create({ inputs, layers, classes, scaling: 'perFeature', seed: 1, threads: 1 });
  await net.fit({ x: xTrain, y: yTrain }, { epochs: options.epochs }).done;
  const path = join(tmpdir(), `setnet-workers-${process.pid}.safetensors`);
  await net.save(path);

  // The test images over and over.
  const batches = Array.from({ length: Math.ceil(options.rows / batchRows) }, (_, number) => {
    const first = (number * batchRows) % testRows;
    return xTest.slice(first * inputs, Math.min(first + batchRows, testRows) * inputs);
  });
  const expected = batches.map((x) => net.predictSync(x));
  try {
    for (const workers of new Set([1, options.workers])) {
      const { rowsPerSecond, answers } = await serve(path, workers, batches, inputs);
      const equal = answers.filter((y, i) => isSame(y, expected[i])).length;
      const name = `${workers} worker${workers === 1 ? '' : 's'}`;
      console.log(
        `${name}: ${count(rowsPerSecond)} rows per second, ${equal} of ${batches.length} answers equal to the bit`,
      );
      if (equal < batches.length) process.exitCode = 1;
    }
  } finally {
    rmSync(path);
  }
}

/** Lets so many workers answer all batches; each has two in hand, so that it never waits for the next. */
async function serve(path, count, batches, inputs) {
  const workers = Array.from({ length: count }, () => new Worker(fileURLToPath(import.meta.url), { workerData: path }));
  try {
    await Promise.all(workers.map((worker) => once(worker)));
    const answers = new Array(batches.length);
    let next = 0;
    const begin = performance.now();
    await Promise.all(
      workers.map(
        (worker) =>
          new Promise((done, fail) => {
            let inHand = 0;
            const send = () => {
              if (next === batches.length) return;
              worker.postMessage({ number: next, x: batches[next] });
              ++next;
              ++inHand;
            };
            worker.on('error', fail);
            worker.on('message', ({ number, y }) => {
              answers[number] = y;
              --inHand;
              send();
              if (inHand === 0) done();
            });
            send();
            send();
            if (inHand === 0) done();
          }),
      ),
    );
    const seconds = (performance.now() - begin) / 1000;
    const rows = batches.reduce((sum, x) => sum + x.length / inputs, 0);
    return { rowsPerSecond: rows / seconds, answers };
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** The worker's first message: it has loaded the model. */
function once(worker) {
  return new Promise((done, fail) => {
    worker.once('message', done);
    worker.once('error', fail);
  });
}

function isSame(a, b) {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));
}
