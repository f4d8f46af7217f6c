// Reads Fashion-MNIST (or any data set of the same form): 28x28 pixels of one byte, ten classes, as IDX or NPY files,
// gzipped or not. Used by the example, the tests and the benchmarks; no dependencies.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DataError, parseNpy, readBytes } from '../lib/npy.mjs';

export { DataError };

export const height = 28;
export const width = 28;
export const inputs = height * width;

export const classes = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
];

/** The folder of the images that are kept in the repository: the first 10,000 of training and 2,000 of the test set. */
export const bundledDir = join(dirname(fileURLToPath(import.meta.url)), 'data');

// The names each part goes by. IDX files are found with a dash or a dot before 'idx', NPY files with a capital or a
// small letter; each also with '.gz'. The first that exists is taken.
const parts = {
  xTrain: ['train-images-idx3-ubyte', 'train-images.idx3-ubyte', 'X_train.npy', 'x_train.npy'],
  yTrain: ['train-labels-idx1-ubyte', 'train-labels.idx1-ubyte', 'y_train.npy', 'Y_train.npy'],
  xTest: ['t10k-images-idx3-ubyte', 't10k-images.idx3-ubyte', 'X_test.npy', 'x_test.npy'],
  yTest: ['t10k-labels-idx1-ubyte', 't10k-labels.idx1-ubyte', 'y_test.npy', 'Y_test.npy'],
};

/** Every file name that is looked for, by part: { xTrain: [...], yTrain: [...], xTest: [...], yTest: [...] }. */
export const fileNames = Object.fromEntries(
  Object.entries(parts).map(([part, names]) => [part, names.flatMap((name) => [name, `${name}.gz`])]),
);

/**
 * Loads the four parts of a data set.
 *
 * `dir` is a folder; without it the environment variable SETNET_DATA, and without that the images kept in the
 * repository. `limitTrain` and `limitTest` keep the first so many rows (more than there are: DataError).
 *
 * Returns { xTrain, yTrain, xTest, yTest, trainRows, testRows, inputs, height, width, classes, dir, files }: features
 * as Uint8Array of rows * 784 pixels 0..255 (row-major images, one after the other), labels as Int32Array of class
 * numbers 0..9. Throws DataError.
 */
export function loadFashion({ dir, limitTrain, limitTest } = {}) {
  const folder = dataFolder(dir);
  const files = findParts(folder);
  const train = loadPair(files.xTrain, files.yTrain, limitTrain, 'limitTrain');
  const test = loadPair(files.xTest, files.yTest, limitTest, 'limitTest');
  return {
    ...{ xTrain: train.x, yTrain: train.y, trainRows: train.rows },
    ...{ xTest: test.x, yTest: test.y, testRows: test.rows },
    ...{ inputs, height, width, classes, dir: folder, files },
  };
}

/** As loadFashion, for the test set alone: { x, y, rows, inputs, height, width, classes, dir, files }. */
export function loadFashionTest({ dir, limit } = {}) {
  const folder = dataFolder(dir);
  const files = findParts(folder);
  return { ...loadPair(files.xTest, files.yTest, limit, 'limit'), inputs, height, width, classes, dir: folder, files };
}

function dataFolder(dir) {
  return resolve(dir ?? (process.env.SETNET_DATA || bundledDir));
}

/** The path of each part, or a DataError that lists what was looked for. */
function findParts(folder) {
  const files = {};
  const missing = [];
  for (const [part, names] of Object.entries(fileNames)) {
    const name = names.find((candidate) => existsSync(join(folder, candidate)));
    if (name === undefined) missing.push(part);
    else files[part] = join(folder, name);
  }
  if (missing.length === 0) return files;
  const what = { xTrain: 'training images', yTrain: 'training labels', xTest: 'test images', yTest: 'test labels' };
  const lines = missing.map((part) => `  ${what[part]}: ${parts[part].map((name) => `${name}[.gz]`).join(', ')}`);
  const state = existsSync(folder) ? 'lacks files' : 'does not exist';
  throw new DataError(`the data folder ${folder} ${state}; looked for one of each:\n${lines.join('\n')}`);
}

function loadPair(imagePath, labelPath, limit, limitName) {
  const images = readArray(imagePath);
  const labels = readArray(labelPath);
  const pixels = images.shape.slice(1).reduce((product, size) => product * size, 1);
  if (images.shape.length < 2 || pixels !== inputs) {
    const found = images.shape.join(' x ');
    throw new DataError(`${imagePath}: shape is ${found}, expected rows x ${height} x ${width} or rows x ${inputs}`);
  }
  if (labels.shape.length !== 1) {
    throw new DataError(`${labelPath}: shape is ${labels.shape.join(' x ')}, expected one label per row`);
  }
  const available = images.shape[0];
  if (labels.shape[0] !== available) {
    throw new DataError(`${labelPath}: ${labels.shape[0]} labels for the ${available} images of ${imagePath}`);
  }
  if (available === 0) throw new DataError(`${imagePath}: holds no images`);
  const rows = limit ?? available;
  if (!Number.isInteger(rows) || rows < 1 || rows > available) {
    throw new DataError(`${limitName} is ${limit}, expected an integer from 1 to ${available} (rows of ${imagePath})`);
  }
  const y = Int32Array.from(labels.data.subarray(0, rows));
  const wrong = y.findIndex((label) => label >= classes.length);
  if (wrong >= 0) {
    throw new DataError(`${labelPath}: label ${wrong} is ${y[wrong]}, expected 0 to ${classes.length - 1}`);
  }
  // A slice, so that the rows left out do not stay in memory.
  const x = rows === available ? images.data : images.data.slice(0, rows * inputs);
  return { x, y, rows };
}

/** One file as { shape, data: Uint8Array }. The kind is known by the content's first bytes, not by the name. */
export function readArray(path) {
  const bytes = readBytes(path);
  return bytes[0] === 0x93 ? parseNpy(bytes, path) : parseIdx(bytes, path);
}

/**
 * IDX: two zero bytes, the type of an element (8: one unsigned byte), the number of dimensions, each dimension as a big-
 * endian 32-bit number, the elements.
 */
export function parseIdx(bytes, path = 'IDX data') {
  const fail = (text) => new DataError(`${path}: ${text}`);
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) {
    throw fail('neither IDX (its first two bytes are not zero) nor NPY nor gzip');
  }
  if (bytes[2] !== 0x08) throw fail(`IDX element type 0x${hex(bytes[2])}, expected 0x08 (unsigned bytes)`);
  const rank = bytes[3];
  if (rank < 1 || rank > 4) throw fail(`IDX with ${rank} dimensions, expected 1 to 4`);
  const start = 4 + 4 * rank;
  if (bytes.length < start) throw fail(`IDX header of ${start} bytes, the file has ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  return { shape, data: elements(bytes, start, shape, fail) };
}

/** The bytes after the header, which must be exactly as many as the shape says. */
function elements(bytes, start, shape, fail) {
  const expected = shape.reduce((product, size) => product * size, 1);
  const found = bytes.length - start;
  if (found !== expected) {
    throw fail(`${found} bytes after the header, the shape ${shape.join(' x ')} needs ${expected}`);
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, found);
}

function hex(byte) {
  return byte.toString(16).padStart(2, '0');
}
