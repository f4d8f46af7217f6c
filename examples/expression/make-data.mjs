// Makes the files in data/ from the log ratios as the R package datamicroarray has them:
//
//   node examples/expression/make-data.mjs --data FOLDER    X.npy (63 x 2308, float32 or float64), y.npy
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { dataFolder, readOptions, readSamples, runMain } from '../lib/program.mjs';
import { bundledDir, unit } from './data.mjs';

const what =
  'It holds X.npy and y.npy, or X.npy.gz and y.npy.gz: khan of datamicroarray (github.com/ramhiser/datamicroarray).';

/** NPY 1.0, gzipped without time and name. */
function packNpy(descr, shape, array) {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const header = Buffer.from(`${text.padEnd(64 * Math.ceil((text.length + 11) / 64) - 11)}\n`, 'latin1');
  const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  const body = Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  return gzipSync(Buffer.concat([head, header, body]), { level: 9 });
}

await runMain(async () => {
  const folder = dataFolder('srbct', readOptions({ data: '' }).data, what);
  const { x, y, rows, columns } = await readSamples(folder);
  const steps = Int16Array.from(x, (value) => Math.round(value / unit));
  writeFileSync(join(bundledDir, 'X.npy.gz'), packNpy('<i2', [rows, columns], steps));
  writeFileSync(join(bundledDir, 'y.npy.gz'), packNpy('|u1', [rows], Uint8Array.from(y)));
});
