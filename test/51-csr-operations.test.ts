import { strict as assert } from 'node:assert';
import { totalmem } from 'node:os';
import fc from 'fast-check';
import { CsrMatrix, Network, SetnetError, sparse } from '../lib/index';
import {
  type Anything,
  assertSameBits,
  randomFeatures,
  randomSource,
  rejectsCode,
  runChildJson,
  throwsCode,
} from './helpers/helpers';

/** Each cell is there with the probability `density`. */
function randomMatrix(rows: number, columns: number, density: number, seed: number): CsrMatrix {
  const random = randomSource(seed);
  const data = Float32Array.from({ length: rows * columns }, () => (random() < density ? random() * 2 - 1 : 0));
  return CsrMatrix.fromDense(data, { rows, columns });
}

/** Any shape, 0 x n, n x 0, empty rows and full matrices among them, and a batch of any size. */
const cases = fc.record({
  rows: fc.integer({ min: 0, max: 40 }),
  columns: fc.integer({ min: 0, max: 40 }),
  batch: fc.integer({ min: 0, max: 70 }),
  density: fc.constantFrom(0, 0.03, 0.2, 0.7, 1),
  seed: fc.nat(),
});

/** In double: row b of the result is A x[b]. */
function multiplyPlainly(dense: Float32Array, rows: number, columns: number, x: Float32Array, batch: number): number[] {
  const out: number[] = [];
  for (let b = 0; b < batch; b++) {
    for (let r = 0; r < rows; r++) {
      let sum = 0;
      for (let c = 0; c < columns; c++) sum += (dense[r * columns + c] as number) * (x[b * columns + c] as number);
      out.push(sum);
    }
  }
  return out;
}

function assertNear(actual: Float32Array, expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    assert.ok(Math.abs((actual[i] as number) - (expected[i] as number)) < 1e-4, `${i}: ${actual[i]}, ${expected[i]}`);
  }
}

function transposed(dense: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(
    { length: rows * columns },
    (_, i) => dense[(i % rows) * columns + Math.floor(i / rows)] ?? 0,
  );
}

const small = CsrMatrix.from({
  rows: 2,
  columns: 3,
  rowPointers: [0, 2, 3],
  columnIndices: [0, 2, 1],
  values: [1, 2, 3],
});
const nan = Number.NaN;

