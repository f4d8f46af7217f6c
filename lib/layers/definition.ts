// Reads a layer's definition, from the factories beside this file or from a model file.
import type { NativeLayerSpec } from '../native';
import { describe, optionError, readBoolean, readName, readNumber, readOptions, typeError } from '../options';
import { type Activation, readActivation } from '../rules/activation';
import { type Initializer, readInitializer } from '../rules/initializer';

/** What every kind of layer has. */
export interface LayerOptions {
  /** Number of units (outputs), 1 to 2^32 - 1. */
  readonly units: number;
  /** Applied to weights * inputs + bias. Default 'relu'; of `dense()` 'linear'. */
  readonly activation?: Activation;
  /** How weights start. Default 'heUniform'. */
  readonly initializer?: Initializer;
  /**
   * The fraction of this layer's outputs that is dropped while training, 0 to below 1 (inverted: survivors are multiplied by
   * 1 / (1 - rate)). Not in the last layer. Default 0.
   */
  readonly dropout?: number;
  /** A bias per unit, starting at 0, never pruned. Default true. */
  readonly bias?: boolean;
}

/** What layers have whose connections are drawn. At most one of epsilon and density. */
export interface TopologyOptions {
  /** The layer gets round(epsilon * (inputs + units)) connections, at most all (Mocanu et al. 2018). Default 20. */
  readonly epsilon?: number;
  /** The layer gets round(density * inputs * units) connections; above 0, at most 1. */
  readonly density?: number;
  /**
   * 'exact': that many. 'bernoulli': each cell with that probability, so the count is random. 'withReplacement': that many
   * draws, of which the distinct ones are kept. Default 'exact'.
   */
  readonly draw?: 'exact' | 'bernoulli' | 'withReplacement';
  /** False: this layer keeps its topology, also in the final removal. Default true. */
  readonly evolve?: boolean;
  /** This layer's zeta in place of the network's, 0 to 1. */
  readonly zeta?: number;
}

export interface SparseLayer extends LayerOptions, TopologyOptions {
  readonly kind: 'sparse';
}

export interface MaskedLayer extends LayerOptions, TopologyOptions {
  readonly kind: 'masked';
}

export interface DenseLayer extends LayerOptions {
  readonly kind: 'dense';
}

/** A layer of `Network.create`: made by `sparse()`, `masked()` or `dense()`. */
export type LayerDefinition = SparseLayer | MaskedLayer | DenseLayer;

const common = ['kind', 'units', 'activation', 'initializer', 'dropout', 'bias'] as const;
const topology = ['epsilon', 'density', 'draw', 'evolve', 'zeta'] as const;
const kinds = ['sparse', 'masked', 'dense'] as const;
const draws = ['exact', 'bernoulli', 'withReplacement'] as const;

export const maxUnits: number = 2 ** 32 - 1;

/** Dense layers are known by their options too, so the reading goes by kind. */
export function readLayer(value: unknown, where: string): NativeLayerSpec {
  if (typeof value !== 'object' || value === null) {
    throw typeError(
      `${where} must be a layer (sparse({ units }), masked({ units }) or dense({ units })), not ${describe(value)}`,
    );
  }
  const kind = readName((value as { kind?: unknown }).kind, `${where}.kind`, kinds);
  const names: readonly (typeof common | typeof topology)[number][] =
    kind === 'dense' ? common : [...common, ...topology];
  const options = readOptions(value, where, names);
  if (options.units === undefined) throw optionError(`${where}.units is missing`);
  const spec: NativeLayerSpec = {
    kind,
    units: readNumber(options.units, `${where}.units`, { min: 1, max: maxUnits, integer: true }),
    draw: options.draw === undefined ? 'exact' : readName(options.draw, `${where}.draw`, draws),
    activation: readActivation(options.activation ?? (kind === 'dense' ? 'linear' : 'relu'), `${where}.activation`),
    initializer: readInitializer(options.initializer ?? 'heUniform', `${where}.initializer`),
    dropout: readDropout(options.dropout ?? 0, `${where}.dropout`),
    bias: readBoolean(options.bias ?? true, `${where}.bias`),
    evolve: readBoolean(options.evolve ?? kind !== 'dense', `${where}.evolve`),
  };
  if (kind === 'dense') return spec;
  if (options.zeta !== undefined) spec.zeta = readNumber(options.zeta, `${where}.zeta`, { min: 0, max: 1 });
  if (options.density !== undefined) {
    if (options.epsilon !== undefined) throw optionError(`${where} has both epsilon and density; give one of them`);
    spec.density = readNumber(options.density, `${where}.density`, { min: 0, max: 1, open: true });
  } else {
    spec.epsilon = readNumber(options.epsilon ?? 20, `${where}.epsilon`, { min: 0, max: Number.MAX_VALUE, open: true });
  }
  return spec;
}

function readDropout(value: unknown, where: string): number {
  const rate = readNumber(value, where, { min: 0, max: 1 });
  if (rate === 1) throw optionError(`${where} must be below 1: a layer without outputs cannot learn`);
  return rate;
}

/** Checks the options of a factory and returns them with their kind, frozen. */
export function makeLayer<Made extends LayerDefinition>(kind: Made['kind'], options: object): Made {
  if (typeof options !== 'object' || options === null) {
    throw typeError(`${kind}: the options must be an object with units, not ${describe(options)}`);
  }
  const made = Object.freeze({ ...options, kind });
  readLayer(made, kind);
  return made as Made;
}
