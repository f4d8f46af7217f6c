import type { NativeRule } from '../native';
import { optionError } from '../options';
import { type Choice, type NoParameters, readRule } from './table';

/** The activations by name, with their parameters. */
export interface Activations {
  /** y = z */
  linear: NoParameters;
  /** y = max(z, 0) */
  relu: NoParameters;
  /** y = min(max(z, 0), max); max is above 0, 6 where it is not given. The slope is 0 at both limits and beyond them. */
  clippedRelu: {
    /** Above 0. Default 6. */
    max?: number;
  };
  /**
   * S-shaped rectified linear units (Jin et al. 2016): y = z between two thresholds, a line of its own slope beyond each. Every
   * unit learns four numbers, see `LayerView.activationParameters`.
   */
  srelu: NoParameters;
  /** y = z where z > 0, else slope * z; slope is at least 0, 0.01 where it is not given (Maas et al. 2013). */
  leakyRelu: {
    /** At least 0. Default 0.01. */
    slope?: number;
  };
  /**
   * All-ReLU (Curci et al. 2021): y = z where z > 0; else -slope * z in `layers[0]`, slope * z in `layers[1]`, and so on in turns.
   * slope is at least 0, 0.6 where it is not given.
   */
  allRelu: {
    /** At least 0. Default 0.6. */
    slope?: number;
  };
  /** y = 1 / (1 + e^-z) */
  sigmoid: NoParameters;
  /** y = tanh(z) */
  tanh: NoParameters;
  /** y = z * Phi(z) = z / 2 * (1 + erf(z / sqrt(2))): the exact form, not the one with tanh (Hendrycks and Gimpel 2016). */
  gelu: NoParameters;
}

/** The activation of a layer's units: a name, or `{ kind: name, ...parameters }`. */
export type Activation = Choice<Activations>;

export function readActivation(value: unknown, where: string): NativeRule {
  if (value === 'softmax')
    throw optionError(
      `${where}: 'softmax' belongs to the loss 'softmaxCrossEntropy', and predict answers its probabilities; leave the last layer 'linear'`,
    );
  return readRule('activations', value, where).rule;
}
