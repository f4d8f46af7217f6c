// What the choices of a session cost and give: a second form for single samples, and weights of 16 bits.
import { bundledDir, loadFashion } from '../../examples/fashion/data.mjs';
import { createNetwork, fitOptions } from './network.mjs';
import { openSession } from './session.mjs';
import { maxDifference, measureInTurns } from './timing.mjs';

const variants = { latency: { optimizeFor: 'latency' }, bf16: { precision: 'bf16' } };
const threads = 1;

/** Resolves with { session } or, where this version does not know the choice, { absent: reason }. */
async function open(net, choice) {
  if (typeof net.freeze !== 'function') return { absent: 'this version has no sessions' };
  try {
    return { session: await openSession(net, { threads, ...choice }) };
  } catch (error) {
    if (error.code !== 'ERR_SETNET_OPTION') throw error;
    return { absent: error.message };
  }
}

/** Times of a call to each kind of session of `net` beside the default one. `x`: at least the largest batch of rows. */
export async function compareForms({ net, x, batches, quick, figure }) {
  const plain = await openSession(net, { threads });
  const { inputs, outputs } = net;
  for (const [name, choice] of Object.entries(variants)) {
    const { session, absent } = await open(net, choice);
    for (const batch of batches) {
      const title = `session, default / ${name}: batch ${batch}`;
      const origin = { threads, batch, form: name };
      if (absent) {
        figure(title, null, 'times', { ...origin, repeats: 0, absent });
        continue;
      }
      const rows = x.subarray(0, batch * inputs);
      const [a, b] = [new Float32Array(batch * outputs), new Float32Array(batch * outputs)];
      const sides = { plain: () => plain.predictSync(rows, a), other: () => session.predictSync(rows, b) };
      const timing = await measureInTurns(sides, { repeats: quick ? 5 : 15, blockSeconds: 0.01, limitSeconds: 5 });
      figure(title, timing.ratio('plain', 'other'), 'times', {
        ...{ ...origin, repeats: timing.repeats, microseconds: Number((timing.time('other') * 1e6).toFixed(1)) },
        largestDifference: maxDifference(a, b),
      });
    }
    await session?.close();
  }
  await plain.close();
}

/** What weights of 16 bits cost in accuracy: a trained network on the test images of the repository. */
export async function accuracyOfBf16({ setnet, quick, figure }) {
  const data = loadFashion({ dir: bundledDir });
  const net = await createNetwork(setnet, { kind: 'sparse', seed: 1, threads, data });
  const epochs = quick ? 2 : 8;
  // Asked first: there is nothing to train for where this version has no such sessions.
  const small = await setnet.Network.create({ inputs: 1, seed: 1, layers: [setnet.dense({ units: 1 })] });
  const probe = await open(small, variants.bf16);
  const { absent } = probe;
  await probe.session?.close();
  small.dispose();
  const title = 'session, bf16: accuracy minus that of f32';
  const origin = { threads, form: 'bf16', epochs, images: data.testRows };
  if (absent) {
    figure(title, null, 'points', { ...origin, repeats: 0, absent });
  } else {
    await net.fit({ x: data.xTrain, y: data.yTrain }, fitOptions(setnet, { epochs, threads })).done;
    const { session } = await open(net, variants.bf16);
    const x = Float32Array.from(data.xTest);
    const share = (answers) => {
      let right = 0;
      for (let row = 0; row < data.testRows; row++) {
        const scores = answers.subarray(row * net.outputs, (row + 1) * net.outputs);
        if (scores.indexOf(Math.max(...scores)) === data.yTest[row]) right++;
      }
      return (100 * right) / data.testRows;
    };
    const out = () => new Float32Array(data.testRows * net.outputs);
    const f32 = share(net.predictSync(x, out()));
    const bf16 = share(session.predictSync(x, out()));
    figure(title, bf16 - f32, 'points', { ...origin, repeats: 1, f32, bf16 });
    await session.close();
  }
  net.dispose();
}
