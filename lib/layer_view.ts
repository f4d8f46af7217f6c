// A layer of a network as users see it: a window on the published state, nothing of its own.
import { type CsrMatrix, wrapMatrix } from './csr_matrix';
import { guard } from './errors';
import type { NativeLayerSpec, NativeNetwork, NativeNetworkInfo } from './native';
import { typeError } from './options';

const key = Symbol('LayerView');
let view: (network: NativeNetwork, index: number, spec: NativeLayerSpec) => LayerView;

/**
 * A layer of a network. Every access reads the network's present state; while it trains, that is the state at the end of the
 * last finished epoch. After `network.dispose()` what needs the weights is `ERR_SETNET_STATE`.
 */
export class LayerView {
  /** From 0, the first hidden layer. */
  readonly index: number;
  /** Which of the three functions made it. */
  readonly kind: 'sparse' | 'masked' | 'dense';
  /** Name of the activation. */
  readonly activation: string;
  /** Fraction of outputs dropped while training. */
  readonly dropout: number;
  readonly #network: NativeNetwork;

  private constructor(caller: symbol, network: NativeNetwork, index: number, spec: NativeLayerSpec) {
    if (caller !== key) throw typeError('a LayerView is an element of network.layers');
    this.#network = network;
    this.index = index;
    this.kind = spec.kind;
    this.activation = spec.activation.name;
    this.dropout = spec.dropout;
    Object.freeze(this);
  }

  static {
    view = (network, index, spec) => new LayerView(key, network, index, spec);
  }

  #info(): NativeNetworkInfo['layers'][number] {
    return guard(() => this.#network.info()).layers[this.index] as NativeNetworkInfo['layers'][number];
  }

  /** Inputs of the layer: the columns of its weights. */
  get inputs(): number {
    return this.#info().inputs;
  }

  /** Outputs of the layer: the rows of its weights. */
  get units(): number {
    return this.#info().units;
  }

  /** A snapshot of the weights, [units, inputs]; of a dense layer with every cell. */
  get weights(): CsrMatrix {
    return wrapMatrix(guard(() => this.#network.weights(this.index)));
  }

  /** A copy of the bias, one number per unit; null for a layer without. */
  get bias(): Float32Array | null {
    const bias = guard(() => this.#network.bias(this.index));
    return bias.length === 0 ? null : bias;
  }

  /**
   * Copies of what the activation learns, by name, one number per unit; null where it learns nothing. Of `srelu`:
   * `leftThreshold` t and `leftSlope` a, y = t + a (z - t) for z <= t; `gap` p and `rightSlope` b, with the right threshold
   * r = t + |p|, y = r + b (z - r) for z >= r.
   */
  get activationParameters(): Record<string, Float32Array> | null {
    const parameters = guard(() => this.#network.activationParameters(this.index));
    return Object.keys(parameters).length === 0 ? null : parameters;
  }

  /** Stored weights: of a dense layer all, of a masked one those under the mask. */
  get connections(): number {
    return this.#info().connections;
  }

  /** connections / (inputs * units), from 0 to 1. */
  get density(): number {
    const { inputs, units, connections } = this.#info();
    return connections / (inputs * units);
  }

  /** Whether evolution and the final removal act on this layer. */
  get evolved(): boolean {
    return this.#info().evolved;
  }

  /** Incoming connections of each unit, its fan-in: one number per unit; their sum is `connections`. */
  inDegree(): Uint32Array {
    return this.weights.rowCounts();
  }

  /** Outgoing connections of each input of the layer: one number per input; their sum is `connections`. */
  outDegree(): Uint32Array {
    return this.weights.columnCounts();
  }
}

export function viewLayer(network: NativeNetwork, index: number, spec: NativeLayerSpec): LayerView {
  return view(network, index, spec);
}
