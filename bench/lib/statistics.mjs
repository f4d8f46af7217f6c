// What is made of repeated measurements.

/** The middle value; of an even number of values the mean of the middle two. */
export function median(values) {
  return quantile(values, 0.5);
}

/** The value below which the fraction `q` of the values lies, interpolated between neighbours. */
export function quantile(values, q) {
  if (values.length === 0) throw new RangeError('no values: there is no quantile of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const place = q * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.ceil(place);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The median of a[i] / b[i]: of measurements taken in turns, so that what slowed one turn slowed both of its sides. */
export function medianRatio(a, b) {
  if (a.length !== b.length)
    throw new RangeError(`${a.length} values against ${b.length}: they were not taken in turns`);
  return median(a.map((value, i) => value / b[i]));
}

/** How far the middle half of the values spreads, as a fraction of the median: 0.1 says that single values are ±5 %. */
export function spread(values) {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / median(values);
}
