// The GraphChallenge for sparse networks, 1,024 neurons and 120 layers, through the public interface: nothing of the network's
// special structure is used. Categories and the sums after layers are checked against the official ones before anything is
// timed.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../examples/fashion/data.mjs';
import { cores, root } from '../scripts/lib/util.mjs';
import {
  edges,
  images,
  neurons,
  packedInput,
  readAnswers,
  readNetwork,
  unpackInput,
} from './lib/graphchallenge_data.mjs';
import { writeChallenge } from './lib/graphchallenge_file.mjs';
import { runNative } from './lib/native_programs.mjs';
import { openSession } from './lib/session.mjs';
import { graphChallenge as target } from './lib/targets.mjs';
import { measureInTurns } from './lib/timing.mjs';

export const description = 'GraphChallenge Sparse DNN, 1,024 neurons x 120 layers: answers, and edges per second';

export const options = {};

const activation = { kind: 'clippedRelu', max: 32 };
const bias = -0.3;
const threadCounts = cores > 1 ? [1, 2] : [1];
/** Layers after which values are compared with the official ones. */
const traced = [1, 6, 30];
const truthImages = 1200;

export async function run({ options: { quick }, figure, note }) {
  const setnet = await import('setnet');
  const found = await prepare(setnet, note);
  if (found.absent !== undefined) {
    for (const threads of threadCounts) {
      figure(title(threads), null, 'edges/s', { threads, repeats: 0, absent: found.absent, ...target(threads) });
    }
    return;
  }
  const { network, answers, bits } = found;
  const count = quick ? images / 10 : images;
  const x = unpackInput(bits, 0, count);
  const out = new Float32Array(count * neurons);
  const origin = { repeats: 1, images: count };

  const create = async (layers, threads) => {
    const net = await setnet.Network.create({ inputs: neurons, seed: 1, threads, layers: definitions(setnet, layers) });
    return { net, session: await openSession(net, { threads }) };
  };
  const close = async ({ net, session }) => {
    await session.close();
    net.dispose();
  };
  const sessions = {};
  for (const threads of threadCounts) sessions[threads] = await create(network, threads);

  for (const threads of threadCounts) {
    out.fill(Number.NaN);
    sessions[threads].session.predictSync(x, out);
    const alive = aliveImages(out);
    const first = alive.filter((image) => image <= truthImages);
    const isRight = first.join() === answers.truth.join();
    figure(`categories of the first ${truthImages} images are the official ones`, isRight, 'boolean', {
      threads,
      ...origin,
    });
  }
  if (count === images) {
    const checks = [...traced.map((layers) => [layers, undefined]), [network.length, sessions[1]]];
    for (const [layers, made] of checks) {
      const part = made ?? (await create(network.slice(0, layers), 1));
      part.session.predictSync(x, out);
      const isRight = equalTrace(out, answers.trace[layers - 1], layers === network.length);
      figure(
        `images alive, active values and sum after layer ${layers} agree with the official ones`,
        isRight,
        'boolean',
        {
          ...{ threads: 1, ...origin },
        },
      );
      if (made === undefined) await close(part);
    }
  }

  const calls = Object.fromEntries(
    threadCounts.map((threads) => [threads, () => sessions[threads].session.predictSync(x, out)]),
  );
  const peers = await peer({ found, count, figure });
  const timing = await measureInTurns(calls, { repeats: quick ? 3 : 5, blockSeconds: 0.001, limitSeconds: 60 });
  for (const threads of threadCounts) {
    // The targets are for all the images.
    const detail = { threads, repeats: timing.repeats, images: count, form: sessions[threads].session.form };
    const seconds = timing.time(threads);
    figure(title(threads), (count * edges) / seconds, 'edges/s', {
      ...detail,
      seconds: Number(seconds.toFixed(4)),
      ...target(threads),
    });
  }
  for (const [threads, rate] of Object.entries(peers)) {
    const ratio = (count * edges) / timing.time(threads) / rate;
    const detail = { threads: Number(threads), repeats: timing.repeats, images: count, peer: 'SuiteSparse:GraphBLAS' };
    figure(`setnet / SuiteSparse:GraphBLAS, ${threads} thread${threads === '1' ? '' : 's'}`, ratio, 'times', detail);
  }
  if (threadCounts.length > 1)
    figure('2 threads against 1', timing.ratio(1, 2), 'times', { threads: 2, repeats: timing.repeats, images: count });
  for (const made of Object.values(sessions)) await close(made);
}

