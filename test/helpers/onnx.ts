// Reads ONNX models and computes them, independently of what writes them: a decoder of protocol buffers, the field numbers
// of onnx.proto3, and each operator in double, as its specification says.
import { strict as assert } from 'node:assert';

interface Field {
  number: number;
  value: bigint | Uint8Array;
}

function fieldsOf(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      assert.ok(at < bytes.length && shift < 70n, 'a varint ends within its message');
      const byte = bytes[at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = tag >>> 3;
    assert.ok(number > 0);
    if ((tag & 7) === 0) {
      fields.push({ number, value: varint() });
    } else if ((tag & 7) === 5) {
      assert.ok(at + 4 <= bytes.length, 'a field ends within its message');
      fields.push({ number, value: bytes.subarray(at, at + 4) });
      at += 4;
    } else {
      assert.equal(tag & 7, 2, 'varints, floats and lengths are all that is used here');
      const length = Number(varint());
      assert.ok(at + length <= bytes.length, 'a field ends within its message');
      fields.push({ number, value: bytes.subarray(at, at + length) });
      at += length;
    }
  }
  return fields;
}

class Fields {
  readonly #fields: Field[];

  constructor(bytes: Uint8Array, known: number[]) {
    this.#fields = fieldsOf(bytes);
    for (const { number } of this.#fields) assert.ok(known.includes(number), `field ${number} is not expected`);
  }

  bytes(number: number): Uint8Array[] {
    return this.#fields.filter((field) => field.number === number).map(({ value }) => value as Uint8Array);
  }

  strings(number: number): string[] {
    return this.bytes(number).map((bytes) => Buffer.from(bytes).toString('utf8'));
  }

  string(number: number): string {
    const [text = '', ...more] = this.strings(number);
    assert.deepEqual(more, []);
    return text;
  }

  integers(number: number): number[] {
    return this.#fields
      .filter((field) => field.number === number)
      .map(({ value }) => Number(BigInt.asIntN(64, value as bigint)));
  }

  message(number: number, known: number[]): Fields {
    const [bytes, ...more] = this.bytes(number);
    assert.ok(bytes !== undefined && more.length === 0, `there is exactly one field ${number}`);
    return new Fields(bytes, known);
  }
}

export interface Values {
  shape: number[];
  data: Float64Array;
}

export interface ReadModel {
  irVersion: number;
  opset: number;
  nodes: { operator: string; inputs: string[]; outputs: string[]; attributes: Map<string, number> }[];
  tensors: Map<string, Values>;
  /** Where tensors lie in the second file. */
  external: { name: string; file: string; offset: number; length: number }[];
  input: { name: string; batch: string; columns: number };
  output: { name: string; batch: string; columns: number };
}

function product(shape: number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

function readPort(bytes: Uint8Array): ReadModel['input'] {
  const port = new Fields(bytes, [1, 2]);
  const tensor = port.message(2, [1]).message(1, [1, 2]);
  assert.deepEqual(tensor.integers(1), [1], 'float');
  const [batch, columns, ...more] = tensor
    .message(2, [1])
    .bytes(1)
    .map((dimension) => new Fields(dimension, [1, 2]));
  assert.equal(more.length, 0);
  return { name: port.string(1), batch: batch?.string(2) as string, columns: columns?.integers(1)[0] as number };
}

export function readOnnx(bytes: Uint8Array, second?: Uint8Array): ReadModel {
  const model = new Fields(bytes, [1, 2, 3, 7, 8]);
  const opset = model.message(8, [1, 2]);
  assert.equal(opset.string(1), '');
  const graph = model.message(7, [1, 2, 5, 11, 12]);
  const tensors: ReadModel['tensors'] = new Map();
  const external: ReadModel['external'] = [];
  for (const each of graph.bytes(5)) {
    const tensor = new Fields(each, [1, 2, 8, 9, 13, 14]);
    const name = tensor.string(8);
    assert.ok(name !== '' && !tensors.has(name), `${name} is there once`);
    assert.deepEqual(tensor.integers(2), [1], 'float');
    const shape = tensor.integers(1);
    let [raw] = tensor.bytes(9);
    if (tensor.integers(14)[0] === 1) {
      assert.equal(raw, undefined);
      const entries = new Map(
        tensor.bytes(13).map((entry) => {
          const pair = new Fields(entry, [1, 2]);
          return [pair.string(1), pair.string(2)];
        }),
      );
      const [offset, length] = [Number(entries.get('offset')), Number(entries.get('length'))];
      external.push({ name, file: entries.get('location') as string, offset, length });
      assert.ok(second !== undefined && offset + length <= second.length, `${name} lies within the second file`);
      raw = second.subarray(offset, offset + length);
    }
    assert.equal(raw?.length, 4 * product(shape), `${name} has a number for every cell`);
    const view = new DataView((raw as Uint8Array).buffer, raw?.byteOffset, raw?.byteLength);
    const data = Float64Array.from({ length: product(shape) }, (_, i) => view.getFloat32(4 * i, true));
    tensors.set(name, { shape, data });
  }
  const [input, ...moreInputs] = graph.bytes(11);
  const [output, ...moreOutputs] = graph.bytes(12);
  assert.deepEqual([moreInputs, moreOutputs], [[], []]);
  return {
    irVersion: model.integers(1)[0] as number,
    opset: opset.integers(2)[0] as number,
    nodes: graph.bytes(1).map((each) => {
      const node = new Fields(each, [1, 2, 3, 4, 5]);
      const attributes = node.bytes(5).map((bytes) => {
        const attribute = new Fields(bytes, [1, 2, 3, 20]);
        const [float] = attribute.bytes(2);
        assert.deepEqual(attribute.integers(20), [float === undefined ? 2 : 1], 'an attribute of type INT or FLOAT');
        const value =
          float === undefined
            ? (attribute.integers(3)[0] as number)
            : new DataView(float.buffer, float.byteOffset, float.byteLength).getFloat32(0, true);
        return [attribute.string(1), value] as const;
      });
      return {
        operator: node.string(4),
        inputs: node.strings(1),
        outputs: node.strings(2),
        attributes: new Map(attributes),
      };
    }),
    tensors,
    external,
    input: readPort(input as Uint8Array),
    output: readPort(output as Uint8Array),
  };
}

/** One operand's element for position `i` of a [rows, columns] result: scalars and rows are repeated. */
function at(operand: Values, i: number, columns: number): number {
  const count = operand.data.length;
  return operand.data[count === 1 ? 0 : count === columns ? i % columns : i] as number;
}

function gemm(inputs: Values[], attributes: Map<string, number>): Values {
  const [a, b, c] = inputs as [Values, Values, Values | undefined];
  assert.deepEqual([...attributes], [['transB', 1]]);
  const [rows, inner] = a.shape as [number, number];
  const units = b.shape[0] as number;
  assert.equal(b.shape[1], inner);
  const data = new Float64Array(rows * units);
  for (let row = 0; row < rows; row++) {
    for (let unit = 0; unit < units; unit++) {
      let sum = c === undefined ? 0 : at(c, unit, units);
      for (let k = 0; k < inner; k++) sum += (a.data[row * inner + k] as number) * (b.data[unit * inner + k] as number);
      data[row * units + unit] = sum;
    }
  }
  return { shape: [rows, units], data };
}

function softmax(x: Values, attributes: Map<string, number>): Values {
  assert.equal(attributes.get('axis'), -1);
  const columns = x.shape.at(-1) as number;
  const data = new Float64Array(x.data.length);
  for (let start = 0; start < data.length; start += columns) {
    const row = x.data.subarray(start, start + columns);
    const most = Math.max(...row);
    const sum = row.reduce((total, z) => total + Math.exp(z - most), 0);
    row.forEach((z, i) => {
      data[start + i] = Math.exp(z - most) / sum;
    });
  }
  return { shape: x.shape, data };
}

/** By its series, which has no subtractions: e^(-x^2) * 2 / sqrt(pi) * (x + 2 x^3 / 3 + 4 x^5 / 15 + ...). */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let k = 3; k < 300; k += 2) {
    term *= (2 * x * x) / k;
    sum += term;
  }
  return (sum * Math.exp(-x * x) * 2) / Math.sqrt(Math.PI);
}

