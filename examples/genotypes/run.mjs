// Genotypes, thousands of SNPs: which colour has a mouse's coat? And which places on the genome did the network look at? Four genes
// of the coat's colour are known, so that the second answer can be checked as well.
//
//   node examples/genotypes/run.mjs --data FOLDER [--epochs 15] [--folds 5] [--units 1000] [--seed 1] [--peaks 8] [--cages]
import { join } from 'node:path';
import { cosine, dense, masked, Network, sgd, sparse } from 'setnet';
import { crossValidate, printResults, printTwins, takeRows } from '../lib/crossval.mjs';
import { groupedFolds, stratifiedFolds } from '../lib/folds.mjs';
import { DataError, readTextOf } from '../lib/npy.mjs';
import { count, dataFolder, printTable, readOptions, readSamples, runMain } from '../lib/program.mjs';
import { findPeaks, genes, inputStrengths, isNear, nearestGene, parseTable, reach, readSnps } from './peaks.mjs';

const what = `It holds X.npy (mice x SNPs, uint8: 0, 1 or 2 copies of the named allele), y.npy (uint8: a class number from 0 for each
mouse's colour, 255 where it is not known) and snps.tsv (columns snp, chr, pos in bases or NA, in genome order), each also with .gz;
for --cages pheno.tsv as well, a row for each mouse with a column cage. The figures in examples/README.md are of 1,814 mice of a
heterogeneous stock (Valdar et al. 2006), 10,346 SNPs: mice.X and mice.pheno of the R package BGLR (github.com/gdlc/BGLR-R,
data/mice.RData), positions from mouse_hs1940.anno.txt of GEMMA.`;

await runMain(async () => {
  const defaults = { data: '', epochs: 15, folds: 5, units: 1000, seed: 1, peaks: 8, cages: false };
  const { epochs, folds, units, seed, ...options } = readOptions(defaults);
  const folder = dataFolder('mice-hs', options.data, what);
  const all = await readSamples(folder);
  const { columns } = all;
  const snps = readSnps(parseTable(readTextOf(folder, 'snps.tsv')), columns, join(folder, 'snps.tsv'));
  // Classes are ordered by value: the one that is not known is the last.
  const colours = all.classes.filter((colour) => colour !== '255');
  const known = Array.from(all.y.keys()).filter((mouse) => all.y[mouse] < colours.length);
  const x = takeRows(all.x, columns, known);
  const y = Int32Array.from(known, (mouse) => all.y[mouse]);
  const classes = colours.length;
  console.log(`${count(known.length)} mice, ${count(columns)} SNPs, ${classes} colours`);

  const settings = { epochs, batchSize: 32, optimizer: sgd({ weightDecay: 0.01 }) };
  // Softer on a linear classifier, for which it is better: it has a weight for every SNP and class.
  const linear = { ...settings, optimizer: sgd({ learningRate: cosine({ from: 0.005 }), weightDecay: 0.1 }) };
  const wiring = { units, epsilon: 2 };
  const hidden = (layer) => (outputs) => [layer, dense({ units: outputs })];
  const features = ({ train, test }) => ({ train: takeRows(x, columns, train), test: takeRows(x, columns, test) });
  const common = { features, scaling: 'perFeature' };
  const methods = [
    { ...common, name: 'linear', layers: (outputs) => [dense({ units: outputs })], fit: linear },
    { ...common, name: 'SET', layers: hidden(sparse(wiring)), fit: settings },
    { ...common, name: 'masked', layers: hidden(masked(wiring)), fit: settings },
    { ...common, name: 'static', layers: hidden(sparse(wiring)), fit: { ...settings, evolution: null } },
  ];
  const cages = options.cages ? readCages(folder, all.rows, known) : undefined;
  const results = await crossValidate({
    ...{ methods, labels: y, classes, inputs: columns, seed },
    folds: cages ? groupedFolds(cages, folds, seed) : stratifiedFolds(y, folds, seed),
  });
  const division = cages ? 'no cage in two of them' : 'the colours spread evenly';
  console.log(`${folds} folds (${division}), ${epochs} epochs, ${units} hidden units`);
  printResults(results);
  const find = (name) => results.find((result) => result.name === name);
  printTwins(find('SET'), find('masked'));

  const layers = hidden(sparse(wiring))(classes);
  const net = await Network.create({ inputs: columns, layers, scaling: 'perFeature', seed, threads: 1 });
  const before = net.layers[0].outDegree();
  await net.fit({ x, y }, settings).done;
  report(snps, net.layers[0], before, options.peaks);
});

/** The name of the cage of each mouse whose colour is known. */
function readCages(folder, rows, known) {
  const table = parseTable(readTextOf(folder, 'pheno.tsv'));
  if (table.length !== rows || table[0].cage === undefined) {
    throw new DataError(`${join(folder, 'pheno.tsv')}: expected ${rows} rows and a column cage`);
  }
  return known.map((mouse) => table[mouse].cage);
}

/** The peaks of the input strength, and whether the connections have gathered at the genes. */
function report(snps, layer, before, howMany) {
  const strengths = inputStrengths(layer.weights);
  const mean = strengths.reduce((a, b) => a + b, 0) / strengths.length;
  const peaks = findPeaks(snps, strengths, howMany);
  const degrees = layer.outDegree();
  console.log(`\nSET trained on all mice: peaks of the input strength, at least ${reach} Mb apart`);
  printTable(
    ['SNP', 'chromosome', 'Mb', 'strength / mean', 'degree', 'known gene'],
    peaks.map(({ snp, index, strength }) => {
      const gene = nearestGene(snp);
      const isThere = gene !== undefined && gene.distance <= reach;
      const place = [snp.name, snp.chromosome, snp.position.toFixed(1), (strength / mean).toFixed(1)];
      return [...place, String(degrees[index]), isThere ? `${gene.name}, ${gene.distance.toFixed(1)} Mb away` : '-'];
    }),
  );
  const hits = peaks
    .slice(0, genes.length)
    .filter(({ snp }) => genes.some(({ chromosome, position }) => isNear(snp, chromosome, position)));
  console.log(
    `${hits.length} of the first ${Math.min(genes.length, peaks.length)} peaks lie at a known gene of the coat's colour`,
  );

  const atGenes = snps.map((snp) => genes.some(({ chromosome, position }) => isNear(snp, chromosome, position)));
  const average = (numbers, isInside) => {
    const chosen = Array.from(numbers).filter((_, i) => atGenes[i] === isInside);
    return (chosen.reduce((a, b) => a + b, 0) / chosen.length).toFixed(2);
  };
  console.log(`\nconnections per SNP: at most ${reach} Mb from one of the genes, and elsewhere`);
  printTable(
    ['', 'at the genes', 'elsewhere'],
    [
      ['drawn', average(before, true), average(before, false)],
      ['deployed', average(degrees, true), average(degrees, false)],
      ['strength', average(strengths, true), average(strengths, false)],
    ],
  );
}
