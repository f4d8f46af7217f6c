// The network, the input and the answers of the GraphChallenge for sparse networks with 1,024 neurons and 120 layers, made from
// the files of a folder with its tables, and from the MNIST training images.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, fileNames, readArray } from '../../examples/fashion/data.mjs';
import { root } from '../../scripts/lib/util.mjs';
import { makeFft } from './fft.mjs';

export const neurons = 1024;
export const layers = 120;
export const images = 60000;
export const edges = 32 * neurons * layers;

const classCount = 64;
const blockLayers = 6;
const side = 28;
const scaled = 32;
const inputDigest = '69f31eec86f4a859def2738f8e71cca3898e7d109da52b1cf281a2ec8fab6211';

/** The first of the names, with and without '.gz', that the folder has. */
function find(folder, names) {
  const name = names.flatMap((one) => [one, `${one}.gz`]).find((one) => existsSync(join(folder, one)));
  if (name === undefined) throw new DataError(`${folder} has none of ${names.join(', ')} (or with .gz)`);
  return join(folder, name);
}

/** [{ rows, columns, rowPointers, columnIndices, values }] of every layer: rows are units, columns inputs. */
export function readNetwork(folder) {
  const path = find(folder, ['class_of_row.npy']);
  const { shape, data } = readArray(path);
  if (shape.join() !== `${layers / blockLayers},${neurons}`) {
    throw new DataError(`${path}: shape is ${shape.join(' x ')}, expected ${layers / blockLayers} x ${neurons}`);
  }
  return Array.from({ length: layers }, (_, k) => {
    const block = Math.floor(k / blockLayers);
    return makeLayer(data.subarray(block * neurons, (block + 1) * neurons), 2 ** (k % blockLayers));
  });
}

/** Unit c is joined to the inputs r whose class is c mod 64, or `shift` more than that. */
export function makeLayer(classOfRow, shift) {
  const inputsOf = Array.from({ length: classCount }, () => []);
  for (let row = 0; row < neurons; row++) inputsOf[classOfRow[row]].push(row);
  const rowPointers = new Float64Array(neurons + 1);
  const columnIndices = new Uint32Array(32 * neurons);
  let count = 0;
  for (let unit = 0; unit < neurons; unit++) {
    const own = unit % classCount;
    const inputs = [...inputsOf[own], ...inputsOf[(own + shift) % classCount]].sort((a, b) => a - b);
    columnIndices.set(inputs, count);
    count += inputs.length;
    rowPointers[unit + 1] = count;
  }
  const values = new Float32Array(count).fill(1 / 16);
  return { rows: neurons, columns: neurons, rowPointers, columnIndices: columnIndices.subarray(0, count), values };
}

/** { truth: the answer (one-based image numbers) of the first 1,200 images, trace: [{ alive, active, sum }] after each layer }. */
export function readAnswers(folder) {
  const numbers = (name) => readFileSync(join(folder, name), 'utf8').trim().split('\n');
  const truth = numbers('truth_first1200.txt').map(Number);
  const trace = numbers('layer_trace.tsv')
    .slice(1)
    .map((line) => line.split('\t').map(Number))
    .map(([, alive, active, sum]) => ({ alive, active, sum }));
  if (trace.length !== layers || truth.some((image) => !Number.isInteger(image))) {
    throw new DataError(`${folder}: truth_first1200.txt or layer_trace.tsv is not what was expected`);
  }
  return { truth, trace };
}

/**
 * The input, packed: 128 bytes per image, bit k of a row is feature k, little-endian bits. Made from the images once and kept in
 * build-bench/; either way its digest is checked.
 */
export function packedInput(mnistFolder, note = () => {}) {
  const cache = join(root, 'build-bench/graphchallenge-1024.bits');
  if (existsSync(cache)) {
    const bits = readFileSync(cache);
    if (digestOf(bits) === inputDigest) return bits;
  }
  const path = find(
    mnistFolder,
    fileNames.xTrain.filter((name) => !name.endsWith('.gz')),
  );
  const { shape, data } = readArray(path);
  if (shape[0] !== images || data.length !== images * side * side) {
    throw new DataError(`${path}: shape is ${shape.join(' x ')}, expected the ${images} training images of MNIST`);
  }
  note('  making the input from the images (once) ...');
  const bits = packImages(data, images, scaled);
  if (digestOf(bits) !== inputDigest) {
    throw new DataError(
      `${path}: the input made of these images has the digest ${digestOf(bits)}, expected ${inputDigest}`,
    );
  }
  mkdirSync(join(root, 'build-bench'), { recursive: true });
  writeFileSync(`${cache}.new`, bits);
  renameSync(`${cache}.new`, cache);
  return bits;
}

