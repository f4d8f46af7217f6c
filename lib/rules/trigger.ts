import type { NativeRule } from '../native';
import { describe, listOf, optionError, readNumber, typeError } from '../options';
import { readRule, ruleNames, ruleObject } from './table';

/**
 * When layers evolve: at every epoch's end, after every so many steps of a fit, or after a step by chance: each layer by
 * itself with the probability p / (number of layers that evolve), as the Synapses library does in each training forward.
 */
export type Trigger =
  | 'epoch'
  | {
      /** After every so many steps, from 1. */
      readonly steps: number;
    }
  | {
      /** p, from 0 to 1. */
      readonly probability: number;
    };

const forms = "'epoch', { steps: number } or { probability: number }";

export function readTrigger(value: unknown, where: string): NativeRule {
  if (value === 'epoch') return readRule('triggers', value, where).rule;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw (typeof value === 'string' ? optionError : typeError)(`${where} must be ${forms}, not ${describe(value)}`);
  }
  const names = Object.keys(value);
  const [name] = names;
  if (names.length !== 1 || name === undefined || name === 'epoch' || !ruleNames('triggers').includes(name)) {
    throw optionError(
      `${where} must be ${forms}, not an object with ${names.length === 0 ? 'nothing' : listOf(names)}`,
    );
  }
  const given = (value as Record<string, unknown>)[name];
  if (name === 'steps') readNumber(given, `${where}.steps`, { min: 1, max: Number.MAX_SAFE_INTEGER, integer: true });
  // A trigger's one parameter has the name of its rule.
  return readRule('triggers', { kind: name, [name]: given }, where).rule;
}

/** A native trigger as users write it. */
export function triggerObject(trigger: NativeRule): Trigger {
  const { kind, ...parameters } = ruleObject('triggers', trigger);
  return (kind === 'epoch' ? kind : parameters) as Trigger;
}
