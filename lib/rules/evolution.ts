// Reads the options of an evolution. Each kind of evolution has a file with its typed factory beside this one.
import type { NativeEvolutionRules, NativeFitOptions, NativeRule } from '../native';
import {
  describe,
  listOf,
  optionError,
  readBoolean,
  readName,
  readNumber,
  readOptions,
  suggest,
  typeError,
} from '../options';
import { readGrow } from './grow';
import { readPrune } from './prune';
import { readSchedule } from './schedule';
import type { SetEvolution } from './set';
import { readRule, ruleNames, ruleObject } from './table';
import { readTrigger, triggerObject } from './trigger';

/** How the topology changes during a fit: made by `set()`. */
export type Evolution = SetEvolution;

export type NativeEvolution = NonNullable<NativeFitOptions['evolution']>;

/** What one evolution is, whenever it comes. */
export const evolutionRuleNames = ['prune', 'keepZeros', 'grow', 'newWeights', 'regrowPruned', 'state'] as const;

const names = ['kind', 'zeta', 'every', ...evolutionRuleNames, 'budget', 'finalEvolution', 'finalPrune'] as const;

/** `finalPrune`: what holds where the options do not say it. */
export function readEvolution(value: unknown, where: string, finalPrune = true): NativeEvolution {
  const isObject = typeof value === 'object' && value !== null;
  if (!isObject || (value as { kind?: unknown }).kind === undefined) {
    const orNull = where.startsWith('fit') ? ', or null for a static topology' : '';
    const what = isObject ? 'an object that set() did not make' : describe(value);
    throw typeError(`${where} must be set({ ... })${orNull}, not ${what}`);
  }
  const options = readOptions(value, where, names);
  readName(options.kind, `${where}.kind`, ['set']);
  const { zeta, schedule } = readZeta(options.zeta ?? 0.3, `${where}.zeta`);
  const finalEvolution = readBoolean(options.finalEvolution ?? false, `${where}.finalEvolution`);
  if (finalEvolution && options.finalPrune === true) {
    throw optionError(
      `${where}: finalEvolution and finalPrune cannot both be true: after the last epoch one of them runs`,
    );
  }
  return {
    ...readEvolutionRules(options, `${where}.`),
    zeta,
    schedule,
    trigger: readTrigger(options.every ?? 'epoch', `${where}.every`),
    initialBudget: readName(options.budget ?? 'removed', `${where}.budget`, ['removed', 'initial']) === 'initial',
    finalEvolution,
    finalPrune: readBoolean(options.finalPrune ?? (finalPrune && !finalEvolution), `${where}.finalPrune`),
  };
}

/** A native evolution as users write it. */
export function evolutionObject(evolution: NativeEvolution): object {
  return {
    kind: 'set',
    zeta: ruleObject('schedules', evolution.schedule),
    every: triggerObject(evolution.trigger),
    prune: ruleObject('prune', evolution.prune),
    keepZeros: evolution.keepZeros,
    grow: ruleObject('grow', evolution.grow),
    newWeights:
      evolution.newWeights.name === 'initializer' ? 'initializer' : ruleObject('initializers', evolution.newWeights),
    regrowPruned: evolution.regrowPruned,
    budget: evolution.initialBudget ? 'initial' : 'removed',
    state: evolution.resetState ? 'reset' : 'keep',
    finalEvolution: evolution.finalEvolution,
    finalPrune: evolution.finalPrune,
  };
}

/** What is removed and what grows; the options have been read, `where` stands in front of their names. */
export function readEvolutionRules(
  options: { readonly [Name in (typeof evolutionRuleNames)[number]]?: unknown },
  where: string,
): NativeEvolutionRules {
  return {
    prune: readPrune(options.prune ?? 'signMagnitude', `${where}prune`),
    grow: readGrow(options.grow ?? 'random', `${where}grow`),
    newWeights: readNewWeights(options.newWeights ?? 'zero', `${where}newWeights`),
    regrowPruned: readBoolean(options.regrowPruned ?? true, `${where}regrowPruned`),
    keepZeros: readBoolean(options.keepZeros ?? false, `${where}keepZeros`),
    resetState: readName(options.state ?? 'keep', `${where}state`, ['keep', 'reset']) === 'reset',
  };
}

/** The base zeta and its course: a number falls along a cosine to 0, everything else is said by a schedule. */
function readZeta(value: unknown, where: string): { zeta: number; schedule: NativeRule } {
  const { rule, warmup } = readSchedule(value, where, 'cosine');
  if (warmup !== 0) throw optionError(`${where}.warmup: only a learning rate warms up`);
  const { parameters } = rule;
  const isNumber = typeof value === 'number';
  const base = parameters.value === undefined ? 'from' : 'value';
  const zeta = readNumber(parameters[base], isNumber ? where : `${where}.${base}`, { min: 0, max: 1, open: true });
  // A fraction stays one throughout.
  for (const name of ['to', 'factor']) {
    if (parameters[name] !== undefined) readNumber(parameters[name], `${where}.${name}`, { min: 0, max: 1 });
  }
  return { zeta, schedule: rule };
}

/** 'initializer' stands beside the table: as the layer's own. */
function readNewWeights(value: unknown, where: string): NativeRule {
  if (value === 'initializer') return { name: 'initializer', parameters: {} };
  if (typeof value === 'string' && !ruleNames('initializers').includes(value)) {
    const all = ['initializer', ...ruleNames('initializers')];
    throw optionError(`${where}: there is no ${describe(value)}.${suggest(value, all)} There is ${listOf(all)}.`);
  }
  return readRule('initializers', value, where).rule;
}
