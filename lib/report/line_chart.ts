// Curves over a common axis, each with its name at its end.
import { type Axis, frame } from './axes';
import { dodge } from './label_places';
import { type ChartText, drawing, element, fitText, line, type Point, pathThrough, textAt, textWidth } from './svg';

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** Number of its colour, from 1; 0 is grey. */
  readonly colour: number;
  readonly dash?: boolean;
  /** A point of its own after the curve, with what it is. */
  readonly mark?: { readonly point: Point; readonly name: string };
}

export interface LineChart extends ChartText {
  readonly width: number;
  readonly height: number;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

/** More points than that cannot be seen. */
const mostPoints = 800;

/** Fewer points with the same outline: of each stretch the first, the least, the largest and the last. */
export function thin(points: readonly Point[], most: number = mostPoints): readonly Point[] {
  if (points.length <= most) return points;
  const stretches = Math.max(1, Math.floor(most / 4));
  const kept: Point[] = [];
  for (let i = 0; i < stretches; i++) {
    const from = Math.floor((i * points.length) / stretches);
    const to = Math.floor(((i + 1) * points.length) / stretches);
    let [least, largest] = [from, from];
    for (let k = from; k < to; k++) {
      if ((points[k] as Point)[1] < (points[least] as Point)[1]) least = k;
      if ((points[k] as Point)[1] > (points[largest] as Point)[1]) largest = k;
    }
    const chosen = [...new Set([from, least, largest, to - 1])].sort((a, b) => a - b);
    for (const k of chosen) kept.push(points[k] as Point);
  }
  return kept;
}

export function lineChart(chart: LineChart): string {
  const { width, height, x, y, series } = chart;
  const most = Math.max(60, width * 0.3);
  const names = series.flatMap(({ name, mark }) => (mark === undefined ? [name] : [name, mark.name]));
  const room = Math.min(most, Math.max(0, ...names.map((name) => textWidth(name, 'label'))));
  const plot = frame({ width, height, x, y, right: room + 10 });
  const place = ([a, b]: Point): Point => [plot.px(a), plot.py(b)];

  const drawn = series.map(({ points, colour, dash }) => {
    const placed = thin(points).map(place);
    const only = placed.length === 1 ? placed[0] : undefined;
    if (only !== undefined) return element('circle', { cx: only[0], cy: only[1], r: 3, class: `fill${colour}` });
    return element('path', { d: pathThrough(placed), class: `curve line${colour}${dash ? ' dash' : ''}` });
  });
  const marks = series.map(({ mark, colour }) => {
    if (mark === undefined) return '';
    const [cx, cy] = place(mark.point);
    return element('circle', { cx, cy, r: 4, class: `ring line${colour}` });
  });

  const labels = series.flatMap(({ name, points, colour, mark }) => {
    const last = points.filter(([, value]) => Number.isFinite(value)).at(-1);
    const own = last === undefined ? [] : [{ name, colour, at: place(last) }];
    return mark === undefined ? own : [...own, { name: mark.name, colour, at: place(mark.point) }];
  });
  const places = dodge(
    labels.map(({ at }) => at[1] + 4),
    14,
    plot.top + 4,
    plot.bottom,
  );
  const texts = labels.map(({ name, colour, at }, i) => {
    const base = places[i] as number;
    const leader =
      Math.abs(base - 4 - at[1]) > 6
        ? line(Math.min(at[0] + 5, plot.right + 2), at[1], plot.right + 7, base - 4, 'leader')
        : '';
    const text = fitText(name, most, 'label');
    // A curve that ends early has its name at its end.
    const x = at[0] < plot.right - 0.15 * width ? at[0] + 9 : plot.right + 9;
    return leader + textAt(x, base, text, { class: `name ink${colour}` });
  });
  return drawing(width, height, chart, plot.marks, ...drawn, ...marks, ...texts);
}
