// The tail of a distribution on two logarithmic axes: a power law is a straight line there.
import { type Axis, frame } from './axes';
import { type KeyItem, keyRows } from './key';
import { thin } from './line_chart';
import { type ChartText, drawing, element, type Point, pathThrough, round } from './svg';

export interface TailSeries {
  readonly points: readonly Point[];
  readonly sign: 'dot' | 'ring' | 'line';
  readonly class: string;
}

export interface TailChart extends ChartText {
  readonly width: number;
  readonly height: number;
  /** Logarithmic, as is y. */
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly TailSeries[];
  readonly keys: readonly KeyItem[];
}

/** More points than that lie on each other. */
const mostPoints = 240;

/** One path for all points of a series: circles are two arcs. */
function dots(points: readonly Point[], radius: number, className: string): string {
  const arc = `a${radius} ${radius} 0 1 0`;
  const d = points.map(([x, y]) => `M${round(x - radius)} ${round(y)}${arc} ${2 * radius} 0${arc} ${-2 * radius} 0`);
  return element('path', { d: d.join(''), class: className });
}

export function tailChart(chart: TailChart): string {
  const { width, height, x, y, series, keys } = chart;
  const key = keyRows(keys, width, 0);
  const plot = frame({ width, height: height - key.height, x, y });
  const [lowX, highX] = x.scale.domain;
  const [lowY, highY] = y.scale.domain;
  const isInside = ([a, b]: Point) =>
    a >= lowX * 0.999 && a <= highX * 1.001 && b >= lowY * 0.999 && b <= highY * 1.001;
  const drawn = series.map(({ points, sign, class: className }) => {
    const placed = thin(points.filter(isInside), mostPoints).map(([a, b]): Point => [plot.px(a), plot.py(b)]);
    if (sign === 'line') return element('path', { d: pathThrough(placed), class: className });
    return dots(placed, sign === 'dot' ? 2.25 : 2.5, className);
  });
  const body = element('g', { transform: `translate(0 ${key.height})` }, plot.marks, ...drawn);
  return drawing(width, height, chart, key.markup, body);
}
