// What evolution does to the wiring: a sparse network is drawn at random, so that the number of connections of a unit is binomial.
// After training on images this program compares the degrees with that, and says where the connections of the inputs went.
//
//   node examples/degrees.mjs [--epochs 15] [--train 10000] [--seed 1]
import { cosine, dense, Network, set, sgd, sparse } from 'setnet';
import { bundledDir, height, loadFashion, width } from './fashion/data.mjs';
import { settings } from './fashion/settings.mjs';
import { printTable, readOptions, runMain } from './lib/program.mjs';

/** Pixels at the edge of the picture that count as its border; the middle half is its centre. */
const border = 4;

await runMain(async () => {
  const { epochs, train, seed } = readOptions({ epochs: 15, train: 10000, seed: settings.seed });
  const { xTrain, yTrain, xTest, yTest, inputs, classes } = loadFashion({ dir: bundledDir, limitTrain: train });
  const { hidden, epsilon, dropout, batchSize, learningRate, momentum, weightDecay, zeta } = settings;
  const layers = [...hidden.map((units) => sparse({ units, epsilon, dropout })), dense({ units: classes.length })];
  const net = await Network.create({ inputs, layers, classes, scaling: 'perFeature', seed, threads: 1 });

  const before = observe(net);
  await net.fit(
    { x: xTrain, y: yTrain },
    {
      ...{ epochs, batchSize },
      optimizer: sgd({ learningRate: cosine({ from: learningRate }), momentum, weightDecay }),
      // Without the final removal both networks have the same number of connections.
      evolution: set({ zeta, finalPrune: false }),
    },
  ).done;
  const after = observe(net);
  const { accuracy } = await net.evaluate({ x: xTest, y: yTest });
  const shape = [inputs, ...hidden, classes.length].join('-');
  console.log(`${shape}, ${train} images, ${epochs} epochs: ${(100 * accuracy).toFixed(1)} % of the test images right`);

  console.log('\nvariance of the connections per unit, divided by that of the binomial distribution');
  const ratio = (degrees, { mean, variance }) => spread(degrees, mean) / variance;
  const rows = hidden.flatMap((_, i) =>
    ['in', 'out'].map((side) => {
      const { cells } = before[i];
      const expected = binomial(before[i][side], cells);
      const [first, last] = [before, after].map((layers) => ratio(layers[i][side], expected).toFixed(2));
      const name = `layer ${i}, ${side === 'in' ? 'into its units' : i === 0 ? 'out of the pixels' : 'out of what comes before'}`;
      return [name, expected.mean.toFixed(1), first, last];
    }),
  );
  printTable(['', 'mean', 'drawn', 'trained'], rows);

  const middle = 1;
  console.log(`\nconnections into the units of layer ${middle}: units drawn, trained`);
  histogram(before[middle].in, after[middle].in);

  console.log('\nmean connections per pixel');
  const place = (pixel) => {
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    const edge = Math.min(row, column, height - 1 - row, width - 1 - column);
    return edge < border ? 'border' : edge >= height / 4 ? 'centre' : 'between';
  };
  const average = (degrees, where) => {
    const chosen = Array.from(degrees).filter((_, pixel) => place(pixel) === where);
    return (chosen.reduce((a, b) => a + b, 0) / chosen.length).toFixed(1);
  };
  printTable(
    ['', 'drawn', 'trained'],
    ['border', 'between', 'centre'].map((where) => [
      where,
      average(before[0].out, where),
      average(after[0].out, where),
    ]),
  );
});

/** Degrees of every sparse layer: in (per unit) and out (per input), and the number of its cells. */
function observe(net) {
  return net.layers
    .filter(({ kind }) => kind === 'sparse')
    .map((layer) => ({ in: layer.inDegree(), out: layer.outDegree(), cells: layer.inputs * layer.units }));
}

/** Mean and variance that a degree has where every cell is a connection with the same probability. */
function binomial(degrees, cells) {
  const connections = degrees.reduce((a, b) => a + b, 0);
  const mean = connections / degrees.length;
  return { mean, variance: mean * (1 - connections / cells) };
}

function spread(degrees, mean) {
  return degrees.reduce((sum, degree) => sum + (degree - mean) ** 2, 0) / degrees.length;
}

/** Both distributions in the same classes, a bar for each. */
function histogram(before, after) {
  const most = Math.max(...before, ...after);
  const step = Math.max(1, Math.ceil((most + 1) / 12));
  const tally = (degrees) => {
    const units = new Array(Math.ceil((most + 1) / step)).fill(0);
    for (const degree of degrees) ++units[Math.floor(degree / step)];
    return units;
  };
  const [drawn, trained] = [tally(before), tally(after)];
  const bar = (units) => '#'.repeat(Math.ceil((30 * units) / Math.max(...drawn, ...trained)));
  for (const [i, units] of drawn.entries()) {
    const range = step === 1 ? `${i}` : `${i * step} to ${(i + 1) * step - 1}`;
    const row = [range.padStart(10), String(units).padStart(5), bar(units).padEnd(30), String(trained[i]).padStart(5)];
    console.log(`${row.join(' ')} ${bar(trained[i])}`.trimEnd());
  }
}
