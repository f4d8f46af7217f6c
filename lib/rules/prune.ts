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
  /**
   * The thresholds of the authors' Keras program, taken from all cells of the matrix: what lies on a threshold goes too, so
   * that of n negative weights n - int((1 - zeta) n) go, and of n positive ones int(zeta n) + 1; all equal to them as well.
   */
  thresholdOfMatrix: NoParameters;
  /** The same from the stored weights alone, as in the authors' SciPy program. */
  thresholdOfStored: NoParameters;
}

/** Which connections an evolution removes: a name, or `{ kind: name, ...parameters }`. */
export type Prune = Choice<PruneRules>;

export function readPrune(value: unknown, where: string): NativeRule {
  return readRule('prune', value, where).rule;
}
