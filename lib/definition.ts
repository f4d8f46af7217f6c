// What a network is: the options of Network.create, checked, with every default filled in.
import { type DeviceName, readDevice } from './devices';
import { SetnetError } from './errors';
import { type LayerDefinition, maxUnits, type ReadLayer, readFileLayer, readLayer } from './layers/definition';
import { defaultThreads, maxThreads } from './loader';
import type { NativeGivenLayer, NativeLayerSpec, NativeNetworkSpec } from './native';
import { describe, optionError, readNames, readNumber, readOptions, typeError } from './options';
import { readScaling, type Scaling } from './scaling';

/** Options of `Network.create` and `Network.createSync`. */
export interface NetworkOptions {
  /** Features per sample. */
  readonly inputs: number;
  /** From the first hidden layer to the output. */
  readonly layers: readonly LayerDefinition[];
  /**
   * A 64-bit number from which everything random follows: topology, weights, dropout, the order of samples, evolution. Where
   * it is absent one is drawn; `network.seed` says which.
   */
  readonly seed?: number | bigint;
  /** How raw features become inputs. Default 'none'. */
  readonly scaling?: Scaling;
  /** A value that means "unknown" in features (NaN means any NaN): left out of the statistics, then 0. */
  readonly missing?: number;
  /** A name for each output; for a single output one for each of its two classes. Labels may then be names. */
  readonly classes?: readonly string[];
  /** A name for each input; saved with the network. */
  readonly features?: readonly string[];
  /** Default 'cpu'. */
  readonly device?: DeviceName;
  /** Threads for predictions and training, 1 to 1024; results do not depend on it. Default: SETNET_THREADS, else all. */
  readonly threads?: number;
}

/** A definition, checked. Immutable; shared by a network and its clones. */
export interface Definition {
  readonly spec: NativeNetworkSpec;
  readonly outputs: number;
  readonly classes: readonly string[] | undefined;
  readonly features: readonly string[] | undefined;
}

const names = ['inputs', 'layers', 'seed', 'scaling', 'missing', 'classes', 'features', 'device', 'threads'] as const;

/** A definition, and what its layers begin with where that is not drawn: an entry for each. */
export interface NetworkPlan {
  readonly definition: Definition;
  readonly given: (NativeGivenLayer | undefined)[];
}

export function readNetworkOptions(value: unknown, where: string): NetworkPlan {
  if (value === undefined) throw typeError(`${where} needs { inputs, layers }`);
  const options = readOptions(value, where, names);
  if (options.inputs === undefined) throw optionError(`${where}: inputs is missing`);
  const inputs = readNumber(options.inputs, `${where}: inputs`, { min: 1, max: maxUnits, integer: true });
  const layers = readLayerList(options.layers, `${where}: layers`, readLayer);
  checkColumns(layers, inputs, `${where}: layers`);
  readDevice(options.device, `${where}: device`);
  const spec: NativeNetworkSpec = {
    inputs,
    seed: options.seed === undefined ? drawSeed() : readSeed(options.seed, `${where}: seed`),
    layers: layers.map(({ spec }) => spec),
    scaling: readScaling(options.scaling, options.missing, inputs, `${where}: scaling`),
    threads: readThreads(options.threads, `${where}: threads`),
  };
  return {
    definition: makeDefinition(spec, options.classes, options.features, `${where}: `),
    given: layers.map(({ given }) => given),
  };
}

/** The weights that layers are made from must fit what comes before. */
function checkColumns(layers: readonly ReadLayer[], inputs: number, where: string): void {
  layers.forEach(({ given }, index) => {
    const before = index === 0 ? inputs : (layers[index - 1] as ReadLayer).spec.units;
    if (given === undefined || given.weights.columns === before) return;
    const what = index === 0 ? `the network has ${before} inputs` : `the layer before has ${before} units`;
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `${where}[${index}].weights has ${given.weights.columns} columns, but ${what}`,
    );
  });
}

/** Names are checked against the sizes; used for files as well. */
export function makeDefinition(
  spec: NativeNetworkSpec,
  classes: unknown,
  features: unknown,
  where: string,
): Definition {
  const outputs = (spec.layers.at(-1) as NativeLayerSpec).units;
  // A single output tells two classes apart.
  const [count, what] =
    outputs === 1
      ? ([2, "the classes of the last layer's single unit are"] as const)
      : ([outputs, "the last layer's units are"] as const);
  return Object.freeze({
    spec,
    outputs,
    classes: classes === undefined ? undefined : readNames(classes, `${where}classes`, count, what),
    features:
      features === undefined ? undefined : readNames(features, `${where}features`, spec.inputs, 'the inputs are'),
  });
}

/** The layers that a file describes. */
export function readLayers(value: unknown, where: string): NativeLayerSpec[] {
  return readLayerList(value, where, readFileLayer).map(({ spec }) => spec);
}

function readLayerList(
  value: unknown,
  where: string,
  read: (layer: unknown, where: string, index: number) => ReadLayer,
): ReadLayer[] {
  if (!Array.isArray(value)) throw typeError(`${where} must be an array of layers, not ${describe(value)}`);
  if (value.length < 1 || value.length > 1000) {
    throw optionError(`${where} must have 1 to 1000 layers, not ${value.length}`);
  }
  const layers = Array.from(value, (layer: unknown, index) => read(layer, `${where}[${index}]`, index));
  if ((layers.at(-1) as ReadLayer).spec.dropout > 0) {
    throw optionError(
      `${where}[${layers.length - 1}].dropout: the last layer's outputs are the answer and are not dropped`,
    );
  }
  return layers;
}

export function readSeed(value: unknown, where: string): bigint {
  const expected = 'an integer from 0 to 2^53 - 1, or a bigint from 0 to 2^64 - 1';
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw typeError(`${where} must be ${expected}, not ${describe(value)}`);
  }
  const isInside =
    typeof value === 'bigint' ? value >= 0n && value < 2n ** 64n : Number.isSafeInteger(value) && value >= 0;
  if (!isInside) throw optionError(`${where} must be ${expected}, not ${describe(value)}`);
  return BigInt(value);
}

/** 48 bits, so that it can be written down as a number. */
export function drawSeed(): bigint {
  const halves = crypto.getRandomValues(new Uint32Array(2));
  return ((BigInt(halves[0] as number) << 32n) | BigInt(halves[1] as number)) & 0xffffffffffffn;
}

export function readThreads(value: unknown, where: string): number {
  if (value === undefined) return defaultThreads();
  return readNumber(value, where, { min: 1, max: maxThreads, integer: true });
}
