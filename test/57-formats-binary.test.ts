// Binary files of data: NPY, NPZ and IDX, made here byte by byte; and thousands of them cut off or changed, none of which may
// crash, hang, or ask for memory that the file's size does not justify.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import {
  CsrMatrix,
  type NpyArray,
  type ReadTableOptions,
  readCsrNpz,
  readNpy,
  readNpz,
  readTable,
  SetnetError,
  type SetnetErrorCode,
  writeNpy,
} from '../lib/index';
import { bytesOfView, idxFile, npyFile, type ZipMember, zipFile } from './helpers/data_files';
import { type Anything, randomSource, rejectsCode, root, withFolder } from './helpers/helpers';

async function readFile<Result>(
  name: string,
  bytes: Uint8Array,
  read: (path: string) => Promise<Result>,
): Promise<Result> {
  return withFolder(async (folder) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return read(path);
  });
}

const npy = (bytes: Uint8Array, name = 'x.npy'): Promise<NpyArray> => readFile(name, bytes, readNpy);
const table = (bytes: Uint8Array, name: string, options?: ReadTableOptions) =>
  readFile(name, bytes, (path) => readTable(path, options));

/** The message without the path before the name. */
async function messageOf(reading: Promise<unknown>): Promise<string> {
  try {
    await reading;
  } catch (error) {
    const { code, message } = error as { code?: SetnetErrorCode; message: string };
    assert.ok(code?.startsWith('ERR_SETNET_'), (error as Error).stack);
    return `${code} ${message.replace(/^(readTable: [a-z ]*?)?\/\S*\//, '$1')}`;
  }
  return assert.fail('no error');
}

/** The elements of an array with the bytes of each turned round. */
function swapped(view: ArrayBufferView & { BYTES_PER_ELEMENT: number }): Buffer {
  const bytes = Buffer.from(bytesOfView(view));
  const width = view.BYTES_PER_ELEMENT;
  for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse();
  return bytes;
}

const arrays: [string, Anything][] = [
  ['u1', Uint8Array.of(0, 1, 255, 7, 8, 9)],
  ['i1', Int8Array.of(0, -1, -128, 127, 8, 9)],
  ['u2', Uint16Array.of(0, 1, 65535, 7, 8, 9)],
  ['i2', Int16Array.of(0, -1, -32768, 7, 8, 9)],
  ['u4', Uint32Array.of(0, 1, 2 ** 32 - 1, 7, 8, 9)],
  ['i4', Int32Array.of(0, -1, 1 - 2 ** 31, 7, 8, 9)],
  ['u8', BigUint64Array.of(0n, 1n, 2n ** 64n - 1n, 7n, 8n, 9n)],
  ['i8', BigInt64Array.of(0n, -1n, 1n - 2n ** 63n, 7n, 8n, 9n)],
  ['f4', Float32Array.of(0.5, -0, Number.NaN, 7, 8, 1e-40)],
  ['f8', Float64Array.of(0.1, -0, Number.POSITIVE_INFINITY, 7, 8, 9)],
];

