// Accuracy on all of Fashion-MNIST with the recommended settings: SET before and after the final removal, a static sparse
// network beside it, and a masked one that must be equal to the bit.
import { DataError, loadFashion } from '../examples/fashion/data.mjs';
import { cores } from '../scripts/lib/util.mjs';
import { BenchError } from './lib/errors.mjs';
import { recommended } from './lib/network.mjs';
import { mean } from './lib/statistics.mjs';
import { trainAll } from './lib/train_runs.mjs';

export const description = 'Fashion-MNIST, 60,000 images, 784-1000-1000-1000-10: SET, static sparse, masked';

export const options = {
  seeds: { fallback: [1, 2, 3], about: 'one SET and one static run each' },
  epochs: { fallback: 10, about: 'of these runs' },
  equalEpochs: { fallback: 2, about: 'of the sparse and the masked run whose digests are compared' },
  processes: { fallback: Math.min(2, cores), about: 'runs at once, one thread each' },
};

/** In the run of everything: why it is not part of it. By its name it says what it lacks. */
export function reasonNotToRun({ quick }) {
  if (quick) return 'it trains for longer than a quick run has (--quick)';
  if (!process.env.SETNET_DATA)
    return 'SETNET_DATA does not name a folder with all 60,000 + 10,000 images of Fashion-MNIST';
  return undefined;
}

export function charts(figures) {
  const bars = figures
    .filter(({ unit, value }) => unit === '%' && value !== null)
    .map(({ name, value }) => ({ name, value }));
  return bars.length === 0 ? [] : [{ kind: 'bars', title: 'Accuracy on the test images', x: { label: '%' }, bars }];
}

const fullRows = 60000;
const threads = 1;

export async function run({ options: { seeds, epochs, equalEpochs, processes }, figure, note }) {
  const dir = fullData();
  const jobs = [
    ...seeds.map((seed) => ({ kind: 'sparse', seed, epochs, evolve: true })),
    ...seeds.map((seed) => ({ kind: 'sparse', seed, epochs, evolve: false })),
    // The pair runs last and side by side: nothing else is measured by it.
    { kind: 'masked', seed: seeds[0], epochs: equalEpochs, evolve: true },
    { kind: 'sparse', seed: seeds[0], epochs: equalEpochs, evolve: true },
  ].map((job) => ({ ...job, threads, dir }));
  const results = await trainAll(jobs, processes, (job, result) => note(progressLine(job, result)));
  const evolved = results.slice(0, seeds.length);
  const fixed = results.slice(seeds.length, 2 * seeds.length);
  const [masked, sparse] = results.slice(-2);

  const origin = { threads, repeats: seeds.length, processes, epochs };
  const { hidden, epsilon, batchSize, learningRate, momentum, weightDecay, dropout, zeta } = recommended;
  const settings = { hidden, epsilon, batchSize, learningRate, momentum, weightDecay, dropout, zeta };
  const perSeed = (list, name) => list.map((result) => Number(result[name].toFixed(2)));
  const before = mean(evolved.map((result) => result.accuracy));
  const after = mean(evolved.map((result) => result.finalAccuracy));
  const still = mean(fixed.map((result) => result.accuracy));
  figure('SET before the final removal', before, '%', {
    ...origin,
    seeds,
    each: perSeed(evolved, 'accuracy'),
    settings,
  });
  figure('SET after the final removal', after, '%', { ...origin, seeds, each: perSeed(evolved, 'finalAccuracy') });
  figure('static sparse', still, '%', { ...origin, seeds, each: perSeed(fixed, 'accuracy') });
  figure('SET before the removal minus static sparse', before - still, 'points', { ...origin, seeds });
  figure('connections before the removal', mean(evolved.map((result) => result.connections)), 'connections', origin);
  figure(
    'connections after the removal',
    mean(evolved.map((result) => result.finalConnections)),
    'connections',
    origin,
  );
  figure('masked equals sparse bit for bit', masked.digest === sparse.digest, 'boolean', {
    ...origin,
    repeats: 1,
    epochs: equalEpochs,
    seeds: [seeds[0]],
    digestMasked: masked.digest.slice(0, 16),
    digestSparse: sparse.digest.slice(0, 16),
  });
  // Not a measurement of speed: that is what `training` is for. It says how long to wait.
  figure('seconds per epoch while that ran', mean(evolved.map((result) => result.secondsPerEpoch)), 's', origin);
}

function progressLine({ kind, seed, epochs, evolve }, { accuracy, finalAccuracy }) {
  const name = evolve ? (kind === 'masked' ? 'masked, SET' : 'sparse, SET') : 'sparse, static';
  const after = finalAccuracy === null ? '' : `, after the final removal ${finalAccuracy.toFixed(2)} %`;
  return `  ${name}, seed ${seed}, ${epochs} epochs: ${accuracy.toFixed(2)} %${after}`;
}

/** The folder with all images, which the repository does not hold. */
function fullData() {
  const dir = process.env.SETNET_DATA;
  const what = 'a folder with all 60,000 + 10,000 images of Fashion-MNIST (IDX or NPY files, gzipped or not)';
  if (!dir) throw new BenchError(`set SETNET_DATA to ${what}; the repository holds only 10,000 + 2,000`);
  try {
    const { trainRows } = loadFashion({ dir });
    if (trainRows >= fullRows) return dir;
    throw new BenchError(`SETNET_DATA=${dir} holds ${trainRows} training images, expected ${what}`);
  } catch (error) {
    if (error instanceof DataError) throw new BenchError(`SETNET_DATA: ${error.message}`);
    throw error;
  }
}
