// What runs in a process of its own. Memory is that of the whole process, as the system counts it: the difference to what it
// had when only the data were there.
import { readFileSync, writeFileSync } from 'node:fs';
import { fitInTurns } from './fits.mjs';
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