describe('57 formats: NPY', () => {
  it('every type, in either byte order, of every version, gzipped or not', async () => {
    for (const [name, data] of arrays) {
      for (const order of name.endsWith('1') ? ['|'] : ['<', '>']) {
        const dtype = `${order}${name}`;
        const elements = order === '>' ? swapped(data) : bytesOfView(data);
        for (const version of [1, 2, 3]) {
          const bytes = npyFile(dtype, [2, 3], elements, { version });
          assert.deepEqual(await npy(bytes), { data, shape: [2, 3], dtype });
          assert.deepEqual(await npy(gzipSync(bytes), 'x.npy.gz'), { data, shape: [2, 3], dtype });
        }
      }
    }
  });

  it('booleans, half floats and strings', async () => {
    const flags = await npy(npyFile('|b1', [3], Uint8Array.of(0, 1, 7)));
    assert.deepEqual(flags.data, Uint8Array.of(0, 1, 1));
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x8000, 0x3555);
    const numbers = [1, -2, 2 ** -24, 65504, Infinity, -Infinity, Number.NaN, -0, 0.333251953125];
    assert.deepEqual((await npy(npyFile('<f2', [9], bytesOfView(halves)))).data, Float32Array.from(numbers));
    assert.deepEqual((await npy(npyFile('>f2', [9], swapped(halves)))).data, Float32Array.from(numbers));
    assert.deepEqual((await npy(npyFile('|S3', [2], Buffer.from('ab\0csr')))).data, ['ab', 'csr']);
    const points = Uint32Array.of(0x41, 0, 0x1d11e, 0xe9);
    assert.deepEqual((await npy(npyFile('<U2', [2], bytesOfView(points)))).data, ['A', '𝄞é']);
    assert.deepEqual((await npy(npyFile('>U2', [2], swapped(points)))).data, ['A', '𝄞é']);
  });

  it('Fortran order is turned round, in any number of dimensions; a single number and nothing at all', async () => {
    const shape = [2, 3, 4];
    const size = 24;
    const c = Int16Array.from({ length: size }, (_, i) => i);
    const fortran = new Int16Array(size);
    for (let i = 0; i < 2; i++)
      for (let j = 0; j < 3; j++)
        for (let k = 0; k < 4; k++) fortran[i + 2 * j + 6 * k] = c[12 * i + 4 * j + k] as number;
    assert.deepEqual((await npy(npyFile('<i2', shape, bytesOfView(fortran), { fortran: true }))).data, c);
    const names = npyFile('|S1', [2, 2], Buffer.from('acbd'), { fortran: true });
    assert.deepEqual((await npy(names)).data, ['a', 'b', 'c', 'd']);
    assert.deepEqual(await npy(npyFile('<i2', [], bytesOfView(Int16Array.of(-7)), { shapeText: '' })), {
      ...{ data: Int16Array.of(-7), shape: [], dtype: '<i2' },
    });
    assert.deepEqual((await npy(npyFile('<i2', [0, 5], new Uint8Array(0)))).shape, [0, 5]);
  });

  it('large arrays over many pieces, transposed and turned round', async () => {
    const [rows, columns] = [1500, 1100];
    const data = Float64Array.from({ length: rows * columns }, (_, i) => i / 4);
    const fortran = new Float64Array(data.length);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) fortran[i + rows * j] = data[columns * i + j] as number;
    const read = await npy(npyFile('>f8', [rows, columns], swapped(fortran), { fortran: true }));
    assert.ok(bytesOfView(read.data as Float64Array).equals(bytesOfView(data)));
  });

  it('what is written is read again, whatever it is', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'x.npy');
      for (const [name, data] of arrays) {
        const dtype = `${name.endsWith('1') ? '|' : '<'}${name}`;
        await writeNpy(path, data, [3, 2]);
        assert.deepEqual(await readNpy(path), { data, shape: [3, 2], dtype });
        // Exactly as made by hand, with elements at a multiple of 64.
        assert.ok(readFileSync(path).equals(npyFile(dtype, [3, 2], bytesOfView(data))));
      }
      await fc.assert(
        fc.asyncProperty(fc.float32Array({ maxLength: 50 }), fc.nat({ max: 3 }), async (numbers, ones) => {
          const shape = [...Array<number>(ones).fill(1), numbers.length];
          await writeNpy(path, numbers, shape);
          assert.deepEqual(await readNpy(path), { data: numbers, shape, dtype: '<f4' });
        }),
        { numRuns: 30 },
      );
      await writeNpy(path, Uint8ClampedArray.of(1, 2));
      assert.deepEqual((await readNpy(path)).shape, [2]);
      await writeNpy(path, Uint8Array.of(5, 6, 7).subarray(1, 2), []);
      assert.deepEqual(await readNpy(path), { data: Uint8Array.of(6), shape: [], dtype: '|u1' });
      assert.deepEqual(readdirSync(folder), ['x.npy']);
    });
  });

  it('a file that cannot be written leaves what was there, and nothing else', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'x.npy');
      await writeNpy(path, Uint8Array.of(1));
      if (process.platform !== 'win32') {
        symlinkSync('x.npy', join(folder, 'link'));
        await writeNpy(join(folder, 'link'), Uint8Array.of(2));
        assert.deepEqual((await readNpy(path)).data, Uint8Array.of(2));
      }
      const data = Uint8Array.of(3);
      await rejectsCode(
        writeNpy(join(folder, 'no', 'x.npy'), data),
        'ERR_SETNET_IO',
        /^cannot write '.*x\.npy': no such file/,
      );
      mkdirSync(join(folder, 'sub'));
      await rejectsCode(writeNpy(join(folder, 'sub'), data), 'ERR_SETNET_IO', /it is a folder \(EISDIR\)$/);
      await rejectsCode(writeNpy(path, [1] as never), 'ERR_SETNET_TYPE', /data must be a 'Uint8Array'.*not an array/);
      await rejectsCode(
        writeNpy(path, data, [2]),
        'ERR_SETNET_SHAPE',
        /data has 1 elements, but the shape \[2\] has 2/,
      );
      await rejectsCode(writeNpy(path, data, [-1, -1]), 'ERR_SETNET_TYPE', /integers from 0/);
      await rejectsCode(writeNpy(path, data, 'x' as never), 'ERR_SETNET_TYPE', /shape must be an array/);
      assert.deepEqual(
        readdirSync(folder).filter((name) => name.endsWith('.tmp')),
        [],
      );
      if (process.platform === 'win32' || process.getuid?.() === 0) return;
      chmodSync(join(folder, 'sub'), 0o500);
      await rejectsCode(writeNpy(join(folder, 'sub', 'y.npy'), data), 'ERR_SETNET_IO', /permission denied \(EACCES\)$/);
    });
  });

  it('says what is wrong with a file', async () => {
    const good = npyFile('|u1', [2, 3], new Uint8Array(6));
    const header = (text: string) => {
      const bytes = Buffer.alloc(10);
      bytes.write('\x93NUMPY\x01', 'latin1');
      bytes.writeUInt16LE(text.length, 8);
      return Buffer.concat([bytes, Buffer.from(text)]);
    };
    const cases: [Uint8Array, string][] = [
      [Buffer.from('not an array'), 'FORMAT x.npy: no NPY file: it does not begin with \\x93NUMPY'],
      [new Uint8Array(0), 'FORMAT x.npy: no NPY file: it does not begin with \\x93NUMPY'],
      [good.subarray(0, 9), 'FORMAT x.npy: the NPY file ends in its header'],
      [good.subarray(0, 60), 'FORMAT x.npy: the NPY file ends in its header'],
      [
        good.subarray(0, -1),
        "FORMAT x.npy: 2 x 3 elements of type '|u1' need 6 bytes, which cannot be in the file: it was cut off or changed",
      ],
      [Buffer.concat([good, Buffer.of(0)]), 'FORMAT x.npy: there are more bytes than the header says'],
      [
        gzipSync(good.subarray(0, -1)),
        "FORMAT x.npy: 2 x 3 elements of type '|u1' need 6 bytes, but the file ends after 5: it was cut off",
      ],
      [
        npyFile('<c8', [1], new Uint8Array(8)),
        "FORMAT x.npy: elements of the type '<c8'; integers, floats and booleans of at most 64 bits are read",
      ],
      [
        npyFile('|O', [1], new Uint8Array(8)),
        "FORMAT x.npy: elements of the type '|O'; integers, floats and booleans of at most 64 bits are read",
      ],
      [
        npyFile('|O8', [1], new Uint8Array(8)),
        "FORMAT x.npy: elements of the type '|O8' (Python objects); save it as numbers; integers, floats and booleans of at most 64 bits are read",
      ],
      [
        npyFile('|S0', [10 ** 12], new Uint8Array(0)),
        "FORMAT x.npy: elements of the type '|S0'; integers, floats and booleans of at most 64 bits are read",
      ],
      [
        Buffer.concat([good.subarray(0, 6), Buffer.of(9), good.subarray(7)]),
        'FORMAT x.npy: NPY version 9.0; versions 1.0 to 3.0 are read',
      ],
      [header('nonsense'), 'FORMAT x.npy: the NPY header is no description of an array: "nonsense"'],
      [
        header("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,), }"),
        "FORMAT x.npy: the NPY header has no plain type (records cannot be read): \"{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (\"... (66 characters)",
      ],
      [
        header("{'descr': '<i4', 'shape': (1,), }"),
        "FORMAT x.npy: the NPY header has no order or shape: \"{'descr': '<i4', 'shape': (1,), }\"",
      ],
      [
        header("{'descr': '<i4', 'fortran_order': False, 'shape': (-1,), }"),
        "FORMAT x.npy: the NPY header has no order or shape: \"{'descr': '<i4', 'fortran_order': False, 'shape': (-1,), }\"",
      ],
      [
        npyFile('<i4', [], new Uint8Array(4), { shapeText: '1,,1' }),
        'FORMAT x.npy: the NPY header has a shape that no array has',
      ],
      [
        npyFile('<i4', [], new Uint8Array(4), { shapeText: '9999999999999999' }),
        'FORMAT x.npy: the NPY header has a shape that no array has',
      ],
      [
        npyFile('<i4', [2 ** 40, 2 ** 40], new Uint8Array(4)),
        'FORMAT x.npy: the NPY header has a shape that no array has',
      ],
      [
        npyFile('<i4', [2 ** 40], new Uint8Array(4)),
        "FORMAT x.npy: 1099511627776 elements of type '<i4' need 4398046511104 bytes, which cannot be in the file: it was cut off or changed",
      ],
    ];
    for (const [bytes, expected] of cases) {
      const message = await messageOf(npy(bytes));
      assert.equal(message.replace(/( that no array has): .*$/, '$1'), `ERR_SETNET_${expected}`);
    }
    const longHeader = npyFile('<i4', [1], new Uint8Array(4), { version: 2 });
    longHeader.writeUInt32LE(2 ** 31, 8);
    assert.match(await messageOf(npy(longHeader)), /FORMAT x\.npy: the NPY header says that it has 2147483648 bytes$/);
  });

  it('nothing is allocated for what a small packed file claims', async () => {
    const before = process.memoryUsage().arrayBuffers;
    const packed = gzipSync(npyFile('<f8', [2 ** 33], new Uint8Array(0)));
    assert.match(await messageOf(npy(packed)), /need 68719476736 bytes, which cannot be in the file/);
    assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 24);
  });

  it('a pipe has no size to believe', async function () {
    if (process.platform === 'win32') return this.skip();
    await withFolder(async (folder) => {
      const pipe = join(folder, 'pipe');
      writeFileSync(join(folder, 'x.npy'), npyFile('|u1', [1], Uint8Array.of(1)));
      execFileSync('mkfifo', [pipe]);
      const reading = rejectsCode(readNpy(pipe), 'ERR_SETNET_FORMAT', /arrays are read from regular files/);
      execFileSync('sh', ['-c', `cat '${folder}/x.npy' > '${pipe}'`]);
      await reading;
    });
  });

  it('as a table: the types that a network takes stay, others become f32 where that is exact', async () => {
    for (const [name, data] of arrays) {
      const bytes = npyFile(`<${name}`, [2, 3], bytesOfView(data));
      if (/[ui][48]/.test(name)) {
        const message = await messageOf(table(bytes, 'x.npy'));
        assert.match(
          message,
          /^ERR_SETNET_DATA x\.npy, row 0, column 2: -?\d+ is no number that a 32-bit float holds/,
          name,
        );
        const small = data.slice(3);
        const { x } = await table(npyFile(`<${name}`, [1, 3], bytesOfView(small)), 'x.npy');
        assert.deepEqual((x as Anything).data, Float32Array.of(7, 8, 9), name);
      } else {
        const { x, ...rest } = await table(bytes, 'x.npy');
        assert.deepEqual(
          [x, rest],
          [
            { data, shape: [2, 3] },
            { rows: 2, inputs: 3, format: 'npy' },
          ],
          name,
        );
      }
    }
    const exact = Int32Array.of(2 ** 24, -(2 ** 30), 3);
    const { x } = await table(npyFile('<i4', [3, 1], bytesOfView(exact)), 'x.npy');
    assert.deepEqual((x as Anything).data, Float32Array.from(exact));
    const images = await table(npyFile('|u1', [2, 2, 3], new Uint8Array(12)), 'x.npy', { features: [...'abcdef'] });
    assert.deepEqual([images.inputs, images.features], [6, [...'abcdef']]);
  });

  it('with labels of every kind beside it', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'x.npy');
      const labels = join(folder, 'y.npy');
      writeFileSync(path, npyFile('|u1', [3, 2], new Uint8Array(6)));
      const read = async (bytes: Uint8Array, options?: ReadTableOptions) => {
        writeFileSync(labels, bytes);
        const { y, classes } = await readTable(path, { ...options, labels });
        return [y, classes];
      };
      const expected = [Int32Array.of(1, 0, 1), ['3', '7']];
      assert.deepEqual(await read(npyFile('<i8', [3], bytesOfView(BigInt64Array.of(7n, 3n, 7n)))), expected);
      assert.deepEqual(await read(npyFile('<f4', [3, 1], bytesOfView(Float32Array.of(7, 3, 7)))), expected);
      assert.deepEqual(await read(npyFile('|S1', [3], Buffer.from('737'))), expected);
      assert.deepEqual(await read(idxFile(8, [3], Uint8Array.of(7, 3, 7))), expected);
      const numbers = npyFile('<f8', [3], bytesOfView(Float64Array.of(0.5, -1, 2)));
      assert.deepEqual(await read(numbers, { target: 'number' }), [Float32Array.of(0.5, -1, 2), undefined]);
      assert.deepEqual(
        (await read(npyFile('|u1', [3], Uint8Array.of(1, 0, 1)), { classes: ['a', 'b'] }))[0],
        Int32Array.of(1, 0, 1),
      );
      const wrong = (bytes: Uint8Array, code: SetnetErrorCode, pattern: RegExp, options?: ReadTableOptions) =>
        rejectsCode(read(bytes, options), code, pattern);
      await wrong(numbers, 'ERR_SETNET_DATA', /y\.npy, row 0: the labels are numbers such as 0\.5, not classes/);
      await wrong(
        npyFile('|u1', [2], Uint8Array.of(1, 0)),
        'ERR_SETNET_SHAPE',
        /y\.npy: 2 labels, but .*x\.npy has 3 rows/,
      );
      await wrong(npyFile('|u1', [1, 3], new Uint8Array(3)), 'ERR_SETNET_SHAPE', /shape is 1 x 3; one label for each/);
      await wrong(
        npyFile('|u1', [3], Uint8Array.of(1, 0, 9)),
        'ERR_SETNET_DATA',
        /y\.npy, row 2: there is no class "9"/,
        { classes: ['a', 'b'] },
      );
      await wrong(zipFile([]), 'ERR_SETNET_FORMAT', /y\.npy: a file of several arrays/);
    });
  });

  it('features that are none', async () => {
    const cases: [Buffer, ReadTableOptions, string][] = [
      [
        npyFile('|u1', [3], new Uint8Array(3)),
        {},
        'ERR_SETNET_SHAPE x.npy: the features have one dimension of 3; samples x features are expected',
      ],
      [
        npyFile('|u1', [], new Uint8Array(1), { shapeText: '' }),
        {},
        'ERR_SETNET_SHAPE x.npy: the features have no dimension; samples x features are expected',
      ],
      [
        npyFile('|u1', [0, 3], new Uint8Array(0)),
        {},
        'ERR_SETNET_DATA x.npy: the shape is 0 x 3; at least one sample and one feature are expected',
      ],
      [
        npyFile('|S1', [1, 3], Buffer.from('abc')),
        {},
        'ERR_SETNET_FORMAT x.npy: the features are strings; numbers are expected',
      ],
      [
        npyFile('|u1', [1, 3], new Uint8Array(3)),
        { inputs: 4 },
        'ERR_SETNET_SHAPE x.npy: 3 columns of features, but 4 are expected',
      ],
      [
        npyFile('|u1', [1, 3], new Uint8Array(3)),
        { features: ['a'] },
        'ERR_SETNET_SHAPE x.npy: 3 columns of features, but 1 features are named',
      ],
      [
        npyFile('|u1', [1, 3], new Uint8Array(3)),
        { header: true },
        'ERR_SETNET_OPTION readTable: header is an option for CSV files, but x.npy is NPY',
      ],
      [Buffer.from('abc'), {}, 'ERR_SETNET_FORMAT x.npy: no NPY file: it does not begin with \\x93NUMPY'],
    ];
    for (const [bytes, options, expected] of cases) {
      const message = await messageOf(table(bytes, 'x.npy', options));
      assert.equal(message.replace(/ \/\S*\//, ' '), expected);
    }
    assert.match(await messageOf(table(Buffer.of(1, 0, 2), 'x.bin')), /FORMAT x\.bin: the format is not known/);
  });
});

