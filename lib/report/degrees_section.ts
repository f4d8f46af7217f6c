// How many connections units have: at the beginning, now, and where wiring is random; and whether the tail is a power law.
import { binomialLaw, hypergeometricLaw, type Law, tailOf, varianceOf } from './degree_law';
import { count, decimal, percent, significant } from './format';
import { type Bin, type HistogramLine, histogramChart } from './histogram_chart';
import { unknownText } from './inputs_section';
import type { KeyItem } from './key';
import { chartSize } from './learning_section';
import type { Degrees, ReportedLayer, ReportedNetwork } from './network_data';
import { charts, figure, paragraph, section, words } from './page';
import { analyseTail, type PowerLawFit, type TailAnalysis, type Verdict } from './power_law';
import { linearScale, logScale, niceStep } from './scale';
import type { Point } from './svg';
import { tailChart } from './tail_chart';
import { type Tally, tallyOf } from './tally';

/** One side of a layer: the connections into its units, or out of what comes before. */
export interface Side {
  readonly name: string;
  /** What has these connections: 'unit', 'input'. */
  readonly owner: string;
  readonly now: Tally;
  readonly before: Tally | undefined;
  /** Of random wiring with as many connections as there are now, and as there were. */
  readonly law: Law;
  readonly lawBefore: Law | undefined;
  /** Of random wiring now: cells of one unit, and the probability that one is a connection. */
  readonly trials: number;
  readonly density: number;
}

/** The law of what a layer's topology draws: see `draw`. With a given number of connections it is hypergeometric. */
export function lawOf(layer: ReportedLayer, connections: number, cellsOfOne: number): Law {
  const cells = layer.inputs * layer.units;
  if (layer.spec.draw === 'bernoulli') return binomialLaw(cellsOfOne, connections / cells);
  return hypergeometricLaw(cells, connections, cellsOfOne);
}

function sideOf(layer: ReportedLayer, which: 'incoming' | 'outgoing'): Side {
  const isIn = which === 'incoming';
  const degrees = layer.degrees as Degrees;
  const initial = typeof layer.initial === 'object' ? layer.initial : undefined;
  const cellsOfOne = isIn ? layer.inputs : layer.units;
  const source = layer.index === 0 ? 'the inputs' : `the units of layer ${layer.index - 1}`;
  const density = degrees.connections / (layer.inputs * layer.units);
  return {
    name: isIn ? `Into the units of layer ${layer.index}` : `Out of ${source}`,
    owner: !isIn && layer.index === 0 ? 'input' : 'unit',
    now: tallyOf(degrees[which]),
    before: initial === undefined ? undefined : tallyOf(initial[which]),
    law: lawOf(layer, degrees.connections, cellsOfOne),
    lawBefore: initial === undefined ? undefined : lawOf(layer, initial.connections, cellsOfOne),
    trials: cellsOfOne,
    density,
  };
}

/** What lies in bins of so many whole numbers. */
function binned(
  values: readonly number[],
  counts: ArrayLike<number>,
  first: number,
  step: number,
  bins: number,
): number[] {
  const sums = new Array<number>(bins).fill(0);
  values.forEach((value, i) => {
    const bin = Math.floor((value - first) / step);
    if (bin >= 0 && bin < bins) sums[bin] = (sums[bin] as number) + (counts[i] as number);
  });
  return sums;
}

function lawValues({ first, probabilities }: Law): number[] {
  return Array.from(probabilities, (_, i) => first + i);
}

const lawKey: KeyItem = { name: 'random wiring (binomial)', sign: 'line', class: 'law' };

