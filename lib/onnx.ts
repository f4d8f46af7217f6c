// A network as an ONNX model, for runtimes that know dense matrices only: every layer is a Gemm over its dense form. Internal:
// the benchmarks compare with such runtimes.
import { buildInfo } from './build_info';
import type { CsrMatrix } from './csr_matrix';
import { SetnetError } from './errors';
import type { LayerView } from './layer_view';
import type { NativeNetworkInfo, NativeRule } from './native';
import { type Network, partsOf } from './network';
import type { Deferred } from './onnx/protobuf';
import { modelMessage, type Node, type Tensor } from './onnx/schema';
import { describe, listOf, optionError, readBoolean, readOptions, typeError } from './options';
import { targetKindOf } from './rules/loss';

/** Options of {@link onnxModel}. */
export interface OnnxOptions {
  /** The model answers probabilities, as `predict` does after a fit by cross-entropy, and not the last layer's outputs. Default false. */
  readonly probabilities?: boolean;
  /**
   * The name of a second file, beside the model's, that holds the weights: for networks whose dense form is larger than
   * 2 GiB. A name, not a path. Default: the weights are in the model.
   */
  readonly externalData?: string;
}

/** The bytes of a file in pieces, which are made while they are read; may be iterated over again. */
export interface OnnxFile extends Iterable<Uint8Array> {
  readonly byteLength: number;
}

export interface OnnxModel {
  /** Input `x` [batch, inputs], output `logits` or `probabilities` [batch, outputs]; f32. */
  readonly model: OnnxFile;
  /** The file named by `externalData`; absent without that option. */
  readonly externalData?: OnnxFile;
}

/** No reader of protocol buffers takes a longer message. */
const largestModel = 2 ** 31 - 1;
/** Data in a file of their own begin at multiples of a page, so that they can be mapped. */
const pageSize = 4096;
/** Weights are made dense in blocks of rows of about so many elements. */
const blockElements = 2 ** 20;

type Attributes = Pick<Node, 'integers' | 'floats'>;

/** A graph in the making. */
class GraphWriter {
  readonly nodes: Node[] = [];
  readonly tensors: Tensor[] = [];

  /** A constant; returns its name. */
  constant(name: string, shape: readonly number[], data: Float32Array): string {
    this.tensors.push({ name, shape, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) });
    return name;
  }

  scalar(name: string, value: number): string {
    return this.constant(name, [], Float32Array.of(value));
  }

  /** An operation with one result; returns the result's name. */
  apply(output: string, operator: string, inputs: readonly string[], attributes: Attributes = {}): string {
    this.nodes.push({ operator, inputs, output, ...attributes });
    return output;
  }
}

/** A layer whose activation is to be written. `name` is the prefix of everything that belongs to it. */
interface ActivationSource {
  readonly graph: GraphWriter;
  readonly name: string;
  readonly rule: NativeRule;
  readonly layer: LayerView;
}

/**
 * The activations: each adds the nodes that compute it from the pre-activation `z` and returns the name of the result. A new
 * activation gets a line here; what it learns is read from `layer`.
 */
const activations: Readonly<Record<string, (source: ActivationSource, z: string) => string>> = {
  linear: (_, z) => z,
  relu: ({ graph, name }, z) => graph.apply(`${name}.relu`, 'Relu', [z]),
  clippedRelu: ({ graph, name, rule }, z) => {
    const limits = [graph.scalar(`${name}.min`, 0), graph.scalar(`${name}.max`, rule.parameters.max as number)];
    return graph.apply(`${name}.clipped`, 'Clip', [z, ...limits]);
  },
  leakyRelu: ({ graph, name, rule }, z) =>
    graph.apply(`${name}.leaky`, 'LeakyRelu', [z], { floats: { alpha: rule.parameters.slope as number } }),
  allRelu: ({ graph, name, rule, layer }, z) => {
    const slope = rule.parameters.slope as number;
    const alpha = layer.index % 2 === 0 ? -slope : slope;
    return graph.apply(`${name}.alternated`, 'LeakyRelu', [z], { floats: { alpha } });
  },
  sigmoid: ({ graph, name }, z) => graph.apply(`${name}.sigmoid`, 'Sigmoid', [z]),
  tanh: ({ graph, name }, z) => graph.apply(`${name}.tanh`, 'Tanh', [z]),
  // The operator Gelu is younger than our opset.
  gelu: ({ graph, name }, z) => {
    const scaled = graph.apply(`${name}.scaled`, 'Mul', [z, graph.scalar(`${name}.rootOfHalf`, Math.SQRT1_2)]);
    const erf = graph.apply(`${name}.erf`, 'Erf', [scaled]);
    const doubled = graph.apply(`${name}.doubled`, 'Add', [erf, graph.scalar(`${name}.one`, 1)]);
    const share = graph.apply(`${name}.share`, 'Mul', [doubled, graph.scalar(`${name}.half`, 0.5)]);
    return graph.apply(`${name}.gelu`, 'Mul', [z, share]);
  },
};

