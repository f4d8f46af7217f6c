// 784-1000-1000-1000-10 with epsilon 20, called from JavaScript: setnet against the same network as dense matrices in other
// runtimes and as our own masked network, in turns.
import { bundledDir, loadFashion } from '../examples/fashion/data.mjs';
import { cores } from '../scripts/lib/util.mjs';
import { denseLayers, openDense } from './lib/onnx.mjs';
import { onnxRuntime, tensorFlow } from './lib/peers.mjs';
import { openSession, randomFeatures } from './lib/session.mjs';
import { accuracyOfBf16, compareForms } from './lib/session_forms.mjs';
import { inferenceTarget } from './lib/targets.mjs';
import { maxDifference, measureInTurns } from './lib/timing.mjs';

export const description = '784-1000-1000-1000-10, epsilon 20, from JavaScript: setnet, onnxruntime, tfjs, masked';

export const options = {
  batches: { fallback: [1, 16, 128, 1024], about: 'rows per call' },
};

const hidden = [1000, 1000, 1000];
const epsilon = 20;
const inputs = 784;
const outputs = 10;
/** Whether a side can have so many threads at all: its absence is said once, not with every figure. */
const hasThreads = (side, threads) => side !== 'tfjs-backend-wasm' || threads === 1;

export async function run({ options: { batches, quick }, figure, note }) {
  const setnet = await import('setnet');
  const isa = setnet.buildInfo().instructionSet;
  const peers = { onnxruntime: await onnxRuntime(), 'tfjs-backend-wasm': await tensorFlow() };
  for (const [name, { absent }] of Object.entries(peers)) if (absent) note(`  ${name} is absent: ${absent}`);
  const features = { images: images(Math.max(...batches)), random: randomFeatures(Math.max(...batches) * inputs) };

  for (const threads of cores > 1 ? [1, 2] : [1]) {
    const sides = await openSides(setnet, peers, threads);
    for (const [input, x] of Object.entries(features)) {
      await compareOutputs({ sides, x, input, threads, figure });
      for (const batch of batches) {
        await compareTimes({ sides, x: x.subarray(0, batch * inputs), batch, input, threads, isa, quick, figure });
      }
    }
    if (threads === 1) {
      await compareForms({ net: sides.setnet.net, x: features.images, batches, quick, figure });
    }
    for (const { close } of Object.values(sides)) await close?.();
  }
  await accuracyOfBf16({ setnet, quick, figure });
}

/** The first training images, scaled to 0..1. */
function images(rows) {
  const { xTrain } = loadFashion({ dir: bundledDir });
  return Float32Array.from({ length: rows * inputs }, (_, i) => xTrain[i % xTrain.length] / 255);
}

/** { name: { call(x, batch, out), close } or { absent } }; each writes or returns what it computes. */
async function openSides(setnet, peers, threads) {
  const create = (kind) =>
    setnet.Network.create({
      inputs,
      seed: 1,
      threads,
      layers: [...hidden.map((units) => setnet[kind]({ units, epsilon })), setnet.dense({ units: outputs })],
    });
  const net = await create('sparse');
  const masked = await create('masked');
  const session = await openSession(net, { threads });
  const layers = denseLayers(net);
  const sides = {
    setnet: {
      net,
      form: session.form,
      call: (x, _, out) => () => session.predictSync(x, out),
      close: () => [session.close(), net.dispose()],
    },
    masked: { call: (x, _, out) => () => masked.predictSync(x, out), close: () => masked.dispose() },
  };
  const { onnxruntime, 'tfjs-backend-wasm': tensorflow } = peers;
  if (onnxruntime.absent) {
    sides.onnxruntime = onnxruntime;
  } else {
    const model = await openDense(onnxruntime, net, { threads });
    sides.onnxruntime = {
      version: onnxruntime.version,
      call: (x, batch) => model.call(x, batch, inputs),
      close: () => model.close(),
    };
  }
  if (tensorflow.absent) {
    sides['tfjs-backend-wasm'] = tensorflow;
  } else if (threads === 1) {
    const model = tensorflow.open(layers);
    sides['tfjs-backend-wasm'] = {
      version: tensorflow.version,
      call: (x, batch) => model.call(x, batch, inputs),
      close: () => model.close(),
    };
  } else {
    sides['tfjs-backend-wasm'] = { absent: 'tfjs-backend-wasm has one thread in Node' };
  }
  return sides;
}

