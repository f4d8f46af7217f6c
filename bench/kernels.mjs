// The kernels themselves, called from C++, and the ceilings of this machine that bound them, measured in the same run.
import { ceilings } from './lib/ceilings.mjs';
import { runNative } from './lib/native_programs.mjs';

export const description = 'kernels called from C++, beside the ceilings of one core that bound them';

export const options = {};

export async function run({ options: { quick }, figure }) {
  const { buildInfo } = await import('setnet');
  const { list } = await ceilings({ isa: buildInfo().instructionSet, quick });
  for (const one of list) pass(figure, one, 'ceilings');
  const kernels = await runNative('kernels', quick ? { seconds: 0.003, repeats: 5 } : {});
  for (const one of kernels) pass(figure, one, 'kernels');
}

/** A line of a native program as a figure; its own fields stay beside ours. `isa` is the one that it measured. */
function pass(figure, { name, value, unit, threads = 1, repeats = 0, ...extra }, group) {
  figure(name, value, unit ?? '', { threads, repeats: value === null ? 0 : repeats, group, ...extra });
}

export function charts(figures) {
  const made = [];
  const bars = (list) => list.map((figure) => ({ ...figure, value: figure.value ?? Number.NaN, note: figure.absent }));
  for (const [unit, title] of [
    ['GFLOP/s', 'Ceilings of one core: arithmetic, and rows read at random'],
    ['GB/s', 'Ceilings of one core: memory'],
  ]) {
    const list = figures.filter(
      (figure) => figure.group === 'ceilings' && figure.unit === unit && figure.value !== null,
    );
    if (list.length > 0) made.push({ kind: 'bars', title, x: { label: unit }, bars: bars(list) });
  }
  const shares = figures.filter(({ group, unit }) => group === 'kernels' && unit === 'fraction');
  if (shares.length > 0) {
    made.push({
      kind: 'bars',
      title: 'Kernels: share of the ceiling that bounds them',
      x: { label: 'fraction' },
      bars: bars(shares),
    });
  }
  return made;
}
