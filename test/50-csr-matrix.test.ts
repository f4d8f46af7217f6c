import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { CsrMatrix, SetnetError, type SetnetErrorCode } from '../lib/index';
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
    assert.deepEqual(
      CsrMatrix.from({ ...small, columnIndices: Uint8ClampedArray.from(small.columnIndices) }).toDense(),
      expected,
    );
    for (const Type of [
      Float32Array,
      Float64Array,
      Uint8Array,
      Uint8ClampedArray,
      Uint16Array,
      Uint32Array,
      Int8Array,
      Int16Array,
      Int32Array,
    ])
      assert.deepEqual(CsrMatrix.from({ ...small, values: Type.from(small.values) }).toDense(), expected, Type.name);
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

  it('any mixture of wrong values in any kind of array is a SetnetError, and a matrix that is made is valid', () => {
    const values = fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 0, max: 4 }) },
      fc.integer(),
      fc.double(),
      fc.bigInt(),
      fc.constantFrom(2 ** 32 - 1, 2 ** 32, 2 ** 53, -0, undefined, null, '1', {}, Symbol('s')),
    );
    const types = [Uint8Array, Uint32Array, Int32Array, Float32Array, Float64Array];
    const anyArray = fc.oneof(
      fc.array(values, { maxLength: 6 }),
      fc
        .tuple(fc.constantFrom(...types), fc.array(fc.integer({ min: -1, max: 5 }), { maxLength: 6 }))
        .map(([Type, numbers]) => Type.from(numbers)),
      fc
        .tuple(
          fc.constantFrom(BigInt64Array, BigUint64Array),
          fc.array(fc.bigInt({ min: 0n, max: 5n }), { maxLength: 6 }),
        )
        .map(([Type, numbers]) => Type.from(numbers)),
      fc.anything(),
    );
    const sizes = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 4 }) }, fc.anything());
    const names = ['rows', 'columns', 'rowPointers', 'columnIndices', 'values'];
    let made = 0;
    fc.assert(
      fc.property(fc.tuple(sizes, sizes, anyArray, anyArray, anyArray), fc.array(fc.nat(4)), (parts, kept) => {
        // Some of the parts are those of a valid matrix, so that each check is reached.
        const given = Object.fromEntries(
          names.map((name, i) => [name, kept.includes(i) ? small[name as 'values'] : parts[i]]),
        );
        try {
          const m = CsrMatrix.from(given as never);
          made++;
          const pointers = m.rowPointers;
          assert.deepEqual([pointers.length, pointers[0], pointers.at(-1)], [m.rows + 1, 0, m.count]);
          assert.ok(m.columnIndices.every((column) => column < m.columns));
          assert.ok(m.values.every(Number.isFinite));
        } catch (error) {
          assert.ok(error instanceof SetnetError, String(error));
          assert.match(error.code, /TYPE|OPTION|DATA|SHAPE|NONFINITE/);
        }
      }),
      { numRuns: 2000 },
    );
    assert.ok(made > 20, `${made} valid matrices among them`);
  });

  it('names row and position of what is wrong in any array', () => {
    const arrays = {
      rows: 4,
      columns: 5,
      rowPointers: [0, 2, 2, 5, 6],
      columnIndices: [1, 3, 0, 2, 4, 2],
      values: [1, 2, 3, 4, 5, 6],
    };
    const rowOf = [0, 0, 2, 2, 2, 3];
    const put = (element: unknown) => (array: unknown[], i: number) =>
      array.map((old, position) => (position === i ? element : old));
    const wrong: [(array: unknown[], i: number) => unknown, 'columnIndices' | 'values', SetnetErrorCode][] = [
      [put(-1), 'columnIndices', 'ERR_SETNET_DATA'],
      [put(0.5), 'columnIndices', 'ERR_SETNET_DATA'],
      [put(5), 'columnIndices', 'ERR_SETNET_DATA'],
      [put(2 ** 32 - 1), 'columnIndices', 'ERR_SETNET_DATA'],
      [put(2n ** 64n - 1n), 'columnIndices', 'ERR_SETNET_DATA'],
      [put(null), 'columnIndices', 'ERR_SETNET_TYPE'],
      [(array, i) => Int8Array.from(put(-3)(array, i) as number[]), 'columnIndices', 'ERR_SETNET_DATA'],
      [put(Number.NaN), 'values', 'ERR_SETNET_NONFINITE'],
      [(array, i) => Float64Array.from(put(1e39)(array, i) as number[]), 'values', 'ERR_SETNET_NONFINITE'],
      [put('1'), 'values', 'ERR_SETNET_TYPE'],
    ];
    for (const [change, name, code] of wrong) {
      for (let i = 0; i < 6; i++) {
        const given = { ...arrays, [name]: change(arrays[name], i) };
        const [row, position] = [`row ${rowOf[i]}\\b`, `(position ${i}\\)|${name}\\[${i}\\])`];
        throwsCode(() => CsrMatrix.from(given as never), code, new RegExp(`^(?=.*${row}).*${position}`));
      }
    }
  });

  it('takes memory that is shared, and refuses memory that can go away or change its size', () => {
    const bytes = { rowPointers: [0, 2, 3], columnIndices: [0, 2, 1], values: [1, 2, 3] };
    for (const name of ['rowPointers', 'columnIndices', 'values'] as const) {
      const over = (buffer: ArrayBufferLike, length?: number) => {
        const array = new Uint8Array(buffer, 8, length);
        array.set(bytes[name]);
        return array;
      };
      const from = (array: ArrayBufferView) => () => CsrMatrix.from({ ...small, [name]: array } as never);
      const shared = over(new SharedArrayBuffer(16), 3);
      const m = from(shared)();
      shared.fill(9);
      assert.deepEqual(m.toDense(), CsrMatrix.from(small).toDense());

      const detached = over(new ArrayBuffer(16), 3);
      structuredClone(detached, { transfer: [detached.buffer as ArrayBuffer] });
      throwsCode(from(detached), 'ERR_SETNET_BUFFER', new RegExp(`${name} is detached`));
      const Resizable = ArrayBuffer as new (length: number, options: object) => ArrayBuffer;
      const Growable = SharedArrayBuffer as new (length: number, options: object) => SharedArrayBuffer;
      throwsCode(from(over(new Resizable(11, { maxByteLength: 99 }), 3)), 'ERR_SETNET_BUFFER', /resizable/);
      throwsCode(from(over(new Growable(11, { maxByteLength: 99 }), 3)), 'ERR_SETNET_BUFFER', /growable/);
      const tracking = over(new Resizable(11, { maxByteLength: 99 }));
      throwsCode(from(tracking), 'ERR_SETNET_BUFFER', /resizable/);
      // One that lies beyond the end of its buffer has length 0 and is refused all the same.
      (tracking.buffer as unknown as { resize(length: number): void }).resize(4);
      throwsCode(from(tracking), 'ERR_SETNET_BUFFER', /resizable/);
    }
  });

  it('reads the arrays by their true length and type, whatever they say about themselves', () => {
    const columns = Uint8Array.from(small.columnIndices);
    Object.defineProperty(columns, 'length', { value: 1000 });
    Object.defineProperty(columns, 'constructor', { value: Float64Array });
    assert.deepEqual(CsrMatrix.from({ ...small, columnIndices: columns }).toDense(), CsrMatrix.from(small).toDense());
  });

  it('has up to 2^32 - 1 columns; an index beyond them is refused', () => {
    const columns = 2 ** 32 - 1;
    const wide = (columnIndices: unknown) => ({ rows: 1, columns, rowPointers: [0, 2], columnIndices, values: [1, 2] });
    for (const indices of [
      [0, 2 ** 32 - 2],
      Uint32Array.of(0, 2 ** 32 - 2),
      Float64Array.of(0, 2 ** 32 - 2),
      [0n, 2n ** 32n - 2n],
      BigUint64Array.of(0n, 2n ** 32n - 2n),
    ]) {
      const m = CsrMatrix.from(wide(indices) as never);
      assert.deepEqual(m.columnIndices, Uint32Array.of(0, 2 ** 32 - 2));
      assert.equal(m.density, 2 / columns);
    }
    throwsCode(
      () => CsrMatrix.from(wide([0, 2 ** 32 - 1]) as never),
      'ERR_SETNET_DATA',
      /row 0 \(position 1\).*out of range/,
    );
    throwsCode(() => CsrMatrix.from(wide([0, 2 ** 32]) as never), 'ERR_SETNET_DATA', /columnIndices\[1\] in row 0/);
    throwsCode(
      () => CsrMatrix.from(wide(BigUint64Array.of(0n, 2n ** 64n - 1n)) as never),
      'ERR_SETNET_DATA',
      /18446744073709551615n/,
    );
    throwsCode(() => CsrMatrix.from({ ...wide([0, 1]), columns: 2 ** 32 } as never), 'ERR_SETNET_OPTION', /columns/);
  });

  it('an array that no memory holds a copy of is ERR_SETNET_MEMORY', () => {
    const long: number[] = [];
    long.length = 2 ** 32 - 1;
    throwsCode(() => CsrMatrix.from({ ...small, rowPointers: long }), 'ERR_SETNET_MEMORY', /rowPointers/);
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