function digestOf(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The features of `count` images from `first` as f32 rows of 0 and 1. */
export function unpackInput(bits, first, count) {
  const x = new Float32Array(count * neurons);
  for (let i = 0; i < x.length; i++) {
    const k = first * neurons + i;
    x[i] = (bits[k >> 3] >> (k & 7)) & 1;
  }
  return x;
}

/**
 * The images side by side are one picture of 28 rows, which is enlarged to `size` rows by its spectrum and cut where the magnitude
 * exceeds half of its largest value; feature = column * size + row of an image, packed as packedInput says.
 *
 * The Nyquist frequency is kept on the negative side only. What the others make of a real row is real: so two rows go through
 * one transform, and the Nyquist term of each, a coefficient times a complex sequence, is added at the end.
 */
export function packImages(pixels, count, size) {
  const wide = side * count;
  const target = size * count;
  const rows = Array.from({ length: side }, () => new Float64Array(target));
  const nyquist = new Float64Array(side);
  const forward = makeFft(wide);
  const backward = makeFft(target);
  const re = new Float64Array(target);
  const im = new Float64Array(target);
  for (let row = 0; row < side; row += 2) {
    const [smallRe, smallIm] = [new Float64Array(wide), new Float64Array(wide)];
    for (let i = 0; i < count; i++) {
      for (let column = 0; column < side; column++) {
        const at = (i * side + row) * side + column;
        smallRe[i * side + column] = pixels[at];
        smallIm[i * side + column] = pixels[at + side];
      }
    }
    forward(smallRe, smallIm);
    // Of two real rows: the first's coefficient is the real part, the second's the imaginary one.
    nyquist[row] = smallRe[wide / 2];
    nyquist[row + 1] = smallIm[wide / 2];
    re.fill(0);
    im.fill(0);
    re.set(smallRe.subarray(0, wide / 2));
    im.set(smallIm.subarray(0, wide / 2));
    re.set(smallRe.subarray(wide / 2 + 1), target - wide / 2 + 1);
    im.set(smallIm.subarray(wide / 2 + 1), target - wide / 2 + 1);
    backward(re, im, true);
    rows[row].set(re);
    rows[row + 1].set(im);
  }
  return threshold(rows, nyquist, count, size);
}

/** The same along the columns, where 28 values become `size`, and the cut. */
function threshold(rows, nyquist, count, size) {
  // The real part of the enlargement of a column, as a matrix: the mean of all frequencies but Nyquist's.
  const matrix = Array.from({ length: size }, (_, s) =>
    Float64Array.from({ length: side }, (_, j) => {
      let sum = 1;
      for (let k = 1; k < side / 2; k++) sum += 2 * Math.cos(2 * Math.PI * k * (s / size - j / side));
      return sum;
    }),
  );
  const half = side / 2;
  const turn = (s) => {
    const angle = (-2 * Math.PI * half * s) / size;
    return [Math.cos(angle), Math.sin(angle)];
  };
  const alternating = (value) => value.reduce((sum, one, j) => sum + (j % 2 === 0 ? one : -one), 0);
  const dot = (weights, values) => weights.reduce((sum, weight, j) => sum + weight * values[j], 0);
  // What the rows' Nyquist coefficients become along the column.
  const nyquistReal = matrix.map((weights) => dot(weights, nyquist));
  const nyquistBoth = alternating(nyquist);
  const turns = Array.from({ length: size }, (_, s) => turn(s));
  const factor = 1 / (side * side * count);
  const columnValues = new Float64Array(side);
  const magnitude = new Float64Array(size);
  const target = size * count;

  const measure = (t) => {
    let alternate = 0;
    for (let j = 0; j < side; j++) {
      columnValues[j] = rows[j][t];
      alternate += j % 2 === 0 ? columnValues[j] : -columnValues[j];
    }
    const [cosT, sinT] = turns[t % size];
    for (let s = 0; s < size; s++) {
      const weights = matrix[s];
      let real = 0;
      for (let j = 0; j < side; j++) real += weights[j] * columnValues[j];
      const [cosS, sinS] = turns[s];
      // Real part of both; row Nyquist; column Nyquist; both.
      let re = real + nyquistReal[s] * cosT + alternate * cosS;
      let im = nyquistReal[s] * sinT + alternate * sinS;
      re += nyquistBoth * (cosT * cosS - sinT * sinS);
      im += nyquistBoth * (sinT * cosS + cosT * sinS);
      magnitude[s] = factor * Math.sqrt(re * re + im * im);
    }
  };
  let largest = 0;
  for (let t = 0; t < target; t++) {
    measure(t);
    for (let s = 0; s < size; s++) if (magnitude[s] > largest) largest = magnitude[s];
  }
  const bits = new Uint8Array((target * size) / 8);
  for (let t = 0; t < target; t++) {
    measure(t);
    for (let s = 0; s < size; s++) {
      const k = t * size + s;
      if (magnitude[s] > largest / 2) bits[k >> 3] |= 1 << (k & 7);
    }
  }
  return bits;
}
