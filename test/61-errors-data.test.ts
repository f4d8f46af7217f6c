import { strict as assert } from 'node:assert';
import type { SetnetErrorCode } from '../lib/index';
import { type Anything, blobs, digestOf, rejectsCode, smallNetwork, throwsCode } from './helpers/helpers';

const data = blobs(100, 10, 4, 1);

function resizable(length: number): Float32Array {
  const Resizable = ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => ArrayBuffer;
  return new Float32Array(new Resizable(4 * length, { maxByteLength: 8 * length }), 0, length);
}

function growable(length: number): Float32Array {
  const Growable = SharedArrayBuffer as unknown as new (
    length: number,
    options: { maxByteLength: number },
  ) => SharedArrayBuffer;
  return new Float32Array(new Growable(4 * length, { maxByteLength: 8 * length }));
}

function detached(length: number): Float32Array {
  const array = new Float32Array(length);
  structuredClone(array, { transfer: [array.buffer] });
  return array;
}

describe('61 errors of data', () => {
  describe('data', () => {
    const net = smallNetwork(10, 4, { classes: ['cat', 'dog', 'cow', 'hen'] });
    const before = digestOf(net);
    const fitOf = (x: Anything, y: Anything) => () => net.fit({ x, y }, { epochs: 1 });
    const y = data.y;
    // biome-ignore format: one case per line
    const cases: [string, () => unknown, SetnetErrorCode, RegExp][] = [
      ['no data', () => (net.fit as Anything)(), 'ERR_SETNET_TYPE', /data must be \{ x, y \}, not undefined/],
      ['x alone', () => (net.fit as Anything)(data.x), 'ERR_SETNET_TYPE', /fit: data must be \{ x, y \}, not a Float32Array of length 1000/],
      ['no y', () => net.fit({ x: data.x } as Anything), 'ERR_SETNET_TYPE', /data\.y is missing: a class number or a class name for each of the 100 samples/],
      ['a stream as validation', () => net.fit(data, { validation: { batches: () => [] } as Anything }), 'ERR_SETNET_OPTION', /unknown option "batches"\. There are: x, y/],
      ['a length that does not fit', fitOf(new Float32Array(1001), y), 'ERR_SETNET_SHAPE', /data\.x has 1001 elements.*10 inputs/],
      ['columns that do not fit', fitOf({ data: data.x, shape: [50, 20] }, y), 'ERR_SETNET_SHAPE', /says 20 columns, but the network has 10 inputs/],
      ['a shape that does not fit', fitOf({ data: data.x, shape: [99, 10] }, y), 'ERR_SETNET_SHAPE', /has 1000 elements, but its shape \[99, 10\] says 990/],
      ['a shape of one number', fitOf({ data: data.x, shape: [100] }, y), 'ERR_SETNET_TYPE', /shape must be \[rows, columns\]/],
      ['a plain array', fitOf([1, 2, 3], y), 'ERR_SETNET_TYPE', /data\.x must be a Float32Array.*not an array of length 3/],
      ['another element type', fitOf(new Int32Array(1000), y), 'ERR_SETNET_TYPE', /not an Int32Array/],
      ['a promise', fitOf(Promise.resolve(data.x), y), 'ERR_SETNET_TYPE', /await/],
      ['no samples', fitOf(new Float32Array(0), []), 'ERR_SETNET_DATA', /data\.x has no samples/],
      ['too few labels', fitOf(data.x, y.subarray(1)), 'ERR_SETNET_SHAPE', /has 99 labels, but there are 100 samples/],
      ['a label too large', fitOf(data.x, y.map((label, i) => (i === 7 ? 4 : label)), ), 'ERR_SETNET_DATA', /data\.y\[7\] must be a class number from 0 to 3.*not 4/],
      ['a label below 0', fitOf(data.x, Array.from(y, (label, i) => (i === 3 ? -1 : label)), ), 'ERR_SETNET_DATA', /data\.y\[3\].*not -1/],
      ['a fraction', fitOf(data.x, Array.from(y, (label, i) => (i === 3 ? 0.5 : label)), ), 'ERR_SETNET_DATA', /data\.y\[3\].*not 0\.5/],
      ['floats as labels', fitOf(data.x, new Float32Array(100)), 'ERR_SETNET_TYPE', /not a Float32Array/],
      ['an unknown class name', fitOf(data.x, Array.from(y, (_, i) => (i === 5 ? 'cst' : 'cat')), ), 'ERR_SETNET_DATA', /data\.y\[5\]: there is no class "cst"\. Did you mean 'cat'\?/],
      ['names and numbers', fitOf(data.x, Array.from(y, (_, i) => (i === 5 ? 1 : 'cat')), ), 'ERR_SETNET_TYPE', /data\.y\[5\] must be a class name, not 1/],
      ['numbers and names', fitOf(data.x, Array.from(y, (_, i) => (i === 5 ? 'cat' : 1)), ), 'ERR_SETNET_TYPE', /data\.y\[5\] must be a class number, not "cat"/],
      ['a resizable buffer', fitOf(resizable(1000), y), 'ERR_SETNET_BUFFER', /data\.x lies in a resizable ArrayBuffer/],
      ['a growable shared buffer', fitOf(growable(1000), y), 'ERR_SETNET_BUFFER', /growable SharedArrayBuffer/],
      ['a detached buffer', fitOf(detached(1000), y), 'ERR_SETNET_BUFFER', /data\.x is detached/],
    ];
    for (const [name, call, code, pattern] of cases) it(name, () => throwsCode(call, code, pattern));

    it('detached labels', () => {
      const labels = data.y.slice();
      structuredClone(labels, { transfer: [labels.buffer] });
      throwsCode(fitOf(data.x, labels), 'ERR_SETNET_BUFFER', /data\.y is detached/);
    });

    it('names where the network has none', () => {
      throwsCode(
        () => smallNetwork(10, 4).fit({ x: data.x, y: new Array(100).fill('cat') }),
        'ERR_SETNET_DATA',
        /created without `classes`/,
      );
    });

    it('a refused fit changes nothing, and its buffer can still be transferred', async () => {
      const x = new Float32Array(1001);
      throwsCode(fitOf(x, y), 'ERR_SETNET_SHAPE', /./);
      structuredClone(x, { transfer: [x.buffer] });
      assert.equal(x.length, 0);
      assert.equal(net.isFitting, false);
      assert.equal(digestOf(net), before);
      await net.clone().fit(data, { epochs: 1 }).done;
    });

    it('evaluate and validation check as fit does', async () => {
      await rejectsCode(net.evaluate({ x: new Float32Array(11), y: [] }), 'ERR_SETNET_SHAPE', /evaluate: data\.x/);
      throwsCode(
        () => net.fit(data, { validation: { x: data.x, y: [9] } }),
        'ERR_SETNET_SHAPE',
        /fit: validation\.y has 1 labels/,
      );
      await rejectsCode((net.evaluate as Anything)(data, { copi: true }), 'ERR_SETNET_OPTION', /Did you mean 'copy'/);
    });

    it('a feature that is not finite', async () => {
      const x = data.x.slice();
      x[23] = Number.POSITIVE_INFINITY;
      throwsCode(() => net.predictSync(x), 'ERR_SETNET_NONFINITE', /row 2.*column 3/);
      await rejectsCode(net.predict(x), 'ERR_SETNET_NONFINITE', /row 2.*column 3/);
      await rejectsCode(net.evaluate({ x, y }), 'ERR_SETNET_NONFINITE', /row 2.*column 3/);
      net.predictSync(data.x);
    });
  });

  describe('predict', () => {
    const net = smallNetwork(10, 4);
    const x = data.x.subarray(0, 20);
    const predict =
      (...args: Anything[]) =>
      () =>
        (net.predictSync as Anything)(...args);
    // biome-ignore format: one case per line
    const cases: [string, () => unknown, SetnetErrorCode, RegExp][] = [
      ['out too short', predict(x, new Float32Array(7)), 'ERR_SETNET_SHAPE', /out has 7 elements, but the answer has 8/],
      ['out too long', predict(x, new Float32Array(9)), 'ERR_SETNET_SHAPE', /out has 9/],
      ['out of another type', predict(x, new Float64Array(8)), 'ERR_SETNET_TYPE', /out must be a Float32Array, not a Float64Array/],
      ['out for classes', predict(x, new Float32Array(8), { output: 'classes' }), 'ERR_SETNET_TYPE', /out must be an Int32Array, not a Float32Array/],
      ['out that overlaps', predict(x, data.x.subarray(10, 18)), 'ERR_SETNET_BUFFER', /overlap/],
      ['out that is resizable', predict(x, resizable(8)), 'ERR_SETNET_BUFFER', /out lies in a resizable/],
      ['an unknown output', predict(x, { output: 'softmax' }), 'ERR_SETNET_OPTION', /output: there is no "softmax"/],
      ['an unknown option', predict(x, undefined, { outputs: 'logits' }), 'ERR_SETNET_OPTION', /Did you mean 'output'/],
      ['probabilities of a network never fitted', predict(x, { output: 'probabilities' }), 'ERR_SETNET_STATE', /never fitted/],
      ['no x', predict(), 'ERR_SETNET_TYPE', /x must be a Float32Array/],
    ];
    for (const [name, call, code, pattern] of cases) it(name, () => throwsCode(call, code, pattern));
  });
});
