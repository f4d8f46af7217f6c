// What the schedules have in common. Each has a file with its typed factory beside this one.
import type { NativeRule } from '../native';
import { describe, optionError, readNumber } from '../options';
import { readRule, ruleObject } from './table';

/** What every schedule of a learning rate can have beside its own parameters. */
export interface WarmupOption {
  /** The rate rises from (nearly) 0 to the schedule's value over that many epochs, which may be a fraction. Default 0. */
  readonly warmup?: number;
}

/** The same number throughout. */
export interface Constant extends WarmupOption {
  /** Says which schedule it is. */
  readonly kind: 'constant';
  /** The number. */
  readonly value: number;
}

/** to + (from - to) / 2 * (1 + cos(pi * p / epochs)), p = epochs done, with the fraction of the running one. */
export interface Cosine extends WarmupOption {
  /** Says which schedule it is. */
  readonly kind: 'cosine';
  /** At the beginning. */
  readonly from: number;
  /** At the end. Default 0. */
  readonly to?: number;
}

/** from + (to - from) * p / epochs, p = epochs done, with the fraction of the running one. */
export interface Linear extends WarmupOption {
  /** Says which schedule it is. */
  readonly kind: 'linear';
  /** At the beginning. */
  readonly from: number;
  /** At the end. Default 0. */
  readonly to?: number;
}

/** from * factor^p, p = epochs done, with the fraction of the running one. */
export interface Exponential extends WarmupOption {
  /** Says which schedule it is. */
  readonly kind: 'exponential';
  /** At the beginning. */
  readonly from: number;
  /** What an epoch multiplies it by. */
  readonly factor: number;
}

/** from * factor^floor(p / every), p = epochs done. */
export interface Step extends WarmupOption {
  /** Says which schedule it is. */
  readonly kind: 'step';
  /** At the beginning. */
  readonly from: number;
  /** What a step multiplies it by. */
  readonly factor: number;
  /** Epochs from step to step. */
  readonly every: number;
}

/** How a number changes over a fit. */
export type Schedule = Constant | Cosine | Linear | Exponential | Step;

/** Parameters without which a schedule says nothing; all others have defaults. */
const required = ['value', 'from', 'factor', 'every'];

export interface ReadSchedule {
  rule: NativeRule;
  warmup: number;
}

/** A schedule, or a number, which is the schedule named by `ofNumber`. */
export function readSchedule(value: unknown, where: string, ofNumber: 'constant' | 'cosine'): ReadSchedule {
  if (typeof value === 'number') {
    const parameter = ofNumber === 'constant' ? 'value' : 'from';
    // Read under the option's own name: the user wrote a number and no schedule.
    readNumber(value, where, { min: 0, max: Number.POSITIVE_INFINITY });
    return { rule: readRule('schedules', { kind: ofNumber, [parameter]: value }, where).rule, warmup: 0 };
  }
  if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)))
    throw optionError(`${where} must be a number or a schedule, not the text ${describe(value)}`);
  const { rule, others } = readRule('schedules', value, where, { others: ['warmup'], required });
  const warmup = others.warmup === undefined ? 0 : readNumber(others.warmup, `${where}.warmup`, { min: 0, max: 1e9 });
  return { rule, warmup };
}

/** Checks the options of a factory and returns the frozen schedule with every parameter. */
export function makeSchedule<Made extends Schedule>(kind: Made['kind'], options: object): Made {
  const { rule, warmup } = readSchedule({ ...options, kind }, kind, 'constant');
  return Object.freeze({ ...ruleObject('schedules', rule), warmup }) as unknown as Made;
}
