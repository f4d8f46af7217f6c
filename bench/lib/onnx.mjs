// A network as a dense ONNX model, for the peer: per layer Gemm (weights [units, inputs] in full, transB) and Relu. Only what
// that needs of the format; weights above 1 GiB may go to a file beside the model, because one protobuf message is limited to
// 2 GiB.
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';

const opset = 17;
const floatType = 1;

/**
 * The layers of a network of relu and linear layers as [{ units, inputs, weights: Float32Array of units * inputs, bias,
 * activation }].
 */
export function denseLayers(net) {
  return net.layers.map((layer) => ({
    units: layer.units,
    inputs: layer.inputs,
    weights: layer.weights.toDense(),
    bias: layer.bias,
    activation: typeof layer.activation === 'string' ? layer.activation : layer.activation.kind,
  }));
}

/**
 * The bytes of the model; input 'x' [batch, inputs], output 'y' [batch, units]. `externalPath`: weights are written to this
 * file, which the model then names; it must stay beside the model.
 */
export function encodeOnnx(layers, { externalPath } = {}) {
  const nodes = [];
  const initializers = [];
  const external = { path: externalPath, offset: 0 };
  if (externalPath !== undefined) writeFileSync(externalPath, '');
  let input = 'x';
  for (const [i, { units, inputs, weights, bias, activation }] of layers.entries()) {
    if (activation !== 'relu' && activation !== 'linear') throw new TypeError(`no ONNX form of activation ${activation}`);
    const isLast = i === layers.length - 1;
    const sum = activation === 'linear' && isLast ? 'y' : `sum${i}`;
    initializers.push(field(5, tensor(`weights${i}`, [units, inputs], weights, external)));
    const names = [input, `weights${i}`];
    if (bias !== undefined && bias.length > 0) {
      initializers.push(field(5, tensor(`bias${i}`, [units], bias, {})));
      names.push(`bias${i}`);
    }
    nodes.push(field(1, node('Gemm', names, sum, [attribute('transB', 1)])));
    input = sum;
    if (activation === 'relu') {
      input = isLast ? 'y' : `active${i}`;
      nodes.push(field(1, node('Relu', [sum], input, [])));
    }
  }
  const graph = [
    ...nodes,
    field(2, text('setnet')),
    ...initializers,
    field(11, valueInfo('x', layers[0].inputs)),
    field(12, valueInfo('y', layers.at(-1).units)),
  ];
  return Buffer.concat([number(1, 8), field(2, text('setnet')), field(7, graph), field(8, [number(2, opset)])].flat());
}

function node(operator, inputs, output, attributes) {
  return [
    ...inputs.map((name) => field(1, text(name))),
    field(2, text(output)),
    field(4, text(operator)),
    ...attributes.map((bytes) => field(5, bytes)),
  ].flat();
}

function attribute(name, value) {
  return [...field(1, text(name)), number(3, value), number(20, 2)];
}

function tensor(name, dims, values, external) {
  const head = [...dims.map((dim) => number(1, dim)), number(2, floatType), ...field(8, text(name))];
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  if (external.path === undefined) return [...head, ...field(9, [bytes])];
  writeFileSync(external.path, bytes, { flag: 'a' });
  const entry = (key, value) => field(13, [...field(1, text(key)), ...field(2, text(String(value)))]);
  const place = [entry('location', basename(external.path)), entry('offset', external.offset)];
  place.push(entry('length', bytes.length));
  external.offset += bytes.length;
  return [...head, ...place.flat(), number(14, 1)];
}

function valueInfo(name, width) {
  const dims = [field(1, field(2, text('batch'))), field(1, [number(1, width)])].flat();
  const type = field(1, [number(1, floatType), ...field(2, dims)]);
  return [...field(1, text(name)), ...field(2, type)];
}

// Protobuf: a field is its number and type, then a varint or a length and bytes. Contents are lists of buffers, so that
// weights are copied once.
function field(tag, content) {
  const flat = content.flat(Number.POSITIVE_INFINITY);
  const length = flat.reduce((sum, bytes) => sum + bytes.length, 0);
  return [varint(tag * 8 + 2), varint(length), ...flat];
}

function number(tag, value) {
  return Buffer.concat([varint(tag * 8), varint(value)]);
}

function text(value) {
  return [Buffer.from(value)];
}

function varint(value) {
  const bytes = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}
