// What was taken for what, class by class.
import type { Confusion } from '../types';
import { confusionChart, mostNumbered, shareChart } from './confusion_chart';
import { count, percent, plural } from './format';
import { blocks, heatMap } from './heat_map';
import { cell, charts, figure, section, table } from './page';

/** Classes shown with a bar of their own. */
const mostBars = 24;

function namesOf({ counts, classes }: Confusion): readonly string[] {
  return classes ?? counts.map((_, i) => `class ${i}`);
}

function matrixFigure(confusion: Confusion, names: readonly string[], accuracy: string): string {
  const { counts } = confusion;
  const title = 'Confusion matrix';
  const text = { title, description: accuracy };
  if (counts.length <= mostNumbered) {
    const note = 'The stronger the colour, the larger the share of its row.';
    return figure({ title, chart: confusionChart({ ...text, width: 400, counts, classes: names }), note });
  }
  const shares = counts.flatMap((row) => {
    const total = row.reduce((sum, one) => sum + one, 0);
    return row.map((one) => (total === 0 ? 0 : (100 * one) / total));
  });
  const { grid, size } = blocks({ rows: counts.length, columns: counts.length, values: shares });
  let most = 0;
  for (let i = 0; i < grid.values.length; i++) most = Math.max(most, grid.values[i] as number);
  const chart = heatMap({
    ...text,
    width: 400,
    grid,
    least: 0,
    most,
    cellSize: size,
    colour: { label: size === 1 ? 'Share of its class' : `Mean share, ${size} x ${size} classes`, unit: '%' },
    across: { label: 'What the network says', unit: 'class number' },
    down: { label: 'What it is', unit: 'class number' },
  });
  return figure({ title, chart });
}

function recallFigure({ counts }: Confusion, names: readonly string[]): string {
  const rows = counts.flatMap((row, i) => {
    const total = row.reduce((sum, one) => sum + one, 0);
    if (total === 0) return [];
    const share = (row[i] as number) / total;
    return [{ name: names[i] as string, share, text: percent(share) }];
  });
  if (rows.length === 0 || counts.length > mostBars) return '';
  const title = 'Right answers by class';
  const description = rows.map(({ name, text }) => `${name} ${text}`).join(', ');
  return figure({ title, chart: shareChart({ title, description, width: 360, label: 'Recall', rows }) });
}

function mistakes({ counts }: Confusion, names: readonly string[]): string {
  const pairs = counts.flatMap((row, actual) =>
    row.flatMap((number, predicted) => (actual === predicted || number === 0 ? [] : [{ actual, predicted, number }])),
  );
  if (pairs.length === 0) return '';
  pairs.sort((a, b) => b.number - a.number);
  const rows = pairs.slice(0, 8).map(({ actual, predicted, number }) => {
    const total = (counts[actual] as readonly number[]).reduce((sum, one) => sum + one, 0);
    return [names[actual] as string, names[predicted] as string, count(number), percent(number / total)];
  });
  const head = ['It is', 'taken for', 'samples', 'of its class'];
  return table({ caption: 'The most frequent mistakes', head, rows, numbers: [false, false, true, true] });
}

export function confusionSection(confusion: Confusion, of: string, part: boolean): string {
  const names = namesOf(confusion);
  const total = confusion.counts.reduce((sum, row) => sum + row.reduce((a, b) => a + b, 0), 0);
  const right = confusion.counts.reduce((sum, row, i) => sum + (row[i] as number), 0);
  const accuracy = `${count(right)} of ${plural(total, 'sample')} right${total === 0 ? '' : `, ${percent(right / total)}`}`;
  const figures = [matrixFigure(confusion, names, accuracy), recallFigure(confusion, names)];
  const list = mistakes(confusion, names);
  const cells = [...figures, list === '' ? '' : cell(list)].filter((markup) => markup !== '');
  return section({ title: 'Answers by class', intro: `${of}: ${accuracy}.`, content: [charts(cells)], part });
}
