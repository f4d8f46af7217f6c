// Bytes per connection, seen from outside: resident memory of a process with a network of at least ten million connections
// above that of the same process before it made the network (of a frozen one: after it had made and frozen a small one, so
// that code which is read when it first runs is not counted).
import { runJob } from './lib/jobs.mjs';
import { memory as targets } from './lib/targets.mjs';

export const description = 'bytes per connection while training and frozen, networks of 10 million connections';

export const options = {};

const shapes = [
  { inputs: 20000, units: 20000, density: 0.025 },
  { inputs: 100000, units: 10000, density: 0.01 },
];

export async function run({ options: { quick }, figure }) {
  for (const { inputs, units, density } of quick ? shapes.slice(0, 1) : shapes) {
    const layers = [
      { kind: 'sparse', units, density },
      { kind: 'dense', units: 2 },
    ];
    const name = `${inputs}->${units} ${Number((100 * density).toPrecision(3))} %`;
    const job = { inputs, layers, classes: 2, rows: 32, batchSize: 32, epochs: 2, threads: 1 };
    const { levelBytes, peakMb, connections } = await runJob('trainRandom', job);
    const origin = { threads: 1, repeats: 1, connections, layer: name };
    const note = 'with the published snapshot, which may take 8 and is part of the level';
    const level = { ...origin, state: 'training', note, ...targets.training };
    figure(`${name}: training with momentum`, levelBytes / connections, 'bytes per connection', level);
    const peak = (peakMb * 1e6) / connections;
    figure(`${name}: training, at its peak (evolution, creation)`, peak, 'bytes per connection', {
      ...origin,
      state: 'peak',
    });
    const { bytes, form } = await runJob('frozenMemory', { inputs, layers });
    const frozen = { ...origin, state: 'frozen', form, ...targets.frozen };
    figure(`${name}: for inference alone`, bytes / connections, 'bytes per connection', frozen);
  }
}

export function charts(figures) {
  return [
    {
      kind: 'bars',
      title: 'Memory of a network of 10 million connections',
      x: { label: 'bytes per connection' },
      bars: figures.map((figure) => ({
        ...figure,
        value: figure.value ?? Number.NaN,
        color: figure.state === 'frozen' ? 0 : 4,
      })),
    },
  ];
}
