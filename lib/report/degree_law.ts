// The distribution that the number of connections of a unit has where wiring is random: the law of the drawn topology.

/** Probabilities of whole numbers from `first` on; those outside are below 1e-18 of the largest. */
export interface Law {
  readonly first: number;
  readonly probabilities: Float64Array;
}

/**
 * By the ratios of neighbouring probabilities from the most probable number outwards, then divided by their sum: no gamma
 * function, whose rounding errors grow with the numbers.
 */
function fromRatios(mode: number, low: number, high: number, ratio: (k: number) => number): Law {
  const tiny = 1e-18;
  const above: number[] = [];
  for (let k = mode, p = 1; k < high; k++) {
    p *= ratio(k);
    if (!(p > tiny)) break;
    above.push(p);
  }
  const below: number[] = [];
  for (let k = mode, p = 1; k > low; k--) {
    p /= ratio(k - 1);
    if (!(p > tiny)) break;
    below.push(p);
  }
  const weights = Float64Array.from([...below.reverse(), 1, ...above]);
  // From both ends inwards small numbers are added first.
  const sum = [...weights].sort((a, b) => a - b).reduce((a, b) => a + b, 0);
  return { first: mode - below.length, probabilities: weights.map((weight) => weight / sum) };
}

/** A law with one number only. */
function certain(value: number): Law {
  return { first: value, probabilities: Float64Array.of(1) };
}

/** Each of `trials` cells is a connection with the same probability, independently: the topology of Mocanu et al. 2018. */
export function binomialLaw(trials: number, probability: number): Law {
  if (probability <= 0 || trials === 0) return certain(0);
  if (probability >= 1) return certain(trials);
  const odds = probability / (1 - probability);
  const mode = Math.min(trials, Math.floor((trials + 1) * probability));
  return fromRatios(mode, 0, trials, (k) => ((trials - k) / (k + 1)) * odds);
}

/**
 * `connections` of all `cells` are chosen, each set of so many equally likely, and `trials` of the cells are the unit's: the
 * hypergeometric law. It is the binomial one given how many connections there are in all.
 */
export function hypergeometricLaw(cells: number, connections: number, trials: number): Law {
  const low = Math.max(0, trials + connections - cells);
  const high = Math.min(trials, connections);
  if (low >= high) return certain(low);
  const wanted = Math.floor(((trials + 1) * (connections + 1)) / (cells + 2));
  const mode = Math.min(high, Math.max(low, wanted));
  return fromRatios(
    mode,
    low,
    high,
    (k) => (((connections - k) / (k + 1)) * (trials - k)) / (cells - connections - trials + k + 1),
  );
}

export function meanOf({ first, probabilities }: Law): number {
  return probabilities.reduce((sum, p, i) => sum + p * (first + i), 0);
}

export function varianceOf(law: Law): number {
  const mean = meanOf(law);
  return law.probabilities.reduce((sum, p, i) => sum + p * (law.first + i - mean) ** 2, 0);
}

/** The probability of a number of at least k, for each k of the law. */
export function tailOf({ probabilities }: Law): Float64Array {
  const tail = new Float64Array(probabilities.length);
  let sum = 0;
  for (let i = probabilities.length - 1; i >= 0; i--) {
    sum += probabilities[i] as number;
    tail[i] = Math.min(1, sum);
  }
  return tail;
}
