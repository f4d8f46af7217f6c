// Whether a distribution of degrees has the tail of a power law: the method of Clauset, Shalizi and Newman, "Power-law distributions
// in empirical data", SIAM Review 51 (2009) 661-703, for whole numbers. The exponent is the most likely one, the tail begins
// where the distance of Kolmogorov and Smirnov is least, a bootstrap says whether that distance is what a power law would
// give, and a test of likelihood ratios (Vuong 1989) compares it with random wiring.
import { breathe } from '../breathe';
import type { Law } from './degree_law';
import { binomialDraw, type Random, randomSource } from './random';
import { type Tally, tailTally, tallyOfCounts } from './tally';

/** A tail of fewer units says nothing. */
export const leastTail = 50;

const exponents = { least: 1.01, most: 2000 } as const;

/** At most so many places where the tail may begin are looked at. */
const mostStarts = 40;

/**
 * ln of the sum over k = 0, 1, ... of (k + q)^-s, s > 1, q > 0: some terms, then the formula of Euler and Maclaurin. The first term
 * is taken out, so that it works where the sum itself is too small a number.
 */
function logZeta(s: number, q: number): number {
  let sum = 0;
  let a = q;
  const scaled = (x: number) => Math.exp(-s * Math.log(x / q));
  // The formula needs a to be well above s for its terms to fall.
  const terms = Math.max(10, Math.ceil(s / 2 + 10 - q));
  for (let k = 0; k < terms; k++, a++) sum += scaled(a);
  const power = scaled(a);
  sum += (power * a) / (s - 1) + power / 2;
  let factor = (s * power) / a;
  sum += factor / 12;
  factor *= ((s + 1) * (s + 2)) / (a * a);
  sum -= factor / 720;
  factor *= ((s + 3) * (s + 4)) / (a * a);
  sum += factor / 30240;
  factor *= ((s + 5) * (s + 6)) / (a * a);
  sum -= factor / 1209600;
  return Math.log(sum) - s * Math.log(q);
}

/** The zeta function of Hurwitz: the sum itself. */
export function hurwitzZeta(s: number, q: number): number {
  return Math.exp(logZeta(s, q));
}

/** The most likely exponent of numbers of at least `start` with this mean logarithm. */
function likeliestExponent(start: number, meanLog: number): number {
  const loss = (s: number) => logZeta(s, start) + s * meanLog;
  // Convex in s: golden sections.
  const ratio = (Math.sqrt(5) - 1) / 2;
  // The form for large numbers (their equation 3.7) is near; begin around it.
  const near = 1 + 1 / Math.max(1e-9, meanLog - Math.log(start - 0.5));
  let [low, high] = [Math.max(exponents.least, 0.6 * near), Math.min(exponents.most, 1.8 * near + 1)];
  if (low >= high) [low, high] = [exponents.least, exponents.most];
  let [a, b] = [high - ratio * (high - low), low + ratio * (high - low)];
  let [atA, atB] = [loss(a), loss(b)];
  while (high - low > 1e-4 * low) {
    if (atA < atB) {
      [high, b, atB] = [b, a, atA];
      a = high - ratio * (high - low);
      atA = loss(a);
    } else {
      [low, a, atA] = [a, b, atB];
      b = low + ratio * (high - low);
      atB = loss(b);
    }
  }
  return (low + high) / 2;
}

export interface PowerLawFit {
  /** p(k) is proportional to k^-exponent for k >= start. */
  readonly exponent: number;
  readonly start: number;
  /** Units with at least `start` connections. */
  readonly tail: number;
  /** The largest difference of the tail's distribution from the fitted one. */
  readonly distance: number;
}

