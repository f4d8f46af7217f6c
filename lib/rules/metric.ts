// The metrics by name. What each one needs is in the native table.
import type { NativeEvaluation } from '../native';
import { describe, optionError, readName, typeError } from '../options';
import type { Evaluation } from '../types';
import { classesOf, targetKindOf } from './loss';
import { metricTable } from './table';

/** What an evaluation can say beside the number of samples. */
export type Metric = Exclude<keyof Evaluation, 'samples'>;

/** A list of metrics that all have a meaning for the loss, each once. */
export function readMetrics(value: unknown, loss: string, outputs: number, where: string): string[] {
  if (!Array.isArray(value)) throw typeError(`${where} must be an array of names, not ${describe(value)}`);
  const table = metricTable();
  const known = table.map(({ name }) => name);
  const names = new Set<string>();
  for (let i = 0; i < value.length; i++) {
    const name = readName(value[i], `${where}[${i}]`, known);
    const { needs, mostClasses } = table[known.indexOf(name)] as (typeof table)[number];
    const problem = `${where}[${i}]: '${name}' has no meaning for the loss '${loss}'`;
    const classes = classesOf(loss, outputs);
    if (needs !== 'nothing' && targetKindOf(loss) === 'number') {
      throw optionError(`${problem}, which knows no right answers`);
    }
    if (needs === 'classes' && classes === 0) {
      throw optionError(`${problem} with ${outputs} outputs: a sample is not of one class`);
    }
    if (classes > mostClasses) {
      throw optionError(`${where}[${i}]: '${name}' is for at most ${mostClasses} classes, but there are ${classes}`);
    }
    names.add(name);
  }
  return [...names];
}

/** All metrics that have a meaning for the loss. */
export function meaningfulMetrics(loss: string, outputs: number): string[] {
  const classes = classesOf(loss, outputs);
  return metricTable().flatMap(({ name, needs, mostClasses }) => {
    const hasMeaning = (needs === 'nothing' || targetKindOf(loss) !== 'number') && (needs !== 'classes' || classes > 0);
    return hasMeaning && classes <= mostClasses ? [name] : [];
  });
}

/** With the names of the classes, where there are any. */
export function evaluationOf(
  { confusion, ...evaluation }: NativeEvaluation,
  classes: readonly string[] | undefined,
): Evaluation {
  if (confusion === undefined) return evaluation;
  return { ...evaluation, confusion: { counts: confusion, ...(classes === undefined ? {} : { classes }) } };
}
