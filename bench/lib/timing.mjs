// Times of several sides of a comparison, taken in turns within one process: whatever disturbs the machine meanwhile
// disturbs all of them, so that ratios of one turn hold where times do not.
import { setTimeout as sleep } from 'node:timers/promises';
import { median, medianRatio, spread } from './statistics.mjs';

const now = () => Number(process.hrtime.bigint()) / 1e9;

/**
 * `sides`: { name: call }; a call may return a promise, which then belongs to its time. Each side is warmed up, its number of
 * calls per block is chosen so that a block lasts about `blockSeconds` (a single call where that is longer), and then every
 * turn measures one block of each; the side that begins a turn changes. Turns end after `repeats`, or after `limitSeconds` in
 * all once there were three.
 *
 * `pauseMs`: waited before each block, for sides whose threads go on spinning after a call.
 *
 * Resolves with { seconds: { name: [seconds of a call, per turn] }, repeats, time(name), ratio(a, b), spread(name) }.
 */
export async function measureInTurns(sides, { repeats = 9, blockSeconds = 0.02, limitSeconds = 20, pauseMs = 0 } = {}) {
  const names = Object.keys(sides);
  const calls = {};
  const seconds = {};
  for (const name of names) {
    calls[name] = await callsPerBlock(sides[name], blockSeconds);
    seconds[name] = [];
  }
  const start = now();
  let turn = 0;
  for (; turn < repeats && (turn < 3 || now() - start < limitSeconds); turn++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(turn + i) % names.length];
      if (pauseMs > 0) await sleep(pauseMs);
      seconds[name].push((await timeBlock(sides[name], calls[name])) / calls[name]);
    }
  }
  return {
    seconds,
    repeats: turn,
    time: (name) => median(seconds[name]),
    ratio: (slower, faster) => medianRatio(seconds[slower], seconds[faster]),
    spread: (name) => spread(seconds[name]),
  };
}

/** Warms up: two calls (one where it takes a second), and a block's worth of time. */
async function callsPerBlock(call, blockSeconds) {
  if ((await timeBlock(call, 1)) >= Math.max(1, blockSeconds)) return 1;
  let count = 1;
  for (;;) {
    const elapsed = await timeBlock(call, count);
    if (elapsed >= blockSeconds) return Math.max(1, Math.round((count * blockSeconds) / elapsed));
    count = Math.ceil(count * Math.min(10, Math.max(1.5, (1.2 * blockSeconds) / Math.max(elapsed, 1e-9))));
  }
}

/** Seconds of `count` calls one after the other. Only calls that return promises are awaited: an await costs time itself. */
async function timeBlock(call, count) {
  const start = now();
  const first = call();
  if (typeof first?.then === 'function') {
    await first;
    for (let i = 1; i < count; i++) await call();
  } else {
    for (let i = 1; i < count; i++) call();
  }
  return now() - start;
}

/** The largest absolute difference of two arrays of numbers; infinite where one has a number that the other lacks. */
export function maxDifference(a, b) {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;
    if (Number.isNaN(largest)) return Number.POSITIVE_INFINITY;
  }
  return largest;
}
