// Arrays of binary formats as features and as labels.
import type { FeatureArray, FeatureMatrix } from '../types';
import type { LabelCollector } from './labels';
import type { NpyArray, NpyNumbers } from './npy';
import { allocate, dataError, formatError, inStretches, shapeError } from './source';

/** The types that a network does not take as they are. */
type WideArray = Uint32Array | Int32Array | BigUint64Array | BigInt64Array;

function isWide(data: NpyNumbers): data is WideArray {
  return /^(Uint32|Int32|Big)/.test(data[Symbol.toStringTag]);
}

/** As f32, of which each must be exactly the number that was there. */
async function toFloats(data: WideArray, columns: number, place: string): Promise<Float32Array> {
  const floats = allocate(() => new Float32Array(data.length), place);
  await inStretches(data.length, (start, end) => {
    for (let i = start; i < end; i++) {
      const number = Number(data[i]);
      floats[i] = number;
      if (floats[i] !== number || (Math.abs(number) > 2 ** 53 && BigInt(number) !== data[i])) {
        throw dataError(
          `${place}, row ${Math.floor(i / columns)}, column ${i % columns}`,
          `${data[i]} is no number that a 32-bit float holds exactly; convert the array to float32 or float64 if rounding is meant`,
        );
      }
    }
  });
  return floats;
}

/** An array of two or more dimensions as a row for each sample. */
export async function toFeatures({ data, shape }: NpyArray, place: string): Promise<FeatureMatrix> {
  if (!ArrayBuffer.isView(data)) throw formatError(place, 'the features are strings; numbers are expected');
  if (shape.length < 2) {
    throw shapeError(
      place,
      `the features have ${shape.length === 0 ? 'no dimension' : `one dimension of ${shape[0]}`}; samples x features are expected`,
    );
  }
  const rows = shape[0] as number;
  const columns = shape.slice(1).reduce((product, size) => product * size, 1);
  if (rows === 0 || columns === 0)
    throw dataError(place, `the shape is ${shape.join(' x ')}; at least one sample and one feature are expected`);
  const numbers = data as NpyNumbers;
  return {
    data: isWide(numbers) ? await toFloats(numbers, columns, place) : (numbers as FeatureArray),
    shape: [rows, columns],
  };
}

/** An array of one dimension, or of one column, into labels. */
export async function addLabels({ data, shape }: NpyArray, labels: LabelCollector, place: string): Promise<void> {
  const isColumn = shape.length === 1 || (shape.length === 2 && shape[1] === 1);
  if (!isColumn)
    throw shapeError(place, `the shape is ${shape.join(' x ') || '()'}; one label for each sample is expected`);
  const each = data as ArrayLike<number | bigint | string>;
  await inStretches(each.length, (start, end) => {
    for (let i = start; i < end; i++) {
      const label = each[i] as number | bigint | string;
      labels.add(typeof label === 'bigint' ? String(label) : label, () => `${place}, row ${i}`);
    }
  });
}