/**
 * SuiteSparse:GraphBLAS on the same network and images, each figure with whether its answer is right; resolves with { threads:
 * edges per second } of the right ones.
 */
async function peer({ found, count, figure }) {
  const file = join(root, 'build-bench/graphchallenge-1024.network');
  const { network, bits, answers } = found;
  writeChallenge(file, { images: count, neurons, bits, network, bias, limit: activation.max });
  const results = await runNative('graphchallenge', {
    file,
    images: count,
    threads: threadCounts,
    repeats: count === images ? 1 : 3,
  });
  rmSync(file, { force: true });
  const rates = {};
  for (const { name, value, unit, categories, threads = 1, repeats = 0, absent, ...extra } of results) {
    const detail = { threads, repeats, peer: 'SuiteSparse:GraphBLAS', ...extra };
    if (value === null) {
      figure(name, null, unit ?? 'edges/s', { ...detail, absent });
      continue;
    }
    const first = categories.split(',').map(Number);
    const isRight = first.filter((image) => image <= truthImages).join() === answers.truth.join();
    figure(name, value, unit, { ...detail, categoriesRight: isRight });
    if (isRight) rates[threads] = value;
  }
  return rates;
}

function title(threads) {
  return `images x edges per second, ${threads} thread${threads > 1 ? 's' : ''}`;
}

/** What the benchmark needs, or { absent: reason }. */
async function prepare(setnet, note) {
  const folder = process.env.SETNET_GRAPHCHALLENGE;
  if (!folder)
    return { absent: 'set SETNET_GRAPHCHALLENGE to the folder with class_of_row.npy and the official answers' };
  const mnist = process.env.SETNET_MNIST;
  if (!mnist) return { absent: 'set SETNET_MNIST to a folder with the MNIST training images (IDX or NPY)' };
  try {
    const network = readNetwork(folder);
    // Whether this version knows what the network is made of, before the input is made.
    const probe = await setnet.Network.create({
      inputs: neurons,
      seed: 1,
      layers: definitions(setnet, network.slice(0, 1)),
    });
    probe.dispose();
    return { network, answers: readAnswers(folder), bits: packedInput(mnist, note) };
  } catch (error) {
    if (error instanceof DataError || error.code?.startsWith('ERR_SETNET_')) return { absent: error.message };
    throw error;
  }
}

function definitions(setnet, network) {
  return network.map((arrays) => setnet.sparse({ weights: setnet.CsrMatrix.from(arrays), bias, activation }));
}

/** The one-based numbers of the images with any value above 0. */
function aliveImages(out) {
  const alive = [];
  for (let first = 0; first < out.length; first += neurons) {
    if (out.subarray(first, first + neurons).some((value) => value > 0)) alive.push(first / neurons + 1);
  }
  return alive;
}

/**
 * The official values are of double precision: where a sum is exactly what the bias takes away, one of the two keeps a rounding
 * error above 0 and the other does not. So all three agree to a part in a thousand within the network; after the last layer
 * (`isLast`) alive and active exactly, the sum to a part in 100,000.
 */
function equalTrace(out, { alive, active, sum }, isLast) {
  let count = 0;
  let total = 0;
  for (let i = 0; i < out.length; i++) {
    if (out[i] > 0) {
      count++;
      total += out[i];
    }
  }
  const close = (value, wanted, part) => Math.abs(value - wanted) <= part * wanted;
  const part = isLast ? 0 : 1e-3;
  return (
    close(aliveImages(out).length, alive, part) && close(count, active, part) && close(total, sum, isLast ? 1e-5 : part)
  );
}

export function charts(figures) {
  const rates = figures.filter(({ unit }) => unit === 'edges/s');
  return [
    {
      kind: 'bars',
      title: 'GraphChallenge, 1,024 neurons x 120 layers',
      x: { label: 'images x edges per second', scale: 'log' },
      bars: rates.map((figure) => ({ ...figure, value: figure.value ?? Number.NaN, note: figure.absent })),
    },
  ];
}
