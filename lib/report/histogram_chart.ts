// How often each number occurs: bars for what is, lines for what it is compared with.
import { type Axis, frame } from './axes';
import { type KeyItem, keyRows } from './key';
import { type ChartText, drawing, element, type Point, pathThrough, rectangle } from './svg';

export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Of the style sheet. Default 'fill1'. */
  readonly class?: string;
}

export interface HistogramLine {
  readonly points: readonly Point[];
  readonly class: string;
  /** Drawn as the outline of bins: a point is a bin's lower end and its height. The last point only ends it. */
  readonly isStep?: boolean;
}

export interface HistogramChart extends ChartText {
  readonly width: number;
  readonly height: number;
  readonly x: Axis;
  readonly y: Axis;
  readonly bins: readonly Bin[];
  readonly lines?: readonly HistogramLine[];
  readonly keys?: readonly KeyItem[];
}

function stepPoints(points: readonly Point[]): Point[] {
  return points.flatMap(([x, y], i): Point[] => {
    const next = points[i + 1];
    return next === undefined
      ? [[x, y]]
      : [
          [x, y],
          [next[0], y],
        ];
  });
}

export function histogramChart(chart: HistogramChart): string {
  const { width, height, x, y, bins, lines = [], keys = [] } = chart;
  const key = keys.length === 0 ? { markup: '', height: 0 } : keyRows(keys, width, 0);
  const plot = frame({ width, height: height - key.height, x, y });
  const bars = bins.map(({ from, to, count, class: className = 'fill1' }) => {
    if (count === 0) return '';
    const [left, right, top] = [plot.px(from), plot.px(to), plot.py(count)];
    const gap = right - left > 4 ? 0.75 : 0;
    return rectangle(left + gap / 2, top, Math.max(0.5, right - left - gap), plot.bottom - top, className);
  });
  const drawn = lines.map(({ points, class: className, isStep }) => {
    const placed = (isStep ? stepPoints(points) : points).map(([a, b]): Point => [plot.px(a), plot.py(b)]);
    return element('path', { d: pathThrough(placed), class: className });
  });
  const body = element('g', { transform: `translate(0 ${key.height})` }, plot.marks, ...bars, ...drawn);
  return drawing(width, height, chart, key.markup, body);
}