/** The largest difference of the two distribution functions over the tail. */
function distanceOf(tail: Tally, start: number, exponent: number): number {
  const whole = logZeta(exponent, start);
  let before = 0;
  let distance = 0;
  let known = start;
  let fittedBefore = 0;
  for (let i = 0; i < tail.values.length; i++) {
    const value = tail.values[i] as number;
    // Below this number, and up to it.
    if (value !== known) fittedBefore = 1 - Math.exp(logZeta(exponent, value) - whole);
    const fittedUpTo = 1 - Math.exp(logZeta(exponent, value + 1) - whole);
    const upTo = before + (tail.counts[i] as number);
    distance = Math.max(
      distance,
      Math.abs(before / tail.total - fittedBefore),
      Math.abs(upTo / tail.total - fittedUpTo),
    );
    before = upTo;
    [known, fittedBefore] = [value + 1, fittedUpTo];
  }
  return distance;
}

/** Where a tail may begin: distinct numbers from 1 on with enough units above them, evenly thinned. */
function possibleStarts(tally: Tally): number[] {
  const starts: number[] = [];
  let above = 0;
  for (let i = tally.values.length - 1; i >= 0; i--) {
    above += tally.counts[i] as number;
    const value = tally.values[i] as number;
    // A tail of one number has no exponent.
    if (above >= leastTail && value >= 1 && i < tally.values.length - 1) starts.push(value);
  }
  starts.reverse();
  if (starts.length <= mostStarts) return starts;
  return Array.from(
    { length: mostStarts },
    (_, i) => starts[Math.round((i * (starts.length - 1)) / (mostStarts - 1))] as number,
  );
}

/** The power law that fits the tail best; undefined where no tail has enough units. Zeros are left out. */
export function fitPowerLaw(tally: Tally): PowerLawFit | undefined {
  let best: PowerLawFit | undefined;
  for (const start of possibleStarts(tally)) {
    const tail = tailTally(tally, start);
    const meanLog =
      tail.values.reduce((sum, value, i) => sum + Math.log(value) * (tail.counts[i] as number), 0) / tail.total;
    const exponent = likeliestExponent(start, meanLog);
    const distance = distanceOf(tail, start, exponent);
    if (best === undefined || distance < best.distance) best = { exponent, start, tail: tail.total, distance };
  }
  return best;
}

/** The least k with P(at least k + 1) < u: by doubling, then halving (their appendix D). */
function drawFromTail(random: Random, exponent: number, start: number): number {
  const u = 1 - random();
  const whole = logZeta(exponent, start);
  const atLeast = (k: number) => Math.exp(logZeta(exponent, k) - whole);
  let low = start;
  let high = start;
  do {
    low = high;
    high *= 2;
  } while (atLeast(high) >= u && high < 2 ** 40);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (atLeast(middle) >= u) low = middle;
    else high = middle;
  }
  return low;
}

/** So many numbers from the fitted tail: the frequent ones together, the rare ones one by one. */
function drawTail(random: Random, { exponent, start }: PowerLawFit, total: number, into: Map<number, number>): void {
  let left = total;
  let here = logZeta(exponent, start);
  for (let k = start; left > 0; k++) {
    if (left <= 40) {
      for (; left > 0; left--) {
        const value = drawFromTail(random, exponent, k);
        into.set(value, (into.get(value) ?? 0) + 1);
      }
      return;
    }
    const next = logZeta(exponent, k + 1);
    const drawn = binomialDraw(random, left, 1 - Math.exp(next - here));
    if (drawn > 0) into.set(k, (into.get(k) ?? 0) + drawn);
    left -= drawn;
    here = next;
  }
}

/**
 * The fraction of made samples that lie farther from their own best power law than these numbers from theirs: as many numbers, the
 * tail from the fitted law, the rest from the numbers below it (their section 4.1). Below 0.1 a power law is ruled out.
 */
