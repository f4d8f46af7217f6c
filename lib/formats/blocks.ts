// Arrays that grow: in blocks, so that growing copies nothing, and joined once.

import { breathe } from '../breathe';
import type { FeatureArray } from '../types';
import { allocate } from './source';

type Growable = Int32Array | Uint32Array | Float32Array | Float64Array;
type GrowableConstructor<Kind> = new (length: number) => Kind;

const largestBlock = 2 ** 20;

/** Numbers one after the other. */
export class Blocks<Kind extends Growable> {
  readonly #kind: GrowableConstructor<Kind>;
  #full: Kind[] = [];
  #block: Kind;
  #used = 0;
  #before = 0;

  constructor(kind: GrowableConstructor<Kind>) {
    this.#kind = kind;
    this.#block = new kind(256);
  }

  get length(): number {
    return this.#before + this.#used;
  }

  push(number: number): void {
    if (this.#used === this.#block.length) this.#grow();
    this.#block[this.#used++] = number;
  }

  #grow(): void {
    this.#full.push(this.#block);
    this.#before += this.#used;
    this.#block = allocate(() => new this.#kind(Math.min(largestBlock, 2 * this.#block.length)), 'the data');
    this.#used = 0;
  }

  /** All of them in one array; nothing is left here. */
  async finish(): Promise<Kind> {
    const all = allocate(() => new this.#kind(this.length), 'the data');
    all.set(this.#block.subarray(0, this.#used), this.#before);
    let end = this.#before;
    // From the last one on, and each is let go of when it was copied.
    for (let block = this.#full.pop(); block !== undefined; block = this.#full.pop()) {
      end -= block.length;
      all.set(block, end);
      await breathe();
    }
    this.#block = new this.#kind(0);
    this.#before = 0;
    this.#used = 0;
    return all;
  }
}

const kinds = { Uint8Array, Int8Array, Uint16Array, Int16Array, Float32Array };

interface Extent {
  min: number;
  max: number;
  isInteger: boolean;
}

/** The smallest type that holds all the numbers as they are. */
function narrowest({ min, max, isInteger }: Extent): keyof typeof kinds {
  if (!isInteger) return 'Float32Array';
  if (min >= 0) return max < 2 ** 8 ? 'Uint8Array' : max < 2 ** 16 ? 'Uint16Array' : 'Float32Array';
  if (min >= -(2 ** 7) && max < 2 ** 7) return 'Int8Array';
  return min >= -(2 ** 15) && max < 2 ** 15 ? 'Int16Array' : 'Float32Array';
}

function extentOf(numbers: Float32Array): Extent {
  let [min, max] = [0, 0];
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] as number;
    // NaN is none either.
    if (number !== Math.trunc(number)) return { min: 0, max: 0, isInteger: false };
    if (number < min) min = number;
    else if (number > max) max = number;
  }
  return { min, max, isInteger: true };
}

/**
 * Rows of f32 numbers, row-major, kept in the smallest type that holds them exactly, and at the end all in one array of the
 * smallest type that holds them all: a table of small integers takes a byte for each.
 */
export class FeatureRows {
  readonly columns: number;
  /** The row that is being made is `block[offset]` to `block[offset + columns - 1]`: nextRow() makes room for it. */
  block: Float32Array;
  offset: number;
  #rows = 0;
  #full: FeatureArray[] = [];
  #extent: Extent = { min: 0, max: 0, isInteger: true };

  constructor(columns: number) {
    this.columns = columns;
    const rows = Math.max(1, Math.floor(largestBlock / Math.max(1, columns)));
    this.block = allocate(() => new Float32Array(rows * columns), 'the data');
    this.offset = -columns;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Begins a row. */
  nextRow(): void {
    this.#rows++;
    this.offset += this.columns;
    if (this.offset < this.block.length) return;
    const isTaken = this.#pack(this.block);
    if (isTaken) this.block = allocate(() => new Float32Array(this.block.length), 'the data');
    this.offset = 0;
  }

  /** Puts numbers away; returns whether their memory is used for that. */
  #pack(numbers: Float32Array): boolean {
    const extent = extentOf(numbers);
    const before = this.#extent;
    this.#extent = {
      min: Math.min(before.min, extent.min),
      max: Math.max(before.max, extent.max),
      isInteger: before.isInteger && extent.isInteger,
    };
    const kind = narrowest(extent);
    this.#full.push(kind === 'Float32Array' ? numbers : allocate(() => new kinds[kind](numbers), 'the data'));
    return kind === 'Float32Array';
  }

  /** All rows; nothing is left here. */
  async finish(): Promise<FeatureArray> {
    if (this.#rows > 0) this.#pack(this.block.subarray(0, this.offset + this.columns));
    this.block = new Float32Array(0);
    const kind = kinds[narrowest(this.#extent)];
    const all: FeatureArray = allocate(() => new kind(this.#rows * this.columns), 'the data');
    let end = all.length;
    for (let block = this.#full.pop(); block !== undefined; block = this.#full.pop()) {
      end -= block.length;
      all.set(block, end);
      await breathe();
    }
    return all;
  }
}
