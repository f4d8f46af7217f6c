// The targets of the figures: below a floor the work is not done, an aim is where the limit is thought to be. Ratios are to
// the peer in the same run, on one thread.

const batches = [1, 16, 128, 1024];
const perBatch = (floors, aims) =>
  Object.fromEntries(batches.map((batch, i) => [batch, { floor: floors[i], aim: aims[i] }]));

/** setnet against onnxruntime with the same network as dense matrices: 784-1000-1000-1000-10, epsilon 20. */
export function inferenceTarget(batch, isa) {
  const aims = isa === 'avx512' ? [6, 10, 12, 10.5] : isa === 'avx2' ? [7.5, 15, 14, 13] : [6, 10, 12, 10.5];
  return perBatch([4.5, 7, 9, 8], aims)[batch] ?? {};
}

const layers = {
  '4096x4096 10 %': perBatch([3.5, 4.5, 4.5, 4], [4.5, 6, 6, 5]),
  '4096x4096 1 %': perBatch([25, 40, 30, 28], [35, 55, 40, 35]),
  '65536->4096 0.5 %': perBatch([80, 80, 35, 35], [100, 100, 45, 45]),
  '3072->768 10 %': { 256: { floor: 3.5, aim: 5 } },
  '3072->768 1 %': { 256: { floor: 18, aim: 25 } },
};

/** A single layer against onnxruntime dense; the layer by the name that layers.mjs gives it. */
export function layerTarget(name, batch) {
  return layers[name]?.[batch] ?? {};
}

/** 1000x1000 4 % against the best of the sparse libraries: product against product, each on its own layout. */
export function libraryTarget(name, batch) {
  if (name !== '1000x1000 4 %') return {};
  return perBatch([1.2, 1.5, 1.6, 1.3], [1.4, 1.8, 1.9, 1.5])[batch] ?? {};
}

/** Sparse against dense at a density of 30 %: never slower (3 % of noise allowed). */
export const crossover = { floor: 1, aim: 1.3, tolerance: 0.03 };

/** Shares of the ceiling that bounds a kernel. */
export const shares = {
  batch1: { floor: 0.75, aim: 0.9 },
  panel: (isa) => (isa === 'avx2' ? { floor: 0.6, aim: 0.8 } : { floor: 0.7, aim: 0.9 }),
  maskedOfSgemm: { floor: 0.7 },
};

/** FMA rate of a core of the class that absolute targets are for; elsewhere they go with the rate measured in the run. */
const referenceFma = 225;

/**
 * A figure of the native program `kernels` on the widest instruction set, `isa`; `fma`: that of this machine in GFLOP/s, or
 * undefined.
 */
export function kernelTarget({ kernel, shape, batch, bound, unit, isa }, fma, widest) {
  if (isa !== widest) return {};
  if (unit === 'fraction') {
    if (kernel === 'sparseVector' && /^1000x1000 4 %/.test(shape)) return shares.batch1;
    if (kernel === 'sparseProduct' && shape === '1000x1000 4 %' && batch === 128) return shares.panel(isa);
    if (!/^sgemm/.test(bound) || batch < 100) return {};
    if (kernel === 'denseForward' || kernel === 'denseInputGradient') return { floor: 0.7 };
    return kernel === 'denseUpdate' ? { floor: 0.6 } : {};
  }
  const isUpdate = kernel === 'sparseUpdate' && unit === 'GFLOP/s' && batch === 128;
  if (!isUpdate || !fma || !['1000x1000 4 %', '4096x4096 5 %'].includes(shape)) return {};
  return {
    floor: Number(((50 * fma) / referenceFma).toPrecision(3)),
    aim: Number(((75 * fma) / referenceFma).toPrecision(3)),
  };
}

export const training = {
  againstMasked: { floor: 10, aim: 15 },
  /** Cost of srelu and dropout 0.3: times that of relu without dropout. */
  sreluDropout: { floor: 1.6, aim: 1.3 },
  wideStep: { floor: 35, aim: 20 }, // ms
  widePeak: { floor: 600, aim: 400 }, // MB
  cifarEpoch: { floor: 0.9, aim: 0.5 }, // s
};

/** The event loop's delay in ms, 99th percentile, while a fit runs and predictions are asked for; and what they cost the fit. */
/** Sparse inputs of a million columns train within a gigabyte; leaving out inputs that are 0 costs nothing. */
export const sparseInputs = { peak: { floor: 1000 }, nearlyZero: { floor: 1, tolerance: 0.05 } };

/** Peak memory as a multiple of a file's size. */
export const reading = { peak: { floor: 3 } };

export const whileFitting = { delay: { floor: 5 }, slowed: { floor: 1.2 } };

/** ns per connection of an evolution with everything that is made again after it. */
export function evolutionTarget(connections) {
  return connections > 2e6 ? { floor: 45, aim: 20 } : { floor: 30, aim: 12 };
}

/** Bytes per connection. Training: with the published snapshot, which may take 8 and cannot be seen apart from outside. */
export const memory = {
  training: { floor: 36, aim: 32 },
  frozen: { floor: 6.6, aim: 6.2 },
};

/** Two threads against one. `multiplyAdds`: of a call to a single layer. 3 % of noise allowed where it says "never slower". */
export const twoThreads = {
  network: (batch) => (batch >= 128 ? { floor: 1.6, aim: 1.85 } : { floor: 1, tolerance: 0.03 }),
  layer: (multiplyAdds) => (multiplyAdds >= 2e6 ? { floor: 1.3, aim: 1.6 } : { floor: 1, tolerance: 0.03 }),
};

export const callOverhead = { floor: 800, aim: 400 }; // ns

/** Edges per second. */
export const graphChallenge = (threads) => (threads === 1 ? { floor: 2e11, aim: 6e11 } : { floor: 3.5e11, aim: 1e12 });
