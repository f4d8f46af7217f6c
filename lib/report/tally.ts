// How often each number occurs: degrees of a million units are a few hundred different numbers.

/** Distinct numbers, ascending, and how many there are of each. */
export interface Tally {
  readonly values: readonly number[];
  readonly counts: readonly number[];
  readonly total: number;
  readonly mean: number;
  /** Of the population. */
  readonly variance: number;
}

function fromEntries(entries: readonly (readonly [value: number, count: number])[]): Tally {
  const total = entries.reduce((sum, [, count]) => sum + count, 0);
  const mean = total === 0 ? 0 : entries.reduce((sum, [value, count]) => sum + value * count, 0) / total;
  const squares = entries.reduce((sum, [value, count]) => sum + count * (value - mean) ** 2, 0);
  return {
    values: entries.map(([value]) => value),
    counts: entries.map(([, count]) => count),
    total,
    mean,
    variance: total === 0 ? 0 : squares / total,
  };
}

export function tallyOf(numbers: ArrayLike<number>): Tally {
  const counts = new Map<number, number>();
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i] as number;
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return fromEntries([...counts].sort(([a], [b]) => a - b));
}

/** Of counts by number. */
export function tallyOfCounts(counts: ReadonlyMap<number, number>): Tally {
  return fromEntries([...counts].filter(([, count]) => count > 0).sort(([a], [b]) => a - b));
}

/** Those of at least `least`. */
export function tailTally({ values, counts }: Tally, least: number): Tally {
  return fromEntries(values.flatMap((value, i) => (value >= least ? [[value, counts[i] as number] as const] : [])));
}
