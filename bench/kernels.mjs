// The kernels themselves, called from C++, and the ceilings of this machine that bound them, measured in the same run.
import { ceilings } from './lib/ceilings.mjs';
import { runNative } from './lib/native_programs.mjs';
import { kernelTarget } from './lib/targets.mjs';

export const description = 'kernels called from C++, beside the ceilings of one core that bound them';

export const options = {};

export async function run({ options: { quick }, figure }) {
  const { buildInfo } = await import('setnet');
  const isa = buildInfo().instructionSet;
  const { list, find } = await ceilings({ isa, quick });
  for (const one of list) pass(figure, one, 'ceilings');
  const kernels = await runNative('kernels', quick ? { seconds: 0.003, repeats: 5 } : {});
  const fma = find('FMA').value;
  for (const one of kernels) pass(figure, { ...one, ...kernelTarget(one, fma, isa) }, 'kernels');
}

/** A line of a native program as a figure; its own fields stay beside ours. `isa` is the one that it measured. */
function pass(figure, { name, value, unit, threads = 1, repeats = 0, ...extra }, group) {
  figure(name, value, unit ?? '', { threads, repeats: value === null ? 0 : repeats, group, ...extra });
}

export function charts(figures) {
  const made = [];
  for (const [unit, title] of [
    ['GFLOP/s', 'Ceilings of one core: arithmetic, and rows read at random'],
    ['GB/s', 'Ceilings of one core: memory'],
  ]) {
    const list = figures.filter(
      (figure) => figure.group === 'ceilings' && figure.unit === unit && figure.value !== null,
    );
    if (list.length > 0) made.push({ kind: 'bars', title, x: { label: unit }, bars: list });
  }
  const shares = figures.filter(
    ({ group, unit, value }) => group === 'kernels' && unit === 'fraction' && value !== null,
  );
  // The program begins with the widest instruction set.
  const widest = shares.filter(({ isa }) => isa === shares[0].isa);
  const x = { label: 'fraction of the ceiling measured in this run' };
  const products = ['sparseProduct', 'sparseUpdate', 'gather', 'denseForward', 'denseInputGradient', 'denseUpdate'];
  for (const kernel of products) {
    const bars = widest
      .filter((figure) => figure.kernel === kernel)
      .map((figure) => ({ ...figure, name: nameOf(figure), color: figure.bound?.startsWith('sgemm') ? 3 : 0 }));
    if (bars.length > 0)
      made.push({ kind: 'bars', title: `${kernel}: share of its ceiling, ${widest[0].isa}`, x, bars });
  }
  const others = widest.filter(({ kernel, batch }) => !products.includes(kernel) && batch === 128);
  if (others.length > 0) {
    const bars = others.map((figure) => ({ ...figure, name: `${figure.kernel}, ${nameOf(figure)}` }));
    made.push({ kind: 'bars', title: `Other kernels at batch 128: share of their ceiling, ${widest[0].isa}`, x, bars });
  }
  return made;
}

function nameOf({ shape, batch, bound }) {
  return [shape, batch !== undefined && `batch ${batch}`, `of ${bound}`].filter(Boolean).join(', ');
}
