// What every example's command line has: options, where the data are, how a failure is told.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readTable } from 'setnet';
import { DataError, findFile } from './npy.mjs';

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
 * The samples of a folder, X.npy and y.npy, each also with .gz: { x, y, rows, columns, classes }. `x` is the array of rows * columns
 * features, `y` a class number for each row, `classes` the labels that the numbers stand for. Throws DataError, and what readTable
 * throws.
 */
export async function readSamples(folder) {
  const { x, y, rows, inputs, classes } = await readTable(findFile(folder, 'X.npy'), {
    labels: findFile(folder, 'y.npy'),
  });
  return { x: x.data, y, rows, columns: inputs, classes };
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