const member = (name: string, descr: string, shape: number[], elements: Uint8Array, more: Partial<ZipMember> = {}) => ({
  ...{ name: `${name}.npy`, bytes: npyFile(descr, shape, elements) },
  ...more,
});

/** What scipy.sparse.save_npz writes. */
function csrMembers(more: Partial<ZipMember> = {}): ZipMember[] {
  return [
    member('indices', '<i4', [4], bytesOfView(Int32Array.of(2, 0, 1, 3)), more),
    member('indptr', '<i4', [4], bytesOfView(Int32Array.of(0, 2, 2, 4)), more),
    { name: 'format.npy', bytes: npyFile('|S3', [], Buffer.from('csr'), { shapeText: '' }), ...more },
    member('shape', '<i8', [2], bytesOfView(BigInt64Array.of(3n, 5n)), more),
    member('data', '<f8', [4], bytesOfView(Float64Array.of(0.5, -1, 2, 1e-3)), more),
  ];
}

describe('57 formats: NPZ', () => {
  it('stored and deflated members, ZIP64, a comment, files that are no arrays', async () => {
    const x = Float32Array.from({ length: 6000 }, (_, i) => i % 50);
    for (const deflate of [false, true]) {
      for (const zip64 of [false, true]) {
        for (const comment of ['', 'PK\x05\x06 a comment']) {
          const members = [
            member('X', '<f4', [100, 60], bytesOfView(x), { deflate, zip64 }),
            member('names/ä', '|S2', [1], Buffer.from('ab'), { zip64 }),
            { name: 'readme.txt', bytes: Buffer.from('hello') },
          ];
          const read = await readFile('a.npz', zipFile(members, { zip64, comment }), readNpz);
          assert.deepEqual(Object.keys(read), ['X', 'names/ä']);
          assert.deepEqual(read.X, { data: x, shape: [100, 60], dtype: '<f4' });
          assert.deepEqual(read['names/ä']?.data, ['ab']);
        }
      }
    }
    const odd = await readFile('a.npz', zipFile([member('__proto__', '|u1', [1], Uint8Array.of(1))]), readNpz);
    assert.deepEqual(Object.keys(odd), ['__proto__']);
    assert.deepEqual(Object.keys(await readFile('a.npz', zipFile([]), readNpz)), []);
  });

  it('a sparse matrix of SciPy', async () => {
    for (const deflate of [false, true]) {
      const bytes = zipFile(csrMembers({ deflate }));
      const matrix = await readFile('m.npz', bytes, readCsrNpz);
      const dense = [0, -1, 0.5, 0, 0, 0, 0, 0, 0, 0, 0].slice(1);
      assert.deepEqual([matrix.rows, matrix.columns, matrix.count], [3, 5, 4]);
      assert.deepEqual(Array.from(matrix.toDense()), [-1, 0, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, Math.fround(1e-3), 0]);
      assert.equal(dense.length, 10);
      const read = await table(bytes, 'm.npz', { inputs: 5 });
      assert.ok(read.x instanceof CsrMatrix && read.y === undefined);
      assert.deepEqual([read.rows, read.inputs, read.format], [3, 5, 'npz']);
    }
    const labelled = [...csrMembers(), member('y', '<i8', [3], bytesOfView(BigInt64Array.of(1n, 0n, 1n)))];
    const { y, classes } = await table(zipFile(labelled), 'm.npz');
    assert.deepEqual([y, classes], [Int32Array.of(1, 0, 1), ['0', '1']]);
    assert.equal((await table(zipFile(labelled), 'm.npz', { label: false })).y, undefined);
  });

  it('dense arrays with their labels, by the names that they usually have', async () => {
    for (const [x, y] of [
      ['X', 'y'],
      ['data', 'target'],
      ['arr_0', 'arr_1'],
    ] as const) {
      const members = [member(y, '|u1', [2], Uint8Array.of(5, 3)), member(x, '|u1', [2, 2], Uint8Array.of(1, 2, 3, 4))];
      const read = await table(zipFile(members), 'a.npz');
      assert.deepEqual(read, {
        ...{ x: { data: Uint8Array.of(1, 2, 3, 4), shape: [2, 2] }, rows: 2, inputs: 2, format: 'npz' },
        ...{ y: Int32Array.of(1, 0), classes: ['3', '5'] },
      });
    }
  });

  it('says what is wrong', async () => {
    const change = (name: string, made: ZipMember) =>
      csrMembers().map((each) => (each.name === `${name}.npy` ? made : each));
    const without = (name: string) => csrMembers().filter((each) => each.name !== `${name}.npy`);
    const ints = (name: string, ...values: number[]) =>
      member(name, '<i4', [values.length], bytesOfView(Int32Array.from(values)));
    const text = (format: string) => ({
      name: 'format.npy',
      bytes: npyFile('|S3', [], Buffer.from(format), { shapeText: '' }),
    });
    const cases: [ZipMember[], string][] = [
      [
        change('format', text('csc')),
        'FORMAT m.npz: it holds a matrix in the format "csc"; \'csr\' is expected: convert it by tocsr() and save_npz',
      ],
      [
        without('format'),
        "FORMAT m.npz: it holds no sparse matrix of SciPy; 'csr' is expected: convert it by tocsr() and save_npz",
      ],
      [without('indices'), "FORMAT m.npz: there is no array 'indices', as scipy.sparse.save_npz writes it"],
      [
        [member('x', '|u1', [1], Uint8Array.of(1))],
        "FORMAT m.npz: there are no arrays 'format', 'shape', 'indptr', 'indices' or 'data', which are looked for; there are: \"x\"",
      ],
      [change('shape', ints('shape', 3)), 'FORMAT m.npz: the shape has 1 dimensions; 2 are expected'],
      [change('shape', ints('shape', 3, -5)), 'FORMAT m.npz: shape[1] must be an integer from 0 to 4294967295, not -5'],
      [change('indptr', ints('indptr', 0, 2, 4)), 'SHAPE m.npz: indptr has 3 elements, but 3 rows need 4'],
      [change('indptr', ints('indptr', 0, 3, 2, 4)), 'FORMAT m.npz: indptr[2] is less than the one before it'],
      [change('indptr', ints('indptr', 0, 2, 2, 3)), 'FORMAT m.npz: indptr must go from 0 to 4, the number of data'],
      [change('indptr', ints('indptr', 0, 2, 2, 99)), 'FORMAT m.npz: indptr[3] must be an integer from 0 to 4, not 99'],
      [change('indices', ints('indices', 2, 0, 1)), 'SHAPE m.npz: there are 3 indices and 4 data'],
      [
        change('indices', ints('indices', 2, 0, 1, 5)),
        'FORMAT m.npz: indices[3] must be an integer from 0 to 4, not 5',
      ],
      [
        change('indices', ints('indices', 2, 2, 1, 3)),
        'DATA m.npz, row 0: the index 2 is there twice; every index once is expected',
      ],
      [
        change('data', member('data', '<f4', [4], bytesOfView(Float32Array.of(1, Number.NaN, 1, 1)))),
        'DATA m.npz: data[1] is NaN, which is no finite number as a 32-bit float',
      ],
      [
        change('data', member('data', '<f4', [2, 2], new Uint8Array(16))),
        "FORMAT m.npz: 'data' must be numbers in one dimension, not <f4 of 2",
      ],
      [
        change('data', { ...member('data', '<f4', [4], new Uint8Array(16)), crc: 1 }),
        'FORMAT m.npz: data.npy: the checksum differs: the data were changed or damaged',
      ],
      [
        change('data', { ...member('data', '<f4', [4], new Uint8Array(16)), flags: 1 }),
        'FORMAT m.npz: data.npy: it is encrypted',
      ],
      [
        change('data', { ...member('data', '<f4', [4], new Uint8Array(16)), method: 12 }),
        'FORMAT m.npz: data.npy: packed by method 12; 0 (stored) and 8 (deflated) are read',
      ],
      [
        [...csrMembers(), member('data', '<f4', [4], new Uint8Array(16))],
        "FORMAT m.npz: 'data.npy' is in the ZIP file twice",
      ],
    ];
    for (const [members, expected] of cases)
      assert.equal(await messageOf(readFile('m.npz', zipFile(members), readCsrNpz)), `ERR_SETNET_${expected}`);
    const good = zipFile(csrMembers());
    const cut = await messageOf(readFile('m.npz', good.subarray(0, -30), readCsrNpz));
    assert.equal(
      cut,
      'ERR_SETNET_FORMAT m.npz: no whole ZIP file: its directory is missing; it was cut off or is another format',
    );
    assert.match(
      await messageOf(readFile('m.npz', gzipSync(good), readCsrNpz)),
      /m\.npz: a gzipped ZIP file; unpack it first$/,
    );
    assert.match(
      await messageOf(table(zipFile([member('q', '|u1', [1], Uint8Array.of(1))]), 'm.npz')),
      /there are no arrays .*; there are: "q"$/,
    );
    assert.match(
      await messageOf(table(zipFile([member('y', '|u1', [1], Uint8Array.of(1))]), 'm.npz')),
      /there is no array of features: 'X'/,
    );
    const uneven = [member('X', '|u1', [2, 1], Uint8Array.of(1, 2)), member('y', '|u1', [1], Uint8Array.of(1))];
    assert.match(
      await messageOf(table(zipFile(uneven), 'm.npz')),
      /SHAPE m\.npz: 1 labels, but the array of features has 2 rows$/,
    );
  });
});

