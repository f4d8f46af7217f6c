// Seconds of training: sparse and masked beside what OpenBLAS reaches on the products of the masked one, so that their ratio is
// not that of a slow baseline; wide and very sparse networks; the density where dense would win; dropout and srelu; two
// threads. What is compared takes turns within one process: a machine that slows down meanwhile slows all of it.
import { loadavg } from 'node:os';
import { bundledDir, loadFashion } from '../examples/fashion/data.mjs';
import { cores } from '../scripts/lib/util.mjs';
import { fitInTurns } from './lib/fits.mjs';
import { runJob } from './lib/jobs.mjs';
import { createNetwork, fitOptions, recommended, repeated } from './lib/network.mjs';
import { openBlas } from './lib/openblas.mjs';
import { median, medianRatio } from './lib/statistics.mjs';
import { crossover, shares, training as targets, twoThreads } from './lib/targets.mjs';

export const description =
  '784-1000-1000-1000-10: sparse, masked, OpenBLAS sgemm; 65536-4096-4096-2; 3072-1024-512-10; density 30 %; 2 threads';

export const options = {
  repeats: { fallback: 3, about: 'epochs measured of each, after one that warms up' },
};

const threads = 1;
/** The layers' recommended settings, without dropout: its cost is measured by itself. */
const settings = { dropout: 0 };

export async function run({ options: { repeats, quick }, figure, note }) {
  const setnet = await import('setnet');
  const few = loadFashion({ dir: bundledDir });
  const data = quick ? few : repeated(few, 6);
  const bench = { setnet, figure, note, repeats: quick ? Math.min(2, repeats) : repeats, quick };
  await sparseAgainstMasked(bench, data);
  await activationAndDropout(bench, few);
  await againstOneThread(bench, few);
  await wide(bench);
  await verySparse(bench);
  await againstDense(bench, few);
}

async function sparseAgainstMasked({ setnet, figure, note, repeats }, data) {
  const { batchSize, hidden } = recommended;
  const sizes = [data.inputs, ...hidden, data.classes.length];
  const blas = await openBlas({ sizes, batch: batchSize });
  const fits = {};
  for (const kind of ['sparse', 'masked']) {
    const net = await createNetwork(setnet, { kind, seed: recommended.seed, threads, data, settings });
    fits[kind] = fitOf(setnet, net, data, { threads, settings });
  }
  const blasRuns = [];
  const results = await fitInTurns(fits, {
    repeats,
    onEpoch: async (name, _, turn) => {
      if (name === 'masked' && turn > 0 && !blas.absent) blasRuns.push(await blas.measure());
    },
  });
  const { sparse, masked } = results;

  // More than 1 (this process) says that others disturbed it.
  const load = Number(loadavg()[0].toFixed(2));
  const origin = { threads, repeats, images: data.trainRows, batch: batchSize, load };
  for (const [kind, { seconds }] of Object.entries(results)) {
    figure(`${kind}: seconds per epoch`, median(seconds), 's', { ...origin, side: kind, each: rounded(seconds) });
  }
  const ratio = medianRatio(masked.seconds, sparse.seconds);
  figure('masked / sparse', ratio, 'times', { ...origin, peer: 'masked', ...targets.againstMasked });
  // Both did the same work: else the ratio would say nothing.
  const isEqual = sparse.losses.every((loss, i) => Object.is(loss, masked.losses[i]));
  figure('losses of all epochs equal bit for bit', isEqual, 'boolean', origin);
  figure('sparse: evolution per epoch', median(sparse.evolutionSeconds), 's', origin);

  const maskedRate = (stepFlops(sizes) * data.trainRows) / median(masked.stepSeconds) / 1e9;
  figure('masked: rate over the whole steps', maskedRate, 'GFLOP/s', {
    ...origin,
    counts: '2 * cells of forward, dX, dW',
  });
  reportBlas({ blas, blasRuns, maskedRate, origin, figure });
  if (blas.absent) note(`  OpenBLAS is absent: ${blas.absent}`);
  for (const { net } of Object.values(fits)) net.dispose();
}

function fitOf(setnet, net, data, how) {
  return {
    net,
    data: { x: data.xTrain, y: data.yTrain },
    options: (epochs) => fitOptions(setnet, { ...how, epochs }),
  };
}

/** Floating-point operations of one sample's dense training step; the first layer needs no gradient of its input. */
function stepFlops(sizes) {
  const cells = sizes.slice(1).map((units, layer) => units * sizes[layer]);
  return cells.reduce((sum, count, layer) => sum + 2 * count * (layer === 0 ? 2 : 3), 0);
}

