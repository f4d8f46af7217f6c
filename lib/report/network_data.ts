// What a report says of a network, read once from a snapshot of it: degrees, weights, and the wiring it began with.

import { breathe } from '../breathe';
import type { Definition } from '../definition';
import { guardAsync } from '../errors';
import { type LayerView, viewLayer } from '../layer_view';
import { native } from '../loader';
import type { RunRecord } from '../metadata';
import type { NativeLayerSpec, NativeNetworkInfo } from '../native';
import { type WeightHistogram, weightHistogram } from './weight_histogram';

/** A network laid open, all of one state. */
export interface ReportSource {
  readonly definition: Definition;
  readonly info: NativeNetworkInfo;
  readonly record: RunRecord;
  readonly layers: readonly LayerView[];
}

/** Connections by unit and by input of a layer. */
export interface Degrees {
  readonly incoming: Uint32Array;
  readonly outgoing: Uint32Array;
  readonly connections: number;
}

/** Why it cannot be said how a layer was wired at the beginning. */
export type Unknown = 'given' | 'differs';

export interface ReportedLayer {
  readonly index: number;
  readonly spec: NativeLayerSpec;
  readonly inputs: number;
  readonly units: number;
  readonly connections: number;
  readonly evolved: boolean;
  /** Of sparse and masked layers that do not have every cell. */
  readonly degrees: Degrees | undefined;
  /** As the seed draws them; the reason where that is not how the layer began. Undefined where degrees are. */
  readonly initial: Degrees | Unknown | undefined;
  readonly weights: WeightHistogram;
}

export interface ReportedNetwork {
  readonly definition: Definition;
  readonly info: NativeNetworkInfo;
  readonly record: RunRecord;
  readonly layers: readonly ReportedLayer[];
}

/**
 * The layers whose connections are drawn, drawn anew: a topology depends on the seed, the layer's number and its sizes alone.
 * Of the other layers nothing is made.
 */
async function drawAnew({ spec }: Definition): Promise<readonly (Degrees | undefined)[]> {
  const isDrawn = ({ kind, connections }: NativeLayerSpec) => kind !== 'dense' && connections === undefined;
  if (!spec.layers.some(isDrawn)) return spec.layers.map(() => undefined);
  const layers = spec.layers.map((layer): NativeLayerSpec => {
    const { epsilon: _, density: __, connections: ___, ...rest } = layer;
    // A masked layer is wired as a sparse one is, but takes the memory of a dense one.
    const common: NativeLayerSpec = { ...rest, kind: 'sparse', initializer: { name: 'zero', parameters: {} } };
    if (!isDrawn(layer)) return { ...common, density: Number.MIN_VALUE };
    const { epsilon, density } = layer;
    return { ...common, ...(density === undefined ? { epsilon: epsilon as number } : { density }) };
  });
  const plan = { ...spec, layers, scaling: { kind: 'none' as const } };
  const network = await guardAsync(() =>
    native().createNetwork(
      plan,
      layers.map(() => undefined),
    ),
  );
  try {
    return spec.layers.map((layer, index) =>
      isDrawn(layer) ? degreesOf(viewLayer(network, index, layers[index] as NativeLayerSpec)) : undefined,
    );
  } finally {
    network.dispose();
  }
}

function degreesOf({ weights }: LayerView): Degrees {
  return { incoming: weights.rowCounts(), outgoing: weights.columnCounts(), connections: weights.count };
}

function isEqual(a: Uint32Array, b: Uint32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

function initialOf(degrees: Degrees, drawn: Degrees | undefined, isUnchanged: boolean): Degrees | Unknown {
  if (drawn === undefined) return 'given';
  // A layer that was never rewired must be what the seed draws, or this version draws otherwise than the one that made it.
  const fits = isEqual(degrees.incoming, drawn.incoming) && isEqual(degrees.outgoing, drawn.outgoing);
  return isUnchanged && !fits ? 'differs' : drawn;
}

/** Off the event loop where it is long, in pieces else. Errors: `ERR_SETNET_MEMORY`. */
export async function readNetwork({ definition, info, record, layers }: ReportSource): Promise<ReportedNetwork> {
  const drawn = await drawAnew(definition);
  const isUnchanged = info.evolution === 0n && !info.finalised;
  const reported: ReportedLayer[] = [];
  for (const layer of layers) {
    const spec = definition.spec.layers[layer.index] as NativeLayerSpec;
    const { inputs, units, connections, evolved } = info.layers[layer.index] as NativeNetworkInfo['layers'][number];
    const isFull = connections === inputs * units;
    const degrees = spec.kind === 'dense' || isFull ? undefined : degreesOf(layer);
    await breathe();
    const initial = degrees === undefined ? undefined : initialOf(degrees, drawn[layer.index], isUnchanged || !evolved);
    const weights = await weightHistogram(layer.weights.values);
    reported.push({ index: layer.index, spec, inputs, units, connections, evolved, degrees, initial, weights });
  }
  return { definition, info, record, layers: reported };
}

/** 784-1000-1000-10 */
export function shapeText({ spec }: Definition): string {
  return [spec.inputs, ...spec.layers.map(({ units }) => units)].join('\u2013');
}
