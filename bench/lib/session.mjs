// A network as the benchmarks call it for inference.

/**
 * { predictSync(x, out), close(), form }: a frozen session of `net` where this version has them, else the network itself.
 * `options` are those of freeze.
 */
export async function openSession(net, options = {}) {
  if (typeof net.freeze !== 'function') {
    return { predictSync: (x, out) => net.predictSync(x, out), close: () => {}, form: 'network' };
  }
  const session = await net.freeze(options);
  return { predictSync: (x, out) => session.predictSync(x, out), close: () => session.close(), form: 'session' };
}

/** Features of one repeatable random kind: uniform in [0, 1). */
export function randomFeatures(count, seed = 1) {
  let state = seed >>> 0 || 1;
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    // The low bits of such a generator are poor.
    values[i] = (state >>> 8) / 2 ** 24;
  }
  return values;
}
