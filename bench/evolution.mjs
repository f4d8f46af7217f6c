// What an evolution costs per connection, with everything that is made again after it, by the size of the layer.
import { runJob } from './lib/jobs.mjs';
import { runNative } from './lib/native_programs.mjs';
import { median } from './lib/statistics.mjs';
import { evolutionTarget } from './lib/targets.mjs';

export const description = 'nanoseconds per connection of pruning, growing and making the layouts again, zeta 0.3';

export const options = {
  evolutions: { fallback: 7, about: 'evolutions measured at each size, after one that warms up' },
};

const threads = 1;
const density = 0.05;

export async function run({ options: { evolutions, quick }, figure }) {
  for (const wanted of [1e5, 1e6, 1e7]) {
    const units = Math.round(Math.sqrt(wanted / density));
    const repeats = wanted === 1e7 ? Math.min(evolutions, quick ? 2 : 4) : evolutions;
    // One step and then an evolution, over and over.
    const { evolutionSeconds, connections } = await runJob('trainRandom', {
      ...{ inputs: 16, classes: 2, rows: 32, batchSize: 32, epochs: repeats, threads, zeta: 0.3 },
      layers: [
        // Not the first layer, which needs no gradient of its inputs and so no transposed form.
        { kind: 'sparse', units, density: 1 / 16, evolve: false },
        { kind: 'sparse', units, density },
        { kind: 'dense', units: 2 },
      ],
    });
    const each = evolutionSeconds.map((seconds) => (seconds / connections) * 1e9);
    const name = `${wanted.toExponential(0).replace('e+', 'e')} connections`;
    const origin = { threads, repeats, connections, layer: `${units}x${units}` };
    figure(`${name}: an evolution`, median(each), 'ns per connection', {
      ...{ ...origin, size: wanted, each: each.map((value) => Number(value.toFixed(1))), ...evolutionTarget(wanted) },
    });
  }
  for (const { name, value, unit, ...extra } of await runNative('evolution', quick ? { connections: '1e5,1e6' } : {}))
    figure(name, value, unit ?? 'ns/connection', {
      threads,
      repeats: value === null ? 0 : 6,
      ...extra,
      group: 'phases',
    });
}

export function charts(figures) {
  const points = (list) => list.map(({ size, value }) => ({ x: size, y: value ?? Number.NaN }));
  return [
    {
      kind: 'lines',
      title: 'An evolution, by the number of connections',
      x: { label: 'connections', scale: 'log', ticks: [1e5, 1e6, 1e7] },
      y: { label: 'ns per connection' },
      series: [{ name: 'all of it', points: points(figures.filter(({ size }) => size !== undefined)) }],
    },
  ];
}