export async function goodnessOfFit(tally: Tally, fit: PowerLawFit, samples = 100, seed = 1): Promise<number> {
  const random = randomSource(seed);
  const below = tally.values.flatMap((value, i) =>
    value < fit.start ? [[value, tally.counts[i] as number] as const] : [],
  );
  const total = tally.total;
  let farther = 0;
  for (let sample = 0; sample < samples; sample++) {
    const counts = new Map<number, number>();
    const inTail = below.length === 0 ? total : binomialDraw(random, total, fit.tail / total);
    let left = total - inTail;
    let weight = total - fit.tail;
    for (const [value, count] of below) {
      const drawn = binomialDraw(random, left, weight <= count ? 1 : count / weight);
      if (drawn > 0) counts.set(value, drawn);
      left -= drawn;
      weight -= count;
    }
    drawTail(random, fit, inTail, counts);
    const own = fitPowerLaw(tallyOfCounts(counts));
    if (own === undefined || own.distance >= fit.distance) farther++;
    if (sample % 8 === 7) await breathe();
  }
  return farther / samples;
}

/** The probability that a normal number is farther from 0 than z (Abramowitz and Stegun 7.1.26, error below 1.5e-7). */
export function beyondNormal(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.min(1, series * Math.exp(-x * x));
}

export interface Comparison {
  /** ln of the likelihood of the tail under the power law, less that under random wiring. */
  readonly ratio: number;
  /** The probability of a ratio that far from 0 where both are equally good. */
  readonly significance: number;
}

/** The fitted tail against the same tail of random wiring: both as distributions of numbers from `start` on. */
export function compareWithLaw(tally: Tally, fit: PowerLawFit, law: Law): Comparison {
  const tail = tailTally(tally, fit.start);
  const whole = logZeta(fit.exponent, fit.start);
  const inLaw = (k: number) => law.probabilities[k - law.first] ?? 0;
  let mass = 0;
  for (let i = law.probabilities.length - 1; i >= 0 && law.first + i >= fit.start; i--)
    mass += law.probabilities[i] as number;
  // What the law has as good as no probability for counts as that, not as impossible.
  const least = 1e-300;
  const logMass = Math.log(Math.max(mass, least));
  const differences = tail.values.map(
    (k) => -fit.exponent * Math.log(k) - whole - (Math.log(Math.max(inLaw(k), least)) - logMass),
  );
  const ratio = differences.reduce((sum, difference, i) => sum + difference * (tail.counts[i] as number), 0);
  const mean = ratio / tail.total;
  const variance =
    differences.reduce((sum, difference, i) => sum + (tail.counts[i] as number) * (difference - mean) ** 2, 0) /
    tail.total;
  if (!(variance > 0)) return { ratio, significance: ratio === 0 ? 1 : 0 };
  return { ratio, significance: beyondNormal(ratio / Math.sqrt(variance * tail.total)) };
}

/**
 * 'powerLaw': it cannot be ruled out, is better than random wiring and spans a factor of ten. 'ruledOut'. 'undecided': neither. 'tooFew':
 * there is no tail to speak of.
 */
export type Verdict = 'powerLaw' | 'ruledOut' | 'undecided' | 'tooFew';

export interface TailAnalysis {
  readonly verdict: Verdict;
  readonly fit?: PowerLawFit;
  readonly goodness?: number;
  readonly comparison?: Comparison;
  /** The largest number of the tail divided by the least. */
  readonly span?: number;
}

/** Takes up to a few tenths of a second, and lets the event loop run meanwhile. */
export async function analyseTail(tally: Tally, law: Law, samples = 100): Promise<TailAnalysis> {
  const fit = fitPowerLaw(tally);
  if (fit === undefined) return { verdict: 'tooFew' };
  const goodness = await goodnessOfFit(tally, fit, samples);
  const comparison = compareWithLaw(tally, fit, law);
  const span = (tally.values.at(-1) as number) / fit.start;
  const isBetter = comparison.ratio > 0 && comparison.significance < 0.1;
  const verdict = goodness < 0.1 ? 'ruledOut' : isBetter && span >= 10 ? 'powerLaw' : 'undecided';
  return { verdict, fit, goodness, comparison, span };
}
