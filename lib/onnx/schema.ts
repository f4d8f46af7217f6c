// The messages of ONNX (onnx.proto3) that a network needs, with their field numbers.
import { type Deferred, Message } from './protobuf';

/** Old enough for every runtime in use, and young enough for every operator written here. */
const irVersion = 8;
const opset = 17;

const float32 = 1;
const floatAttribute = 1;
const integerAttribute = 2;
const isExternal = 1;

/** A constant of the graph, f32. */
export interface Tensor {
  readonly name: string;
  /** Empty for a scalar. */
  readonly shape: readonly number[];
  /** Little-endian, row-major. */
  readonly data: Uint8Array | Deferred;
  /** Where the data lie in another file; they are not written into the model then. */
  readonly external?: { readonly file: string; readonly offset: number };
}

export interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly integers?: Readonly<Record<string, number>>;
  readonly floats?: Readonly<Record<string, number>>;
}

/** An input or output of the graph: rows of a batch of any size. */
export interface Port {
  readonly name: string;
  readonly columns: number;
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly tensors: readonly Tensor[];
  readonly input: Port;
  readonly output: Port;
}

function tensorMessage({ name, shape, data, external }: Tensor): Message {
  const message = new Message();
  for (const extent of shape) message.integer(1, extent);
  message.integer(2, float32).string(8, name);
  if (external === undefined) return message.bytes(9, data);
  const entries = { location: external.file, offset: String(external.offset), length: String(data.byteLength) };
  for (const [key, value] of Object.entries(entries)) message.bytes(13, new Message().string(1, key).string(2, value));
  return message.integer(14, isExternal);
}

function nodeMessage({ operator, inputs, output, integers = {}, floats = {} }: Node): Message {
  const message = new Message();
  for (const input of inputs) message.string(1, input);
  message.string(2, output).string(3, output).string(4, operator);
  for (const [name, value] of Object.entries(integers))
    message.bytes(5, new Message().string(1, name).integer(3, value).integer(20, integerAttribute));
  for (const [name, value] of Object.entries(floats))
    message.bytes(5, new Message().string(1, name).float(2, value).integer(20, floatAttribute));
  return message;
}

function portMessage({ name, columns }: Port): Message {
  const shape = new Message().bytes(1, new Message().string(2, 'batch')).bytes(1, new Message().integer(1, columns));
  const type = new Message().bytes(1, new Message().integer(1, float32).bytes(2, shape));
  return new Message().string(1, name).bytes(2, type);
}

export function modelMessage(graph: Graph, producer: { name: string; version: string }): Message {
  const message = new Message();
  for (const node of graph.nodes) message.bytes(1, nodeMessage(node));
  message.string(2, producer.name);
  for (const tensor of graph.tensors) message.bytes(5, tensorMessage(tensor));
  message.bytes(11, portMessage(graph.input)).bytes(12, portMessage(graph.output));
  return new Message()
    .integer(1, irVersion)
    .string(2, producer.name)
    .string(3, producer.version)
    .bytes(7, message)
    .bytes(8, new Message().string(1, '').integer(2, opset));
}
