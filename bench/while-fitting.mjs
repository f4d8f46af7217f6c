// A server that trains: how long its event loop is held up while a fit runs and predictions are asked for, and what the
// predictions cost the fit. Epochs with and without predictions take turns within one fit.
import { loadavg } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundledDir, loadFashion } from '../examples/fashion/data.mjs';
import { createNetwork, fitOptions, recommended, repeated } from './lib/network.mjs';
import { median, medianRatio, quantile } from './lib/statistics.mjs';
import { whileFitting as targets } from './lib/targets.mjs';

export const description = 'the event loop while a fit runs and predictions are asked for, and what they cost the fit';

export const options = {
  repeats: {
    fallback: 10,
    about: 'pairs of epochs measured, one without predictions and one with, after a pair that warms up',
  },
  perSecond: { fallback: 200, about: 'predictions asked for in a second, of one row each' },
};

const threads = 1;

export async function run({ options: { repeats, perSecond, quick }, figure }) {
  const setnet = await import('setnet');
  // Epochs long enough for a percentile of their milliseconds.
  const data = repeated(loadFashion({ dir: bundledDir }), quick ? 2 : 6);
  const pairs = quick ? Math.min(3, repeats) : repeats;
  const idle = watchLoop();
  await sleep(quick ? 500 : 2000);
  const idleDelay = idle.stop();

  const net = await createNetwork(setnet, { kind: 'sparse', seed: recommended.seed, threads, data });
  // One epoch more than are run: the last one of a fit has no evolution.
  const epochs = 2 * pairs + 3;
  const training = net.fit({ x: data.xTrain, y: data.yTrain }, fitOptions(setnet, { epochs, threads }));
  const seconds = { quiet: [], asked: [] };
  const delays = { quiet: [], asked: [] };
  const waits = [];
  const x = new Float32Array(data.xTest.subarray(0, data.inputs));
  let turn = 0;
  let side = 'quiet';
  let loop = watchLoop();
  let asking = ask(net, x, 0);
  for await (const epoch of training) {
    const delay = loop.stop();
    const answered = await asking.stop();
    if (turn >= 2) {
      seconds[side].push(epoch.seconds + epoch.evolutionSeconds);
      delays[side].push(delay);
      waits.push(...answered);
    }
    if (++turn === epochs - 1) break;
    side = side === 'quiet' ? 'asked' : 'quiet';
    loop = watchLoop();
    asking = ask(net, x, side === 'asked' ? perSecond : 0);
  }
  await training.done;
  net.dispose();

  const load = Number(loadavg()[0].toFixed(2));
  const origin = { threads, repeats: pairs, load };
  figure('event loop, idle: delay, 99th percentile', idleDelay, 'ms', origin);
  for (const [name, state] of [
    ['quiet', 'while a fit runs'],
    ['asked', 'while a fit runs and predictions are asked for'],
  ]) {
    const detail = { ...origin, each: delays[name].map(rounded), ...(name === 'asked' ? { perSecond } : {}) };
    figure(`event loop, ${state}: delay, 99th percentile`, median(delays[name]), 'ms', {
      ...detail,
      ...(name === 'asked' ? targets.delay : {}),
    });
    figure(`an epoch, ${state}`, median(seconds[name]), 's', { ...origin, each: seconds[name].map(rounded) });
  }
  const slowed = medianRatio(seconds.asked, seconds.quiet);
  figure('an epoch with predictions against one without', slowed, 'times the cost', { ...origin, ...targets.slowed });
  for (const [name, q] of [
    ['median', 0.5],
    ['99th percentile', 0.99],
  ])
    figure(`a prediction of one row while a fit runs, ${name}`, 1e3 * quantile(waits, q), 'ms', {
      ...origin,
      perSecond,
      predictions: waits.length,
    });
}

/** stop() gives the 99th percentile of the event loop's delay in ms since then: time above what the timer was set to. */
function watchLoop() {
  const resolution = 1;
  const histogram = monitorEventLoopDelay({ resolution });
  histogram.enable();
  return {
    stop() {
      histogram.disable();
      return histogram.percentile(99) / 1e6 - resolution;
    },
  };
}

/** Asks for so many predictions a second, whether or not earlier ones are answered; stop() gives the seconds each took. */
function ask(net, x, perSecond) {
  const seconds = [];
  const running = [];
  const start = performance.now();
  let asked = 0;
  const one = async () => {
    const began = performance.now();
    await net.predict(x);
    seconds.push((performance.now() - began) / 1000);
  };
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - start) / 1000) * perSecond);
    for (; asked < due; asked++) running.push(one());
  }, 1);
  if (perSecond === 0) clearInterval(timer);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(running);
      return seconds;
    },
  };
}

const rounded = (value) => Number(value.toPrecision(3));

export function charts(figures) {
  const delays = figures.filter(({ name }) => name.startsWith('event loop'));
  return [
    {
      kind: 'bars',
      title: "The event loop's delay, 99th percentile",
      x: { label: 'ms' },
      bars: delays.map(({ name, value, floor }) => ({
        name: name.slice('event loop, '.length, name.indexOf(':')),
        value,
        ...(floor === undefined ? {} : { floor }),
      })),
    },
  ];
}
