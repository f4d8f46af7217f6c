// A point for each run, with its name beside it.
import { type Axis, type Frame, frame } from './axes';
import { dodge } from './label_places';
import { type ChartText, drawing, element, fitText, line, textAt, textWidth } from './svg';

export interface ScatterPoint {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  /** Where the run was before: a thin line leads from there. */
  readonly from?: { readonly x: number; readonly y: number };
  readonly colour: number;
}

export interface ScatterChart extends ChartText {
  readonly width: number;
  readonly height: number;
  readonly x: Axis;
  readonly y: Axis;
  readonly points: readonly ScatterPoint[];
}

const labelHeight = 14;

/** Whether a label stands left of its point: where the trace leads to the right, or the plot ends there. */
function isLeftOf(x: number, name: string, plot: Frame, tracedTo: number | undefined): boolean {
  const room = 9 + textWidth(name, 'label');
  if (x + room > plot.right) return true;
  return tracedTo !== undefined && tracedTo > x && x - room > plot.left;
}

/** The numbers of stretches in groups that have places in common. */
function overlapping(stretches: readonly (readonly [number, number])[]): number[][] {
  const order = stretches.map((_, i) => i).sort((a, b) => (stretches[a]?.[0] ?? 0) - (stretches[b]?.[0] ?? 0));
  const groups: number[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const i of order) {
    const [from, to] = stretches[i] as readonly [number, number];
    if (from > end) groups.push([]);
    (groups.at(-1) as number[]).push(i);
    end = Math.max(end, to);
  }
  return groups;
}

export function scatterChart(chart: ScatterChart): string {
  const { width, height, x, y, points } = chart;
  const plot = frame({ width, height, x, y, right: 8 });
  const most = (plot.right - plot.left) * 0.55;
  const placed = points.map((point) => {
    const [px, py] = [plot.px(point.x), plot.py(point.y)];
    const name = fitText(point.name, most, 'label');
    return { point, px, py, name, isLeft: isLeftOf(px, name, plot, point.from && plot.px(point.from.x)) };
  });
  // Labels that lie above each other keep clear of each other.
  const extents = placed.map(({ px, name, isLeft }): [number, number] => {
    const size = 9 + textWidth(name, 'label');
    return isLeft ? [px - size, px] : [px, px + size];
  });
  const places = new Map<number, number>();
  for (const group of overlapping(extents)) {
    const wishes = group.map((i) => (placed[i] as (typeof placed)[number]).py + 4);
    dodge(wishes, labelHeight, plot.top + 4, plot.bottom - 4).forEach((at, k) => {
      places.set(group[k] as number, at);
    });
  }
  const drawn = placed.map(({ point, px, py, name, isLeft }, i) => {
    const base = places.get(i) as number;
    const { from } = point;
    const trace =
      from === undefined
        ? ''
        : line(plot.px(from.x), plot.py(from.y), px, py, `curve thin line${point.colour}`) +
          element('circle', { cx: plot.px(from.x), cy: plot.py(from.y), r: 3.5, class: `ring line${point.colour}` });
    const dot = element('circle', { cx: px, cy: py, r: 5, class: `fill${point.colour}` });
    const leader = Math.abs(base - 4 - py) > 6 ? line(px, py, px + (isLeft ? -7 : 7), base - 4, 'leader') : '';
    const label = textAt(px + (isLeft ? -9 : 9), base, name, {
      class: `name ink${point.colour}`,
      anchor: isLeft ? 'end' : 'start',
    });
    return trace + leader + dot + label;
  });
  return drawing(width, height, chart, plot.marks, ...drawn);
}
