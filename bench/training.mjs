// Seconds per epoch of sparse and masked training on one thread, and what the masked baseline reaches of OpenBLAS, so that
// the ratio of the two is not that of a slow baseline. Everything in one run, in turns: a machine that slows down meanwhile
// slows all of them.
import { loadavg } from 'node:os';
import { bundledDir, loadFashion } from '../examples/fashion/data.mjs';
import { createNetwork, fitOptions, recommended } from './lib/network.mjs';
import { openBlas } from './lib/openblas.mjs';
import { median } from './lib/statistics.mjs';

export const description = 'one thread, 10,000 images, 784-1000-1000-1000-10: sparse, masked, OpenBLAS sgemm';

export const options = {
  repeats: { fallback: 5, about: 'epochs measured of each, after one that warms up' },
};

const threads = 1;

export async function run({ options: { repeats }, figure, note }) {
  const setnet = await import('setnet');
  const data = loadFashion({ dir: bundledDir });
  const { batchSize, hidden } = recommended;
  const sizes = [data.inputs, ...hidden, data.classes.length];
  const kinds = ['sparse', 'masked'];
  const blas = await openBlas({ sizes, batch: batchSize });

  const nets = {};
  const epochs = {};
  const seconds = { sparse: [], masked: [] };
  const stepSeconds = { sparse: [], masked: [] };
  const losses = { sparse: [], masked: [] };
  for (const kind of kinds) nets[kind] = await createNetwork(setnet, { kind, seed: recommended.seed, threads, data });
  const blasRuns = [];
  for (let turn = 0; turn <= repeats; turn++) {
    for (const kind of kinds) {
      // The trainer runs one epoch and then waits for the next call: the first epoch of each is the warm-up, and never
      // do two run at once.
      epochs[kind] ??= startFit(setnet, nets[kind], data, 1 + repeats);
      const { value } = await epochs[kind].next();
      losses[kind].push(value.loss);
      if (turn === 0) continue;
      seconds[kind].push(value.seconds + value.evolutionSeconds);
      stepSeconds[kind].push(value.seconds);
    }
    if (turn > 0 && !blas.absent) blasRuns.push(await blas.measure());
  }
  for (const kind of kinds) while (!(await epochs[kind].next()).done);

  // More than 1 (this process) says that others disturbed it.
  const load = Number(loadavg()[0].toFixed(2));
  const origin = { threads, repeats, images: data.trainRows, batch: batchSize, load };
  const connections = (kind) => nets[kind].layers.reduce((sum, layer) => sum + layer.connections, 0);
  for (const kind of kinds) {
    figure(`${kind}: seconds per epoch`, median(seconds[kind]), 's', { ...origin, each: rounded(seconds[kind]) });
  }
  figure('masked / sparse', median(seconds.masked.map((value, i) => value / seconds.sparse[i])), 'times', origin);
  // Both did the same work: else the ratio would say nothing.
  const isEqual = losses.sparse.every((loss, i) => Object.is(loss, losses.masked[i]));
  figure('losses of all epochs equal bit for bit', isEqual, 'boolean', origin);
  figure('connections after the final removal', connections('sparse'), 'connections', origin);

  const dense = stepFlops(sizes);
  const maskedRate = (dense * data.trainRows) / median(stepSeconds.masked) / 1e9;
  figure('masked: rate over the whole steps', maskedRate, 'GFLOP/s', {
    ...origin,
    counts: '2 * cells of forward, dX, dW',
  });
  reportBlas({ blas, blasRuns, maskedRate, origin, figure });
  if (blas.absent) note(`  OpenBLAS is absent: ${blas.absent}`);
}

/** The epochs of a fit, one at a time. */
function startFit(setnet, net, data, epochs) {
  const training = net.fit({ x: data.xTrain, y: data.yTrain }, fitOptions(setnet, { epochs, threads }));
  return training[Symbol.asyncIterator]();
}

/** Floating-point operations of one sample's dense training step; the first layer needs no gradient of its input. */
function stepFlops(sizes) {
  const cells = sizes.slice(1).map((units, layer) => units * sizes[layer]);
  return cells.reduce((sum, count, layer) => sum + 2 * count * (layer === 0 ? 2 : 3), 0);
}

function reportBlas({ blas, blasRuns, maskedRate, origin, figure }) {
  if (blas.absent) {
    const absent = blas.absent;
    figure('OpenBLAS sgemm: the same products', null, 'GFLOP/s', { ...origin, repeats: 0, absent });
    figure('masked / OpenBLAS', null, 'fraction', { ...origin, repeats: 0, absent });
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
  figure('masked / OpenBLAS', maskedRate / whole, 'fraction', peer);
}

function rounded(values) {
  return values.map((value) => Number(value.toFixed(4)));
}
