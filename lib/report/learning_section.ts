// Learning curves of one or several runs.
import type { Axis } from './axes';
import { percent, plural, significant } from './format';
import type { Measured, ReportedEpoch, ReportedHistory } from './history_data';
import { lineChart, type Series } from './line_chart';
import { charts, figure, paragraph, section } from './page';
import { extent, linearScale } from './scale';
import type { Point } from './svg';

/** A run as the charts of several runs show it. */
export interface ChartedRun {
  readonly name: string;
  readonly history: ReportedHistory | undefined;
  /** Number of its colour, from 1. */
  readonly colour: number;
}

export const chartSize = { width: 360, height: 250 } as const;

type Quantity = keyof Measured;

function curve(history: ReportedHistory, of: 'training' | 'validation', quantity: Quantity): Point[] {
  return history.epochs.map((epoch) => [epoch.epoch, epoch[of]?.[quantity] ?? Number.NaN]);
}

/** In what the loss is measured: those with right answers are cross-entropies. */
export function lossUnit(hasAccuracy: boolean): string {
  return hasAccuracy ? 'nats per sample' : 'squared units of the target';
}

export function epochAxis(histories: readonly ReportedHistory[]): Axis {
  const last = Math.max(1, ...histories.map(({ epochs }) => epochs.at(-1)?.epoch ?? 1));
  const first = Math.min(...histories.map(({ epochs }) => epochs[0]?.epoch ?? 1));
  const domain: [number, number] = last > first ? [first, last] : [first - 1, last + 1];
  return { scale: linearScale(domain, { integer: true, nice: false }), label: 'Epoch', unit: 'number' };
}

export function accuracyAxis(values: Iterable<number>, label = 'Accuracy'): Axis {
  const [low, high] = extent(values) ?? [0, 1];
  const room = Math.max((high - low) * 0.05, 0.002);
  const domain: [number, number] = [Math.max(0, low - room), Math.min(1, high + room)];
  const format = (value: number, digits: number) => percent(value, Math.max(0, digits - 2)).replace(/\u00a0%$/, '');
  const scale = linearScale(domain, { format });
  return { scale, label, unit: '%' };
}

function lossAxis(values: Iterable<number>, hasAccuracy: boolean): Axis {
  const found = extent(values) ?? [0, 1];
  return { scale: linearScale([Math.min(0, found[0]), found[1]]), label: 'Loss', unit: lossUnit(hasAccuracy) };
}

/** Curves that are equal to the bit are one curve with both names. */
export function mergeEqual(series: readonly Series[]): Series[] {
  const merged: Series[] = [];
  for (const one of series) {
    const same = merged.findIndex(
      ({ points, mark }) =>
        points.length === one.points.length &&
        points.every(([x, y], i) => Object.is(x, one.points[i]?.[0]) && Object.is(y, one.points[i]?.[1])) &&
        mark?.point[1] === one.mark?.point[1],
    );
    if (same < 0) merged.push(one);
    else merged[same] = { ...(merged[same] as Series), name: `${(merged[same] as Series).name} = ${one.name}` };
  }
  return merged;
}

function numbersOf(series: readonly Series[]): number[] {
  return series.flatMap(({ points, mark }) => [
    ...points.map(([, y]) => y),
    ...(mark === undefined ? [] : [mark.point[1]]),
  ]);
}

function markOf(history: ReportedHistory, quantity: Quantity): Series['mark'] | undefined {
  const value = history.final?.validation?.[quantity];
  const last = history.epochs.at(-1);
  if (value === undefined || !Number.isFinite(value) || last === undefined) return undefined;
  return { point: [last.epoch, value], name: 'after removal' };
}

/** Of one run: what was trained on, and what was held out. */
function ownSeries({ history, colour }: ChartedRun, quantity: Quantity): Series[] {
  if (history === undefined) return [];
  const training: Series = { name: 'training', points: curve(history, 'training', quantity), colour: 0 };
  if (!history.hasValidation) return [{ ...training, colour }];
  const mark = markOf(history, quantity);
  const points = curve(history, 'validation', quantity);
  return [training, { name: 'validation', points, colour, ...(mark === undefined ? {} : { mark }) }];
}

/** Of several runs: the held-out curve of each, or the training curves where one of them has none. */
function commonSeries(runs: readonly ChartedRun[], quantity: Quantity): Series[] {
  const of = isValidated(runs) ? 'validation' : 'training';
  return mergeEqual(
    runs.flatMap(({ name, history, colour }) =>
      history === undefined ? [] : [{ name, points: curve(history, of, quantity), colour }],
    ),
  );
}

