// Cross-validation: several methods on the same folds, each method with the same settings in every fold. Nothing is chosen by
// looking at the test samples: what counts is the network after its last epoch and the final removal.
import { createHash } from 'node:crypto';
import { buildInfo, Network } from 'setnet';
import { count, printTable } from './program.mjs';

/**
 * Trains every method on every fold, all with one thread.
 *
 * `methods`: an array of { name, layers, scaling, features, fit }. `features(fold)` gives { train, test }, the features of the
 * fold's samples, as `fit` takes them; what it learns from data (a weighting of columns) it must learn from `fold.train` alone.
 * `fit` are options of network.fit. `folds`: as stratifiedFolds gives them, or several cross-validations one after the other
 * (`runs`: how many; the folds of each lie next to each other). `labels`: a class number for each sample, below `classes`.
 *
 * Resolves to a result for each method: { name, accuracies, spread, accuracy, seconds, connections: { trained, final }, digest }.
 * An accuracy is that of a fold, or with several runs that of all samples of a run; `accuracy` is their mean and `spread` their
 * standard deviation. Seconds are the processor's, of all folds' calls of fit: other programs at the same time lengthen the wall time, these hardly.
 * The digest is of every network's wiring, weights and biases.
 */
export async function crossValidate({ methods, folds, runs = 1, labels, classes, inputs, seed, onFold = () => {} }) {
  const states = methods.map(({ name }) => ({ name, right: [], samples: [], seconds: 0, hash: createHash('sha256') }));
  for (const [number, fold] of folds.entries()) {
    const pick = (samples) => Int32Array.from(samples, (sample) => labels[sample]);
    for (const [i, method] of methods.entries()) {
      const state = states[i];
      const { train, test } = method.features(fold);
      const { layers, scaling } = method;
      const net = await Network.create({ inputs, layers: layers(classes), scaling, seed, threads: 1 });
      const begin = process.cpuUsage();
      const history = await net.fit({ x: train, y: pick(fold.train) }, method.fit).done;
      const { user, system } = process.cpuUsage(begin);
      const { accuracy, samples } = await net.evaluate({ x: test, y: pick(fold.test) });
      state.right.push(Math.round(accuracy * samples));
      state.samples.push(samples);
      state.seconds += (user + system) / 1e6;
      state.connections = history.connections;
      for (const { weights, bias } of net.layers) {
        for (const array of [weights.rowPointers, weights.columnIndices, weights.values, bias])
          state.hash.update(array);
      }
      net.dispose();
      onFold({ name: method.name, fold: number + 1, folds: folds.length, accuracy });
    }
  }
  return states.map(({ right, samples, hash, ...rest }) => {
    const size = runs === 1 ? 1 : folds.length / runs;
    const accuracies = Array.from({ length: folds.length / size }, (_, i) => {
      const sum = (numbers) => numbers.slice(i * size, (i + 1) * size).reduce((a, b) => a + b, 0);
      return sum(right) / sum(samples);
    });
    return { ...rest, accuracies, ...statistics(accuracies), digest: hash.digest('hex') };
  });
}

/** Mean and standard deviation (of a sample, n - 1). */
function statistics(values) {
  const accuracy = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - accuracy) ** 2, 0);
  return { accuracy, spread: Math.sqrt(squares / (values.length - 1)) };
}

/** The results as a table, one row a method. */
export function printResults(results) {
  const percent = (fraction) => (100 * fraction).toFixed(1);
  printTable(
    ['method', 'accuracy %', 'spread', 'connections', 'deployed', 'seconds'],
    results.map(({ name, accuracy, spread, connections, seconds }) => [
      ...[name, percent(accuracy), percent(spread), count(connections.trained), count(connections.final)],
      seconds.toFixed(2),
    ]),
  );
}

/** Whether masked layers gave the bits of sparse ones, and what they took. */
export function printTwins(sparse, masked) {
  const isEqual = sparse.digest === masked.digest;
  // Without fused multiply-add equality is not promised.
  const isPromised = buildInfo().instructionSet !== 'baseline';
  const same = isEqual ? 'the same bits' : isPromised ? 'NOT the same bits' : 'other bits (no fused multiply-add here)';
  if (!isEqual && isPromised) process.exitCode = 1;
  const times = masked.seconds / sparse.seconds;
  console.log(
    `${sparse.name} and ${masked.name}: ${same} in every fold; sparse layers took ${times.toFixed(1)} times less time`,
  );
}

/** The rows of a row-major matrix that belong to these samples, copied. */
export function takeRows(x, columns, samples) {
  const rows = new x.constructor(samples.length * columns);
  for (const [i, sample] of samples.entries()) {
    rows.set(x.subarray(sample * columns, (sample + 1) * columns), i * columns);
  }
  return rows;
}
