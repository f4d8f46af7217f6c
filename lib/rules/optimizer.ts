// What the optimizers have in common. Each has a file with its typed factory beside this one.
import type { NativeRule } from '../native';
import { optionError, readName } from '../options';
import type { Adam } from './adam';
import type { Adamw } from './adamw';
import { type ReadSchedule, readSchedule } from './schedule';
import type { Sgd } from './sgd';
import { readRule, ruleObject } from './table';

/** How weights follow their gradients: made by `sgd()`, `adam()` or `adamw()`. */
export type Optimizer = Sgd | Adam | Adamw;

/** Defaults of this library where the native table's are more neutral. */
function defaultsOf(name: string, given: Record<string, unknown>): Record<string, unknown> {
  if (name !== 'sgd') return { learningRate: 0.001 };
  return {
    learningRate: { kind: 'cosine', from: 0.05 },
    momentum: 0.9,
    weightDecay: 1e-4,
    decayBias: given.decay === 'unscaled',
  };
}

export interface ReadOptimizer {
  rule: NativeRule;
  learningRate: ReadSchedule;
}

/** What newcomers of an evolution begin with. */
export type NewState = 'zero' | 'birthStep';

const newStates = ['zero', 'birthStep'] as const;

/** The native rule of an optimizer: a variant of its own where newcomers count their steps from their birth. */
function nativeName(name: string, newState: unknown, where: string): string {
  if (newState === undefined) return name;
  if (name === 'sgd')
    throw optionError(`${where}.newState: 'sgd' has nothing that counts steps; 'adam' and 'adamw' have`);
  return readName(newState, `${where}.newState`, newStates) === 'birthStep' ? `${name}.birthStep` : name;
}

/** A native optimizer as users write it. */
export function optimizerObject(rule: NativeRule): { kind: string; [option: string]: string | number } {
  const { kind, ...parameters } = ruleObject('optimizers', rule);
  const [name, newState] = kind.split('.') as [string, string | undefined];
  return { kind: name, ...parameters, ...(newState === undefined ? {} : { newState }) };
}

/** The name in the native table of what optimizerObject made. */
export function nativeOptimizer(options: object): string {
  const { kind, newState } = options as { kind: string; newState?: string };
  return nativeName(kind, newState, 'optimizer');
}

export function readOptimizer(value: unknown, where: string): ReadOptimizer {
  const { rule: named } = readRule('optimizers', kindOf(value), where);
  const given = typeof value === 'string' ? { kind: value } : withoutUndefined(value as Record<string, unknown>);
  const { rule: read, others } = readRule('optimizers', { ...defaultsOf(named.name, given), ...given }, where, {
    others: ['learningRate', 'newState'],
  });
  const rule = { ...read, name: nativeName(read.name, others.newState, where) };
  return { rule, learningRate: readSchedule(others.learningRate, `${where}.learningRate`, 'constant') };
}

/** The name of the rule where there is one, else the value itself, for the error message. */
function kindOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return (value as { kind?: unknown }).kind;
}

function withoutUndefined(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
