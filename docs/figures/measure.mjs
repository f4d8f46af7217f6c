// Measures what docs/guide/epsilon-and-zeta.md and docs/guide/sparse-or-dense.md show: accuracy, connections and time against
// epsilon and zeta. Writes docs/figures/choices.json; `node docs/figures/draw.mjs` makes the charts of it.
//
//   node docs/figures/measure.mjs [--data FOLDER] [--only NAME] [--seeds 3]
//
// Images and tumours are kept in the repository; words, mice, madelon and all images are looked for in FOLDER or SETNET_DATA, and what is
// not there keeps the figures that it had. `--only` measures one of: epsilon, zeta, tumours, words, mice, madelon,
// all (all images).
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adam, CsrMatrix, cosine, dense, Network, readTable, set, sgd, sparse } from 'setnet';
import { loadExpression } from '../../examples/expression/data.mjs';
import { bundledDir, loadFashion } from '../../examples/fashion/data.mjs';
import { settings } from '../../examples/fashion/settings.mjs';
import { crossValidate, takeRows } from '../../examples/lib/crossval.mjs';
import { stratifiedFolds } from '../../examples/lib/folds.mjs';
import { DataError } from '../../examples/lib/npy.mjs';
import { dataFolder, readOptions, readSamples, runMain } from '../../examples/lib/program.mjs';
import { tfIdfFeatures } from '../../examples/text/features.mjs';

const path = join(dirname(fileURLToPath(import.meta.url)), 'choices.json');
const epsilons = [0.5, 1, 2, 5, 10, 20, 40, 80];
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/**
 * One network with the settings of `npm start`, trained once for each seed. `hidden` are its hidden layers, `evolution` what
 * fit takes. Answers means over the seeds, in percent, of the test accuracy when training ends (`trained`) and after the weakest
 * 30 % are removed (`deployed`; a dense network has no such removal), and the connections and the processor's seconds of an epoch
 * of the first.
 */
async function images({ seeds, hidden, evolution, isDense = false, rate = 1, dir = bundledDir, epochs = 15 }) {
  const { xTrain, yTrain, xTest, yTest, inputs, classes } = loadFashion({ dir });
  const { batchSize, learningRate, momentum, weightDecay } = settings;
  const validation = { x: xTest, y: yTest };
  const runs = [];
  for (let seed = 1; seed <= seeds; ++seed) {
    const layers = [...hidden, dense({ units: classes.length })];
    const net = await Network.create({ inputs, layers, scaling: 'perFeature', seed, threads: 1 });
    const optimizer = sgd({ learningRate: cosine({ from: rate * learningRate }), momentum, weightDecay });
    const begin = process.cpuUsage();
    const history = await net.fit(
      { x: xTrain, y: yTrain },
      { epochs, batchSize, optimizer, evolution: evolution ?? null, validation },
    ).done;
    // Of the processor: other programs lengthen the wall time.
    const { user, system } = process.cpuUsage(begin);
    const seconds = (user + system) / 1e6 / epochs;
    // A network that does not evolve has no final removal of its own: here it gets the same one, to compare.
    const final = isDense ? undefined : (history.final ?? (await net.finalize({ zeta: settings.zeta, validation })));
    runs.push({
      trained: 100 * history.epochs.at(-1).validation.accuracy,
      deployed: final && 100 * final.validation.accuracy,
      connections: history.connections.trained,
      left: net.connections,
      seconds,
    });
    net.dispose();
  }
  const all = (name) => (runs[0][name] === undefined ? undefined : mean(runs.map((run) => run[name])));
  const [{ connections, left, seconds }] = runs;
  const each = runs.map((run) => run.trained);
  return { trained: all('trained'), deployed: all('deployed'), each, connections, left, seconds };
}

/** A dense network is given two learning rates, for what sparse ones like may be too fast for it: the better result counts. */
const rates = { 'as sparse': 1, 'a tenth': 0.1 };

