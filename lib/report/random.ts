// Random numbers for the tests of fits. They begin from a fixed seed: equal networks give equal reports.

/** Numbers in [0, 1) with 32 random bits each. */
export type Random = () => number;

/** SplitMix with 32 bits of state (Steele, Lea and Flood 2014), finished by the mixer of MurmurHash3. */
export function randomSource(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

/**
 * A binomial number: by the waiting times of the rarer outcome (Devroye 1986) where fewer than 30 of it are expected, else the
 * rounded normal with the same mean and variance, which is near enough for a bootstrap.
 */
export function binomialDraw(random: Random, trials: number, probability: number): number {
  if (trials <= 0 || probability <= 0) return 0;
  if (probability >= 1) return trials;
  if (probability > 0.5) return trials - binomialDraw(random, trials, 1 - probability);
  const mean = trials * probability;
  if (mean >= 30) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const drawn = Math.round(mean + normal * Math.sqrt(mean * (1 - probability)));
    return Math.min(trials, Math.max(0, drawn));
  }
  const logOfMiss = Math.log1p(-probability);
  let successes = 0;
  let position = Math.floor(Math.log(1 - random()) / logOfMiss) + 1;
  while (position <= trials) {
    successes++;
    position += Math.floor(Math.log(1 - random()) / logOfMiss) + 1;
  }
  return successes;
}