function reportBlas({ blas, blasRuns, maskedRate, origin, figure }) {
  const share = 'masked / OpenBLAS';
  if (blas.absent) {
    const absent = blas.absent;
    figure('OpenBLAS sgemm: the same products', null, 'GFLOP/s', { ...origin, repeats: 0, absent });
    figure(share, null, 'fraction', { ...origin, repeats: 0, absent, ...shares.maskedOfSgemm });
    return;
  }
  const { core, version } = blasRuns[0];
  const peer = { ...origin, openblas: version, core };
  const rate = ({ flops, seconds }) => flops / seconds / 1e9;
  const total = (products) => ({
    flops: products.reduce((sum, product) => sum + product.flops, 0),
    seconds: products.reduce((sum, product) => sum + product.seconds, 0),
  });
  for (const [i, { name, m, n, k }] of blasRuns[0].products.entries()) {
    const value = median(blasRuns.map(({ products }) => rate(products[i])));
    figure(`OpenBLAS sgemm: ${name}`, value, 'GFLOP/s', { ...peer, shape: `${m} x ${n} x ${k}` });
  }
  const whole = median(blasRuns.map(({ products }) => rate(total(products))));
  figure('OpenBLAS sgemm: the same products', whole, 'GFLOP/s', peer);
  figure(share, maskedRate / whole, 'fraction', { ...peer, ...shares.maskedOfSgemm });
}

/** What srelu and dropout 0.3 cost against relu without dropout, each and together. */
async function activationAndDropout({ setnet, figure, repeats }, data) {
  const variants = {
    'relu, dropout 0': { activation: 'relu', dropout: 0 },
    'relu, dropout 0.3': { activation: 'relu', dropout: 0.3 },
    'srelu, dropout 0.3': { activation: 'srelu', dropout: 0.3 },
  };
  // The recommended rate is relu's: srelu, which begins as the identity with a kink, diverges at it.
  const learningRate = 0.02;
  const fits = {};
  const absences = {};
  for (const [name, { activation, dropout }] of Object.entries(variants)) {
    try {
      const net = await createNetwork(setnet, {
        kind: 'sparse',
        seed: 1,
        threads,
        data,
        settings: { activation, dropout },
      });
      fits[name] = fitOf(setnet, net, data, { threads, settings: { dropout, learningRate } });
    } catch (error) {
      if (error.code !== 'ERR_SETNET_OPTION') throw error;
      absences[name] = error.message;
    }
  }
  const results = await fitInTurns(fits, { repeats });
  const base = results['relu, dropout 0'].seconds;
  for (const name of Object.keys(variants).slice(1)) {
    const target = name.startsWith('srelu') ? targets.sreluDropout : {};
    const origin = { threads, repeats, images: data.trainRows, batch: recommended.batchSize, ...target };
    const title = `${name}: against relu, dropout 0`;
    if (absences[name]) figure(title, null, 'times the cost', { ...origin, repeats: 0, absent: absences[name] });
    else figure(title, medianRatio(results[name].seconds, base), 'times the cost', origin);
  }
  for (const { net } of Object.values(fits)) net.dispose();
}

async function againstOneThread({ setnet, figure, repeats }, data) {
  const { batchSize } = recommended;
  const title = '2 threads against 1: epoch, batch';
  if (cores < 2) {
    figure(`${title} ${batchSize}`, null, 'times', { threads: 2, repeats: 0, absent: 'this machine has one core' });
    return;
  }
  for (const batch of [batchSize, 128]) {
    const how = { ...settings, batchSize: batch };
    const fits = {};
    for (const count of [1, 2]) {
      const net = await createNetwork(setnet, { kind: 'sparse', seed: 1, threads: count, data, settings: how });
      fits[count] = fitOf(setnet, net, data, { threads: count, settings: how });
    }
    const results = await fitInTurns(fits, { repeats });
    const target = batch >= 128 ? twoThreads.network(batch) : {};
    figure(`${title} ${batch}`, medianRatio(results[1].seconds, results[2].seconds), 'times', {
      ...{ threads: 2, repeats, images: data.trainRows, batch, ...target },
    });
    for (const { net } of Object.values(fits)) net.dispose();
  }
}

async function wide({ figure, repeats, quick }) {
  const epsilon = 20;
  const batchSize = 32;
  const job = {
    ...{ inputs: 65536, classes: 2, batchSize, threads, rows: batchSize * (quick ? 4 : 16), epochs: repeats },
    layers: [
      { kind: 'sparse', units: 4096, epsilon },
      { kind: 'sparse', units: 4096, epsilon },
      { kind: 'dense', units: 2 },
    ],
  };
  const { stepSeconds, evolutionSeconds, steps, connections, peakMb } = await runJob('trainRandom', job);
  const origin = { threads, repeats: stepSeconds.length, steps, batch: batchSize, connections };
  figure('65536-4096-4096-2: a step', median(stepSeconds) * 1e3, 'ms', { ...origin, ...targets.wideStep });
  figure('65536-4096-4096-2: evolution', median(evolutionSeconds) * 1e3, 'ms', origin);
  figure('65536-4096-4096-2: peak memory above the data', peakMb, 'MB', { ...origin, ...targets.widePeak });
}