function isValidated(runs: readonly ChartedRun[]): boolean {
  return runs.every(({ history }) => history?.hasValidation ?? true);
}

function lastOf(epoch: ReportedEpoch | undefined, quantity: Quantity): number | undefined {
  const value = (epoch?.validation ?? epoch?.training)?.[quantity];
  return value === undefined || !Number.isFinite(value) ? undefined : value;
}

function describeEnds(runs: readonly ChartedRun[], quantity: Quantity): string {
  const ends = runs.flatMap(({ name, history }) => {
    const value = lastOf(history?.epochs.at(-1), quantity);
    if (value === undefined) return [];
    return [`${name}: ${quantity === 'accuracy' ? percent(value) : significant(value)} in the last epoch`];
  });
  return ends.join('; ');
}

function curves(runs: readonly ChartedRun[], quantity: Quantity): string {
  const histories = runs.flatMap(({ history }) => history ?? []);
  const first = runs[0];
  const series = runs.length === 1 && first !== undefined ? ownSeries(first, quantity) : commonSeries(runs, quantity);
  const numbers = numbersOf(series);
  if (extent(numbers) === undefined) return '';
  const hasAccuracy = histories.some((history) => history.hasAccuracy);
  const y = quantity === 'accuracy' ? accuracyAxis(numbers) : lossAxis(numbers, hasAccuracy);
  const of = runs.length === 1 ? '' : isValidated(runs) ? ' on the validation data' : ' on the training data';
  const title = `${quantity === 'accuracy' ? 'Accuracy' : 'Loss'}${of}`;
  const description = `${title} by epoch. ${describeEnds(runs, quantity)}.`;
  const x = epochAxis(histories);
  return figure({ title, chart: lineChart({ ...chartSize, title, description, x, y, series }) });
}

function rate(runs: readonly ChartedRun[]): string {
  const known = runs.filter(({ history }) => (history?.seconds ?? 0) > 0);
  if (known.length === 0) return '';
  const series = known.map(
    ({ name, history, colour }): Series => ({
      name: runs.length === 1 ? 'each epoch' : name,
      points: (history as ReportedHistory).epochs.map(({ epoch, seconds }) => [epoch, seconds]),
      colour,
    }),
  );
  const [, high] = extent(numbersOf(series)) ?? [0, 1];
  const title = 'Time of an epoch';
  return figure({
    title,
    chart: lineChart({
      ...chartSize,
      title,
      description: 'Seconds of training and evolution in each epoch.',
      x: epochAxis(known.map(({ history }) => history as ReportedHistory)),
      y: { scale: linearScale([0, high]), label: 'Training and evolution', unit: 'seconds' },
      series,
    }),
  });
}

/** How a fit ended, where there is something to say. */
function endText({ name, history }: ChartedRun, isOnly: boolean): string {
  if (history === undefined) return '';
  const who = isOnly ? '' : `${name}: `;
  const parts: string[] = [];
  if (history.stoppedEarly) parts.push(`stopped early after ${plural(history.epochs.length, 'epoch')}`);
  else if (history.stopped) parts.push(`stopped by hand after ${plural(history.epochs.length, 'epoch')}`);
  if (history.best !== undefined) {
    const isAccuracy = history.epochs[history.best.epoch - 1]?.validation?.accuracy === history.best.value;
    const value = isAccuracy ? `accuracy ${percent(history.best.value)}` : `loss ${significant(history.best.value)}`;
    parts.push(`best epoch ${history.best.epoch}: ${value}${history.best.restored ? ', put back at the end' : ''}`);
  }
  return parts.length === 0 ? '' : `${who}${parts.join('; ')}`;
}

/** Nothing where no run has a history. */
export function learningSection(runs: readonly ChartedRun[]): string {
  const shown = runs.filter(({ history }) => (history?.epochs.length ?? 0) > 0);
  if (shown.length === 0) return '';
  const hasAccuracy = shown.some(({ history }) => history?.hasAccuracy);
  const figures = [curves(shown, 'loss'), hasAccuracy ? curves(shown, 'accuracy') : '', rate(shown)];
  const only = shown.length === 1;
  const ends = shown.map((run) => endText(run, only)).filter((text) => text !== '');
  return section({
    title: 'Learning',
    intro: only
      ? 'Training figures are means over an epoch, taken while the weights change and with dropout; validation is measured at the epoch\u2019s end, before the network is rewired.'
      : 'Measured at the end of each epoch, before the network is rewired.',
    content: [
      charts(figures.filter((markup) => markup !== '')),
      ...(ends.length === 0 ? [] : [paragraph(`${ends.join('. ')}.`)]),
    ],
  });
}
