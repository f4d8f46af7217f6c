// Gene expression, few samples and many genes: four kinds of tumour, cross-validated several times over, since 63 samples say
// little once.
//
//   node examples/expression/run.mjs [--data FOLDER] [--epochs 30] [--folds 5] [--repeats 5] [--units 1000] [--seed 1]
import { cosine, dense, masked, sgd, sparse } from 'setnet';
import { crossValidate, printResults, printTwins, takeRows } from '../lib/crossval.mjs';
import { stratifiedFolds } from '../lib/folds.mjs';
import { count, readOptions, runMain } from '../lib/program.mjs';
import { loadExpression } from './data.mjs';

await runMain(async () => {
  const defaults = { data: '', epochs: 30, folds: 5, repeats: 5, units: 1000, seed: 1 };
  const { data, epochs, folds, repeats, units, seed } = readOptions(defaults);
  const { x, y, rows, columns, classes } = await loadExpression(data);
  console.log(`${count(rows)} samples, ${count(columns)} genes, ${classes} classes`);

  // All values are log ratios, in one unit for all genes: scaled by one number, genes that vary more keep more weight.
  const features = ({ train, test }) => ({ train: takeRows(x, columns, train), test: takeRows(x, columns, test) });
  const common = { features, scaling: 'global' };
  const fit = { epochs };
  // Smaller steps on the linear classifier, for which they are better.
  const small = { epochs, batchSize: 8, optimizer: sgd({ learningRate: cosine({ from: 0.005 }) }) };
  const hidden = (layer) => (outputs) => [layer, dense({ units: outputs })];
  const methods = [
    { ...common, name: 'linear', layers: (outputs) => [dense({ units: outputs })], fit: small },
    { ...common, name: 'SET', layers: hidden(sparse({ units })), fit },
    { ...common, name: 'masked', layers: hidden(masked({ units })), fit },
    { ...common, name: 'static', layers: hidden(sparse({ units })), fit: { ...fit, evolution: null } },
    { ...common, name: 'dense', layers: hidden(dense({ units, activation: 'relu' })), fit },
  ];
  const runs = Array.from({ length: repeats }, (_, i) => stratifiedFolds(y, folds, seed + i));
  const results = await crossValidate({
    ...{ methods, labels: y, classes, inputs: columns, seed },
    ...{ folds: runs.flat(), runs: repeats },
  });
  const what = repeats === 1 ? `${folds} folds` : `${repeats} times ${folds} folds`;
  console.log(`${what}, ${epochs} epochs, ${units} hidden units`);
  printResults(results);
  const find = (name) => results.find((result) => result.name === name);
  printTwins(find('SET'), find('masked'));
});