describe('57 formats: IDX', () => {
  it('every type of element', async () => {
    const cases: [number, Anything][] = [
      [8, Uint8Array.of(0, 255, 3, 4)],
      [9, Int8Array.of(0, -128, 3, 4)],
      [11, Int16Array.of(0, -32768, 3, 4)],
      [13, Float32Array.of(0.5, -1e30, 3, 4)],
      [14, Float64Array.of(0.1, -1e300, 3, 4)],
    ];
    for (const [type, data] of cases) {
      const read = await table(idxFile(type, [2, 2], swapped(data)), 'a-idx2-ubyte');
      assert.deepEqual(read, { x: { data, shape: [2, 2] }, rows: 2, inputs: 2, format: 'idx' });
    }
    const wide = await table(idxFile(12, [2, 1], swapped(Int32Array.of(-5, 2 ** 24))), 'a-idx2-int');
    assert.deepEqual((wide.x as Anything).data, Float32Array.of(-5, 2 ** 24));
  });

  it('the labels that lie beside the images are found', async () => {
    const images = idxFile(
      8,
      [3, 2, 2],
      Uint8Array.from({ length: 12 }, (_, i) => i),
    );
    const labels = idxFile(8, [3], Uint8Array.of(9, 0, 9));
    for (const [x, y] of [
      ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'],
      ['train-images.idx3-ubyte.gz', 'train-labels.idx1-ubyte'],
      ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte.gz'],
    ] as const) {
      await withFolder(async (folder) => {
        const pack = (name: string, bytes: Buffer) =>
          writeFileSync(join(folder, name), name.endsWith('gz') ? gzipSync(bytes) : bytes);
        pack(x, images);
        assert.equal((await readTable(join(folder, x))).y, undefined);
        pack(y, labels);
        const read = await readTable(join(folder, x));
        assert.deepEqual([read.inputs, read.y, read.classes], [4, Int32Array.of(1, 0, 1), ['0', '9']]);
        assert.equal((await readTable(join(folder, x), { label: false })).y, undefined);
        pack(y, idxFile(8, [2], Uint8Array.of(9, 0)));
        await rejectsCode(readTable(join(folder, x)), 'ERR_SETNET_SHAPE', /2 labels, but \S*images\S* has 3 rows/);
      });
    }
  });

  it('says what is wrong', async () => {
    const good = idxFile(8, [2, 2], Uint8Array.of(1, 2, 3, 4));
    const cases: [Uint8Array, string][] = [
      [good.subarray(0, 3), 'no IDX file: it does not begin with two zero bytes and two more'],
      [Buffer.of(1, 0, 8, 1), 'no IDX file: it does not begin with two zero bytes and two more'],
      [Buffer.of(0, 0, 7, 1), 'IDX elements of type 0x07; there are 0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e'],
      [Buffer.of(0, 0, 8, 0), 'IDX with 0 dimensions; 1 to 8 are expected'],
      [Buffer.of(0, 0, 8, 99), 'IDX with 99 dimensions; 1 to 8 are expected'],
      [good.subarray(0, 9), 'the IDX file ends in its header'],
      [good.subarray(0, -1), '2 x 2 elements need 4 bytes, which cannot be in the file: it was cut off or changed'],
      [gzipSync(good.subarray(0, -1)), '2 x 2 elements need 4 bytes, but the file ends after 3: it was cut off'],
      [Buffer.concat([good, Buffer.of(1)]), 'there are more bytes than the header says'],
      [
        idxFile(14, [2 ** 31, 2 ** 31, 2 ** 31], new Uint8Array(8)),
        '2147483648 x 2147483648 x 2147483648 elements need 7.922816251426434e+28 bytes, which cannot be in the file: it was cut off or changed',
      ],
    ];
    for (const [bytes, expected] of cases)
      assert.equal(await messageOf(table(bytes, 'a.idx', { format: 'idx' })), `ERR_SETNET_FORMAT a.idx: ${expected}`);
  });
});

