// The expression data that are kept in the repository, or others of the same form.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dataFolder, readSamples } from '../lib/program.mjs';

/** The folder of the 63 tumours that are kept in the repository. */
export const bundledDir = join(dirname(fileURLToPath(import.meta.url)), 'data');

/** The log ratios there are whole multiples of this. */
export const unit = 0.001;

const what =
  'It holds X.npy (samples x genes) and y.npy (a class number from 0 for each sample), or X.npy.gz and y.npy.gz.';

/**
 * { x, y, rows, columns, classes, folder }: x as Float32Array of rows * columns expression values, y as Int32Array of class
 * numbers, `classes` how many there are. `given` is a folder of other data; '' takes those of the repository. Integers are taken as multiples of `unit`.
 * Throws DataError.
 */
export async function loadExpression(given) {
  const folder = given ? dataFolder('srbct', given, what) : bundledDir;
  const samples = await readSamples(folder);
  const isWhole = !(samples.x instanceof Float32Array || samples.x instanceof Float64Array);
  return {
    ...samples,
    classes: samples.classes.length,
    x: Float32Array.from(samples.x, (value) => (isWhole ? value * unit : value)),
    folder,
  };
}
