// Figures as lines of JSON or as a table. Every figure carries what it was measured with.
import { formatFigure, judge } from './figures.mjs';
import { machine } from './machine.mjs';

/**
 * `json`: each figure at once as one line on stdout, notes on stderr. Else a table per benchmark, with the machine above.
 *
 * The figures' fields: bench, name, value (a number, a boolean, or null for a peer that is absent, then with the reason in
 * `absent`), unit, threads, repeats, isa, processor, caches, node, setnet, and whatever the benchmark adds: `floor` and `aim`
 * (then also `met`), `versions` of peers.
 */
export async function makeReport({ json }) {
  const { buildInfo } = await import('setnet');
  const { version, instructionSet } = buildInfo();
  const origin = { isa: instructionSet, ...machine(), node: process.version, setnet: version };
  const note = (text) => (json ? process.stderr : process.stdout).write(`${text}\n`);
  // A part of the run of everything: that has said it already.
  const isPart = process.env.SETNET_BENCH_PART !== undefined;
  if (!isPart) note(headline(origin));

  const begin = (bench, description) => {
    const rows = [];
    if (!isPart) note(`\n${bench}: ${description}`);
    return {
      /** Reports one figure; `repeats` is how many measurements are behind it. */
      figure(name, measured, unit, { threads, repeats, ...extra }) {
        // Ten digits are more than anything here is good for, and spare readers 88.66000000000001.
        const value = typeof measured === 'number' ? Number(measured.toPrecision(10)) : measured;
        const made = { bench, name, value, unit, threads, repeats, ...origin, ...judge(value, unit, extra) };
        if (json) process.stdout.write(`${JSON.stringify(made)}\n`);
        else rows.push(made);
        return made;
      },
      end() {
        if (!json) printTable(rows);
      },
    };
  };
  return { begin, note, origin };
}

export function headline({ isa, processor, caches, node, setnet }) {
  return `setnet ${setnet}, Node ${node}, ${isa} on ${processor} (${caches ?? 'caches unknown'})`;
}

export function printTable(figures) {
  const texts = figures.map(formatFigure);
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...texts.map((row) => row[column].length)));
  for (const [name, value, unit, how, extra] of texts) {
    const cells = [
      name.padEnd(widths[0]),
      value.padStart(widths[1]),
      unit.padEnd(widths[2]),
      how.padEnd(widths[3]),
      extra,
    ];
    process.stdout.write(`  ${cells.join('  ').trimEnd()}\n`);
  }
}
