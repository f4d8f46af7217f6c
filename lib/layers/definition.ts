// Reads a layer's definition, from the factories beside this file or from a model file.
import { type CsrMatrix, nativeMatrix } from '../csr_matrix';
import { SetnetError } from '../errors';
import { checkBuffer, lengthOf, typedArrayName } from '../memory';
import type { NativeGivenLayer, NativeLayerSpec } from '../native';
import { describe, optionError, readBoolean, readName, readNumber, readOptions, typeError } from '../options';
import { type Activation, readActivation } from '../rules/activation';
import { type Initializer, readInitializer } from '../rules/initializer';

/** What every kind of layer has. */
export interface LayerOptions {
  /** Number of units (outputs), 1 to 2^32 - 1. */
  readonly units: number;
  /** Applied to weights * inputs + bias. Default 'relu'; of `dense()` 'linear'. */
  readonly activation?: Activation;
  /**
   * How weights start. Default 'heUniform'; of a sparse or masked layer that is the first of its network 'denseHe', whose weights
   * are smaller by the root of the layer's density. With fewer samples than inputs, what the first weights say about directions
   * in which the samples do not differ is never unlearned: the smaller it is, the better the answers for new samples.
   */
  readonly initializer?: Initializer;
  /**
   * The fraction of this layer's outputs that is dropped while training, 0 to below 1 (inverted: survivors are multiplied by
   * 1 / (1 - rate)). Not in the last layer. Default 0.
   */
  readonly dropout?: number;
  /** A bias per unit, starting at 0, never pruned. Default true. */
  readonly bias?: boolean;
}

/** What layers have that can evolve. */
export interface EvolvableOptions {
  /** False: this layer keeps its topology, also in the final removal. Default true. */
  readonly evolve?: boolean;
  /** This layer's zeta in place of the network's, 0 to 1. */
  readonly zeta?: number;
}

/** What layers have whose connections are drawn. At most one of epsilon and density. */
export interface TopologyOptions extends EvolvableOptions {
  /** The layer gets round(epsilon * (inputs + units)) connections, at most all (Mocanu et al. 2018). Default 20. */
  readonly epsilon?: number;
  /** The layer gets round(density * inputs * units) connections; above 0, at most 1. */
  readonly density?: number;
  /**
   * 'exact': that many. 'bernoulli': each cell with that probability, so the count is random. 'withReplacement': that many
   * draws, of which the distinct ones are kept. Default 'exact'.
   */
  readonly draw?: 'exact' | 'bernoulli' | 'withReplacement';
}

/** Options of a sparse or masked layer whose connections and weights are drawn. */
export interface DrawnLayerOptions extends LayerOptions, TopologyOptions {
  /** A drawn layer has none: see {@link GivenLayerOptions}. */
  readonly weights?: never;
}

/** Options of a sparse or masked layer that is made from connections and weights that exist already. */
export interface GivenLayerOptions extends Omit<LayerOptions, 'units' | 'initializer' | 'bias'>, EvolvableOptions {
  /**
   * Rows are units, columns inputs: as many as the network has inputs, or the layer before has units. Taken as it is,
   * explicit zeros included (an evolution removes them). The count of its connections is the layer's count while training.
   */
  readonly weights: CsrMatrix;
  /**
   * One number for all units, or a number for each: finite, copied. True (default): 0 for all. False: the layer has none.
   */
  readonly bias?: boolean | number | Float32Array;
  /** The weights say how many. Where it is given it must be `weights.rows`. */
  readonly units?: number;
  /** The weights say where connections are. */
  readonly epsilon?: never;
  /** As above. */
  readonly density?: never;
  /** Nothing is drawn. */
  readonly draw?: never;
  /** The weights are given. */
  readonly initializer?: never;
}

/** A sparse layer, as {@link sparse} makes it. */
export type SparseLayerDefinition = (DrawnLayerOptions | GivenLayerOptions) & {
  /** Says which layer it is. */
  readonly kind: 'sparse';
};

/** A masked layer, as {@link masked} makes it. */
export type MaskedLayerDefinition = (DrawnLayerOptions | GivenLayerOptions) & {
  /** Says which layer it is. */
  readonly kind: 'masked';
};

