// One process per task, so that each one's peak memory is its own: run.mjs starts
//
//   child.mjs data              loads the data and nothing else: what the others' memory is compared with
//   child.mjs train KIND        trains a network of 'sparse' or 'masked' layers, saves it
//   child.mjs predict FILE      loads a saved network and names the classes of a few test images
//   child.mjs report            writes the report on saved networks; the message 'input' says which, with their histories
//
// and gets messages over the channel; the message 'stop' ends the task after the running step.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { loadFashion, loadFashionTest } from './data.mjs';
import { modelPath, outDir, readEpochs, reportPath, settings } from './settings.mjs';

// Ctrl-C reaches every process of the terminal; here only the parent's message counts.
process.on('SIGINT', () => {});

class Stopped extends Error {}

const controller = new AbortController();
const stop = () => controller.abort(new Stopped('stopped'));
let takeInput;
const input = new Promise((resolve) => {
  takeInput = resolve;
});
process.on('message', (message) => {
  if (message?.type === 'stop') stop();
  else if (message?.type === 'input') takeInput(message.value);
});
// Nobody to report to: end like after Ctrl-C.
process.on('disconnect', stop);

const tasks = { data, train, predict, report };
const [task, argument] = process.argv.slice(2);

try {
  if (!process.send || !Object.hasOwn(tasks, task)) throw new Error('child.mjs is started by run.mjs');
  await tasks[task](argument);
} catch (error) {
  if (error instanceof Stopped) await send({ type: 'stopped' });
  else
    await send({
      type: 'failed',
      name: error.constructor.name,
      message: error.message,
      code: error.code,
      stack: error.stack,
    });
}
if (process.connected) process.disconnect();

/** Sends a message to the parent and waits until it has left; the progress of a task nobody waits for is dropped. */
function send(message) {
  return new Promise((done) => {
    if (!process.connected) done();
    else process.send(message, () => done());
  });
}

/**
 * Frees what loading the data left behind and starts the peak anew, so that what comes after is not hidden under it (files
 * are decompressed from memory). False where the system cannot do it; then the peak of loading is part of the figures.
 */
async function restartPeak() {
  for (let i = 0; i < 2; ++i) {
    globalThis.gc();
    await new Promise((done) => setTimeout(done, 20)); // buffers are freed by a thread of V8's
  }
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}

/** The most memory this process has had since restartPeak(), in bytes. */
function peakMemory() {
  if (process.platform === 'linux') {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  }
  return process.resourceUsage().maxRSS * 1024;
}

async function data() {
  const fashion = loadFashion();
  const isRestarted = await restartPeak();
  const { trainRows, testRows } = fashion;
  await send({ type: 'result', trainRows, testRows, isRestarted, peakMemory: peakMemory() });
}

