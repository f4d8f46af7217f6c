import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { CsrMatrix, SetnetError } from '../lib/index';
import { throwsCode } from './helpers/helpers';

interface Arrays {
  rows: number;
  columns: number;
  rowPointers: number[];
  columnIndices: number[];
  values: number[];
}

/** Any valid matrix, 0 x n and n x 0 and empty rows among them. */
const matrices: fc.Arbitrary<Arrays> = fc
  .tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 12 }))
  .chain(([rows, columns]) =>
    fc
      .array(fc.subarray(Array.from({ length: columns }, (_, column) => column)), { minLength: rows, maxLength: rows })
      .chain((cells) => {
        const columnIndices = cells.flat();
        const rowPointers = [0];
        for (const row of cells) rowPointers.push((rowPointers.at(-1) as number) + row.length);
        return fc
          .array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
            minLength: columnIndices.length,
            maxLength: columnIndices.length,
          })
          .map((values) => ({ rows, columns, rowPointers, columnIndices, values }));
      }),
  );

const small: Arrays = { rows: 2, columns: 3, rowPointers: [0, 2, 3], columnIndices: [0, 2, 1], values: [1, 2, 3] };

describe('50 CsrMatrix', () => {
  it('hands out what it was made of, counts and the dense form', () => {
    fc.assert(
      fc.property(matrices, (arrays) => {
        const m = CsrMatrix.from(arrays);
        assert.deepEqual([m.rows, m.columns, m.count], [arrays.rows, arrays.columns, arrays.values.length]);
        assert.deepEqual(m.rowPointers, Float64Array.from(arrays.rowPointers));
        assert.deepEqual(m.columnIndices, Uint32Array.from(arrays.columnIndices));
        assert.deepEqual(m.values, Float32Array.from(arrays.values));
        const cells = arrays.rows * arrays.columns;
        assert.equal(m.density, cells === 0 ? 0 : arrays.values.length / cells);
        const dense = new Float32Array(cells);
        const rowCounts = new Uint32Array(arrays.rows);
        const columnCounts = new Uint32Array(arrays.columns);
        for (let row = 0; row < arrays.rows; row++) {
          for (let k = arrays.rowPointers[row] as number; k < (arrays.rowPointers[row + 1] as number); k++) {
            const column = arrays.columnIndices[k] as number;
            dense[row * arrays.columns + column] = arrays.values[k] as number;
            rowCounts[row] = (rowCounts[row] as number) + 1;
            columnCounts[column] = (columnCounts[column] as number) + 1;
          }
        }
        assert.deepEqual(m.toDense(), dense);
        assert.deepEqual(m.rowCounts(), rowCounts);
        assert.deepEqual(m.columnCounts(), columnCounts);
      }),
    );
  });

  it('takes pointers and columns in any integer form, and another CsrMatrix', () => {
    const expected = CsrMatrix.from(small).toDense();
    for (const Type of [Uint8Array, Uint16Array, Uint32Array, Int8Array, Int16Array, Int32Array, Float64Array]) {
      const m = CsrMatrix.from({
        ...small,
        rowPointers: Type.from(small.rowPointers),
        columnIndices: Type.from(small.columnIndices),
      });
      assert.deepEqual(m.toDense(), expected, Type.name);
    }
    for (const Type of [BigInt64Array, BigUint64Array]) {
      const m = CsrMatrix.from({
        ...small,
        rowPointers: Type.from(small.rowPointers.map(BigInt)),
        columnIndices: Type.from(small.columnIndices.map(BigInt)),
      });
      assert.deepEqual(m.toDense(), expected, Type.name);
    }
    assert.deepEqual(CsrMatrix.from({ ...small, rowPointers: small.rowPointers.map(BigInt) }).toDense(), expected);
    assert.deepEqual(CsrMatrix.from({ ...small, values: Float64Array.of(1, 2, 3) }).toDense(), expected);
    assert.deepEqual(CsrMatrix.from(CsrMatrix.from(small)).toDense(), expected);
  });

  it('owns its memory: what is changed afterwards changes nothing', () => {
    const arrays = {
      rows: 2,
      columns: 3,
      rowPointers: Uint32Array.from(small.rowPointers),
      columnIndices: Uint32Array.from(small.columnIndices),
      values: Float32Array.from(small.values),
    };
    const m = CsrMatrix.from(arrays);
    const expected = m.toDense();
    arrays.rowPointers.fill(1000);
    arrays.columnIndices.fill(1_000_000);
    arrays.values.fill(Number.NaN);
    m.rowPointers.fill(1000);
    m.columnIndices.fill(1_000_000);
    m.values.fill(9);
    m.toDense().fill(9);
    assert.deepEqual(m.toDense(), expected);
    structuredClone(arrays.values, { transfer: [arrays.values.buffer] });
    assert.deepEqual(m.toDense(), expected);
  });

  it('refuses every damaged matrix with a code, and crashes on none', () => {
    const numbers = fc.oneof(
      fc.integer({ min: -3, max: 20 }),
      fc.double(),
      fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 53, -1, Number.NaN),
    );
    fc.assert(
      fc.property(
        matrices,
        fc.constantFrom('rowPointers', 'columnIndices', 'values' as const),
        fc.nat(),
        numbers,
        (arrays, name, at, number) => {
          const damaged = { ...arrays, [name]: [...(arrays[name as 'values'] as number[])] } as Arrays;
          const list = damaged[name as 'values'];
          if (list.length === 0) list.push(number);
          else list[at % list.length] = number;
          try {
            const m = CsrMatrix.from(damaged);
            // It was no damage then: the numbers are a valid matrix.
            assert.deepEqual(m.values.length, damaged.values.length);
            assert.ok(m.toDense().every(Number.isFinite));
          } catch (error) {
            assert.ok(error instanceof SetnetError, String(error));
            assert.match(error.code, /DATA|SHAPE|NONFINITE/);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('says what is wrong, and where', () => {
    const from = (change: object) => () => CsrMatrix.from({ ...small, ...change } as Arrays);
    throwsCode(from({ rowPointers: [0, 2] }), 'ERR_SETNET_SHAPE', /rowPointers|row pointers/i);
    throwsCode(from({ values: [1, 2] }), 'ERR_SETNET_SHAPE', /values/);
    throwsCode(from({ rowPointers: [1, 2, 3] }), 'ERR_SETNET_SHAPE', /rowPointers\[0\] is 1/);
    throwsCode(from({ rowPointers: [0, 4, 3] }), 'ERR_SETNET_SHAPE', /row 1 begins at 4 and ends at 3/);
    throwsCode(from({ rowPointers: [0, 1.5, 3] }), 'ERR_SETNET_DATA', /rowPointers\[1\]/);
    throwsCode(from({ columnIndices: [2, 0, 1] }), 'ERR_SETNET_DATA', /row 0/);
    throwsCode(from({ columnIndices: [0, 0, 1] }), 'ERR_SETNET_DATA', /row 0/);
    throwsCode(from({ columnIndices: [0, 3, 1] }), 'ERR_SETNET_DATA', /3/);
    throwsCode(from({ columnIndices: [0, -1, 1] }), 'ERR_SETNET_DATA', /columnIndices\[1\]/);
    throwsCode(from({ values: [1, Number.NaN, 3] }), 'ERR_SETNET_NONFINITE');
    throwsCode(from({ values: [1, 1e39, 3] }), 'ERR_SETNET_NONFINITE');
    throwsCode(from({ values: ['1', 2, 3] }), 'ERR_SETNET_TYPE', /values\[0\]/);
    throwsCode(from({ rows: '2' }), 'ERR_SETNET_TYPE', /rows/);
    throwsCode(from({ rows: 2 ** 40 }), 'ERR_SETNET_OPTION', /rows/);
    throwsCode(from({ columnIndices: new Float32Array(3) }), 'ERR_SETNET_TYPE', /columnIndices/);
    throwsCode(from({ value: [1, 2, 3] }), 'ERR_SETNET_OPTION', /Did you mean 'values'/);
    throwsCode(() => CsrMatrix.from(undefined as never), 'ERR_SETNET_TYPE');
    throwsCode(() => new (CsrMatrix as unknown as new () => CsrMatrix)(), 'ERR_SETNET_TYPE');
  });

  it('a dense form that is too large is ERR_SETNET_MEMORY', () => {
    const rows = 100_000;
    const arrays = { rows, columns: 2 ** 32 - 1, rowPointers: new Uint8Array(rows + 1), columnIndices: [], values: [] };
    throwsCode(() => CsrMatrix.from(arrays).toDense(), 'ERR_SETNET_MEMORY');
  });
});
