import type { NativeRule } from '../native';
import { type Choice, type NoParameters, readRule } from './table';

/**
 * The initializers by name, with their parameters. fanIn and fanOut are means over the connections that exist:
 * connections / units and connections / inputs.
 */
export interface Initializers {
  /** U(-b, b), b = sqrt(6 / fanIn) (He et al. 2015). */
  heUniform: NoParameters;
  /** N(0, 2 / fanIn) (He et al. 2015). */
  heNormal: NoParameters;
  /** N(0, 2 / inputs), as if the layer were dense. */
  denseHe: NoParameters;
  /** U(-b, b), b = sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
  xavierUniform: NoParameters;
  /** N(0, 2 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
  xavierNormal: NoParameters;
  /** U(-b, b), b = sqrt(6 / (inputs + units)), as if the layer were dense. */
  denseXavier: NoParameters;
  /** N(0, sigma^2); sigma is 0.05 where it is not given. */
  normal: {
    /** The standard deviation. Default 0.05. */
    sigma?: number;
  };
  /** Every weight 0. */
  zero: NoParameters;
}

/** How weights start: a name, or `{ kind: name, ...parameters }`. */
export type Initializer = Choice<Initializers>;

export function readInitializer(value: unknown, where: string): NativeRule {
  return readRule('initializers', value, where).rule;
}
