// Reports of small networks of every kind, for scripts/check-report.mjs: what is short, long, empty or strange in them.
import { join } from 'node:path';

/** xorshift32. */
function randomSource(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Classes around random centres. */
function blobs(rows, inputs, classes, seed) {
  const random = randomSource(seed);
  const centres = Array.from({ length: classes * inputs }, () => 2 * random() - 1);
  const y = Int32Array.from({ length: rows }, () => Math.floor(random() * classes));
  const x = Float32Array.from(
    { length: rows * inputs },
    (_, i) => centres[y[Math.floor(i / inputs)] * inputs + (i % inputs)] + 1.5 * (random() + random() - 1),
  );
  return { x, y };
}

/** Writes them into a folder; resolves with their paths. */
export async function makeReports(folder) {
  const { CsrMatrix, dense, masked, Network, set, sparse, writeReport } = await import('../../dist/index.mjs');
  const files = [];
  const path = (name) => {
    files.push(join(folder, `${name}.html`));
    return files.at(-1);
  };
  const inputs = 12 * 10;
  const data = blobs(500, inputs, 4, 1);
  const test = blobs(300, inputs, 4, 1);
  const classes = ['a', 'a class with a rather long name', '<b>&amp;</b>', '\u7b2c\u56db\u7c7b'];
  const image = { width: 12, height: 10 };
  const runs = [];
  for (const [name, layer] of [
    ['sparse', sparse],
    ['masked, with a name that goes on', masked],
  ]) {
    const layers = [layer({ units: 120, epsilon: 8 }), layer({ units: 60, epsilon: 4 }), dense({ units: 4 })];
    const network = await Network.create({ inputs, classes, layers, scaling: 'perFeature', seed: 3 });
    const epochs = name === 'sparse' ? 12 : 9;
    const history = await network.fit(data, { epochs, evolution: set({ zeta: 0.3 }), validation: test }).done;
    const evaluation = await network.evaluate(test, { metrics: ['confusion'] });
    runs.push({ name, network, history, evaluation, memoryBytes: 2.5e6 * runs.length + 1e6 });
  }
  await writeReport(path('runs'), { runs, image });
  await runs[0].network.report(path('image'), { history: runs[0].history, test, image });
  await runs[0].history.report(path('history'));

  // Positions along chromosomes, names of inputs, a layer whose beginning is not known, one unit, a loss without right answers.
  const snps = 2000;
  const features = Array.from({ length: snps }, (_, i) => `rs${1000 * i}`);
  const chromosomes = Array.from({ length: snps }, (_, i) =>
    i < 1700 ? 1 + Math.floor(i / 100) : i < 1900 ? 'X' : 'MT',
  );
  const positions = Float64Array.from({ length: snps }, (_, i) => (i % 500 === 7 ? Number.NaN : (i % 100) * 1e6));
  const given = CsrMatrix.from({
    rows: 2,
    columns: 40,
    rowPointers: [0, 1, 3],
    columnIndices: [4, 5, 6],
    values: [1, -1, 2],
  });
  const regression = await Network.create({
    inputs: snps,
    features,
    layers: [sparse({ units: 40, epsilon: 3 }), sparse({ weights: given }), dense({ units: 1 })],
    seed: 5,
  });
  const numbers = {
    x: new Float32Array(snps * 64).map((_, i) => Math.sin(i)),
    y: new Float32Array(64).map((_, i) => i % 3),
  };
  const fitted = await regression.fit(numbers, { epochs: 4, loss: 'meanSquaredError' }).done;
  await regression.report(path('positions'), { history: fitted, test: numbers, positions: { chromosomes, positions } });

  // Never fitted, a layer without connections, more inputs than pixels.
  const layers = [sparse({ units: 3, density: 1e-9 }), sparse({ units: 200, density: 0.5 }), dense({ units: 2 })];
  await (await Network.create({ inputs: 30_000, layers, seed: 1 })).report(path('bare'), { title: 'W'.repeat(60) });
  // An epoch only, and a great many.
  const epoch = (i) => ({
    epoch: i,
    loss: 2 / i,
    learningRate: 0.1,
    seconds: 0,
    evolutionSeconds: 0,
    connections: 1e6,
  });
  const long = (count) => ({
    epochs: Array.from({ length: count }, (_, i) => ({
      ...epoch(i + 1),
      evolution: { pruned: 40_000, grown: 40_000 },
    })),
    connections: { trained: 1e6, final: 1e6 },
  });
  await writeReport(path('histories'), {
    runs: [
      { name: 'one epoch', history: long(1), seconds: 30_000, memoryBytes: 4e9 },
      { name: 'many epochs', history: long(20_000), seconds: 90_000 },
      ...Array.from({ length: 6 }, (_, i) => ({ name: `nothing ${i}` })),
    ],
  });
  return files;
}
