// Several runs side by side: a table of their figures, and what accuracy cost each of them.

import { escapeText } from './escape';
import { bytes, count, duration, percent, significant } from './format';
import { accuracyAxis, chartSize, lossUnit } from './learning_section';
import { type Cell, charts, figure, section, table } from './page';
import { beforeRemoval, type ReportedRun, type Result, resultOf, secondsOf, sizesOf } from './run_data';
import { extent, linearScale } from './scale';
import { type ScatterPoint, scatterChart } from './scatter_chart';

/** A run with the number of its colour. */
export type ColouredRun = ReportedRun & { readonly colour: number };

const sources: Readonly<Record<Result['source'], string>> = {
  test: 'on the test data',
  removal: 'on the validation data, after the final removal',
  validation: 'on the validation data',
  training: 'on the training data',
};

/** Accuracy where every run with a result has one, else the loss. */
export function quantityOf(runs: readonly ReportedRun[]): 'accuracy' | 'loss' {
  const results = runs.flatMap((run) => resultOf(run) ?? []);
  return results.length > 0 && results.every(({ accuracy }) => Number.isFinite(accuracy)) ? 'accuracy' : 'loss';
}

const missing = '\u2013';

function cellOf<T>(value: T | undefined, format: (value: T) => string): string {
  return value === undefined ? missing : format(value);
}

interface Column {
  readonly head: string;
  readonly cell: (run: ColouredRun) => string;
}

function columns(runs: readonly ColouredRun[]): Column[] {
  const quantity = quantityOf(runs);
  const shown = (value: number) => (quantity === 'accuracy' ? percent(value, 2) : significant(value, 4));
  const name = quantity === 'accuracy' ? 'Accuracy' : 'Loss';
  const all: Column[] = [
    { head: `${name} before the final removal`, cell: (run) => cellOf(beforeRemoval(run)?.[quantity], shown) },
    { head: name, cell: (run) => cellOf(resultOf(run)?.[quantity], shown) },
    { head: 'Connections in training', cell: (run) => cellOf(sizesOf(run)?.trained, count) },
    { head: 'Connections now', cell: (run) => cellOf(sizesOf(run)?.deployed, count) },
    { head: 'Training time', cell: (run) => cellOf(secondsOf(run), duration) },
    { head: 'Peak memory', cell: (run) => cellOf(run.memoryBytes, bytes) },
  ];
  return all.filter(({ cell }) => runs.some((run) => cell(run) !== missing));
}

export function runName({ name, colour }: Pick<ColouredRun, 'name' | 'colour'>): Cell {
  return { markup: `<span class="key key${colour}"></span>${escapeText(name)}` };
}

interface Cost {
  readonly title: string;
  readonly label: string;
  readonly unit: string;
  readonly of: (run: ColouredRun) => number | undefined;
  /** A ring where the run was before its final removal. */
  readonly before?: (run: ColouredRun) => number | undefined;
}

/** In the unit that suits the largest number. */
function timeCost(runs: readonly ColouredRun[]): Cost {
  const most = Math.max(0, ...runs.map((run) => secondsOf(run) ?? 0));
  const [size, unit] = most < 300 ? [1, 'seconds'] : most < 18_000 ? [60, 'minutes'] : [3600, 'hours'];
  const of = (run: ColouredRun) => {
    const seconds = secondsOf(run);
    return seconds === undefined ? undefined : seconds / size;
  };
  return { title: 'time', label: 'Training time', unit, of };
}

function costs(runs: readonly ColouredRun[]): Cost[] {
  return [
    {
      title: 'connections',
      label: 'Connections',
      unit: 'number',
      of: (run) => sizesOf(run)?.deployed,
      before: (run) => sizesOf(run)?.trained,
    },
    timeCost(runs),
    {
      title: 'memory',
      label: 'Peak memory',
      unit: 'MB',
      of: ({ memoryBytes }) => (memoryBytes === undefined ? undefined : memoryBytes / 1e6),
    },
  ];
}

