// How good a network is, as a table: one column for each data set.

import { count, figure, percent, shorten, table } from '../text';
import type { Confusion, Evaluation } from '../types';
import type { Screen } from './screen';

/** An evaluation with its heading. */
export interface NamedEvaluation {
  readonly name: string;
  readonly evaluation: Evaluation;
}

/** A confusion matrix is shown as one up to so many classes, else its classes one by one. */
const mostColumns = 20;

/** Figures side by side. */
export function printEvaluations(evaluations: readonly NamedEvaluation[], screen: Screen): void {
  const row = (name: string, pick: (evaluation: Evaluation) => string | undefined) => {
    const cells = evaluations.map(({ evaluation }) => pick(evaluation));
    return cells.every((cell) => cell === undefined) ? [] : [[name, ...cells.map((cell) => cell ?? '-')]];
  };
  const ofFraction = (value: number | undefined, digits = 2) =>
    value === undefined ? undefined : percent(value, digits);
  const isRegression = evaluations.every(({ evaluation }) => evaluation.accuracy === undefined);
  const rows = [
    ...row('accuracy', ({ accuracy }) => ofFraction(accuracy)),
    ...row('balanced accuracy', ({ balancedAccuracy }) => ofFraction(balancedAccuracy)),
    ...row('area under ROC curve', ({ auc }) => (auc === undefined ? undefined : auc.toFixed(4))),
    ...row(isRegression ? 'mean squared error' : 'loss (cross-entropy)', ({ loss }) => figure(loss)),
    ...(isRegression ? row('its square root', ({ loss }) => figure(Math.sqrt(loss))) : []),
    ...row('samples', ({ samples }) => count(samples)),
  ];
  const names = evaluations.map(({ name }) => name);
  const hasNames = names.some((name) => name !== '');
  const [header = '', ...lines] = table([['', ...names], ...rows]);
  if (hasNames) screen.line(screen.bold(header));
  screen.lines(lines);
}

/** Which classes are taken for which: rows are what samples are, columns what the network says. */
export function printConfusion({ counts, classes }: Confusion, screen: Screen): void {
  const names = counts.map((_, i) => classes?.[i] ?? String(i));
  const widest = Math.max(...counts.flat().map((value) => count(value).length));
  const head = Math.min(24, Math.max(...names.map((name) => name.length), 6));
  const room = Math.floor((screen.width - head - 2 - 10) / counts.length) - 2;
  const isMatrix = counts.length <= mostColumns && room >= Math.max(widest, 3);
  screen.line();
  if (isMatrix) {
    const label = (name: string) => shorten(name, Math.max(widest, Math.min(room, 14)));
    screen.line(screen.bold('Confusion: rows are what samples are, columns what the network says'));
    const rows = counts.map((row, i) => [shorten(names[i] as string, head), ...row.map(count), recall(row, i)]);
    screen.lines(table([['', ...names.map(label), 'right'], ...rows]));
    return;
  }
  screen.line(screen.bold('Classes'));
  const rows = counts.map((row, i) => {
    const [other, number] = row.reduce<[number, number]>(
      (most, value, j) => (j !== i && value > most[1] ? [j, value] : most),
      [-1, 0],
    );
    const mistaken = number === 0 ? '' : `${count(number)} as ${names[other]}`;
    const samples = row.reduce((sum, value) => sum + value, 0);
    return [shorten(names[i] as string, 30), count(samples), recall(row, i), shorten(mistaken, 30)];
  });
  screen.lines(
    table([['class', 'samples', 'right', 'most often taken for another'], ...rows], ['left', 'right', 'right', 'left']),
  );
}

function recall(row: readonly number[], index: number): string {
  const samples = row.reduce((sum, value) => sum + value, 0);
  return samples === 0 ? '-' : percent((row[index] as number) / samples);
}