async function train(kind) {
  const fashion = loadFashion();
  await restartPeak();
  const setnet = await import('setnet');
  const { set, sgd, cosine } = setnet;
  const epochs = readEpochs();

  const net = await createNetwork(setnet, fashion, kind);
  const { connections } = net;
  const cells = net.layers.reduce((sum, { inputs, units }) => sum + inputs * units, 0);
  const { instructionSet } = setnet.buildInfo();
  await send({ type: 'start', instructionSet, epochs, connections, cells });
  controller.signal.throwIfAborted();

  const validation = { x: fashion.xTest, y: fashion.yTest };
  const { learningRate, momentum, weightDecay, zeta, batchSize } = settings;
  const training = net.fit(
    { x: fashion.xTrain, y: fashion.yTrain },
    {
      epochs,
      batchSize,
      loss: 'softmaxCrossEntropy',
      optimizer: sgd({ learningRate: cosine({ from: learningRate }), momentum, weightDecay }),
      evolution: set({ zeta }),
      validation,
      signal: controller.signal,
      onProgress: (report) => void send({ type: 'progress', ...report }),
    },
  );

  const losses = [];
  try {
    for await (const epoch of training) {
      losses.push(epoch.loss, epoch.validation.loss);
      await send({ type: 'epoch', epoch });
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    await keep(net, kind, validation, Math.ceil(fashion.trainRows / batchSize));
    return;
  }
  const history = await training.done;
  const peak = peakMemory();

  const path = modelPath(kind);
  await save(net, path);
  losses.push(history.final.validation.loss);
  await send({
    type: 'result',
    history,
    final: history.final,
    connections: history.connections,
    before: history.epochs.at(-1).validation.accuracy,
    after: history.final.validation.accuracy,
    secondsPerEpoch: median(history.epochs.map((epoch) => epoch.seconds + epoch.evolutionSeconds)),
    peakMemory: peak,
    path,
    fileSize: statSync(path).size,
    instructionSet,
    digest: digest(net, losses),
  });
}

function createNetwork({ Network, dense, ...setnet }, { inputs, classes }, kind) {
  const { hidden, epsilon, dropout, seed, threads } = settings;
  const layer = setnet[kind]; // sparse or masked
  const layers = hidden.map((units) => layer({ units, epsilon, activation: 'relu', dropout }));
  layers.push(dense({ units: classes.length }));
  // One scale for all pixels: by itself, one at the border that hardly ever varies would be blown up, and wired like the others.
  return Network.create({ inputs, layers, classes, scaling: 'global', seed, threads });
}

/** After an abort the network is as after the last finished step, and usable. Its file says which step that was. */
async function keep(net, kind, validation, steps) {
  const path = modelPath(kind, true);
  await save(net, path);
  const { step, epoch } = readCounters(path);
  if (step === 0) {
    rmSync(path);
    throw new Stopped('before the first step');
  }
  const { accuracy } = await net.evaluate(validation);
  await send({ type: 'stopped', path, accuracy, step: step - epoch * steps, steps, epoch: epoch + 1 });
}

async function predict(path) {
  const { Network } = await import('setnet');
  const { x, y, inputs, height, width, classes } = loadFashionTest({ limit: settings.pictures });
  const net = await Network.load(path);
  const probabilities = await net.predict(x);
  const images = Array.from(y, (truth, i) => {
    const row = [...probabilities.subarray(i * classes.length, (i + 1) * classes.length)];
    const answer = row.indexOf(Math.max(...row));
    return {
      pixels: [...x.subarray(i * inputs, (i + 1) * inputs)],
      truth: classes[truth],
      answer: net.classes[answer],
      probability: row[answer],
    };
  });
  await send({ type: 'result', height, width, images });
}

/** Both networks side by side: `input` has { name, path, history, memoryBytes } of each. */
async function report() {
  const runs = await input;
  const { Network, writeReport } = await import('setnet');
  const { x, y, height, width } = loadFashionTest();
  const loaded = [];
  for (const { path, ...run } of runs) {
    const network = await Network.load(path, { threads: settings.threads });
    const evaluation = await network.evaluate({ x, y }, { metrics: ['confusion'] });
    loaded.push({ ...run, network, evaluation });
  }
  await writeReport(reportPath, { title: 'Fashion-MNIST, sparse and masked', runs: loaded, image: { width, height } });
  await send({ type: 'result', report: reportPath });
}

async function save(net, path) {
  mkdirSync(outDir, { recursive: true });
  await net.save(path);
}

/** Steps and finished epochs of a saved network: the head of a safetensors file is JSON, ours is in its metadata. */
function readCounters(path) {
  const file = readFileSync(path);
  const head = JSON.parse(file.toString('utf8', 8, 8 + Number(file.readBigUInt64LE(0))));
  const { step, epoch } = JSON.parse(head.__metadata__.setnet).counters;
  return { step: Number(step), epoch: Number(epoch) };
}

/** One digest over the wiring, every weight and bias to the bit, and every epoch's losses. */
function digest(net, losses) {
  const hash = createHash('sha256');
  for (const { weights, bias } of net.layers) {
    for (const array of [weights.rowPointers, weights.columnIndices, weights.values, bias]) hash.update(array);
  }
  return hash.update(Float64Array.from(losses)).digest('hex');
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
