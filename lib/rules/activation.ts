import type { NativeRule } from '../native';
import { type Choice, type NoParameters, readRule } from './table';

/** The activations by name, with their parameters. */
export interface Activations {
  /** y = z */
  linear: NoParameters;
  /** y = max(z, 0) */
  relu: NoParameters;
  /** y = min(max(z, 0), max); max is above 0, 6 where it is not given. The slope is 0 at both limits and beyond them. */
  clippedRelu: { max?: number };
}

/** The activation of a layer's units: a name, or `{ kind: name, ...parameters }`. */
export type Activation = Choice<Activations>;

export function readActivation(value: unknown, where: string): NativeRule {
  return readRule('activations', value, where).rule;
}
