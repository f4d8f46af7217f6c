// What an evolution costs per connection, with everything that is made again after it, by the size of the layer.
import { runJob } from './lib/jobs.mjs';
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
    const { evolutionSeconds, phases, connections } = await runJob('trainRandom', {
      ...{ inputs: units, classes: 2, rows: 32, batchSize: 32, epochs: repeats, threads, zeta: 0.3 },
      layers: [
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
    for (const [phase, seconds] of Object.entries(phases)) {
      const value = median(seconds.map((one) => (one / connections) * 1e9));
      figure(`${name}: ${phase}`, value, 'ns per connection', { ...origin, size: wanted, phase });
    }
  }
}

export function charts(figures) {
  const points = (list) => list.map(({ size, value }) => ({ x: size, y: value ?? Number.NaN }));
  const names = [...new Set(figures.map(({ phase }) => phase).filter(Boolean))];
  return [
    {
      kind: 'lines',
      title: 'An evolution, by the number of connections',
      x: { label: 'connections', scale: 'log', ticks: [1e5, 1e6, 1e7] },
      y: { label: 'ns per connection' },
      series: [
        { name: 'all of it', points: points(figures.filter(({ phase }) => phase === undefined)) },
        ...names.map((name) => ({ name, dashed: true, points: points(figures.filter(({ phase }) => phase === name)) })),
      ],
    },
  ];
}
