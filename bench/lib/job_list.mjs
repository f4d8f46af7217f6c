// What runs in a process of its own. Memory is that of the whole process, as the system counts it: the difference to what it
// had when only the data were there.
import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fitInTurns } from './fits.mjs';
import { randomSource } from './random.mjs';
import { openSession, randomFeatures } from './session.mjs';

const mega = 1e6;

/** Resident bytes now. */
function resident() {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

/** Code that is read from disk when it first runs is resident memory too, but no network's: a small one is made before. */
async function warmUp() {
  const { net } = await makeNetwork({
    inputs: 100,
    layers: [
      { kind: 'sparse', units: 100, density: 0.1 },
      { kind: 'dense', units: 2 },
    ],
    threads: 1,
  });
  const session = await openSession(net, { threads: 1 });
  session.predictSync(new Float32Array(100), new Float32Array(2));
  await session.close();
  net.dispose();
}

/** From here on the peak is counted anew, where the system can do that (Linux); else since the process began. */
function resetPeak() {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Another system: the peak then includes the making of the data, and is an upper limit.
  }
}

function peak() {
  try {
    return 1024 * Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  } catch {
    return 1024 * process.resourceUsage().maxRSS;
  }
}

function labels(rows, classes) {
  return Int32Array.from({ length: rows }, (_, i) => i % classes);
}

async function makeNetwork({ inputs, layers, threads }) {
  const setnet = await import('setnet');
  const net = await setnet.Network.create({
    inputs,
    seed: 1,
    threads,
    layers: layers.map(({ kind, ...options }) => setnet[kind](options)),
  });
  const options =
    ({ batchSize, zeta }) =>
    (epochs) => ({
      epochs,
      batchSize,
      threads,
      loss: 'softmaxCrossEntropy',
      optimizer: setnet.sgd({ learningRate: 0.01, momentum: 0.9 }),
      // As in the first epochs to the end: a plain number would fall along a cosine.
      evolution: setnet.set({ zeta: setnet.constant({ value: zeta }) }),
    });
  return { net, options };
}

/**
 * Trains on random features: { stepSeconds, epochSeconds, evolutionSeconds (each per epoch), phases ({ name: seconds per epoch } of
 * the evolutions, where this version tells them), steps, connections, peakMb (above the data), levelBytes (resident above the data after the last epoch, while the fit is still alive) }.
 */
export async function trainRandom({ inputs, layers, classes, rows, batchSize, epochs, threads, zeta = 0.3 }) {
  const x = randomFeatures(rows * inputs, 3);
  const data = { x, y: labels(rows, classes) };
  await import('setnet');
  const before = resident();
  resetPeak();
  const { net, options } = await makeNetwork({ inputs, layers, threads });
  let levelBytes = 0;
  const fit = { net, data, options: options({ batchSize, zeta }) };
  const { fit: result } = await fitInTurns(
    { fit },
    {
      repeats: epochs,
      onEpoch: () => {
        levelBytes = resident() - before;
      },
    },
  );
  const steps = Math.ceil(rows / batchSize);
  return {
    stepSeconds: result.stepSeconds.map((seconds) => seconds / steps),
    epochSeconds: result.seconds,
    evolutionSeconds: result.evolutionSeconds,
    phases: phasesOf(result.epochs),
    steps,
    connections: result.epochs.at(-1).connections,
    peakMb: (peak() - before) / mega,
    levelBytes,
  };
}

function phasesOf(epochs) {
  const phases = {};
  for (const { evolution } of epochs) {
    for (const [name, seconds] of Object.entries(evolution?.phases ?? {}))
      phases[name] = [...(phases[name] ?? []), seconds];
  }
  return phases;
}