describe('57 formats: files that somebody has changed', function () {
  this.timeout(120_000);

  const victims: [string, Buffer][] = [
    ['x.npy', npyFile('<f4', [3, 2], bytesOfView(Float32Array.of(1, 2, 3, 4, 5, 6)))],
    ['f.npy', npyFile('>i2', [2, 3], bytesOfView(Int16Array.of(1, 2, 3, 4, 5, 6)), { fortran: true, version: 2 })],
    ['x.npy.gz', gzipSync(npyFile('|u1', [2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6)))],
    ['m.npz', zipFile(csrMembers())],
    ['d.npz', zipFile(csrMembers({ deflate: true, zip64: true }), { zip64: true, comment: 'abc' })],
    ['a.idx', idxFile(8, [3, 2], Uint8Array.of(1, 2, 3, 4, 5, 6))],
  ];

  /** A table, or an error that says something; anything else fails. */
  async function outcome(path: string): Promise<string> {
    try {
      const { rows, inputs, x } = await readTable(path, { label: false });
      const isWhole =
        x instanceof CsrMatrix ? x.rows === rows && x.columns === inputs : x.data.length === rows * inputs;
      assert.ok(isWhole && rows > 0);
      return 'table';
    } catch (error) {
      if (error instanceof SetnetError && error.code !== 'ERR_SETNET_INTERNAL' && error.message.includes(path))
        return error.code;
      throw error;
    }
  }

  /** Of each version of a file, some at once. */
  async function outcomesOf(folder: string, name: string, versions: readonly Uint8Array[]): Promise<string[]> {
    const outcomes: string[] = [];
    for (let first = 0; first < versions.length; first += 32) {
      const some = versions.slice(first, first + 32).map((bytes, i) => {
        const path = join(folder, `${i}-${name}`);
        writeFileSync(path, bytes);
        return outcome(path);
      });
      outcomes.push(...(await Promise.all(some)));
    }
    return outcomes;
  }

  it('every length that a file can be cut to is an error @slow', async () => {
    await withFolder(async (folder) => {
      for (const [name, bytes] of victims) {
        const lengths = Array.from(bytes, (_, length) => bytes.subarray(0, length));
        const outcomes = await outcomesOf(folder, name, lengths);
        assert.equal(outcomes.indexOf('table'), -1, `${name} of ${bytes.length} bytes: cut to so many it is a table`);
        assert.deepEqual(await outcomesOf(folder, name, [bytes]), ['table']);
      }
    });
  });

  it('changed bytes give a table or an error, and memory is not asked for in vain @slow', async () => {
    const random = randomSource(57);
    const before = process.memoryUsage.rss();
    await withFolder(async (folder) => {
      for (const [name, bytes] of victims) {
        const versions = Array.from({ length: 200 }, () => {
          const changed = Buffer.from(bytes);
          const changes = 1 + Math.floor(3 * random());
          for (let k = 0; k < changes; k++) {
            const at = Math.floor(changed.length * random());
            changed[at] =
              random() < 0.3 ? 255 : random() < 0.5 ? (changed[at] as number) ^ (1 << Math.floor(8 * random())) : 0;
          }
          return changed;
        });
        const outcomes = await outcomesOf(folder, name, versions);
        assert.ok(outcomes.filter((what) => what === 'ERR_SETNET_FORMAT').length > 20, `${name}: ${outcomes.join()}`);
      }
    });
    assert.ok(process.memoryUsage.rss() - before < 2 ** 28);
  });

  it('changed texts give a table or an error @slow', async () => {
    const random = randomSource(58);
    const texts: [string, Buffer][] = [
      ['a.csv', Buffer.from('a,b,"c ""d"""\r\n1,2,3\r\n4,"5",6\r\n7,8,9\r\n')],
      ['a.svm', Buffer.from('1 1:2 3:4 # x\n-1 2:5\n1 1:1 7:2\n')],
    ];
    await withFolder(async (folder) => {
      for (const [name, bytes] of texts) {
        const versions = Array.from({ length: 200 }, (_, i) => {
          const changed = Buffer.from(bytes.subarray(0, i < 100 ? Math.floor(bytes.length * random()) : bytes.length));
          for (let k = 0; k < 2; k++) {
            const letters = '",\n\r 0:#é';
            changed.write(
              letters[Math.floor(letters.length * random())] as string,
              Math.floor(changed.length * random()),
              'latin1',
            );
          }
          return changed;
        });
        const outcomes = await outcomesOf(folder, name, versions);
        assert.ok(new Set(outcomes).size > 1, `${name}: ${outcomes.join()}`);
      }
    });
  });
});