async function verySparse({ figure, repeats, quick }) {
  const density = 0.01;
  const job = {
    ...{ inputs: 3072, classes: 10, batchSize: 100, threads, rows: quick ? 5000 : 50000, epochs: repeats },
    layers: [
      { kind: 'sparse', units: 1024, density },
      { kind: 'sparse', units: 512, density },
      { kind: 'dense', units: 10 },
    ],
  };
  const { epochSeconds, steps, connections } = await runJob('trainRandom', job);
  // The target is that of a whole epoch; a quick run measures a tenth of one.
  const target = quick ? {} : targets.cifarEpoch;
  const detail = {
    threads,
    repeats: epochSeconds.length,
    steps,
    batch: 100,
    connections,
    each: rounded(epochSeconds),
    ...target,
  };
  figure(`3072-1024-512-10 at 1 %: an epoch of ${job.rows} samples`, median(epochSeconds), 's', detail);
}

/** Steps of sparse layers at 30 % against dense ones of the same sizes; the topology stays, as that of the dense ones does. */
async function againstDense({ setnet, figure, repeats, quick }, data) {
  const units = 1024;
  const kinds = {
    sparse: () => setnet.sparse({ units, density: 0.3 }),
    dense: () => setnet.dense({ units, activation: 'relu' }),
  };
  for (const batch of quick ? [16, 128] : [1, 16, 128, 1024]) {
    const rows = Math.min(data.trainRows, Math.max(128, 8 * batch)) * (batch === 1 ? 2 : 1);
    const some = {
      ...data,
      xTrain: data.xTrain.subarray(0, rows * data.inputs),
      yTrain: data.yTrain.subarray(0, rows),
    };
    const fits = {};
    for (const [kind, layer] of Object.entries(kinds)) {
      const layers = [layer(), layer(), setnet.dense({ units: data.classes.length })];
      const net = await setnet.Network.create({ inputs: data.inputs, scaling: 'perFeature', seed: 1, threads, layers });
      fits[kind] = fitOf(setnet, net, some, {
        threads,
        evolve: false,
        // One sample at a time is too few for the recommended rate, and what is learned does not matter here.
        settings: { batchSize: batch, learningRate: 0.0005 },
      });
    }
    const results = await fitInTurns(fits, { repeats: repeats + 2 });
    const steps = Math.ceil(rows / batch);
    const origin = { threads, repeats: repeats + 2, batch, steps };
    for (const [kind, { stepSeconds }] of Object.entries(results)) {
      const title = `784-1024-1024-10, ${kind}${kind === 'sparse' ? ' at 30 %' : ''}: a step, batch ${batch}`;
      figure(title, (median(stepSeconds) / steps) * 1e3, 'ms', { ...origin, side: kind, group: 'density 30 %' });
    }
    const ratio = medianRatio(results.dense.stepSeconds, results.sparse.stepSeconds);
    const detail = { ...origin, peer: 'dense', group: 'density 30 %', ...crossover };
    figure(`784-1024-1024-10, dense / sparse at 30 %: batch ${batch}`, ratio, 'times', detail);
    for (const { net } of Object.values(fits)) net.dispose();
  }
}

function rounded(values) {
  return values.map((value) => Number(value.toFixed(4)));
}

export function charts(figures) {
  const number = ({ value }) => value ?? Number.NaN;
  const epochs = figures.filter(({ name }) => /: seconds per epoch$/.test(name));
  const ratios = figures.filter(({ unit }) => unit === 'times' || unit === 'times the cost');
  const dense = figures.filter(({ group }) => group === 'density 30 %');
  const made = [];
  if (epochs.length > 0) {
    made.push({
      kind: 'bars',
      title: `An epoch of ${epochs[0].images} images, 784-1000-1000-1000-10, one thread`,
      x: { label: 'seconds' },
      bars: epochs.map((figure) => ({
        name: figure.side,
        value: number(figure),
        color: figure.side === 'sparse' ? 0 : 3,
      })),
    });
  }
  if (ratios.length > 0) {
    made.push({
      kind: 'bars',
      title: 'Training: ratios of times within one run',
      x: { label: 'times', scale: 'log' },
      bars: ratios.map((figure) => ({
        ...figure,
        value: number(figure),
        color: figure.unit === 'times' ? 0 : 4,
        note: figure.absent,
      })),
    });
  }
  if (dense.length > 0) {
    made.push({
      kind: 'lines',
      title: '784-1024-1024-10: a training step at 30 % density and dense',
      x: { label: 'batch (samples per step)', scale: 'log', ticks: [...new Set(dense.map(({ batch }) => batch))] },
      y: { label: 'milliseconds', scale: 'log' },
      series: ['sparse', 'dense'].map((side, i) => ({
        name: side,
        color: 4 * i,
        points: dense
          .filter((figure) => figure.side === side)
          .map((figure) => ({ x: figure.batch, y: number(figure) })),
      })),
    });
  }
  return made;
}