/** A dense layer, as {@link dense} makes it. */
export interface DenseLayerDefinition extends LayerOptions {
  /** Says which layer it is. */
  readonly kind: 'dense';
}

/** A layer of `Network.create`: made by `sparse()`, `masked()` or `dense()`. */
export type LayerDefinition = SparseLayerDefinition | MaskedLayerDefinition | DenseLayerDefinition;

const common = ['kind', 'units', 'activation', 'dropout', 'bias'] as const;
const evolvable = ['evolve', 'zeta'] as const;
const drawn = ['epsilon', 'density', 'draw', 'initializer'] as const;
const kinds = ['sparse', 'masked', 'dense'] as const;
const draws = ['exact', 'bernoulli', 'withReplacement'] as const;

export const maxUnits: number = 2 ** 32 - 1;

const unitLimits = { min: 1, max: maxUnits, integer: true };

/** A layer as native code wants it. */
export interface ReadLayer {
  readonly spec: NativeLayerSpec;
  /** Where the layer is not drawn. */
  readonly given?: NativeGivenLayer;
}

type Kind = (typeof kinds)[number];
type Options = {
  [Name in (typeof common | typeof evolvable | typeof drawn)[number] | 'weights' | 'connections']?: unknown;
};

function readKind(value: unknown, where: string): Kind {
  if (typeof value !== 'object' || value === null || (value as { kind?: unknown }).kind === undefined) {
    throw typeError(
      `${where} must be a layer (sparse({ units }), masked({ units }) or dense({ units })), not ${describe(value)}${typeof value === 'object' && value !== null ? ' without a kind' : ''}`,
    );
  }
  return readName((value as { kind?: unknown }).kind, `${where}.kind`, kinds);
}

/** How the weights of the first layer of a network start, where nothing is said: see {@link LayerOptions}. */
const firstInitializer: Initializer = 'denseHe';

/** A layer of `Network.create`, and its place in the network; without one, a layer by itself. */
export function readLayer(value: unknown, where: string, index?: number): ReadLayer {
  const kind = readKind(value, where);
  if (kind === 'dense') return { spec: readDense(value, where) };
  const given: Options = readOptions(value, where, [...common, ...evolvable, ...drawn, 'weights']);
  const isDrawn = given.weights === undefined;
  const options = index === 0 && isDrawn ? { ...given, initializer: given.initializer ?? firstInitializer } : given;
  return isDrawn ? { spec: readDrawn(kind, options, where) } : readGiven(kind, options, where);
}

/** A layer as a file describes it: of one that was made from a matrix it tells the number of connections. */
export function readFileLayer(value: unknown, where: string): ReadLayer {
  const kind = readKind(value, where);
  if (kind === 'dense') return { spec: readDense(value, where) };
  const options: Options = readOptions(value, where, [...common, ...evolvable, ...drawn, 'connections']);
  if (options.connections === undefined) return { spec: readDrawn(kind, options, where) };
  for (const name of ['epsilon', 'density', 'draw'] as const) {
    if (options[name] !== undefined) throw optionError(`${where} has both connections and ${name}`);
  }
  const limits = { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true };
  const connections = readNumber(options.connections, `${where}.connections`, limits);
  return { spec: { ...readCommon(kind, options, where), ...readEvolvable(options, where), connections } };
}

function readDense(value: unknown, where: string): NativeLayerSpec {
  return readCommon('dense', readOptions(value, where, [...common, 'initializer']), where);
}

function readCommon(kind: Kind, options: Options, where: string): NativeLayerSpec {
  if (options.units === undefined) throw optionError(`${where}.units is missing`);
  return {
    kind,
    units: readNumber(options.units, `${where}.units`, unitLimits),
    draw: options.draw === undefined ? 'exact' : readName(options.draw, `${where}.draw`, draws),
    activation: readActivation(options.activation ?? (kind === 'dense' ? 'linear' : 'relu'), `${where}.activation`),
    initializer: readInitializer(options.initializer ?? 'heUniform', `${where}.initializer`),
    dropout: readDropout(options.dropout ?? 0, `${where}.dropout`),
    bias: readBoolean(options.bias ?? true, `${where}.bias`),
    evolve: false,
  };
}