async function denseImages(options) {
  const units = settings.hidden.map((units) => dense({ units, activation: 'relu', dropout: settings.dropout }));
  let best;
  for (const [name, rate] of Object.entries(rates)) {
    const result = await images({ ...options, hidden: units, isDense: true, rate });
    if (best === undefined || result.trained > best.trained) best = { ...result, rate: name };
  }
  return best;
}

const hiddenSparse = (epsilon) => settings.hidden.map((units) => sparse({ units, epsilon, dropout: settings.dropout }));

async function epsilonOfImages({ seeds }) {
  const rows = [];
  for (const epsilon of epsilons) {
    const hidden = hiddenSparse(epsilon);
    const evolving = await images({ seeds, hidden, evolution: set({ zeta: settings.zeta }) });
    rows.push({ epsilon, set: evolving, static: await images({ seeds, hidden }) });
    console.error(
      `  epsilon ${epsilon}: ${evolving.trained.toFixed(2)}, static ${rows.at(-1).static.trained.toFixed(2)} %`,
    );
  }
  return { seeds, rows, dense: await denseImages({ seeds }) };
}

/** All 60,000 images, with the epsilon of `npm start`. */
async function allImages({ data }) {
  const dir = join(data || process.env.SETNET_DATA || '', 'fashion-mnist');
  if (!existsSync(dir)) throw new DataError(`${dir}: there is no such folder`);
  const [hidden, common] = [hiddenSparse(settings.epsilon), { dir, epochs: 10 }];
  return {
    set: await images({ ...common, seeds: 3, hidden, evolution: set({ zeta: settings.zeta }) }),
    static: await images({ ...common, seeds: 3, hidden }),
    dense: await denseImages({ ...common, seeds: 1 }),
  };
}

async function zetaOfImages({ seeds }) {
  const rows = [];
  for (const zeta of [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7]) {
    const run = (value) => images({ seeds, hidden: hiddenSparse(settings.epsilon), evolution: set({ zeta: value }) });
    rows.push({ zeta, falling: await run(zeta), constant: await run({ kind: 'constant', value: zeta }) });
    console.error(`  zeta ${zeta}: ${rows.at(-1).falling.trained.toFixed(2)} %`);
  }
  return { seeds, rows };
}

/**
 * Cross-validation of [inputs]-[units]-[classes] for each epsilon, with the settings of the example of these data. `fitAt` gives the
 * options of fit for a factor of the learning rate.
 */
async function folds({ x, y, inputs, classes, units, fitAt, epsilons, features, scaling, repeats = 1, ...others }) {
  const fit = fitAt(1);
  const { linearFit = fit } = others;
  const runs = Array.from({ length: repeats }, (_, i) => stratifiedFolds(y, 5, 1 + i));
  const pick =
    features ?? (({ train, test }) => ({ train: takeRows(x, inputs, train), test: takeRows(x, inputs, test) }));
  const hidden = (layer) => (outputs) => [layer, dense({ units: outputs })];
  const common = { features: pick, scaling };
  const methods = epsilons.flatMap((epsilon) => [
    { ...common, name: `set ${epsilon}`, layers: hidden(sparse({ units, epsilon })), fit },
    {
      ...common,
      name: `static ${epsilon}`,
      layers: hidden(sparse({ units, epsilon })),
      fit: { ...fit, evolution: null },
    },
  ]);
  for (const [name, rate] of Object.entries(rates)) {
    const layers = hidden(dense({ units, activation: 'relu' }));
    methods.push({ ...common, name: `dense, ${name}`, layers, fit: fitAt(rate) });
  }
  methods.push({ ...common, name: 'linear', layers: (outputs) => [dense({ units: outputs })], fit: linearFit });
  const results = await crossValidate({
    ...{ methods, labels: y, classes, inputs, seed: 1, folds: runs.flat(), runs: repeats },
  });
  const of = (name) => {
    const { accuracy, spread, seconds, connections } = results.find((result) => result.name === name);
    return {
      ...{ deployed: 100 * accuracy, spread: 100 * spread, seconds },
      ...{ connections: connections.trained, left: connections.final },
    };
  };
  const rows = epsilons.map((epsilon) => ({ epsilon, set: of(`set ${epsilon}`), static: of(`static ${epsilon}`) }));
  const densest = Object.keys(rates).map((rate) => ({ ...of(`dense, ${rate}`), rate }));
  const best = densest.reduce((a, b) => (b.deployed > a.deployed ? b : a));
  return { inputs, units, classes, samples: y.length, rows, dense: best, linear: of('linear') };
}