function pointsOf(runs: readonly ColouredRun[], { of, before }: Cost, quantity: 'accuracy' | 'loss'): ScatterPoint[] {
  const points = runs.flatMap((run): ScatterPoint[] => {
    const [x, y] = [of(run), resultOf(run)?.[quantity]];
    if (x === undefined || y === undefined || !Number.isFinite(y)) return [];
    const [fromX, fromY] = [before?.(run), beforeRemoval(run)?.[quantity]];
    const hasBefore = fromX !== undefined && fromY !== undefined && fromX !== x && Number.isFinite(fromY);
    const from = hasBefore ? { from: { x: fromX, y: fromY } } : {};
    return [{ name: run.name, x, y, colour: run.colour, ...from }];
  });
  // Runs that lie on each other are one point with all their names.
  const merged: ScatterPoint[] = [];
  for (const point of points) {
    const same = merged.findIndex(({ x, y }) => x === point.x && y === point.y);
    if (same < 0) merged.push(point);
    else
      merged[same] = {
        ...(merged[same] as ScatterPoint),
        name: `${(merged[same] as ScatterPoint).name} = ${point.name}`,
      };
  }
  return merged;
}

function costFigure(runs: readonly ColouredRun[], cost: Cost): string {
  const quantity = quantityOf(runs);
  const points = pointsOf(runs, cost, quantity);
  if (points.length === 0) return '';
  const ys = points.flatMap(({ y, from }) => (from === undefined ? [y] : [y, from.y]));
  const xs = points.flatMap(({ x, from }) => (from === undefined ? [x] : [x, from.x]));
  const [, high] = extent(xs) ?? [0, 1];
  const name = quantity === 'accuracy' ? 'Accuracy' : 'Loss';
  const title = `${name} against ${cost.title}`;
  const description = points.map(
    (point) =>
      `${point.name}: ${significant(point.x)} ${cost.unit}, ${quantity === 'accuracy' ? percent(point.y) : significant(point.y)}`,
  );
  const hasTrace = points.some(({ from }) => from !== undefined);
  return figure({
    title,
    chart: scatterChart({
      ...chartSize,
      title,
      description: `${description.join('; ')}.`,
      x: { scale: linearScale([0, high], { count: 4 }), label: cost.label, unit: cost.unit },
      y:
        quantity === 'accuracy'
          ? accuracyAxis(ys)
          : {
              scale: linearScale([0, extent(ys)?.[1] ?? 1]),
              label: 'Loss',
              unit: lossUnit(runs.some(({ history }) => history?.hasAccuracy)),
            },
      points,
    }),
    ...(hasTrace ? { note: 'A ring is the network in training, the dot the one after the final removal.' } : {}),
  });
}

/** How many times one number is another, in words; the first of two runs leads. */
function ratioText(runs: readonly ColouredRun[]): string {
  const [first, second] = runs;
  if (runs.length !== 2 || first === undefined || second === undefined) return '';
  const parts: string[] = [];
  const compare = (of: (run: ColouredRun) => number | undefined, verb: string, less: string, more: string) => {
    const [a, b] = [of(first), of(second)];
    if (a === undefined || b === undefined || !(a > 0) || !(b > 0)) return;
    const ratio = b / a;
    if (Math.abs(ratio - 1) < 0.02) return;
    parts.push(`${verb} ${significant(ratio > 1 ? ratio : 1 / ratio, 2)} times ${ratio > 1 ? less : more}`);
  };
  compare(secondsOf, 'is', 'faster', 'slower');
  compare(({ memoryBytes }) => memoryBytes, 'takes', 'less memory', 'more memory');
  return parts.length === 0 ? '' : ` Compared with ${second.name}, ${first.name} ${parts.join(' and ')}.`;
}

export function comparisonSection(runs: readonly ColouredRun[]): string {
  const shown = columns(runs);
  const found = [...new Set(runs.flatMap((run) => resultOf(run)?.source ?? []))];
  const measured = found.length === 0 ? '' : `Measured ${found.map((source) => sources[source]).join(' or ')}.`;
  const rows = runs.map((run): Cell[] => [runName(run), ...shown.map(({ cell }) => cell(run))]);
  const figures = costs(runs).map((cost) => costFigure(runs, cost));
  return section({
    title: 'The runs',
    intro: `${measured}${ratioText(runs)}`.trim() || 'What is known of each run.',
    content: [
      table({ head: ['Run', ...shown.map(({ head }) => head)], rows }),
      charts(figures.filter((markup) => markup !== '')),
    ],
  });
}