function readEvolvable(options: Options, where: string): { evolve: boolean; zeta?: number } {
  const evolve = readBoolean(options.evolve ?? true, `${where}.evolve`);
  if (options.zeta === undefined) return { evolve };
  return { evolve, zeta: readNumber(options.zeta, `${where}.zeta`, { min: 0, max: 1 }) };
}

function readDrawn(kind: Kind, options: Options, where: string): NativeLayerSpec {
  const spec = { ...readCommon(kind, options, where), ...readEvolvable(options, where) };
  if (options.density !== undefined) {
    if (options.epsilon !== undefined) throw optionError(`${where} has both epsilon and density; give one of them`);
    spec.density = readNumber(options.density, `${where}.density`, { min: 0, max: 1, open: true });
  } else {
    spec.epsilon = readNumber(options.epsilon ?? 20, `${where}.epsilon`, { min: 0, max: Number.MAX_VALUE, open: true });
  }
  return spec;
}

function readGiven(kind: Kind, options: Options, where: string): ReadLayer {
  for (const name of drawn) {
    if (options[name] === undefined) continue;
    throw optionError(`${where} has both weights and ${name}; the weights say what is connected, and how strongly`);
  }
  const weights = nativeMatrix(options.weights);
  if (weights === undefined) {
    throw typeError(
      `${where}.weights must be a CsrMatrix, as CsrMatrix.from makes it, not ${describe(options.weights)}`,
    );
  }
  const { rows, columns, count } = weights;
  if (rows < 1 || columns < 1) {
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `${where}.weights has ${rows} rows and ${columns} columns; a layer has at least one unit and one input`,
    );
  }
  if (options.units !== undefined && readNumber(options.units, `${where}.units`, unitLimits) !== rows) {
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `${where}.units is ${options.units}, but weights has ${rows} rows; leave units out`,
    );
  }
  const bias = readBias(options.bias, rows, `${where}.bias`);
  const spec: NativeLayerSpec = {
    ...readCommon(kind, { ...options, units: rows, bias: bias !== false }, where),
    ...readEvolvable(options, where),
    connections: count,
  };
  return { spec, given: typeof bias === 'boolean' ? { weights } : { weights, bias } };
}

/** A number for each unit, or whether there is a bias that starts at 0. */
function readBias(value: unknown, units: number, where: string): Float32Array | boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? true;
  if (typeof value === 'number') {
    checkFinite(value, where);
    return new Float32Array(units).fill(value);
  }
  if (typedArrayName(value) !== 'Float32Array') {
    throw typeError(`${where} must be true, false, a number or a Float32Array, not ${describe(value)}`);
  }
  const copy = copyBias(value as Float32Array, where);
  if (copy.length !== units) {
    throw new SetnetError('ERR_SETNET_SHAPE', `${where} has ${copy.length} numbers, but weights has ${units} rows`);
  }
  copy.forEach((number, unit) => {
    checkFinite(number, `${where}[${unit}]`);
  });
  return copy;
}

function copyBias(value: Float32Array, where: string): Float32Array {
  checkBuffer(value, where);
  const copy = new Float32Array(lengthOf(value));
  copy.set(value);
  return copy;
}

function checkFinite(value: number, where: string): void {
  if (Number.isFinite(Math.fround(value))) return;
  throw new SetnetError('ERR_SETNET_NONFINITE', `${where} is ${value}, which is no finite number in 32 bits`);
}

function readDropout(value: unknown, where: string): number {
  const rate = readNumber(value, where, { min: 0, max: 1 });
  if (rate === 1) throw optionError(`${where} must be below 1: a layer without outputs cannot learn`);
  return rate;
}

/** Checks the options of a factory and returns them with their kind, frozen. */
export function makeLayer<Made extends LayerDefinition>(kind: Made['kind'], options: object): Made {
  if (typeof options !== 'object' || options === null) {
    throw typeError(
      `${kind}: the options must be an object with ${kind === 'dense' ? 'units' : 'units or weights'}, not ${describe(options)}`,
    );
  }
  const made: Record<string, unknown> = { ...options, kind };
  // The definition is fixed from here on, whatever happens to the array.
  if (typedArrayName(made.bias) === 'Float32Array') made.bias = copyBias(made.bias as Float32Array, `${kind}.bias`);
  readLayer(made, kind);
  return Object.freeze(made) as unknown as Made;
}