async function tumours() {
  const { x, y, columns, classes } = await loadExpression('');
  return folds({
    ...{ x, y, inputs: columns, classes, units: 1000, scaling: 'global', repeats: 5, epsilons },
    fitAt: (rate) => ({ epochs: 30, batchSize: 8, optimizer: sgd({ learningRate: cosine({ from: 0.005 * rate }) }) }),
  });
}

async function words({ data }) {
  const { x, y, rows, columns, classes } = await readSamples(dataFolder('pcmac', data, ''));
  return folds({
    ...{ y, inputs: columns, classes: classes.length, units: 1000, scaling: 'none', epsilons },
    features: tfIdfFeatures(CsrMatrix.fromDense(x, { rows, columns })),
    fitAt: (rate) => ({ epochs: 20, optimizer: adam({ learningRate: 0.001 * rate, weightDecay: 0.01 }) }),
  });
}

async function mice({ data }) {
  const all = await readSamples(dataFolder('mice-hs', data, ''));
  // Classes are ordered by value: the one that is not known is the last.
  const classes = all.classes.filter((colour) => colour !== '255').length;
  const known = Array.from(all.y.keys()).filter((mouse) => all.y[mouse] < classes);
  const y = Int32Array.from(known, (mouse) => all.y[mouse]);
  const settings = { epochs: 15, batchSize: 32 };
  const at = (rate) => sgd({ learningRate: cosine({ from: 0.05 * rate }), weightDecay: 0.01 });
  return folds({
    ...{ x: takeRows(all.x, all.columns, known), y, inputs: all.columns, scaling: 'perFeature' },
    ...{ classes, units: 1000, epsilons: [0.2, ...epsilons] },
    fitAt: (rate) => ({ ...settings, optimizer: at(rate) }),
    linearFit: { ...settings, optimizer: sgd({ learningRate: cosine({ from: 0.005 }), weightDecay: 0.1 }) },
  });
}

async function madelon({ data }) {
  const folder = join(data || process.env.SETNET_DATA || '', 'madelon');
  if (!existsSync(join(folder, 'X_train.npy.gz'))) throw new DataError(`${folder}: no X_train.npy.gz`);
  const labels = join(folder, 'y_train.npy.gz');
  const { x, y, inputs, classes } = await readTable(join(folder, 'X_train.npy.gz'), { labels });
  return folds({
    ...{ x: x.data, y, inputs, classes: classes.length, units: 200 },
    ...{ scaling: 'perFeature', epsilons, repeats: 3 },
    fitAt: (rate) => ({
      ...{ epochs: 50, batchSize: 100 },
      optimizer: sgd({ learningRate: cosine({ from: 0.1 * rate }), weightDecay: 0.01 }),
    }),
  });
}

const parts = { epsilon: epsilonOfImages, zeta: zetaOfImages, tumours, words, mice, madelon, all: allImages };

await runMain(async () => {
  const options = readOptions({ data: '', only: '', seeds: 3 });
  const kept = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
  for (const [name, measure] of Object.entries(parts)) {
    if (options.only !== '' && options.only !== name) continue;
    console.error(`${name} ...`);
    try {
      kept[name] = await measure(options);
    } catch (error) {
      if (!(error instanceof DataError) || options.only === name) throw error;
      console.error(`  left as it was: ${error.message}`);
      continue;
    }
    kept.machine = { processor: cpus()[0].model, node: process.version, month: new Date().toISOString().slice(0, 7) };
    writeFileSync(path, `${JSON.stringify(kept, roundNumbers, 2)}\n`);
  }
});

/** Five significant digits: more would be noise. */
function roundNumbers(_, value) {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}
