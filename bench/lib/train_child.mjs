// One training run in a process of its own: gets { kind, seed, epochs, threads, evolve, dir, settings } over the channel
// and answers { result } or { error }.
import { loadFashion } from '../../examples/fashion/data.mjs';
import { createNetwork, digest, fitOptions } from './network.mjs';

// A run nobody waits for any more ends.
process.on('disconnect', () => process.exit(1));

process.once('message', async (job) => {
  let answer;
  try {
    answer = { result: await train(job) };
  } catch (error) {
    answer = { error: `${error.code ? `${error.code}: ` : ''}${error.stack}` };
  }
  process.send(answer, () => process.exit());
});

async function train({ kind, seed, epochs, threads, evolve, dir, settings }) {
  const setnet = await import('setnet');
  const data = loadFashion({ dir });
  const net = await createNetwork(setnet, { kind, seed, threads, data, settings });
  const history = await net.fit(
    { x: data.xTrain, y: data.yTrain },
    { ...fitOptions(setnet, { epochs, threads, evolve, settings }), validation: { x: data.xTest, y: data.yTest } },
  ).done;
  const last = history.epochs.at(-1);
  const numbers = history.epochs.flatMap(({ loss, validation }) => [loss, validation.loss, validation.accuracy]);
  if (history.final) numbers.push(history.final.validation.loss, history.final.validation.accuracy);
  return {
    accuracy: 100 * last.validation.accuracy,
    finalAccuracy: history.final ? 100 * history.final.validation.accuracy : null,
    connections: last.connections,
    finalConnections: history.connections.final,
    secondsPerEpoch: history.epochs.reduce((sum, epoch) => sum + epoch.seconds + epoch.evolutionSeconds, 0) / epochs,
    digest: digest(net, numbers),
  };
}