/** Nothing is timed that does not compute the same. */
async function compareOutputs({ sides, x, input, threads, figure }) {
  const rows = Math.min(128, x.length / inputs);
  const some = x.subarray(0, rows * inputs);
  const results = {};
  for (const [name, side] of Object.entries(sides)) {
    if (side.absent) continue;
    const out = new Float32Array(rows * outputs);
    const made = await side.call(some, rows, out)();
    results[name] = made ?? out;
  }
  for (const [name, side] of Object.entries(sides)) {
    if (name === 'setnet') continue;
    const origin = { threads, repeats: 1, peer: name, input, rows };
    const title = `largest difference of outputs, ${name}, ${input}`;
    if (side.absent) figure(title, null, 'absolute', { ...origin, repeats: 0, absent: side.absent });
    else figure(title, maxDifference(results.setnet, results[name]), 'absolute', origin);
  }
}

async function compareTimes({ sides, x, batch, input, threads, isa, quick, figure }) {
  const out = { setnet: new Float32Array(batch * outputs), masked: new Float32Array(batch * outputs) };
  const calls = {};
  for (const [name, side] of Object.entries(sides)) {
    if (!side.absent) calls[name] = side.call(x, batch, out[name]);
  }
  const timing = await measureInTurns(calls, {
    repeats: quick ? 5 : 15,
    blockSeconds: quick ? 0.01 : 0.03,
    limitSeconds: quick ? 3 : 15,
    // onnxruntime's threads go on spinning for a while after a call; on two cores they would stand in the way of the next.
    pauseMs: threads > 1 ? 40 : 0,
  });
  const origin = { threads, repeats: timing.repeats, batch, input };
  for (const [name, side] of Object.entries(sides)) {
    const title = `${name}: a call, batch ${batch}, ${input}`;
    if (side.absent) {
      if (hasThreads(name, threads))
        figure(title, null, 'us', { ...origin, repeats: 0, side: name, absent: side.absent });
      continue;
    }
    const { version, form } = side;
    const detail = { side: name, spread: Number(timing.spread(name).toFixed(3)) };
    figure(title, timing.time(name) * 1e6, 'us', {
      ...origin,
      ...detail,
      ...(version && { version }),
      ...(form && { form }),
    });
  }
  for (const [name, side] of Object.entries(sides)) {
    if (name === 'setnet') continue;
    const target = name === 'onnxruntime' && threads === 1 ? inferenceTarget(batch, isa) : {};
    const title = `${name} / setnet: batch ${batch}, ${input}`;
    const detail = { ...origin, peer: name, ...target };
    if (side.absent) {
      if (hasThreads(name, threads)) figure(title, null, 'times', { ...detail, repeats: 0, absent: side.absent });
    } else {
      figure(title, timing.ratio(name, 'setnet'), 'times', detail);
    }
  }
}

const colors = { setnet: 0, onnxruntime: 1, 'tfjs-backend-wasm': 2, masked: 3 };

export function charts(figures) {
  const made = [];
  for (const threads of [1, 2]) {
    const these = figures.filter((figure) => figure.threads === threads && figure.input === 'images');
    if (these.length === 0) continue;
    const series = (key, names) =>
      names.map((name) => ({
        name,
        color: colors[name],
        points: these
          .filter((figure) => figure[key] === name && figure.batch !== undefined)
          .map(({ batch, value }) => ({ x: batch, y: value ?? Number.NaN })),
      }));
    const ticks = [...new Set(these.map(({ batch }) => batch).filter(Boolean))];
    const x = { label: 'batch (rows per call)', scale: 'log', ticks };
    const many = `${threads} thread${threads > 1 ? 's' : ''}`;
    made.push({
      kind: 'lines',
      title: `Time of a call against batch, ${many}`,
      x,
      y: { label: 'microseconds', scale: 'log' },
      series: series('side', Object.keys(colors)),
      caption: '784-1000-1000-1000-10, epsilon 20, Fashion-MNIST images',
    });
    made.push({
      kind: 'lines',
      title: `How many times the peer's time is setnet's, ${many}`,
      x,
      y: { label: 'peer / setnet', scale: 'log' },
      series: series('peer', Object.keys(colors).slice(1)),
      bounds: [{ y: 1, label: 'equal' }],
    });
  }
  return made;
}