/** What makes probabilities of the last layer's outputs, by loss. */
const answers: Readonly<Record<string, { operator: string; integers: Record<string, number> }>> = {
  softmaxCrossEntropy: { operator: 'Softmax', integers: { axis: -1 } },
  binaryCrossEntropy: { operator: 'Sigmoid', integers: {} },
};

/** The dense form of a matrix, row-major, some rows at a time. */
function denseRows(matrix: CsrMatrix): Deferred {
  const { rows, columns } = matrix;
  const rowsAtOnce = Math.max(1, Math.floor(blockElements / columns));
  return {
    byteLength: 4 * rows * columns,
    *pieces() {
      const { rowPointers, columnIndices, values } = matrix;
      for (let first = 0; first < rows; first += rowsAtOnce) {
        const end = Math.min(rows, first + rowsAtOnce);
        const block = new Float32Array((end - first) * columns);
        for (let row = first; row < end; row++) {
          for (let k = rowPointers[row] as number; k < (rowPointers[row + 1] as number); k++)
            block[(row - first) * columns + (columnIndices[k] as number)] = values[k] as number;
        }
        yield new Uint8Array(block.buffer);
      }
    },
  };
}

function readExternalData(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const where = 'onnxModel: externalData';
  if (typeof value !== 'string') throw typeError(`${where} must be the name of a file, not ${describe(value)}`);
  if (!/^[^/\\\0]+$/.test(value) || value === '.' || value === '..')
    throw optionError(`${where} must be the name of a file beside the model's, not ${describe(value)}`);
  return value;
}

/** x' = (x - mean) * scale; what is missing becomes 0. */
function writeScaling(graph: GraphWriter, { scaling }: NativeNetworkInfo, x: string): string {
  if (scaling.kind !== 'none' && !scaling.known) {
    throw new SetnetError(
      'ERR_SETNET_STATE',
      `onnxModel: the network's scaling ('${scaling.kind}') is not known yet; fit learns it`,
    );
  }
  let scaled = x;
  if (scaling.kind !== 'none') {
    const mean = graph.constant('scaling.mean', [scaling.mean.length], scaling.mean);
    const scale = graph.constant('scaling.scale', [scaling.scale.length], scaling.scale);
    scaled = graph.apply('scaling.scaled', 'Mul', [graph.apply('scaling.centred', 'Sub', [x, mean]), scale]);
  }
  if (scaling.missing === undefined) return scaled;
  const isMissing = Number.isNaN(scaling.missing)
    ? graph.apply('scaling.isMissing', 'IsNaN', [x])
    : graph.apply('scaling.isMissing', 'Equal', [x, graph.scalar('scaling.missing', scaling.missing)]);
  return graph.apply('scaling.known', 'Where', [isMissing, graph.scalar('scaling.zero', 0), scaled]);
}

function writeLayer(graph: GraphWriter, layer: LayerView, rule: NativeRule, x: string): string {
  const name = `layers.${layer.index}`;
  const { weights, bias } = layer;
  graph.tensors.push({
    name: `${name}.weights`,
    shape: [weights.rows, weights.columns],
    data: denseRows(weights),
  });
  const inputs = [x, `${name}.weights`];
  if (bias !== null) inputs.push(graph.constant(`${name}.bias`, [bias.length], bias));
  const z = graph.apply(`${name}.product`, 'Gemm', inputs, { integers: { transB: 1 } });
  const write = activations[rule.name];
  if (write === undefined) {
    throw optionError(
      `onnxModel: layers[${layer.index}] has the activation '${rule.name}', which cannot be written; there is ${listOf(Object.keys(activations))}`,
    );
  }
  return write({ graph, name, rule, layer }, z);
}

