import type { NativeRule } from '../native';
import { type Choice, type NoParameters, readRule } from './table';

/** The rules that choose where new connections grow. */
export interface GrowRules {
  /** Uniformly over the free cells (Mocanu et al. 2018). */
  random: NoParameters;
}

/** Where an evolution grows connections: a name, or `{ kind: name, ...parameters }`. */
export type Grow = Choice<GrowRules>;

export function readGrow(value: unknown, where: string): NativeRule {
  return readRule('grow', value, where).rule;
}
