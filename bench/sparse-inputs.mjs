// Sparse inputs of very many columns, and dense ones that are nearly all 0: what an epoch takes and how much memory.
import { runJob } from './lib/jobs.mjs';
import { median } from './lib/statistics.mjs';
import { sparseInputs as targets } from './lib/targets.mjs';

export const description = 'inputs of a million columns as a sparse matrix; dense inputs that are nearly all 0';

export const options = { epochs: { fallback: 3, about: 'measured of each training, after none to warm up' } };

const threads = 1;

export async function run({ options: { epochs, quick }, figure }) {
  const wide = { columns: 1_000_000, perRow: 100, rows: quick ? 2000 : 10_000, units: 500, epsilon: 5 };
  for (const spread of ['even', 'skewed']) {
    const made = await runJob('trainSparseInputs', { ...wide, spread, batchSize: 128, epochs, threads });
    const name = `${wide.columns} columns, ${wide.perRow} numbers a row, ${spread}`;
    const origin = { threads, repeats: epochs, connections: made.connections, rows: wide.rows };
    figure(`${name}: an epoch`, median(made.epochSeconds), 's', { ...origin, per: `${wide.rows} rows` });
    figure(`${name}: peak memory of the process`, made.peakMb, 'MB', { ...origin, ...targets.peak });
  }

  const shape = { inputs: 65536, layers: [4096, 4096], epsilon: 20, batchSize: 128, rows: 1024, epochs, threads };
  const full = await runJob('trainNearlyZero', { ...shape, density: 1 });
  for (const density of [0.1, 0.01, 0.003]) {
    const few = await runJob('trainNearlyZero', { ...shape, density });
    figure(
      `65536-4096-4096-2, batch 128, dense inputs with ${100 * density} % of numbers: times as quick as with all`,
      median(full.epochSeconds) / median(few.epochSeconds),
      'ratio',
      { threads, repeats: epochs, ...targets.nearlyZero },
    );
  }
}

export function charts(figures) {
  const bars = figures.filter(({ unit }) => unit === 's');
  return [{ kind: 'bars', title: 'An epoch of a million columns', x: { label: 'seconds' }, bars }];
}
