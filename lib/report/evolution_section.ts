// What evolution removed and grew, epoch by epoch.
import { type Bar, barChart } from './bar_chart';
import { compact, count, decimal, percent, plural } from './format';
import type { ReportedHistory } from './history_data';
import { type ChartedRun, chartSize } from './learning_section';
import { charts, figure, section } from './page';
import { linearScale } from './scale';

/** More bars than that become bars of several epochs. */
const mostBars = 90;

interface Bars {
  readonly bars: readonly Bar[];
  /** Epochs in a bar. */
  readonly step: number;
  /** Place of the final removal, where there was one. */
  readonly final: number | undefined;
}

function barsOf({ epochs, final }: ReportedHistory): Bars {
  const step = Math.ceil(epochs.length / mostBars);
  const first = epochs[0]?.epoch ?? 1;
  const bars: Bar[] = [];
  for (let i = 0; i < epochs.length; i += step) {
    const group = epochs.slice(i, i + step);
    const mean = (of: 'grown' | 'pruned') =>
      group.reduce((sum, { rewired }) => sum + (rewired?.[of] || 0), 0) / group.length;
    bars.push({ at: first + i + (step - 1) / 2, up: mean('grown'), down: mean('pruned') });
  }
  if (final === undefined || !(final.removed > 0)) return { bars, step, final: undefined };
  const at = first + bars.length * step + (step - 1) / 2;
  return { bars: [...bars, { at, up: 0, down: final.removed }], step, final: at };
}

function sumOf(history: ReportedHistory, of: 'grown' | 'pruned'): number {
  return history.epochs.reduce((sum, { rewired }) => sum + (rewired?.[of] || 0), 0);
}

function chartOf({ name, history }: ChartedRun & { history: ReportedHistory }, isOnly: boolean): string {
  const { bars, step, final } = barsOf(history);
  const top = Math.max(1, ...bars.map(({ up }) => up));
  const bottom = Math.max(1, ...bars.map(({ down }) => down));
  const format = (value: number) =>
    Math.abs(value) >= 10_000 ? compact(Math.abs(value)) : decimal(Math.abs(value), 0);
  const y = {
    scale: linearScale([-bottom, top], { format, integer: true }),
    label: 'Connections',
    unit: step === 1 ? 'number per epoch' : `mean number per epoch, ${step} epochs a bar`,
  };
  const low = (bars[0]?.at ?? 1) - step / 2;
  const high = (bars.at(-1)?.at ?? 1) + step / 2;
  const scale = linearScale([low, high], { integer: true, nice: false });
  const room = 0.1 * (high - low);
  const ticks =
    final === undefined
      ? scale.ticks
      : [...scale.ticks.filter(({ value }) => value < final - room), { value: final, label: 'end' }];
  const title = isOnly ? 'Grown and pruned' : name;
  const grown = sumOf(history, 'grown');
  const pruned = sumOf(history, 'pruned');
  const text = `${count(pruned)} connections pruned and ${count(grown)} grown in ${plural(history.epochs.length, 'epoch')}`;
  const end =
    history.final === undefined
      ? ''
      : `; the final removal took ${count(history.final.removed)} more, ${percent(history.final.removed / history.trained)} of ${count(history.trained)}`;
  const chart = barChart({
    ...chartSize,
    title: `Connections grown and pruned per epoch, ${name}`,
    description: `${text}${end}.`,
    x: { scale: { ...scale, ticks }, label: 'Epoch', unit: 'number' },
    y,
    bars,
    step,
    up: 'grown',
    down: 'pruned',
  });
  return figure({
    title,
    chart,
    note: `${text}${end}.${final === undefined ? '' : ' The last bar, at the end, is the final removal.'}`,
  });
}

/** Nothing where no run was rewired. */
export function evolutionSection(runs: readonly ChartedRun[]): string {
  const shown = runs.flatMap(({ history, ...run }) =>
    history !== undefined &&
    (history.final !== undefined || history.epochs.some(({ rewired }) => rewired !== undefined))
      ? [{ ...run, history }]
      : [],
  );
  if (shown.length === 0) return '';
  return section({
    title: 'Rewiring',
    intro:
      'After an epoch the weights closest to zero are removed, of each sign the same fraction, and as many connections grow in free places.',
    content: [charts(shown.map((run) => chartOf(run, runs.length === 1)))],
  });
}
