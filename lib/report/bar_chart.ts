// Bars up and down from a zero line: what was gained and what was lost.
import { type Axis, frame } from './axes';
import { type ChartText, drawing, rectangle, textAt, textWidth } from './svg';

export interface Bar {
  /** Middle of the bar on the x axis. */
  readonly at: number;
  /** At least 0: drawn upwards. */
  readonly up: number;
  /** At least 0: drawn downwards. */
  readonly down: number;
}

export interface BarChart extends ChartText {
  readonly width: number;
  readonly height: number;
  readonly x: Axis;
  /** Its domain has 0 in it. */
  readonly y: Axis;
  readonly bars: readonly Bar[];
  /** How wide a bar's share of the x axis is. */
  readonly step: number;
  readonly up: string;
  readonly down: string;
}

export function barChart(chart: BarChart): string {
  const { width, height, x, y, bars, step, up, down } = chart;
  const room = Math.max(textWidth(up, 'label'), textWidth(down, 'label')) + 10;
  const plot = frame({ width, height, x, y, right: room });
  const share = plot.px(step) - plot.px(0);
  const size = Math.min(36, Math.max(0.75, share > 6 ? share - 2 : share * 0.85));
  const zero = plot.py(0);
  const drawn = bars.flatMap(({ at, up: above, down: below }) => {
    const left = plot.px(at) - size / 2;
    return [
      above > 0 ? rectangle(left, plot.py(above), size, zero - plot.py(above), 'fill1') : '',
      below > 0 ? rectangle(left, zero, size, plot.py(-below) - zero, 'fill2') : '',
    ];
  });
  const label = plot.right + 8;
  return drawing(
    width,
    height,
    chart,
    plot.marks,
    ...drawn,
    textAt(label, (plot.top + zero) / 2 + 4, up, { class: 'name ink1' }),
    textAt(label, (zero + plot.bottom) / 2 + 4, down, { class: 'name ink2' }),
  );
}
