// A part of the samples kept away from training, to tell by it how good a network is.
import { CsrMatrix } from './csr_matrix';
import type { Dataset, Features } from './data';
import { readSeed } from './definition';
import { SetnetError } from './errors';
import { typedArrayName } from './memory';
import { describe, readBoolean, readNumber, readOptions, typeError } from './options';
import { readRowBatch } from './row_batch';
import { sampleOrder } from './sample_order';
import type { FeatureArray, FeatureMatrix, TargetArray, TargetMatrix, Targets } from './types';

/** Options of {@link holdOut}. */
export interface HoldOutOptions {
  /** Of the samples, above 0 and below 1. Default 0.1. */
  readonly fraction?: number;
  /** Which samples: the same ones for the same seed, whatever the machine. Default 0. */
  readonly seed?: number | bigint;
  /**
   * As near to the same fraction of every class as whole samples allow; a class always keeps one for training. Default true where y
   * are labels (an array, or a typed array of integers with one for each sample), else without meaning.
   */
  readonly stratify?: boolean;
  /**
   * True: the training part takes over the memory of `x`, whose rows are moved, so that only the rows held out are copied; `x` is
   * not to be used any more. A {@link CsrMatrix} never changes and is copied anyway. Default false.
   */
  readonly reuse?: boolean;
}

/** Samples in two parts, both in the order that they had. */
export interface HeldOut {
  /** What to train on. */
  readonly training: Dataset;
  /** What to validate with. */
  readonly validation: Dataset;
}

/** Far from the epochs of any training, whose orders come from the same function. */
const orderNumber = Number.MAX_SAFE_INTEGER;

/**
 * Draws a part of the samples by the seed and takes it away from the others. `x` is `{ data, shape }` or a {@link CsrMatrix}: what a
 * row is must be known. Sample weights are not looked at.
 *
 * Errors: `ERR_SETNET_DATA` where either part would be empty; `ERR_SETNET_SHAPE`; `ERR_SETNET_OPTION`; `ERR_SETNET_TYPE`;
 * `ERR_SETNET_MEMORY`.
 */
export function holdOut(data: Dataset, options?: HoldOutOptions): HeldOut {
  const where = 'holdOut';
  const given = readOptions(data, `${where}: data`, ['x', 'y']);
  const read = readOptions(options, `${where}: options`, ['fraction', 'seed', 'stratify', 'reuse']);
  const limits = { min: 0, max: 1, open: true, openMaximum: true };
  const fraction = readNumber(read.fraction ?? 0.1, `${where}: fraction`, limits);
  const seed = readSeed(read.seed ?? 0, `${where}: seed`);
  const reuse = readBoolean(read.reuse ?? false, `${where}: reuse`);
  const x = readSamples(given.x, `${where}: data.x`);
  const rows = x instanceof CsrMatrix ? x.rows : x.shape[0];
  const y = readTargets(given.y, rows, `${where}: data.y`);
  const isStratified = readBoolean(read.stratify ?? true, `${where}: stratify`);
  const order = sampleOrder(rows, { seed, epoch: orderNumber });
  const isHeld =
    isStratified && y.labels !== undefined ? byClass(order, y.labels, fraction) : atRandom(order, fraction);
  const held = isHeld.reduce((sum, is) => sum + is, 0);
  if (held === 0 || held === rows) {
    throw new SetnetError(
      'ERR_SETNET_DATA',
      `${where}: of ${rows} samples the fraction ${fraction} leaves ${held === 0 ? 'none to hold out' : 'none to train on'}`,
    );
  }
  // The rows held out are copied before those that stay are moved.
  const validation = { x: takeRows(x, isHeld, 1, false), y: y.take(isHeld, 1) };
  return { training: { x: takeRows(x, isHeld, 0, reuse), y: y.take(isHeld, 0) }, validation };
}

function readSamples(value: unknown, where: string): FeatureMatrix | CsrMatrix {
  if (value instanceof CsrMatrix) return value;
  const shape = (value as Partial<FeatureMatrix> | null | undefined)?.shape;
  if (typedArrayName(value) !== undefined || !Array.isArray(shape))
    throw typeError(`${where} must be { data, shape: [rows, columns] } or a CsrMatrix, not ${describe(value)}`);
  const taker = { owner: 'sample', axis: 'columns' };
  readRowBatch(value, shape[1] as number, taker, where);
  return value as FeatureMatrix;
}

interface ReadTargets {
  /** Of each sample its class, by name or number. */
  readonly labels: ArrayLike<number | string> | undefined;
  /** The targets of the samples whose mark is this. */
  take(marks: Uint8Array, mark: number): Targets;
}

