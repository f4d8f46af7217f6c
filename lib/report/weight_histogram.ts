// How the weights of a layer are distributed, of each sign.
import { breathe } from '../breathe';

/** Drawn, for each sign. */
const drawnBins = 28;
/** Bins of the magnitude, before the ones that are drawn are chosen: a multiple, so that all can be. */
const fineBins = 146 * drawnBins;
/** At most so many weights are looked at in one turn of the event loop. */
const chunk = 2 ** 22;

export interface WeightHistogram {
  /** Bins are from 0 to `limit`, for both signs. */
  readonly limit: number;
  readonly positive: readonly number[];
  readonly negative: readonly number[];
  readonly positives: number;
  readonly negatives: number;
  readonly zeros: number;
  /** Weights beyond the limit: at most one in a thousand. */
  readonly beyond: number;
  readonly largest: number;
  readonly meanMagnitude: number;
}

/** Of finite values. */
export async function weightHistogram(values: Float32Array): Promise<WeightHistogram> {
  let largest = 0;
  let sum = 0;
  for (let from = 0; from < values.length; from += chunk) {
    const to = Math.min(values.length, from + chunk);
    for (let i = from; i < to; i++) {
      const size = Math.abs(values[i] as number);
      if (size > largest) largest = size;
      sum += size;
    }
    await breathe();
  }
  const fine = { positive: new Float64Array(fineBins), negative: new Float64Array(fineBins) };
  const toBin = largest === 0 ? 0 : fineBins / largest;
  let zeros = 0;
  for (let from = 0; from < values.length; from += chunk) {
    const to = Math.min(values.length, from + chunk);
    for (let i = from; i < to; i++) {
      const value = values[i] as number;
      const bin = Math.min(fineBins - 1, Math.floor(Math.abs(value) * toBin));
      const bins = value > 0 ? fine.positive : fine.negative;
      if (value === 0) zeros++;
      else bins[bin] = (bins[bin] as number) + 1;
    }
    await breathe();
  }
  const count = (bins: Float64Array) => bins.reduce((total, one) => total + one, 0);
  const [positives, negatives] = [count(fine.positive), count(fine.negative)];
  const shown = shownBins(fine.positive, fine.negative, 0.999 * (positives + negatives));
  const width = shown / drawnBins;
  const drawn = (bins: Float64Array) =>
    Array.from({ length: drawnBins }, (_, i) => count(bins.subarray(i * width, (i + 1) * width)));
  const [positive, negative] = [drawn(fine.positive), drawn(fine.negative)];
  const inside = [...positive, ...negative].reduce((total, one) => total + one, 0);
  return {
    limit: (largest * shown) / fineBins,
    positive,
    negative,
    positives,
    negatives,
    zeros,
    beyond: positives + negatives - inside,
    largest,
    meanMagnitude: values.length === 0 ? 0 : sum / values.length,
  };
}

/** How many of the fine bins hold so many weights; a multiple of the number of drawn ones. */
function shownBins(positive: Float64Array, negative: Float64Array, wanted: number): number {
  let inside = 0;
  for (let bin = 0; bin < fineBins; bin++) {
    inside += (positive[bin] as number) + (negative[bin] as number);
    if (inside >= wanted) return Math.ceil((bin + 1) / drawnBins) * drawnBins;
  }
  return fineBins;
}
