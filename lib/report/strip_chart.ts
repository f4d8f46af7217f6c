// Numbers along a line: by the number of the input, or along chromosomes one after the other.
import { type Axis, frame } from './axes';
import { type KeyItem, keyRows } from './key';
import { type ChartText, drawing, element, type Point, pathThrough, rectangle, textAt, textWidth } from './svg';

/** A stretch of the line with a name, such as a chromosome. */
export interface Stretch {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

export interface StripChart extends ChartText {
  readonly width: number;
  readonly height: number;
  /** Its ticks are not drawn where there are stretches: their names are. */
  readonly x: Axis;
  readonly y: Axis;
  /** Bins of the line: where they begin and end, and what is in them. NaN: nothing. */
  readonly bins: readonly StripBin[];
  readonly stretches: readonly Stretch[];
  readonly keys: readonly KeyItem[];
}

export interface StripBin {
  readonly from: number;
  readonly to: number;
  readonly mean: number;
  /** Where a bin has several inputs: the largest of them. */
  readonly most?: number;
  /** The mean at the beginning, where that is known. */
  readonly before?: number;
}

/** Names in the middle of their stretches; those that would touch the one before are left out. */
function names(stretches: readonly Stretch[], px: (value: number) => number, base: number): string[] {
  let free = Number.NEGATIVE_INFINITY;
  return stretches.map(({ name, from, to }) => {
    const middle = (px(from) + px(to)) / 2;
    const half = textWidth(name) / 2;
    if (middle - half < free) return '';
    free = middle + half + 3;
    return textAt(middle, base, name, { class: 'tick', anchor: 'middle' });
  });
}

export function stripChart(chart: StripChart): string {
  const { width, height, x, y, bins, stretches, keys } = chart;
  const key = keyRows(keys, width, 0);
  const hasStretches = stretches.length > 0;
  const plot = frame({
    width,
    height: height - key.height,
    x: hasStretches ? { ...x, scale: { ...x.scale, ticks: [] } } : x,
    y,
  });
  const bands = stretches.map(({ from, to }, i) =>
    i % 2 === 0 ? '' : rectangle(plot.px(from), plot.top, plot.px(to) - plot.px(from), plot.bottom - plot.top, 'band'),
  );
  const area = (of: (bin: StripBin) => number | undefined, className: string) => {
    let d = '';
    for (const bin of bins) {
      const value = of(bin);
      if (value === undefined || !(value > 0)) continue;
      const [left, right] = [plot.px(bin.from), plot.px(bin.to)];
      const wide = Math.max(0.6, right - left);
      d += `M${left.toFixed(1)} ${plot.bottom.toFixed(1)}V${plot.py(value).toFixed(1)}h${wide.toFixed(1)}V${plot.bottom.toFixed(1)}z`;
    }
    return d === '' ? '' : element('path', { d, class: className });
  };
  const before = bins.flatMap(({ from, to, before: value }, i): Point[] => {
    if (value === undefined) return [];
    const previous = bins[i - 1];
    const isTorn = previous !== undefined && Math.abs(previous.to - from) > 1e-9 * Math.abs(to);
    const step: Point[] = [
      [plot.px(from), plot.py(value)],
      [plot.px(to), plot.py(value)],
    ];
    return isTorn ? [[Number.NaN, Number.NaN], ...step] : step;
  });
  const body = element(
    'g',
    { transform: `translate(0 ${key.height})` },
    ...bands,
    plot.marks,
    area(({ most }) => most, 'fill1 pale'),
    area(({ mean }) => mean, 'fill1'),
    before.length === 0 ? '' : element('path', { d: pathThrough(before), class: 'curve thin line0' }),
    ...(hasStretches ? names(stretches, plot.px, plot.bottom + 17) : []),
  );
  return drawing(width, height, chart, key.markup, body);
}