function histogram(side: Side): string {
  const { now, before, law, owner } = side;
  const all = [now, ...(before === undefined ? [] : [before])];
  const least = Math.min(...all.map(({ values }) => values[0] as number));
  const most = Math.max(...all.map(({ values }) => values.at(-1) as number));
  // Outliers far above would press the rest together: the tail has a chart of its own.
  const shownTo = Math.max(law.first + law.probabilities.length, quantile(now, 0.995)) + 1;
  const end = Math.min(most + 1, Math.max(shownTo, least + 1));
  const step = Math.max(1, Math.ceil(niceStep((end - least) / 48)));
  const first = Math.floor(least / step) * step;
  const number = Math.max(1, Math.ceil((end - first) / step));
  // A whole number is in the middle of its bin.
  const edge = first - 0.5;
  const heights = binned(now.values, now.counts, first, step, number);
  const bins = heights.map((height, i): Bin => ({ from: edge + i * step, to: edge + (i + 1) * step, count: height }));
  const outline = (sums: readonly number[]): Point[] => [
    ...sums.map((sum, i): Point => [edge + i * step, sum]),
    [edge + number * step, 0],
  ];
  const lawHeights = binned(lawValues(law), law.probabilities, first, step, number).map((p) => p * now.total);
  const beforeHeights = before === undefined ? undefined : binned(before.values, before.counts, first, step, number);
  const lines: HistogramLine[] = [
    ...(beforeHeights === undefined
      ? []
      : [{ points: outline(beforeHeights), class: 'curve thin line0', isStep: true }]),
    { points: lawHeights.map((height, i): Point => [edge + (i + 0.5) * step, height]), class: 'law' },
  ];
  const top = Math.max(1, ...heights, ...lawHeights, ...(beforeHeights ?? []));
  const beyond = now.total - heights.reduce((sum, height) => sum + height, 0);
  const ratio = spreadText(side);
  const owners = `${owner}s`;
  return figure({
    title: side.name,
    chart: histogramChart({
      ...chartSize,
      title: `Connections of a ${owner}: ${side.name}`,
      description: `Mean ${decimal(now.mean, 1)}, from ${count(now.values[0] as number)} to ${count(now.values.at(-1) as number)}. ${ratio}`,
      x: {
        scale: linearScale([edge, edge + number * step], { integer: true, nice: false, count: 6 }),
        label: `Connections of ${owner === 'input' ? 'an input' : 'a unit'}`,
        unit: 'number',
      },
      y: {
        scale: linearScale([0, top], { integer: true }),
        label: owner === 'input' ? 'Inputs' : 'Units',
        unit: step === 1 ? 'number' : `number in bins of ${step}`,
      },
      bins,
      lines,
      keys: [
        { name: 'now', sign: 'bar', class: 'fill1' },
        ...(before === undefined ? [] : [{ name: 'epoch 0', sign: 'line', class: 'curve thin line0' } as const]),
        lawKey,
      ],
    }),
    ...(beyond > 0
      ? {
          note: `${count(beyond)} ${beyond === 1 ? owner : owners} with more connections, up to ${count(most)}, are not drawn here.`,
        }
      : {}),
  });
}

function quantile({ values, counts, total }: Tally, fraction: number): number {
  let below = 0;
  for (let i = 0; i < values.length; i++) {
    below += counts[i] as number;
    if (below >= fraction * total) return values[i] as number;
  }
  return values.at(-1) ?? 0;
}

/** The variance as a multiple of that of random wiring. */
export function spreadOf(tally: Tally, law: Law): number {
  const expected = varianceOf(law);
  return expected > 0 ? tally.variance / expected : Number.NaN;
}

function spreadText({ now, before, law, lawBefore }: Side): string {
  const after = spreadOf(now, law);
  if (!Number.isFinite(after)) return 'Every one has the same number of connections.';
  const first = before === undefined || lawBefore === undefined ? Number.NaN : spreadOf(before, lawBefore);
  const began = Number.isFinite(first) ? `, at epoch 0 ${decimal(first, 2)}` : '';
  return `Variance over that of random wiring: ${decimal(after, 2)}${began}.`;
}

/** The fraction of units with at least so many connections, for each number that occurs, from 1 on. */
export function survival({ values, counts, total }: Tally): Point[] {
  const points: Point[] = [];
  let above = 0;
  for (let i = values.length - 1; i >= 0; i--) {
    above += counts[i] as number;
    const value = values[i] as number;
    if (value >= 1) points.push([value, above / total]);
  }
  return points.reverse();
}

/** The fitted tail as the chart has it, through the fraction of units where it begins. */
function fittedLine(fit: PowerLawFit, total: number, most: number): Point[] {
  const from = fit.tail / total;
  const steps = 24;
  return Array.from({ length: steps + 1 }, (_, i): Point => {
    const value = fit.start * (most / fit.start) ** (i / steps);
    // Of whole numbers of at least k, as of numbers from k - 1/2 on.
    return [value, from * ((value - 0.5) / (fit.start - 0.5)) ** (1 - fit.exponent)];
  });
}

function probability(p: number): string {
  return p < 0.01 ? '<\u00a00.01' : `=\u00a0${decimal(p, 2)}`;
}

const verdictTitles: Readonly<Record<Verdict, string>> = {
  powerLaw: 'Power law: plausible',
  ruledOut: 'Power law: ruled out',
  undecided: 'Power law: undecided',
  tooFew: 'Power law: not tested',
};

