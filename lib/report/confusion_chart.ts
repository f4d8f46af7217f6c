// What the samples of each class were taken for.
import { escapeText } from './escape';
import { compact, count, percent } from './format';
import { colourOf } from './heat_map';
import { mapSteps } from './style';
import { type ChartText, drawing, element, fitText, rectangle, textAt, textWidth } from './svg';

export interface ConfusionChart extends ChartText {
  readonly width: number;
  /** counts[actual][predicted], square. */
  readonly counts: readonly (readonly number[])[];
  readonly classes: readonly string[];
}

/** With more classes cells have no room for numbers. */
export const mostNumbered = 24;

export function confusionChart(chart: ConfusionChart): string {
  const { width, counts, classes } = chart;
  const size = classes.length;
  const longest = Math.max(...classes.map((name) => textWidth(name)));
  const left = Math.min(longest, 84) + 8;
  const slanted = Math.min(longest, 84) * 0.71 + 14;
  const top = 18 + slanted;
  // Names at 45 degrees reach beyond the last column.
  const cell = Math.min(52, (width - left - Math.min(longest, 84) * 0.5) / size);
  const bottom = top + cell * size;
  const small = cell < 24;
  const cells = counts.flatMap((row, actual) => {
    const total = row.reduce((sum, one) => sum + one, 0);
    return row.map((one, predicted) => {
      const share = total === 0 ? 0 : one / total;
      const colour = colourOf(share, 0, 1);
      const [x, y] = [left + predicted * cell, top + actual * cell];
      const label = `${classes[actual]} taken for ${classes[predicted]}: ${count(one)} of ${count(total)} (${percent(share)})`;
      const box = element(
        'rect',
        { x: x + 0.5, y: y + 0.5, width: cell - 1, height: cell - 1, class: `m${colour}` },
        element('title', {}, escapeText(label)),
      );
      const text = compact(one);
      const hasRoom = one > 0 && textWidth(text) * 0.9 < cell - 2 && !small;
      const ink = colour >= mapSteps / 2 ? 'value light' : 'value';
      return box + (hasRoom ? textAt(x + cell / 2, y + cell / 2 + 4, text, { class: ink, anchor: 'middle' }) : '');
    });
  });
  const step = Math.ceil(13 / cell);
  const rowNames = classes.map((name, i) =>
    i % step > 0
      ? ''
      : textAt(left - 6, top + (i + 0.5) * cell + 4, fitText(name, 84), {
          class: 'tick',
          anchor: 'end',
        }),
  );
  const columnNames = classes.map((name, i) =>
    i % step > 0 ? '' : textAt(left + (i + 0.5) * cell + 2, top - 6, fitText(name, 84), { class: 'tick', rotate: -45 }),
  );
  const axis = (x: number, y: number, label: string, which: string, anchor: 'start' | 'end') =>
    textAt(x, y, `${label} (number of samples)`, {
      class: 'axis',
      anchor,
      more: { 'data-axis': which, 'data-unit': 'number of samples' },
    });
  return drawing(
    width,
    bottom + 22,
    chart,
    axis(0, 11, 'Columns: what the network says', 'x', 'start'),
    ...columnNames,
    ...rowNames,
    ...cells,
    axis(0, bottom + 17, 'Rows: what they are', 'y', 'start'),
  );
}

export interface ShareChart extends ChartText {
  readonly width: number;
  readonly label: string;
  readonly rows: readonly { readonly name: string; readonly share: number; readonly text: string }[];
}

/** Horizontal bars from 0 to 100 %, each with its name and number. */
export function shareChart(chart: ShareChart): string {
  const { width, label, rows } = chart;
  const left = Math.min(100, Math.max(...rows.map(({ name }) => textWidth(name)))) + 8;
  const room = Math.max(...rows.map(({ text }) => textWidth(text))) + 8;
  const full = width - left - room;
  const high = 20;
  const bars = rows.map(({ name, share, text }, i) => {
    const y = 24 + i * high;
    return [
      textAt(left - 6, y + 13, fitText(name, 100), { class: 'tick', anchor: 'end' }),
      rectangle(left, y + 3, full, high - 7, 'band'),
      rectangle(left, y + 3, full * share, high - 7, 'fill1'),
      textAt(left + full + 6, y + 13, text, { class: 'value' }),
    ].join('');
  });
  const more = { 'data-axis': 'x', 'data-unit': '%' };
  return drawing(
    width,
    28 + rows.length * high,
    chart,
    textAt(0, 11, `${label} (%)`, { class: 'axis', more }),
    element('g', { 'data-rows': 'names' }, ...bars),
  );
}
