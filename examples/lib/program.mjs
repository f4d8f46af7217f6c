// What every example's command line has: options, where the data are, how a failure is told.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DataError } from './npy.mjs';

/** A command line that cannot be used. */
export class UsageError extends Error {}

/**
 * The options of the command line, --name VALUE or --name=VALUE. `defaults`: every option there is; a number wants an integer
 * of at least 1, a text any text, false makes a switch without a value. Throws UsageError.
 */
export function readOptions(defaults, args = process.argv.slice(2)) {
  const kinds = Object.entries(defaults).map(([name, value]) => [
    name,
    { type: typeof value === 'boolean' ? 'boolean' : 'string' },
  ]);
  let values;
  try {
    ({ values } = parseArgs({ args, options: Object.fromEntries(kinds) }));
  } catch (error) {
    const names = Object.keys(defaults).map((name) => `--${name}`);
    throw new UsageError(`${error.message.replace(/\.?$/, '.')} There are: ${names.join(', ')}.`);
  }
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => {
      const given = values[name] ?? value;
      if (typeof value !== 'number' || typeof given === 'number') return [name, given];
      if (!/^[1-9]\d{0,8}$/.test(given)) throw new UsageError(`--${name} is '${given}', expected an integer from 1`);
      return [name, Number(given)];
    }),
  );
}

/**
 * The folder of a data set that is not in this repository: `given` (the option --data) or the environment variable
 * SETNET_DATA, or in it the folder `name`; the first that has X.npy or X.npy.gz. `what` says what it must contain and where it
 * comes from. Throws DataError.
 */
export function dataFolder(name, given, what) {
  const from = given || process.env.SETNET_DATA;
  if (!from) {
    throw new DataError(
      `the data are not part of this repository: give their folder by --data FOLDER or in SETNET_DATA.\n${what}`,
    );
  }
  const folders = [resolve(from), join(resolve(from), name)];
  const found = folders.find((folder) => ['X.npy', 'X.npy.gz'].some((file) => existsSync(join(folder, file))));
  if (found === undefined) {
    throw new DataError(`there is no X.npy or X.npy.gz in ${folders.join(' or ')}.\n${what}`);
  }
  return found;
}

/**
 * A matrix and its labels, checked: { x, y, rows, columns, classes }. `x` and `y` are what readArrayOf gives; `path` names them
 * in errors. Throws DataError: wrong ranks, lengths, or labels that are no class numbers.
 */
export function checkSamples(x, y, path) {
  const fail = (text) => new DataError(`${path}: ${text}`);
  if (x.shape.length !== 2) throw fail(`X has the shape ${x.shape.join(' x ')}, expected samples x features`);
  const [rows, columns] = x.shape;
  if (rows === 0 || columns === 0)
    throw fail(`X is ${rows} x ${columns}, expected at least one sample and one feature`);
  if (y.shape.length !== 1 || y.shape[0] !== rows) {
    throw fail(`y has the shape ${y.shape.join(' x ')}, expected one label for each of the ${rows} samples`);
  }
  const labels = Int32Array.from(y.data);
  const wrong = labels.findIndex((label, i) => label !== y.data[i] || label < 0);
  if (wrong >= 0) throw fail(`label ${wrong} of y is ${y.data[wrong]}, expected a class number from 0`);
  const classes = labels.reduce((largest, label) => Math.max(largest, label), 0) + 1;
  return { x: x.data, y: labels, rows, columns, classes };
}

/** Runs the program; what users can mend is told in a line or two, everything else with its stack. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    const isPlain = error instanceof DataError || error instanceof UsageError || error.code?.startsWith('ERR_SETNET_');
    console.error(isPlain ? error.message : error);
    process.exitCode = 1;
  }
}

/** Prints a table of texts: the first column to the left, the others to the right. */
export function printTable(header, rows) {
  const widths = header.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i].length)));
  for (const row of [header, ...rows]) {
    const cells = row.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i])));
    console.log(cells.join('   ').trimEnd());
  }
}

export const count = (value) => Math.round(value).toLocaleString('en-US');
