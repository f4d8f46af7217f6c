// Folds for cross-validation. The same seed gives the same folds on every machine.
import { UsageError } from './program.mjs';

/** xorshift32: numbers in [0, 1). */
export function randomSource(seed) {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x2545f491) | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** A copy of the array in an order drawn from `random` (Fisher and Yates). */
export function shuffled(array, random) {
  const copy = Array.from(array);
  for (let i = copy.length - 1; i > 0; --i) {
    const j = Math.floor(random() * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

/**
 * `count` folds in which every class is spread as evenly as it goes: the samples of each class are shuffled and dealt out one
 * after the other, each class going on where the one before it ended. `labels` has a class number for each sample.
 *
 * Returns an array of { train, test }, ascending sample numbers as Int32Array; every sample is in `test` of exactly one fold.
 * Throws UsageError where `count` is not an integer from 2 to the number of samples.
 */
export function stratifiedFolds(labels, count, seed) {
  if (!Number.isInteger(count) || count < 2 || count > labels.length) {
    throw new UsageError(`${count} folds of ${labels.length} samples, expected an integer from 2 to their number`);
  }
  const random = randomSource(seed);
  const byClass = new Map();
  for (const [sample, label] of labels.entries()) {
    if (!byClass.has(label)) byClass.set(label, []);
    byClass.get(label).push(sample);
  }
  const foldOf = new Int32Array(labels.length);
  let dealt = 0;
  for (const label of [...byClass.keys()].sort((a, b) => a - b)) {
    for (const sample of shuffled(byClass.get(label), random)) foldOf[sample] = dealt++ % count;
  }
  return foldsOf(foldOf, count);
}

/**
 * `count` folds in which samples of one group are never in two: groups, in an order drawn from the seed, go one by one into
 * the fold that has the fewest samples so far. For data with families, patients or sites: what is alike in a group cannot be
 * learned by heart. `groups` has a name for each sample. Returns and throws as stratifiedFolds, of groups in place of samples.
 */
export function groupedFolds(groups, count, seed) {
  const byGroup = new Map();
  for (const [sample, group] of groups.entries()) {
    if (!byGroup.has(group)) byGroup.set(group, []);
    byGroup.get(group).push(sample);
  }
  if (!Number.isInteger(count) || count < 2 || count > byGroup.size) {
    throw new UsageError(`${count} folds of ${byGroup.size} groups, expected an integer from 2 to their number`);
  }
  const foldOf = new Int32Array(groups.length);
  const sizes = new Array(count).fill(0);
  for (const samples of shuffled(byGroup.values(), randomSource(seed))) {
    const fold = sizes.indexOf(Math.min(...sizes));
    for (const sample of samples) foldOf[sample] = fold;
    sizes[fold] += samples.length;
  }
  return foldsOf(foldOf, count);
}

function foldsOf(foldOf, count) {
  const samples = Array.from(foldOf, (_, sample) => sample);
  return Array.from({ length: count }, (_, fold) => ({
    train: Int32Array.from(samples.filter((sample) => foldOf[sample] !== fold)),
    test: Int32Array.from(samples.filter((sample) => foldOf[sample] === fold)),
  }));
}
