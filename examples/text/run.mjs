// Texts as counts of words, two classes: sparse features into sparse layers, cross-validated beside a linear classifier.
//
//   node examples/text/run.mjs --data FOLDER [--epochs 20] [--folds 5] [--units 1000] [--seed 1]
import { CsrMatrix, dense, masked, sparse } from 'setnet';
import { crossValidate, printResults, printTwins } from '../lib/crossval.mjs';
import { stratifiedFolds } from '../lib/folds.mjs';
import { count, dataFolder, readOptions, readSamples, runMain } from '../lib/program.mjs';
import { countFeatures, tfIdfFeatures } from './features.mjs';

const what = `It holds X.npy (texts x words, counts) and y.npy (a class number from 0 for each text), or X.npy.gz and y.npy.gz.
The figures in examples/README.md are of PCMAC, 1,943 texts of two newsgroups: PCMAC.mat of scikit-feature
(github.com/jundongl/scikit-feature, skfeature/data), its X as uint8, its Y less the smallest label.`;

await runMain(async () => {
  const options = readOptions({ data: '', epochs: 20, folds: 5, units: 1000, seed: 1 });
  const folder = dataFolder('pcmac', options.data, what);
  const { x, y, rows, columns, classes } = await readSamples(folder);
  const matrix = CsrMatrix.fromDense(x, { rows, columns });
  const { epochs, folds, units, seed } = options;
  const share = (100 * matrix.density).toFixed(1);
  console.log(
    `${count(rows)} texts, ${count(columns)} words, ${share} % of the counts are not 0, ${classes.length} classes`,
  );

  const counts = countFeatures(matrix);
  const tfIdf = tfIdfFeatures(matrix);
  const linear = (outputs) => [dense({ units: outputs })];
  const hidden = (layer) => (outputs) => [layer, dense({ units: outputs })];
  // Not scaled: a word that is rare in training would get a huge weight where it occurs.
  const fit = { epochs };
  const methods = [
    { name: 'linear, counts', layers: linear, features: counts, fit },
    { name: 'SET, counts', layers: hidden(sparse({ units })), features: counts, fit },
    { name: 'linear', layers: linear, features: tfIdf, fit },
    { name: 'SET', layers: hidden(sparse({ units })), features: tfIdf, fit },
    { name: 'masked', layers: hidden(masked({ units })), features: tfIdf, fit },
    { name: 'static', layers: hidden(sparse({ units })), features: tfIdf, fit: { ...fit, evolution: null } },
    { name: 'dense', layers: hidden(dense({ units, activation: 'relu' })), features: tfIdf, fit },
  ];
  const results = await crossValidate({
    ...{ methods, labels: y, classes: classes.length, inputs: columns, seed },
    folds: stratifiedFolds(y, folds, seed),
  });
  console.log(`${folds} folds, ${epochs} epochs, ${units} hidden units`);
  printResults(results);
  const find = (name) => results.find((result) => result.name === name);
  printTwins(find('SET'), find('masked'));
});