/** What the analysis says, in words: a paragraph a line. */
export function verdictText({ fit, goodness, comparison, span }: TailAnalysis, owner: string): string {
  if (fit === undefined || goodness === undefined || comparison === undefined || span === undefined)
    return `No tail has 50 ${owner}s with different numbers of connections.`;
  const isOut = goodness < 0.1;
  const fitted = `The best power law begins at ${count(fit.start)} connections, has the exponent ${decimal(fit.exponent, 1)} and covers ${count(fit.tail)} ${owner}s. It is ${isOut ? '' : 'not '}ruled out (goodness of fit p\u00a0${probability(goodness)}).`;
  const better =
    comparison.significance >= 0.1
      ? 'Neither it nor random wiring fits this tail better'
      : comparison.ratio > 0
        ? 'It fits this tail better than random wiring does'
        : 'Random wiring fits this tail better';
  const compared = `${better} (p\u00a0${probability(comparison.significance)}).`;
  const short = isOut || span >= 10 ? '' : ` The tail spans a factor of ${significant(span, 2)} only.`;
  return `${fitted}\n${compared}${short}`;
}

function lawText({ trials, density }: Side): string {
  return `Random wiring: n\u00a0=\u00a0${count(trials)}, p\u00a0=\u00a0${percent(density, 2)}.`;
}

/** The tail, and beside it what is to be said of the side. */
async function tail(side: Side): Promise<string[]> {
  const { now, before, law, owner } = side;
  const points = survival(now);
  if (points.length < 2) return [words(verdictTitles.tooFew, spreadText(side))];
  const analysis = await analyseTail(now, law);
  const most = Math.max(now.values.at(-1) as number, before?.values.at(-1) ?? 0);
  const least = Math.max(1, Math.min(points[0]?.[0] ?? 1, before?.values.find((value) => value > 0) ?? most));
  const lowest = 0.7 / now.total;
  const lawPoints = Array.from(tailOf(law), (p, i): Point => [law.first + i, p]).filter(
    ([value, p]) => value >= 1 && p >= lowest,
  );
  const title = `Tail: ${side.name.charAt(0).toLowerCase()}${side.name.slice(1)}`;
  const { fit } = analysis;
  const verdict = verdictText(analysis, owner);
  const drawn = figure({
    title,
    chart: tailChart({
      width: chartSize.width,
      height: 280,
      title,
      description: verdict,
      x: {
        scale: logScale([least * 0.99, most * 1.01]),
        label: 'Connections, log scale',
        unit: 'number',
      },
      y: {
        scale: logScale([lowest, 1], { count: 4 }),
        label: `${owner === 'input' ? 'Inputs' : 'Units'} with at least so many, log scale`,
        unit: 'fraction',
      },
      series: [
        ...(before === undefined
          ? []
          : [{ points: survival(before), sign: 'ring', class: 'ring thin line0' } as const]),
        { points: lawPoints, sign: 'line', class: 'law' },
        { points, sign: 'dot', class: 'fill1' },
        ...(fit === undefined
          ? []
          : [
              {
                points: fittedLine(fit, now.total, now.values.at(-1) as number),
                sign: 'line',
                class: 'fitted',
              } as const,
            ]),
      ],
      keys: [
        { name: 'now', sign: 'dot', class: 'fill1' },
        ...(before === undefined ? [] : [{ name: 'epoch 0', sign: 'ring', class: 'ring thin line0' } as const]),
        { name: 'random wiring', sign: 'line', class: 'law' },
        ...(fit === undefined ? [] : [{ name: 'power law', sign: 'line', class: 'fitted' } as const]),
      ],
    }),
  });
  return [drawn, words(verdictTitles[analysis.verdict], ...verdict.split('\n'), spreadText(side), lawText(side))];
}

/** Nothing where no layer has a topology. */
export async function degreesSection(network: ReportedNetwork, part: boolean): Promise<string> {
  const layers = network.layers.filter(({ degrees }) => degrees !== undefined);
  if (layers.length === 0) return '';
  const content: string[] = [];
  const notes: string[] = [];
  for (const layer of layers) {
    const unknown = unknownText(layer);
    if (unknown !== undefined) notes.push(`Layer ${layer.index}: ${unknown}`);
    if (layer.connections === 0) {
      notes.push(`Layer ${layer.index} has no connections.`);
      continue;
    }
    const sides = [sideOf(layer, 'incoming'), sideOf(layer, 'outgoing')].filter(({ now }) => now.total > 1);
    for (const side of sides) content.push(charts([histogram(side), ...(await tail(side))]));
  }
  return section({
    title: 'Degrees',
    intro:
      'Connections of a unit, against the distribution of random wiring: the binomial, or where the number of connections is fixed the hypergeometric that belongs to it. Tails are tested as by Clauset, Shalizi and Newman (2009): a power law is ruled out where p is below 0.1.',
    content: [...content, ...(notes.length === 0 ? [] : [paragraph(notes.join(' '))])],
    part,
  });
}