describe('51 CsrMatrix operations', () => {
  describe('multiply and transposeMultiply', () => {
    it('are what a plain double loop gives, for every shape and batch; sync and async have the same bits', async () => {
      await fc.assert(
        fc.asyncProperty(cases, async ({ rows, columns, batch, density, seed }) => {
          const m = randomMatrix(rows, columns, density, seed);
          const dense = m.toDense();
          const x = { data: randomFeatures(batch, columns, seed + 1), shape: [batch, columns] as const };
          const y = { data: randomFeatures(batch, rows, seed + 2), shape: [batch, rows] as const };
          const out = new Float32Array(batch * rows).fill(9);
          assert.equal(m.multiplySync(x, out), out);
          assertNear(out, multiplyPlainly(dense, rows, columns, x.data, batch));
          assertSameBits(await m.multiply(x), out);
          const back = m.transposeMultiplySync(y);
          assertNear(back, multiplyPlainly(transposed(dense, rows, columns), columns, rows, y.data, batch));
          assertSameBits(await m.transposeMultiply(y), back);
          assertSameBits(m.transposeMultiplySync(y, new Float32Array(batch * columns).fill(9)), back);
          assertSameBits(m.transpose().multiplySync(y), back);
        }),
        { numRuns: 100 },
      );
    });

    it('have the bits of a sparse linear layer without bias, for any density and batch', () => {
      for (const [rows, columns, density] of [
        [30, 50, 0.1],
        [200, 900, 0.02],
        [16, 16, 1],
        [1, 70, 0.5],
      ] as const) {
        const m = randomMatrix(rows, columns, density, rows);
        const layers = [sparse({ weights: m, activation: 'linear', bias: false })];
        const net = Network.createSync({ inputs: columns, layers, seed: 1 });
        for (const batch of [1, 2, 16, 17, 100]) {
          const x = randomFeatures(batch, columns, batch);
          assertSameBits(m.multiplySync(x), net.predictSync(x, undefined, { output: 'logits' }));
        }
        net.dispose();
      }
    });

    it('take every kind of array that predict takes', () => {
      const numbers = [3, 0, 1, 2, 5, 4];
      for (const Type of [Float32Array, Float64Array, Uint8Array, Int8Array, Uint16Array, Int16Array]) {
        assert.deepEqual(small.multiplySync(Type.from(numbers)), Float32Array.of(5, 0, 10, 15));
        assert.deepEqual(small.transposeMultiplySync(Type.from([1, 2])), Float32Array.of(1, 6, 2));
      }
      const shared = new Float32Array(new SharedArrayBuffer(12));
      shared.set([1, 1, 1]);
      assert.deepEqual(small.multiplySync(shared), Float32Array.of(3, 3));
    });

    it('give the same bits with 1, 2 and 3 threads, also of one matrix that many calls use at once', async () => {
      const script = `
        const { CsrMatrix } = setnet;
        const rows = 500, columns = 700, batch = 90;
        const random = helpers.randomSource(3);
        const dense = Float32Array.from({ length: rows * columns }, () => random() < 0.1 ? random() - 0.5 : 0);
        const m = CsrMatrix.fromDense(dense, { rows, columns });
        const x = helpers.randomFeatures(batch, columns, 1), y = helpers.randomFeatures(batch, rows, 2);
        const digest = (array) => require('node:crypto').createHash('sha256').update(array).digest('hex');
        (async () => {
          const calls = [];
          for (let i = 0; i < 6; i++) calls.push(m.multiply(x), m.transposeMultiply(y), m.sampledProduct(y, x));
          const sync = [m.multiplySync(x), m.transposeMultiplySync(y), m.sampledProductSync(y, x)];
          const digests = [...await Promise.all(calls), ...sync].map((result, i) => digest(i % 3 === 2 ? result.values : result));
          console.log(JSON.stringify([...new Set(digests)]));
        })();`;
      const results: string[][] = [];
      for (const SETNET_THREADS of ['1', '2', '3'])
        results.push(await runChildJson(script, { env: { SETNET_THREADS } }));
      assert.equal(results[0]?.length, 3);
      assert.deepEqual(results[1], results[0]);
      assert.deepEqual(results[2], results[0]);
    }).timeout(60_000);

    it('copy x before they return, and do not compute on the event loop', async () => {
      const m = randomMatrix(300, 400, 0.1, 5);
      const x = randomFeatures(50, 400, 6);
      const expected = m.multiplySync(x);
      const answer = m.multiply(x);
      x.fill(0);
      let settled = false;
      void answer.then(() => {
        settled = true;
      });
      await Promise.resolve();
      assert.equal(settled, false);
      assertSameBits(await answer, expected);
    });

    it('do nothing with a batch of no rows, and answer zeros where there is nothing to add', async () => {
      assert.deepEqual(small.multiplySync(new Float32Array(0)), new Float32Array(0));
      assert.deepEqual(await small.transposeMultiply(new Uint8Array(0)), new Float32Array(0));
      const empty = CsrMatrix.from({ rows: 2, columns: 0, rowPointers: [0, 0, 0], columnIndices: [], values: [] });
      const x = { data: new Float32Array(0), shape: [3, 0] as const };
      assert.deepEqual(empty.multiplySync(x, new Float32Array(6).fill(4)), new Float32Array(6));
      assert.deepEqual(await empty.multiply(x), new Float32Array(6));
      assert.deepEqual(empty.multiplySync(new Float32Array(0)), new Float32Array(0));
      assert.deepEqual(empty.transposeMultiplySync(new Float32Array(4)), new Float32Array(0));
    });

    it('refuse what does not fit, with a message that says what would', async () => {
      const { multiplySync, multiply } = {
        multiplySync: (...args: unknown[]) => (small.multiplySync as Anything).apply(small, args),
        multiply: (...args: unknown[]) => (small.multiply as Anything).apply(small, args),
      };
      const wrong: [unknown, string, RegExp][] = [
        [[1, 2, 3], 'TYPE', /x must be a Float32Array.*not an array of length 3/],
        [undefined, 'TYPE', /x must be .*not undefined/],
        [new Int32Array(3), 'TYPE', /not an Int32Array of length 3/],
        [new BigInt64Array(3), 'TYPE', /not a BigInt64Array/],
        [new Float32Array(4), 'SHAPE', /4 elements.*no multiple of the matrix's 3 columns/],
        [{ data: new Float32Array(4), shape: [2, 2] }, 'SHAPE', /shape says 2 columns.* the matrix has 3 columns/],
        [{ data: new Float32Array(4), shape: [2, 3] }, 'SHAPE', /4 elements.*\[2, 3\] says 6/],
        [{ data: [1, 2, 3], shape: [1, 3] }, 'TYPE', /x\.data must be/],
        [{ data: new Float32Array(3), shape: 3 }, 'TYPE', /x\.shape must be \[rows, columns\]/],
        [{ data: new Float32Array(3), shapes: [1, 3] }, 'OPTION', /Did you mean 'shape'/],
        [Float32Array.of(0, 0, 0, 1, nan, 1), 'NONFINITE', /row 1, column 1 is nan/i],
        [Float64Array.of(0, 1e300, 0), 'NONFINITE', /row 0, column 1/],
      ];
      for (const [x, code, pattern] of wrong) {
        throwsCode(() => multiplySync(x), `ERR_SETNET_${code}` as 'ERR_SETNET_TYPE', pattern);
        await rejectsCode(multiply(x), `ERR_SETNET_${code}` as 'ERR_SETNET_TYPE', pattern);
      }
      throwsCode(() => small.transposeMultiplySync(new Float32Array(3)), 'ERR_SETNET_SHAPE', /matrix's 2 rows/);
      const x = new Float32Array(3);
      throwsCode(() => multiplySync(x, new Float32Array(3)), 'ERR_SETNET_SHAPE', /out has 3 .*the product has 2/);
      throwsCode(() => multiplySync(x, new Float64Array(2)), 'ERR_SETNET_TYPE', /out must be a Float32Array/);
      throwsCode(() => multiplySync(x, x.subarray(1)), 'ERR_SETNET_BUFFER', /overlap/);
    });

    it('refuse memory that can go away or change its size', () => {
      const detached = new Float32Array(3);
      structuredClone(detached, { transfer: [detached.buffer] });
      throwsCode(() => small.multiplySync(detached), 'ERR_SETNET_BUFFER', /x is detached/);
      const Resizable = ArrayBuffer as new (length: number, options: object) => ArrayBuffer;
      const resizable = new Float32Array(new Resizable(12, { maxByteLength: 24 }));
      throwsCode(() => small.multiplySync(resizable), 'ERR_SETNET_BUFFER', /x lies in a resizable/);
      throwsCode(() => small.sampledProductSync(Float32Array.of(1, 2), resizable), 'ERR_SETNET_BUFFER', /b lies/);
      const out = resizable.subarray(0, 2);
      throwsCode(() => small.multiplySync(new Float32Array(3), out), 'ERR_SETNET_BUFFER', /out lies in a resizable/);
    });

    it('a transpose or a matrix of rows that no memory holds is ERR_SETNET_MEMORY', function () {
      // Where there is room for 2^32 rows they would be made.
      if (totalmem() > 60e9) this.skip();
      const columns = 2 ** 32 - 1;
      const wide = CsrMatrix.from({ rows: 1, columns, rowPointers: [0, 1], columnIndices: [7], values: [1] });
      throwsCode(() => wide.transposeMultiplySync(new Float32Array(1)), 'ERR_SETNET_MEMORY');
      throwsCode(() => wide.transpose(), 'ERR_SETNET_MEMORY', /4294967295 rows.*GB/);
      const coo = { rows: columns, columns: 1, rowIndices: [7], columnIndices: [0], values: [1] };
      throwsCode(() => CsrMatrix.fromCoo(coo), 'ERR_SETNET_MEMORY', /4294967295 rows/);
    });
  });

  describe('sampledProduct', () => {
    it('is what a plain double loop gives on the elements that are stored; sync and async have the same bits', async () => {
      await fc.assert(
        fc.asyncProperty(cases, async ({ rows, columns, batch, density, seed }) => {
          const m = randomMatrix(rows, columns, density, seed);
          const a = { data: randomFeatures(batch, rows, seed + 1), shape: [batch, rows] as const };
          const b = { data: randomFeatures(batch, columns, seed + 2), shape: [batch, columns] as const };
          const product = m.sampledProductSync(a, b);
          assert.deepEqual([product.rows, product.columns], [rows, columns]);
          assert.deepEqual(product.rowPointers, m.rowPointers);
          assert.deepEqual(product.columnIndices, m.columnIndices);
          const expected: number[] = [];
          const pointers = m.rowPointers;
          m.columnIndices.forEach((c, k) => {
            const r = pointers.findIndex((pointer) => pointer > k) - 1;
            let sum = 0;
            for (let i = 0; i < batch; i++)
              sum += (a.data[i * rows + r] as number) * (b.data[i * columns + c] as number);
            expected.push(sum);
          });
          assertNear(product.values, expected);
          assertSameBits((await m.sampledProduct(a, b)).values, product.values);
        }),
        { numRuns: 60 },
      );
    });

    it('adds sample i to chain i mod 16, and then the chains in a tree', () => {
      const m = CsrMatrix.from({ rows: 1, columns: 1, rowPointers: [0, 1], columnIndices: [0], values: [5] });
      const b = randomFeatures(50, 1, 4);
      const chains = new Float32Array(16);
      b.forEach((x, i) => {
        chains[i % 16] = (chains[i % 16] as number) + x;
      });
      for (let half = 8; half >= 1; half /= 2)
        for (let i = 0; i < half; i++) chains[i] = (chains[i] as number) + (chains[i + half] as number);
      assertSameBits(m.sampledProductSync(new Float32Array(50).fill(1), b).values, chains.subarray(0, 1));
    });

    it('refuses batches that do not fit, and sums that are not finite', async () => {
      const a = Float32Array.of(1, 2);
      const b = Float32Array.of(1, 2, 3);
      assert.deepEqual(small.sampledProductSync(a, b).values, Float32Array.of(1, 3, 4));
      const two = new Float32Array(6);
      throwsCode(() => small.sampledProductSync(a, two), 'ERR_SETNET_SHAPE', /a has 1 rows and b has 2/);
      await rejectsCode(small.sampledProduct(b, b), 'ERR_SETNET_SHAPE', /a has 3 elements.*matrix's 2 rows/);
      throwsCode(
        () => small.sampledProductSync(a, Float32Array.of(1, nan, 1)),
        'ERR_SETNET_NONFINITE',
        /^b: .*column 1/,
      );
      await rejectsCode(small.sampledProduct(Float32Array.of(nan, 1), b), 'ERR_SETNET_NONFINITE', /^a: .*column 0/);
      const huge = Float32Array.of(3e38, 1);
      throwsCode(() => small.sampledProductSync(huge, b), 'ERR_SETNET_NONFINITE', /row 0, column 2/);
      throwsCode(() => (small.sampledProductSync as Anything)(a), 'ERR_SETNET_TYPE', /b must be/);
    });
  });

  describe('fromDense, fromCoo, transpose and row', () => {
    it('fromDense keeps what is not zero, or above the tolerance; toDense gives it back', () => {
      const data = [0, 1, -0.5, 0, -0, 1e-60, 0.25, 0];
      const m = CsrMatrix.fromDense(data, { rows: 2, columns: 4 });
      assert.deepEqual([m.rowPointers, m.columnIndices], [Float64Array.of(0, 2, 3), Uint32Array.of(1, 2, 2)]);
      assert.deepEqual(m.toDense(), Float32Array.of(0, 1, -0.5, 0, 0, 0, 0.25, 0));
      const coarse = CsrMatrix.fromDense(Float64Array.from(data), { rows: 2, columns: 4, tolerance: 0.25 });
      assert.deepEqual(coarse.values, Float32Array.of(1, -0.5));
      assert.equal(CsrMatrix.fromDense([], { rows: 3, columns: 0 }).rows, 3);
    });

    it('fromDense refuses what is no matrix', () => {
      const from = (data: unknown, options: unknown) => () => (CsrMatrix.fromDense as Anything)(data, options);
      throwsCode(from([1, 2], { rows: 1, columns: 3 }), 'ERR_SETNET_SHAPE', /2 elements, but 1 rows of 3 columns/);
      throwsCode(from([1, nan], { rows: 1, columns: 2 }), 'ERR_SETNET_NONFINITE', /row 0, column 1/);
      throwsCode(from([1], { rows: 1, columns: 1, tolerance: -1 }), 'ERR_SETNET_OPTION', /tolerance/);
      throwsCode(from([1], { rows: 1, columns: 1, tolerance: nan }), 'ERR_SETNET_OPTION', /tolerance/);
      throwsCode(from([1, '2'], { rows: 2, columns: 1 }), 'ERR_SETNET_TYPE', /data\[1\] in row 1/);
      throwsCode(from('1', { rows: 1, columns: 1 }), 'ERR_SETNET_TYPE', /data/);
      throwsCode(from([1], undefined), 'ERR_SETNET_TYPE', /rows/);
      throwsCode(from([1], { rows: 1, column: 1 }), 'ERR_SETNET_OPTION', /Did you mean 'columns'/);
    });

    it('fromCoo gives the matrix whatever the order; elements of one cell are added in the order given', () => {
      const elements = fc.record({
        rows: fc.integer({ min: 1, max: 8 }),
        columns: fc.integer({ min: 1, max: 8 }),
        cells: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.float({ min: -8, max: 8, noNaN: true })), { maxLength: 60 }),
      });
      fc.assert(
        fc.property(elements, ({ rows, columns, cells }) => {
          const rowIndices = cells.map(([row]) => row % rows);
          const columnIndices = cells.map(([, column]) => column % columns);
          const sums = new Map<number, number>();
          cells.forEach(([, , value], i) => {
            const cell = (rowIndices[i] as number) * columns + (columnIndices[i] as number);
            sums.set(cell, (sums.get(cell) ?? 0) + value);
          });
          const given = { rows, columns, rowIndices, columnIndices, values: cells.map(([, , value]) => value) };
          const m = CsrMatrix.fromCoo({ ...given, duplicates: 'sum' });
          const order = [...sums.keys()].sort((x, y) => x - y);
          assert.equal(m.count, order.length);
          assert.deepEqual(
            m.columnIndices,
            Uint32Array.from(order, (cell) => cell % columns),
          );
          assert.deepEqual(
            [...m.values].map((x) => x + 0),
            [...order].map((cell) => Math.fround(sums.get(cell) as number) + 0),
          );
          if (order.length === cells.length) assert.deepEqual(CsrMatrix.fromCoo(given).values, m.values);
          else throwsCode(() => CsrMatrix.fromCoo(given), 'ERR_SETNET_DATA', /is given at positions \d+ and \d+/);
        }),
      );
    });

    it('fromCoo refuses what is no matrix', () => {
      const coo = { rows: 2, columns: 3, rowIndices: [1, 0], columnIndices: [2, 0], values: [1, 2] };
      const from = (change: object) => () => CsrMatrix.fromCoo({ ...coo, ...change } as typeof coo);
      assert.deepEqual(from({})().toDense(), Float32Array.of(2, 0, 0, 0, 0, 1));
      throwsCode(from({ values: [1] }), 'ERR_SETNET_SHAPE', /2 rowIndices, 2 columnIndices and 1 values/);
      throwsCode(from({ rowIndices: [2, 0] }), 'ERR_SETNET_DATA', /rowIndices\[0\] is 2, but the matrix has 2 rows/);
      throwsCode(from({ columnIndices: [2, 3] }), 'ERR_SETNET_DATA', /columnIndices\[1\] is 3.* 3 columns/);
      throwsCode(from({ columnIndices: [2, -1] }), 'ERR_SETNET_DATA', /columnIndices\[1\]/);
      throwsCode(from({ rowIndices: [1, 0.5] }), 'ERR_SETNET_DATA', /rowIndices\[1\]/);
      throwsCode(from({ rowIndices: '01' }), 'ERR_SETNET_TYPE', /rowIndices/);
      throwsCode(from({ values: [1, Number.POSITIVE_INFINITY] }), 'ERR_SETNET_NONFINITE', /row 0, column 0/);
      throwsCode(from({ duplicates: 'last' }), 'ERR_SETNET_OPTION', /duplicates/);
      const twice = { rowIndices: [1, 1], columnIndices: [2, 2], values: [3e38, 3e38] };
      throwsCode(from(twice), 'ERR_SETNET_DATA', /row 1, column 2 is given at positions 0 and 1/);
      throwsCode(from({ ...twice, duplicates: 'sum' }), 'ERR_SETNET_NONFINITE', /row 1, column 2/);
      throwsCode(() => (CsrMatrix.fromCoo as Anything)(), 'ERR_SETNET_TYPE', /rowIndices/);
    });

    it('transpose exchanges rows and columns, and twice is the matrix itself', () => {
      fc.assert(
        fc.property(cases, ({ rows, columns, density, seed }) => {
          const m = randomMatrix(rows, columns, density, seed);
          const t = m.transpose();
          assert.deepEqual([t.rows, t.columns, t.count], [columns, rows, m.count]);
          assert.deepEqual(t.toDense(), transposed(m.toDense(), rows, columns));
          const again = t.transpose();
          assert.deepEqual(again.columnIndices, m.columnIndices);
          assert.deepEqual(again.rowPointers, m.rowPointers);
          assert.deepEqual(again.values, m.values);
        }),
      );
    });

    it('row gives copies of one row', () => {
      assert.deepEqual(small.row(0), { columnIndices: Uint32Array.of(0, 2), values: Float32Array.of(1, 2) });
      assert.deepEqual(small.row(1), { columnIndices: Uint32Array.of(1), values: Float32Array.of(3) });
      small.row(1).values.fill(8);
      assert.deepEqual(small.row(1).values, Float32Array.of(3));
      throwsCode(() => small.row(2), 'ERR_SETNET_OPTION', /no row 2: the matrix has 2 rows/);
      throwsCode(() => small.row(-1), 'ERR_SETNET_OPTION', /index/);
      throwsCode(() => (small.row as Anything)('0'), 'ERR_SETNET_TYPE', /index/);
    });

    it('whatever is given, only SetnetErrors come out', () => {
      fc.assert(
        fc.property(fc.anything(), fc.anything(), (x, y) => {
          for (const call of [
            () => (CsrMatrix.fromDense as Anything)(x, y),
            () => (CsrMatrix.fromCoo as Anything)(x),
            () => (small.multiplySync as Anything)(x, y),
            () => (small.sampledProductSync as Anything)(x, y),
            () => (small.row as Anything)(x),
          ]) {
            try {
              call();
            } catch (error) {
              assert.ok(error instanceof SetnetError, String(error));
              assert.match(error.code, /TYPE|OPTION|DATA|SHAPE|NONFINITE/);
            }
          }
        }),
        { numRuns: 500 },
      );
    });
  });
});