/** { bytes, connections, form }: what a network that only answers takes, with everything else freed. */
export async function frozenMemory({ inputs, layers }) {
  await import('setnet');
  const x = new Float32Array(inputs);
  const out = new Float32Array(layers.at(-1).units);
  await warmUp();
  const before = resident();
  const { net } = await makeNetwork({ inputs, layers, threads: 1 });
  const { connections } = net;
  const session = await openSession(net, { threads: 1 });
  if (session.form === 'session') net.dispose();
  session.predictSync(x, out);
  // Memory that was freed a moment ago may still be counted.
  await new Promise((done) => setTimeout(done, 200));
  const bytes = resident() - before;
  session.predictSync(x, out);
  return { bytes, connections, form: session.form };
}

/** Columns of one row: even over all, or mostly small numbers (a column c about as often as 1 / c). */
function columnsOf(count, columns, spread, random) {
  const chosen = new Set();
  while (chosen.size < count) {
    chosen.add(Math.min(columns - 1, Math.floor(spread === 'even' ? random() * columns : columns ** random())));
  }
  return [...chosen].sort((a, b) => a - b);
}

/** Trains on a CsrMatrix: { epochSeconds, connections, peakMb (of the whole process, the data in it) }. */
export async function trainSparseInputs({ columns, perRow, rows, units, epsilon, spread, batchSize, epochs, threads }) {
  const { CsrMatrix, Network, dense, sparse } = await import('setnet');
  const random = randomSource(1);
  const rowPointers = Float64Array.from({ length: rows + 1 }, (_, row) => row * perRow);
  const columnIndices = new Uint32Array(rows * perRow);
  for (let row = 0; row < rows; row++) columnIndices.set(columnsOf(perRow, columns, spread, random), row * perRow);
  const values = new Float32Array(rows * perRow).fill(1);
  const x = CsrMatrix.from({ rows, columns, rowPointers, columnIndices, values });
  const layers = [sparse({ units, epsilon }), dense({ units: 2 })];
  const net = await Network.create({ inputs: columns, seed: 1, threads, layers });
  const history = await net.fit({ x, y: labels(rows, 2) }, { epochs, batchSize, threads }).done;
  return {
    epochSeconds: history.epochs.map(({ seconds, evolutionSeconds }) => seconds + evolutionSeconds),
    connections: history.connections.trained,
    peakMb: peak() / mega,
  };
}

/** Trains on dense rows of which a part `density` is not 0: { epochSeconds }. */
export async function trainNearlyZero({ inputs, layers, epsilon, batchSize, rows, density, epochs, threads }) {
  const { Network, dense, sparse } = await import('setnet');
  const random = randomSource(2);
  const x = new Float32Array(rows * inputs);
  if (density === 1) for (let i = 0; i < x.length; i++) x[i] = random();
  else for (let k = 0; k < density * x.length; k++) x[Math.floor(random() * x.length)] = random();
  const hidden = layers.map((units) => sparse({ units, epsilon }));
  const net = await Network.create({ inputs, seed: 1, threads, layers: [...hidden, dense({ units: 2 })] });
  const fit = { epochs: epochs + 1, batchSize, threads, evolution: null };
  const history = await net.fit({ x, y: labels(rows, 2) }, fit).done;
  return { epochSeconds: history.epochs.slice(1).map(({ seconds }) => seconds) };
}

/**
 * Reads a data file and trains an epoch on it: { seconds (of reading), readPeak, trainPeak (bytes above the process before), longestWait
 * (ms that the event loop was late while reading) }.
 */
export async function readAndTrain({ path, label }) {
  const { Network, dense, readTable, sparse } = await import('setnet');
  const before = resident();
  resetPeak();
  const waits = monitorEventLoopDelay({ resolution: 1 });
  waits.enable();
  const begun = process.hrtime.bigint();
  const { x, y, inputs, classes } = await readTable(path, label === undefined ? {} : { label });
  const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
  waits.disable();
  const readPeak = peak() - before;
  const layers = [sparse({ units: 100, epsilon: 5 }), dense({ units: classes.length })];
  const net = await Network.create({ inputs, seed: 1, threads: 1, layers, scaling: 'perFeature' });
  await net.fit({ x, y }, { epochs: 1, batchSize: 1024, threads: 1 }).done;
  return { seconds, readPeak, trainPeak: peak() - before, longestWait: waits.max / 1e6 };
}
