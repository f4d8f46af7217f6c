import type { NativeRule } from '../native';
import { type Choice, type NoParameters, readRule } from './table';

/** The rules that choose which connections to remove. Connections of weight 0 are removed under every rule. */
export interface PruneRules {
  /** Of the positive and of the negative weights each the fraction zeta that is closest to zero (Mocanu et al. 2018). */
  signMagnitude: NoParameters;
  /** A random fraction zeta: a control that must do worse. */
  random: NoParameters;
  /** The fraction zeta of largest magnitude per sign: a control that must fail to learn. */
  largest: NoParameters;
}

/** Which connections an evolution removes: a name, or `{ kind: name, ...parameters }`. */
export type Prune = Choice<PruneRules>;

export function readPrune(value: unknown, where: string): NativeRule {
  return readRule('prune', value, where).rule;
}
