// Several fits that take turns: one epoch of each, so that never do two run at once and what disturbs one disturbs all.

/**
 * `fits`: { name: { net, data: { x, y }, options: (epochs) => options of fit } }. Each runs one epoch that warms up and then
 * `repeats` that count; one more is asked for and not run, because the last epoch of a fit has no evolution.
 *
 * Resolves with { name: { seconds, stepSeconds, evolutionSeconds, losses, epochs } }, arrays over the epochs that count;
 * `losses` has the warm-up's too. `onEpoch(name, epoch, turn)` is called, and awaited, after every epoch.
 */
export async function fitInTurns(fits, { repeats, onEpoch = () => {} }) {
  const names = Object.keys(fits);
  const running = {};
  const results = {};
  for (const name of names)
    results[name] = { seconds: [], stepSeconds: [], evolutionSeconds: [], losses: [], epochs: [] };
  for (let turn = 0; turn <= repeats; turn++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(turn + i) % names.length];
      // A fit begins with its first epoch, and waits after each until the next one is asked for.
      running[name] ??= start(fits[name], 2 + repeats);
      const { value, done } = await running[name].epochs.next();
      if (done) throw new Error(`the fit of ${name} ended before its epoch ${turn + 1}`);
      const result = results[name];
      result.losses.push(value.loss);
      await onEpoch(name, value, turn);
      if (turn === 0) continue;
      result.stepSeconds.push(value.seconds);
      result.evolutionSeconds.push(value.evolutionSeconds);
      result.seconds.push(value.seconds + value.evolutionSeconds);
      result.epochs.push(value);
    }
  }
  for (const name of names) {
    await running[name].epochs.return();
    await running[name].training.done;
  }
  return results;
}

function start({ net, data, options }, epochs) {
  const training = net.fit(data, options(epochs));
  return { training, epochs: training[Symbol.asyncIterator]() };
}
