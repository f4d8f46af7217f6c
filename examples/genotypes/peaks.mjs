// Where on the genome the inputs lie that a network leans on.
import { DataError } from '../lib/npy.mjs';

/** Genes of the mouse's coat colour, in megabases of the genome build of 2006 (rounded; Myo5a to between 75 and 77). */
export const genes = [
  { name: 'Asip (agouti)', chromosome: '2', position: 155 },
  { name: 'Tyrp1 (brown)', chromosome: '4', position: 80 },
  { name: 'Tyr (albino)', chromosome: '7', position: 87.5 },
  { name: 'Myo5a (dilute)', chromosome: '9', position: 76 },
];

/** Half the width of what counts as one peak, in megabases: neighbours are inherited together over such distances. */
export const reach = 10;

/** A table of strings as tab-separated text with a header: an array of objects by the header's names. */
export function parseTable(text) {
  const [header, ...rows] = text.trimEnd().split(/\r?\n/);
  const names = header.split('\t');
  return rows.map((row) => {
    const cells = row.split('\t');
    return Object.fromEntries(names.map((name, i) => [name, cells[i]]));
  });
}

/**
 * The SNPs of a table with the columns snp, chr and pos (bases; NA where it is not known), which must be in genome order: { name,
 * chromosome, position } in megabases. A position that is not known is put between its neighbours on the chromosome. Throws
 * DataError where the table has not `count` rows or lacks a column; `path` names it.
 */
export function readSnps(table, count, path) {
  if (table.length !== count) throw new DataError(`${path}: ${table.length} SNPs, expected the ${count} columns of X`);
  const missing = ['snp', 'chr', 'pos'].filter((name) => table[0][name] === undefined);
  if (missing.length > 0) throw new DataError(`${path}: no column ${missing.join(', ')}`);
  const snps = table.map(({ snp, chr, pos }) => ({ name: snp, chromosome: chr, position: Number(pos) / 1e6 }));
  const known = (i, chromosome) => snps[i]?.chromosome === chromosome && table[i].pos !== 'NA';
  for (const [i, snp] of snps.entries()) {
    if (table[i].pos !== 'NA') continue;
    let [left, right] = [i, i];
    while (left >= 0 && snps[left].chromosome === snp.chromosome && !known(left, snp.chromosome)) --left;
    while (snps[right]?.chromosome === snp.chromosome && !known(right, snp.chromosome)) ++right;
    const ends = [left, right].filter((end) => known(end, snp.chromosome)).map((end) => Number(table[end].pos) / 1e6);
    const share = ends.length === 2 ? (i - left) / (right - left) : 0;
    snp.position = ends.length === 0 ? Number.NaN : ends[0] + share * (ends.at(-1) - ends[0]);
  }
  return snps;
}

/** Strength of every input: the sum of |w| over its connections (QuickSelection: Atashgahi et al. 2022). */
export function inputStrengths({ columns, columnIndices, values }) {
  const strengths = new Float64Array(columns);
  for (const [i, column] of columnIndices.entries()) strengths[column] += Math.abs(values[i]);
  return strengths;
}

/**
 * The strongest SNPs, each of which stands for all within `reach` of it: { snp, strength }, strongest first. SNPs without a
 * position stand for themselves and are left out.
 */
export function findPeaks(snps, strengths, count) {
  const order = Array.from(snps.keys())
    .filter((i) => Number.isFinite(snps[i].position))
    .sort((a, b) => strengths[b] - strengths[a]);
  const peaks = [];
  for (const i of order) {
    if (peaks.length === count) break;
    const taken = peaks.some(({ snp }) => isNear(snp, snps[i].chromosome, snps[i].position));
    if (!taken) peaks.push({ snp: snps[i], index: i, strength: strengths[i] });
  }
  return peaks;
}

/** The known gene on the SNP's chromosome that is nearest to it, with its distance in megabases; undefined where there is none. */
export function nearestGene({ chromosome, position }) {
  return genes
    .filter((gene) => gene.chromosome === chromosome)
    .map((gene) => ({ ...gene, distance: Math.abs(gene.position - position) }))
    .sort((a, b) => a.distance - b.distance)[0];
}

/** Whether a SNP lies within `reach` of a place. */
export function isNear(snp, chromosome, position) {
  return snp.chromosome === chromosome && Math.abs(snp.position - position) <= reach;
}