describe('57 formats: beside NumPy and SciPy, where they are', () => {
  const script = `
import sys
import numpy as np
import scipy.sparse as sp
folder = sys.argv[1]
rng = np.random.default_rng(1)
for name in ['u1', 'i1', 'u2', '>i2', 'u4', '>i4', 'u8', '>i8', 'f2', '>f4', 'f8', '?']:
    a = (rng.random((7, 5, 3)) * 100).astype(name)
    np.save(f'{folder}/{name.strip(">?") or "b"}.npy', np.asfortranarray(a) if name[0] == '>' else a)
    np.savetxt(f'{folder}/{name.strip(">?") or "b"}.txt', a.astype('f8').reshape(-1), fmt='%.17g')
np.savez_compressed(f'{folder}/z.npz', X=rng.random((4, 3)), y=np.array(['b', 'a', 'b', 'é']))
m = sp.random(50, 80, 0.1, format='csr', dtype='f4', random_state=1)
sp.save_npz(f'{folder}/m.npz', m)
np.savetxt(f'{folder}/m.txt', m.toarray().reshape(-1), fmt='%.17g')
back = np.load(f'{folder}/ours.npy')
assert back.dtype == np.float32 and back.shape == (2, 3) and back.tolist() == [[0.5, 1, 2], [3, 4, 5]]
`;

  it('arrays and matrices that they wrote, and one that they read @slow', async function () {
    try {
      execFileSync('python3', ['-c', 'import numpy, scipy'], { stdio: 'ignore' });
    } catch {
      return this.skip();
    }
    await withFolder(async (folder) => {
      await writeNpy(join(folder, 'ours.npy'), Float32Array.of(0.5, 1, 2, 3, 4, 5), [2, 3]);
      execFileSync('python3', ['-c', script, folder], { cwd: root });
      const numbers = (name: string) =>
        readFileSync(join(folder, `${name}.txt`), 'utf8')
          .trim()
          .split('\n')
          .map(Number);
      for (const name of ['u1', 'i1', 'u2', 'i2', 'u4', 'i4', 'u8', 'i8', 'f2', 'f4', 'f8', 'b']) {
        const { data, shape } = await readNpy(join(folder, `${name}.npy`));
        assert.deepEqual([shape, Array.from(data as ArrayLike<bigint>, Number)], [[7, 5, 3], numbers(name)], name);
      }
      const z = await readTable(join(folder, 'z.npz'));
      assert.deepEqual([z.rows, z.inputs, z.y, z.classes], [4, 3, Int32Array.of(1, 0, 1, 2), ['a', 'b', 'é']]);
      const matrix = await readCsrNpz(join(folder, 'm.npz'));
      assert.deepEqual(Array.from(matrix.toDense()), numbers('m'));
    });
  });
});
