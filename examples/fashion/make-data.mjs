// Makes the images kept in examples/fashion/data from the full data set:
//
//   SETNET_DATA=folder node examples/fashion/make-data.mjs            writes the four files
//   SETNET_DATA=folder node examples/fashion/make-data.mjs --check    only compares their content
//
// The first 10,000 training and the first 2,000 test images as they come, in IDX files, gzipped at level 9 without time
// and name. The content is the same everywhere; the compressed bytes also depend on the version of zlib in Node.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { bundledDir, DataError, height, loadFashion, width } from './data.mjs';

const trainRows = 10000;
const testRows = 2000;

/** An IDX file of unsigned bytes. */
function idx(shape, data) {
  const file = Buffer.alloc(4 + 4 * shape.length + data.length);
  file.set([0, 0, 0x08, shape.length]);
  for (const [i, size] of shape.entries()) file.writeUInt32BE(size, 4 + 4 * i);
  file.set(data, 4 + 4 * shape.length);
  return file;
}

/** Level 9, no name, time 0 (Node's default), and 'unknown' for the operating system, which zlib would fill in. */
function gzip(content) {
  const file = gzipSync(content, { level: 9, memLevel: 9 });
  file[9] = 255;
  return file;
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

function main() {
  if (!process.env.SETNET_DATA) throw new DataError('set SETNET_DATA to the folder of the full data set');
  const data = loadFashion({ limitTrain: trainRows, limitTest: testRows });
  const files = {
    'train-images-idx3-ubyte.gz': idx([trainRows, height, width], data.xTrain),
    'train-labels-idx1-ubyte.gz': idx([trainRows], Uint8Array.from(data.yTrain)),
    't10k-images-idx3-ubyte.gz': idx([testRows, height, width], data.xTest),
    't10k-labels-idx1-ubyte.gz': idx([testRows], Uint8Array.from(data.yTest)),
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(bundledDir, name);
    if (process.argv.includes('--check')) {
      if (!gunzipSync(readFileSync(path)).equals(content)) throw new DataError(`${path}: differs from the full data`);
      console.log(`${name}: the content agrees`);
    } else {
      const file = gzip(content);
      writeFileSync(path, file);
      console.log(`${name}: ${file.length} bytes, sha256 ${sha256(file)}, content sha256 ${sha256(content)}`);
    }
  }
}

try {
  main();
} catch (error) {
  console.error(error instanceof DataError ? `make-data: ${error.message}` : error);
  process.exitCode = 1;
}