function writeProbabilities(graph: GraphWriter, loss: string | null, logits: string): string {
  if (loss === null) {
    throw new SetnetError(
      'ERR_SETNET_STATE',
      'onnxModel: the network was never fitted, so that it has no loss to make probabilities; leave `probabilities` out',
    );
  }
  if (targetKindOf(loss) === 'number') {
    throw new SetnetError(
      'ERR_SETNET_STATE',
      `onnxModel: the network was fitted with '${loss}', whose answers are the outputs themselves; leave \`probabilities\` out`,
    );
  }
  const answer = answers[loss];
  if (answer === undefined) {
    throw optionError(
      `onnxModel: the probabilities of the loss '${loss}' cannot be written; there is ${listOf(Object.keys(answers))}`,
    );
  }
  return graph.apply('answer', answer.operator, [logits], { integers: answer.integers });
}

/** Moves the weights to a second file; returns what that holds. */
function moveOut(tensors: Tensor[], file: string): OnnxFile {
  const moved: { offset: number; data: Deferred }[] = [];
  let end = 0;
  tensors.forEach((tensor, index) => {
    const { data } = tensor;
    if (!('pieces' in data)) return;
    const offset = Math.ceil(end / pageSize) * pageSize;
    end = offset + data.byteLength;
    moved.push({ offset, data });
    tensors[index] = { ...tensor, external: { file, offset } };
  });
  return {
    byteLength: end,
    *[Symbol.iterator]() {
      let position = 0;
      for (const { offset, data } of moved) {
        if (offset > position) yield new Uint8Array(offset - position);
        yield* data.pieces();
        position = offset + data.byteLength;
      }
    },
  };
}

/**
 * The network's present state (while it trains: that of the last finished epoch) as an ONNX model of dense matrices: IR version
 * 8, operators of opset 17. Takes raw features in f32, scales them, and gives the numbers of `predict` up to rounding.
 *
 * Errors: `ERR_SETNET_STATE` where the network was disposed, its scaling is not known, or `probabilities` are asked of one that
 * was never fitted or was fitted with a loss that makes none; `ERR_SETNET_OPTION`, also where the model would be larger than 2 GiB; `ERR_SETNET_TYPE`;
 * `ERR_SETNET_MEMORY`.
 */
export function onnxModel(network: Network, options?: OnnxOptions): OnnxModel {
  const read = readOptions(options, 'onnxModel: options', ['probabilities', 'externalData']);
  const wantsProbabilities = readBoolean(read.probabilities ?? false, 'onnxModel: probabilities');
  const file = readExternalData(read.externalData);
  const parts = partsOf(network, 'onnxModel');
  try {
    const { definition, info, layers } = parts;
    const graph = new GraphWriter();
    const columns = { input: definition.spec.inputs, output: definition.outputs };
    let result = writeScaling(graph, info, 'x');
    layers.forEach((layer, index) => {
      const { activation } = definition.spec.layers[index] as (typeof definition.spec.layers)[number];
      result = writeLayer(graph, layer, activation, result);
    });
    if (wantsProbabilities) result = writeProbabilities(graph, info.loss, result);
    const output = wantsProbabilities ? 'probabilities' : 'logits';
    const last = graph.nodes.pop() as Node;
    graph.nodes.push({ ...last, output });

    const externalData = file === undefined ? undefined : moveOut(graph.tensors, file);
    const message = modelMessage(
      {
        nodes: graph.nodes,
        tensors: graph.tensors,
        input: { name: 'x', columns: columns.input },
        output: { name: output, columns: columns.output },
      },
      { name: 'setnet', version: buildInfo().version },
    );
    if (message.byteLength > largestModel) {
      const advice = externalData === undefined ? '; put the weights into a second file with `externalData`' : '';
      throw optionError(
        `onnxModel: the model has ${message.byteLength} bytes, but a reader takes at most ${largestModel}${advice}`,
      );
    }
    const model: OnnxFile = {
      byteLength: message.byteLength,
      [Symbol.iterator]: () => message.pieces()[Symbol.iterator](),
    };
    return externalData === undefined ? { model } : { model, externalData };
  } finally {
    parts.dispose();
  }
}
