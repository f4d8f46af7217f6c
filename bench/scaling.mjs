// Two threads against one, over batches and layer sizes, in turns; and what a call costs that computes next to nothing.
import { cores } from '../scripts/lib/util.mjs';
import { openSession, randomFeatures } from './lib/session.mjs';
import { callOverhead, twoThreads } from './lib/targets.mjs';
import { measureInTurns } from './lib/timing.mjs';

export const description = 'two threads against one, networks and single layers; overhead of a synchronous call';

export const options = {
  batches: { fallback: [1, 4, 16, 64, 128, 256, 1024], about: 'rows per call' },
};

const outputs = 10;

function networks(setnet) {
  const layer = (inputs, units, density) => ({
    name: `${inputs}x${units} ${Number((100 * density).toPrecision(3))} %`,
    inputs,
    single: true,
    layers: [setnet.sparse({ units, density, activation: 'linear', bias: false })],
  });
  const hidden = [1000, 1000, 1000].map((units) => setnet.sparse({ units, epsilon: 20 }));
  return [
    { name: '784-1000-1000-1000-10', inputs: 784, layers: [...hidden, setnet.dense({ units: outputs })] },
    layer(256, 256, 0.1),
    layer(1000, 1000, 0.04),
    layer(4096, 4096, 0.01),
    layer(4096, 4096, 0.1),
  ];
}

export async function run({ options: { batches, quick }, figure }) {
  const setnet = await import('setnet');
  await overhead(setnet, quick, figure);
  if (cores < 2) {
    figure('2 threads against 1', null, 'times', { threads: 2, repeats: 0, absent: 'this machine has one core' });
    return;
  }
  const some = quick ? batches.filter((batch) => [1, 16, 128, 1024].includes(batch)) : batches;
  for (const { name, inputs, layers, single } of networks(setnet)) {
    const nets = {};
    const sessions = {};
    for (const threads of [1, 2]) {
      nets[threads] = await setnet.Network.create({ inputs, seed: 1, threads, layers });
      sessions[threads] = await openSession(nets[threads], { threads });
    }
    const { connections } = nets[1];
    const units = nets[1].outputs;
    const x = randomFeatures(Math.max(...some) * inputs, 4);
    for (const batch of some) {
      const rows = x.subarray(0, batch * inputs);
      const out = new Float32Array(batch * units);
      const timing = await measureInTurns(
        { 1: () => sessions[1].predictSync(rows, out), 2: () => sessions[2].predictSync(rows, out) },
        { repeats: quick ? 5 : 15, blockSeconds: 0.01, limitSeconds: quick ? 1 : 4 },
      );
      const multiplyAdds = connections * batch;
      const target = single ? twoThreads.layer(multiplyAdds) : twoThreads.network(batch);
      for (const threads of [1, 2]) {
        const detail = { threads, repeats: timing.repeats, batch, layer: name };
        figure(`${name}: a call, batch ${batch}`, timing.time(threads) * 1e6, 'us', detail);
      }
      const detail = { threads: 2, repeats: timing.repeats, batch, layer: name, multiplyAdds, form: sessions[1].form };
      figure(`${name}: 2 threads against 1, batch ${batch}`, timing.ratio(1, 2), 'times', { ...detail, ...target });
    }
    for (const session of Object.values(sessions)) await session.close();
    for (const net of Object.values(nets)) net.dispose();
  }
}

/** From JavaScript into native code and back: one input, one unit, answers into an array that is there. */
async function overhead(setnet, quick, figure) {
  const net = await setnet.Network.create({ inputs: 1, seed: 1, threads: 1, layers: [setnet.dense({ units: 1 })] });
  const session = await openSession(net, { threads: 1 });
  const x = new Float32Array([1]);
  const out = new Float32Array(1);
  const timing = await measureInTurns(
    { session: () => session.predictSync(x, out), network: () => net.predictSync(x, out) },
    { repeats: quick ? 7 : 21, blockSeconds: 0.02 },
  );
  const origin = { threads: 1, repeats: timing.repeats };
  const named = session.form === 'session' ? 'predictSync of a session' : 'predictSync (this version has no sessions)';
  figure(`${named}, 1x1 network`, timing.time('session') * 1e9, 'ns', { ...origin, ...callOverhead });
  figure('predictSync of a network, 1x1 network', timing.time('network') * 1e9, 'ns', { ...origin, ...callOverhead });
  await session.close();
  net.dispose();
}

export function charts(figures) {
  const ratios = figures.filter(({ unit, layer }) => unit === 'times' && layer !== undefined);
  return [
    {
      kind: 'lines',
      title: 'Two threads against one',
      x: { label: 'batch (rows per call)', scale: 'log', ticks: [...new Set(ratios.map(({ batch }) => batch))] },
      y: { label: 'times faster' },
      series: [...new Set(ratios.map(({ layer }) => layer))].map((name) => ({
        name,
        points: ratios.filter(({ layer }) => layer === name).map(({ batch, value }) => ({ x: batch, y: value })),
      })),
      bounds: [{ y: 1, label: 'one thread' }],
    },
  ];
}
