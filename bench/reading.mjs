// Data files: rows per second, how much memory reading and training on what was read take, and how long the event loop waits.
import { closeSync, existsSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../scripts/lib/util.mjs';
import { runJob } from './lib/jobs.mjs';
import { randomSource } from './lib/random.mjs';
import { median } from './lib/statistics.mjs';
import { reading as targets } from './lib/targets.mjs';

export const description =
  'data files: CSV of a million rows and SVMlight, rows per second and peak memory over the size of the file';

export const options = { repeats: { fallback: 3, about: 'readings of each file, a process each' } };

/** A number from -5 to 5 with five decimals. */
const measurement = (random) => (10 * random() - 5).toFixed(5);
const digit = (random) => String(Math.floor(10 * random()));
const columns = 30;

function csvRow(cell) {
  return (random) =>
    `${Array.from({ length: columns }, () => cell(random)).join()},${['red', 'green', 'blue'][Math.floor(3 * random())]}\n`;
}

/** 100 of 10,000 indices, ascending. */
function sparseRow(random) {
  const elements = Array.from(
    { length: 100 },
    (_, i) => `${100 * i + 1 + Math.floor(100 * random())}:${random().toFixed(3)}`,
  );
  return `${random() < 0.5 ? '+1' : '-1'} ${elements.join(' ')}\n`;
}

const files = [
  { name: 'CSV, numbers of five decimals', ending: 'csv', rows: 1_000_000, row: csvRow(measurement), label: -1 },
  { name: 'CSV, digits', ending: 'csv', rows: 1_000_000, row: csvRow(digit), label: -1 },
  { name: 'SVMlight, 100 numbers a row', ending: 'svm', rows: 100_000, row: sparseRow },
];

/** Writes the file where it is not there; its path. */
function makeFile({ ending, row }, rows, number) {
  const folder = join(root, 'build-bench');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `reading-${number}-${rows}.${ending}`);
  if (existsSync(path)) return path;
  const random = randomSource(1 + number);
  const file = openSync(`${path}.tmp`, 'w');
  for (let done = 0; done < rows; done += 10_000)
    writeSync(file, Array.from({ length: Math.min(10_000, rows - done) }, () => row(random)).join(''));
  closeSync(file);
  renameSync(`${path}.tmp`, path);
  return path;
}

export async function run({ options: { repeats, quick }, figure }) {
  for (const [number, file] of files.entries()) {
    const rows = quick ? file.rows / 10 : file.rows;
    const path = makeFile(file, rows, number);
    const { size } = statSync(path);
    const runs = [];
    for (let i = 0; i < repeats; i++) runs.push(await runJob('readAndTrain', { path, label: file.label }));
    const middle = (name) => median(runs.map((each) => each[name]));
    const origin = { threads: 1, repeats, rows, size };
    figure(`${file.name}: reading`, rows / middle('seconds'), 'rows per second', origin);
    figure(`${file.name}: reading`, size / 1e6 / middle('seconds'), 'MB per second', origin);
    // A small file is less than what the process takes besides.
    const limit = quick ? {} : targets.peak;
    const what = 'peak memory above that before';
    figure(`${file.name}: ${what}, reading`, middle('readPeak') / size, 'times the file', {
      ...origin,
      ...limit,
      state: 'peak',
    });
    figure(`${file.name}: ${what}, reading and an epoch`, middle('trainPeak') / size, 'times the file', {
      ...origin,
      ...limit,
      state: 'peak',
    });
    figure(`${file.name}: the longest the event loop waits`, middle('longestWait'), 'ms', { ...origin });
  }
}

export function charts(figures) {
  const bars = figures.filter(({ state }) => state === 'peak');
  return [{ kind: 'bars', title: 'Memory of reading and training', x: { label: 'times the size of the file' }, bars }];
}