function readTargets(value: unknown, rows: number, where: string): ReadTargets {
  if (value === undefined) throw typeError(`${where} is missing`);
  const isMatrix = typedArrayName(value) === undefined && !Array.isArray(value);
  const data = isMatrix ? (value as Partial<TargetMatrix> | null)?.data : (value as TargetArray | readonly unknown[]);
  if (data === undefined || (isMatrix && typedArrayName(data) === undefined))
    throw typeError(`${where} must be labels, a typed array or { data, shape }, not ${describe(value)}`);
  const width = data.length / rows;
  if (rows === 0 || !Number.isInteger(width) || width === 0) {
    throw new SetnetError('ERR_SETNET_SHAPE', `${where} has ${data.length} elements, but there are ${rows} samples`);
  }
  const isLabels = width === 1 && !isMatrix && !/^Float/.test(typedArrayName(data) ?? '');
  return {
    labels: isLabels ? (data as ArrayLike<number | string>) : undefined,
    take(marks, mark) {
      const taken = takeElements(data as TargetArray, width, marks, mark);
      if (!isMatrix) return taken as Targets;
      return { data: taken as TargetArray, shape: [taken.length / width, width] };
    },
  };
}

function takeElements(
  data: TargetArray | readonly unknown[],
  width: number,
  marks: Uint8Array,
  mark: number,
): TargetArray | unknown[] {
  const isWanted = (_: unknown, i: number) => marks[Math.floor(i / width)] === mark;
  return Array.isArray(data) ? data.filter(isWanted) : (data as TargetArray).filter(isWanted);
}

/** 1 for each sample that is held out. */
function atRandom(order: Uint32Array, fraction: number): Uint8Array {
  const marks = new Uint8Array(order.length);
  const count = Math.round(fraction * order.length);
  for (let i = 0; i < count; i++) marks[order[i] as number] = 1;
  return marks;
}

/** As atRandom, with shares of the classes by largest remainder. */
function byClass(order: Uint32Array, labels: ArrayLike<number | string>, fraction: number): Uint8Array {
  const classes = new Map<number | string, number[]>();
  // In the order of the draw, so that classes of equal remainder are served by it too.
  for (const sample of order) {
    const label = labels[sample] as number | string;
    const samples = classes.get(label);
    if (samples === undefined) classes.set(label, [sample]);
    else samples.push(sample);
  }
  const shares = Array.from(classes.values(), (samples) => {
    const exact = fraction * samples.length;
    return { samples, share: Math.min(Math.floor(exact), samples.length - 1), remainder: exact - Math.floor(exact) };
  });
  let left = Math.round(fraction * order.length) - shares.reduce((sum, { share }) => sum + share, 0);
  for (const entry of [...shares].sort((a, b) => b.remainder - a.remainder)) {
    if (left <= 0) break;
    if (entry.share >= entry.samples.length - 1) continue;
    entry.share++;
    left--;
  }
  const marks = new Uint8Array(order.length);
  for (const { samples, share } of shares) for (const sample of samples.slice(0, share)) marks[sample] = 1;
  return marks;
}

/** The rows of this mark. With `inPlace` they are moved to the front of their own array. */
function takeRows(x: FeatureMatrix | CsrMatrix, marks: Uint8Array, mark: number, inPlace: boolean): Features {
  const rows = marks.reduce((sum, is) => sum + (is === mark ? 1 : 0), 0);
  if (x instanceof CsrMatrix) return takeMatrixRows(x, rows, marks, mark);
  const [, columns] = x.shape;
  const source = x.data;
  const taken = inPlace ? source : newArray(source, rows * columns);
  let at = 0;
  for (let row = 0; row < marks.length; row++) {
    if (marks[row] !== mark) continue;
    const begin = row * columns;
    if (inPlace) taken.copyWithin(at, begin, begin + columns);
    else taken.set(source.subarray(begin, begin + columns), at);
    at += columns;
  }
  return { data: inPlace ? (taken.subarray(0, rows * columns) as FeatureArray) : taken, shape: [rows, columns] };
}

function newArray(like: FeatureArray, length: number): FeatureArray {
  try {
    // A Buffer's constructor is another one.
    return like instanceof Uint8Array
      ? new Uint8Array(length)
      : new (like.constructor as Float32ArrayConstructor)(length);
  } catch (cause) {
    throw new SetnetError('ERR_SETNET_MEMORY', `holdOut: no array of ${length} elements can be had`, { cause });
  }
}

function takeMatrixRows(x: CsrMatrix, rows: number, marks: Uint8Array, mark: number): CsrMatrix {
  const { columns, rowPointers, columnIndices, values } = x;
  const counts = Array.from(marks, (is, row) =>
    is === mark ? (rowPointers[row + 1] as number) - (rowPointers[row] as number) : -1,
  );
  const total = counts.reduce((sum, count) => sum + Math.max(0, count), 0);
  const taken = {
    ...{ rows, columns, rowPointers: new Float64Array(rows + 1) },
    ...{ columnIndices: new Uint32Array(total), values: new Float32Array(total) },
  };
  let [at, row] = [0, 0];
  for (const [from, count] of counts.entries()) {
    if (count < 0) continue;
    const begin = rowPointers[from] as number;
    taken.columnIndices.set(columnIndices.subarray(begin, begin + count), at);
    taken.values.set(values.subarray(begin, begin + count), at);
    at += count;
    row++;
    taken.rowPointers[row] = at;
  }
  return CsrMatrix.from(taken);
}