/** Functions of single elements, operands repeated as needed. */
const elementwise: Record<string, (...operands: number[]) => number> = {
  Add: (a, b) => (a as number) + (b as number),
  Sigmoid: (z) => 1 / (1 + Math.exp(-(z as number))),
  Tanh: (z) => Math.tanh(z as number),
  Erf: (z) => erf(z as number),
  Sub: (a, b) => (a as number) - (b as number),
  Mul: (a, b) => (a as number) * (b as number),
  Relu: (z) => Math.max(0, z as number),
  Clip: (z, low, high) => Math.min(Math.max(z as number, low as number), high as number),
  IsNaN: (x) => Number(Number.isNaN(x)),
  Equal: (a, b) => Number(a === b),
  Where: (condition, yes, no) => (condition ? yes : no) as number,
};

/** The output of the graph for rows of features. */
export function computeOnnx(model: ReadModel, x: Float32Array): Values {
  const rows = x.length / model.input.columns;
  const values = new Map(model.tensors);
  values.set(model.input.name, { shape: [rows, model.input.columns], data: Float64Array.from(x) });
  for (const { operator, inputs, outputs, attributes } of model.nodes) {
    const operands = inputs.map((name) => {
      const value = values.get(name);
      assert.ok(value !== undefined, `${name} is there before ${operator} wants it`);
      return value;
    });
    let result: Values;
    if (operator === 'Gemm') result = gemm(operands, attributes);
    else if (operator === 'Softmax') result = softmax(operands[0] as Values, attributes);
    else if (operator === 'LeakyRelu') {
      assert.deepEqual([...attributes.keys()], ['alpha']);
      const { shape, data } = operands[0] as Values;
      result = { shape, data: data.map((z) => (z < 0 ? (attributes.get('alpha') as number) * z : z)) };
    } else {
      const compute = elementwise[operator];
      assert.ok(compute !== undefined, `${operator} is known`);
      const [{ shape }] = operands.filter((operand) => operand.shape.length === 2) as [Values];
      const columns = shape[1] as number;
      const data = Float64Array.from({ length: product(shape) }, (_, i) =>
        compute(...operands.map((operand) => at(operand, i, columns))),
      );
      result = { shape, data };
    }
    const [output, ...more] = outputs;
    assert.ok(output !== undefined && more.length === 0 && !values.has(output), `${output} is computed once`);
    values.set(output, result);
  }
  return values.get(model.output.name) as Values;
}
