// Text files of data: CSV and SVMlight, read as users have them, and every message of what is wrong with them.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import {
  CsrMatrix,
  dense,
  Network,
  type ReadProgress,
  type ReadTableOptions,
  readTable,
  type SetnetErrorCode,
  type Table,
} from '../lib/index';
import { type Anything, rejectsCode, withFolder } from './helpers/helpers';

function read(content: string | Buffer, options?: ReadTableOptions, name = 'data.csv'): Promise<Table> {
  return withFolder(async (folder) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return readTable(path, options);
  });
}

/** The message without the path before the name. */
async function messageOf(content: string | Buffer, options?: ReadTableOptions, name = 'data.csv') {
  try {
    await read(content, options, name);
  } catch (error) {
    const { code, message } = error as { code?: SetnetErrorCode; message: string };
    assert.ok(code?.startsWith('ERR_SETNET_'), (error as Error).stack);
    return `${code} ${message.replace(/(readTable: (?:[a-z]+(?:\[\d\])?: )?)?\S*\/(?=[^/]*$)/, '$1')}`;
  }
  return assert.fail(`no error from ${JSON.stringify(String(content).slice(0, 200))}`);
}

/** Rows of plain numbers. */
function rowsOf({ x, rows, inputs }: Table): number[][] {
  if (x instanceof CsrMatrix) {
    const all = x.toDense();
    return Array.from({ length: rows }, (_, i) => Array.from(all.subarray(i * inputs, (i + 1) * inputs)));
  }
  assert.deepEqual(x.shape, [rows, inputs]);
  assert.equal(x.data.length, rows * inputs);
  return Array.from({ length: rows }, (_, i) => Array.from(x.data.subarray(i * inputs, (i + 1) * inputs)));
}

const kindOf = ({ x }: Table): string => (x instanceof CsrMatrix ? 'CsrMatrix' : x.data[Symbol.toStringTag]);

describe('56 formats: CSV', () => {
  it('a table with names and text labels', async () => {
    const table = await read('width,height,kind\n1,2.5,dog\n-3,4e-1,cat\n+.5,6.,dog\n', { label: 'kind' });
    const { x, ...rest } = table;
    assert.deepEqual(rest, {
      ...{ rows: 3, inputs: 2, format: 'csv' },
      ...{ features: ['width', 'height'], classes: ['cat', 'dog'], y: Int32Array.of(1, 0, 1) },
    });
    assert.deepEqual(x, { data: Float32Array.of(1, 2.5, -3, 0.4, 0.5, 6), shape: [3, 2] });
  });

  it('what it gives trains, and a network with its names reads the same columns again', async () => {
    const lines = Array.from({ length: 40 }, (_, i) => `${i},${i % 2 ? 'odd' : 'even'},${i % 2}`);
    const { x, y, inputs, classes, features } = await read(`id,kind,bit\n${lines.join('\n')}\n`, {
      ...{ label: 'kind', ignore: ['id'] },
    });
    const net = Network.createSync({
      ...({ inputs, classes, features, seed: 1 } as { inputs: number; seed: number }),
      layers: [dense({ units: 2 })],
    });
    assert.ok(y !== undefined);
    const { final, epochs } = await net.fit({ x, y: y as Int32Array }, { epochs: 30, batchSize: 4 }).done;
    assert.ok(epochs.length === 30 && final !== undefined);
    const again = await read('note,bit\nhello,1\nworld,0\n', { features: features as readonly string[] });
    const answers = await net.predict(again.x, { output: 'classes' });
    assert.deepEqual(
      Array.from(answers, (answer) => classes?.[answer as number]),
      ['odd', 'even'],
    );
    net.dispose();
  });

  it('quotes, line breaks within them, CRLF, a byte order mark, blank lines, no line break at the end', async () => {
    const text = '\ufeffa,b,"the ""class"""\r\n1,"2","x, y"\r\n\r\n"3",4,"two\r\nlines"\r\n5,6,"x, y"';
    const { y, classes, features, ...table } = await read(text, { label: 'the "class"' });
    assert.deepEqual(
      [classes, features],
      [
        ['two\r\nlines', 'x, y'],
        ['a', 'b'],
      ],
    );
    assert.deepEqual(y, Int32Array.of(1, 0, 1));
    assert.deepEqual(rowsOf(table), [
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    for (const end of ['', '\n', '\r\n', '\r', '\n\n\n', '\n  \n', ' ']) {
      const { classes: kinds, rows } = await read(`a,b\n1,"x"\n2,"y"${end}`, { label: -1 });
      assert.deepEqual([kinds, rows], [['x', 'y'], 2], JSON.stringify(end));
    }
  });

  it('the delimiter is found: tab, semicolon, bar, comma; or given', async () => {
    for (const delimiter of ['\t', ';', '|', ',']) {
      const text = `a${delimiter}b${delimiter}"x;y,z|\t"\n1${delimiter}2${delimiter}3\n4${delimiter}5${delimiter}6\n`;
      assert.deepEqual(
        rowsOf(await read(text)),
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        JSON.stringify(delimiter),
      );
    }
    assert.deepEqual(rowsOf(await read('1 2\n3 4\n', { delimiter: ' ' })), [
      [1, 2],
      [3, 4],
    ]);
    assert.deepEqual(rowsOf(await read('1\n2\n')), [[1], [2]]);
    const label = await read('a,b\tc\n1\t2\n', { label: 'a,b' }, 'data.tsv');
    assert.deepEqual([rowsOf(label), label.classes], [[[2]], ['1']]);
  });

  it('columns aligned by spaces', async () => {
    const text = '  a   b\n 1   -2 \n30   4\r\n  5 6';
    const table = await read(text, {}, 'data.txt');
    assert.deepEqual(
      [rowsOf(table), table.features],
      [
        [
          [1, -2],
          [30, 4],
          [5, 6],
        ],
        ['a', 'b'],
      ],
    );
    const many = await read(' 1  2   3 \n'.repeat(100_000));
    assert.deepEqual([many.rows, rowsOf(many)[99_999]], [100_000, [1, 2, 3]]);
  });

  it('whether there is a header', async () => {
    const cases: [string, ReadTableOptions, readonly string[] | undefined, number][] = [
      ['a,b\n1,2\n', {}, ['a', 'b'], 1],
      ['5.1,setosa\n4.9,setosa\n', { label: 1 }, undefined, 2],
      ['5.1,species\n4.9,setosa\n', { label: 'species' }, ['5.1'], 1],
      ['1,2\n3,4\n', {}, undefined, 2],
      ['1,2\n3,4\n', { header: true }, ['1', '2'], 1],
      ['1,2\n3,4\n', { features: ['2', '1'] }, ['2', '1'], 1],
      ['NA,2\n3,4\n', { missing: 0 }, undefined, 2],
      ['5.1,x\n', { label: 1 }, undefined, 1],
      ['a,b\nNA,1\n', { missing: 0 }, ['a', 'b'], 1],
      [' a , b \n1,2\n', {}, ['a', 'b'], 1],
      ['0,1,2,3\n5,6,7,x\n', { label: 3 }, ['0', '1', '2'], 1],
      ['0,1,2\n5,6,x\n', { label: 2 }, undefined, 2],
    ];
    for (const [text, options, features, rows] of cases) {
      const table = await read(text, options);
      assert.deepEqual([table.features, table.rows], [features, rows], text);
    }
  });

  it('the label may be any column, from either end; without one there is none', async () => {
    const text = 'a,b,c\n1,2,3\n4,5,6\n';
    assert.deepEqual(rowsOf(await read(text, { label: 0 })), [
      [2, 3],
      [5, 6],
    ]);
    assert.deepEqual(rowsOf(await read(text, { label: -2 })), [
      [1, 3],
      [4, 6],
    ]);
    for (const options of [{}, { label: false } as const]) {
      const table = await read(text, options);
      assert.deepEqual([table.y, table.classes, table.inputs], [undefined, undefined, 3]);
    }
  });

  it('columns are chosen and ordered by name, others not read', async () => {
    const text = 'id,x1,x2,kind\nA-1,1,2,p\nA-2,3,4,q\n';
    const chosen = await read(text, { features: ['x2', 'x1'], label: 'kind' });
    assert.deepEqual(
      [rowsOf(chosen), chosen.features],
      [
        [
          [2, 1],
          [4, 3],
        ],
        ['x2', 'x1'],
      ],
    );
    const ignored = await read(text, { ignore: ['id', -1] });
    assert.deepEqual(
      [rowsOf(ignored), ignored.features],
      [
        [
          [1, 2],
          [3, 4],
        ],
        ['x1', 'x2'],
      ],
    );
    assert.deepEqual(rowsOf(await read('1,2\n3,4\n', { features: ['p', 'q'], header: false })), [
      [1, 2],
      [3, 4],
    ]);
  });

  it('tens of thousands of columns, chosen by name in another order', async () => {
    const names = Array.from({ length: 30_000 }, (_, i) => `gene ${i}`);
    const text = `${names.join()}\n${names.map((_, i) => i % 200).join()}\n`;
    const features = names.slice(5).reverse();
    const table = await read(text, { features });
    assert.deepEqual([table.inputs, table.features], [features.length, features]);
    const expected = features.map((name) => Number(name.slice(5)) % 200);
    assert.deepEqual(rowsOf(table)[0], expected);
    const second = await messageOf(text, { features: [...features, 'gene 30001'] });
    assert.match(
      second,
      /there is no column "gene 30001", which the features are to have\. Did you mean 'gene \d+'\?$/,
    );
  });

  it('integers that are labels are ordered by value, and +1, 01 and 1.0 are 1', async () => {
    const labels = await read('1,10\n1,9\n1,-1\n1,+9\n1,09\n1,9.0\n', { label: 1 });
    assert.deepEqual([labels.classes, labels.y], [['-1', '9', '10'], Int32Array.of(2, 1, 0, 1, 1, 1)]);
    const texts = await read('1,9\n1,b\n1,10\n', { label: 1 });
    assert.deepEqual([texts.classes, texts.y], [['10', '9', 'b'], Int32Array.of(1, 2, 0)]);
  });

  it('classes that are known keep their numbers', async () => {
    const classes = ['red', 'green', 'blue'];
    assert.deepEqual((await read('1,blue\n2,red\n', { label: 1, classes })).y, Int32Array.of(2, 0));
    assert.deepEqual((await read('1,2\n2,0\n', { label: 1, classes })).y, Int32Array.of(2, 0));
    assert.deepEqual((await read('1,1\n2,7.0\n', { label: 1, classes: ['7', '1'] })).y, Int32Array.of(1, 0));
  });

  it('numbers to predict', async () => {
    const { y, classes } = await read('a,price\n1,2.5\n2,-1e3\n', { label: 'price', target: 'number' });
    assert.deepEqual([y, classes], [Float32Array.of(2.5, -1000), undefined]);
  });

  it('unknown values become what is asked for', async () => {
    const text = 'a,b,c,d,e,f,g,h\n1,,NA,n/a,NaN,null,?, \n1,2,3,4,5,6,7,8\n';
    assert.deepEqual(rowsOf(await read(text, { missing: -1 }))[0], [1, -1, -1, -1, -1, -1, -1, -1]);
    assert.deepEqual(rowsOf(await read(text, { missing: Number.NaN }))[0]?.slice(1), Array(7).fill(Number.NaN));
  });

  it('the smallest type that holds every number as it is', async () => {
    const cases: [string, string][] = [
      ['0\n255\n', 'Uint8Array'],
      ['0\n256\n', 'Uint16Array'],
      ['-1\n127\n', 'Int8Array'],
      ['-1\n128\n', 'Int16Array'],
      ['-1\n32768\n', 'Float32Array'],
      ['0\n65536\n', 'Float32Array'],
      ['1\n0.5\n', 'Float32Array'],
      ['1.0\n2e0\n', 'Uint8Array'],
      ['1\nNA\n', 'Float32Array'],
    ];
    for (const [text, kind] of cases) {
      const table = await read(text, { missing: Number.NaN });
      assert.equal(kindOf(table), kind, text);
      const expected = text
        .trim()
        .split('\n')
        .map((cell) => [Math.fround(Number(cell))]);
      assert.deepEqual(rowsOf(table), expected);
    }
  });

  it('many rows, over blocks of other types and pieces of the file, and progress @slow', async () => {
    const rows = 400_000;
    const at = (i: number) => (i < rows / 2 ? i % 100 : i < rows - 5 ? -(i % 30_000) : i / 8);
    const text = Array.from({ length: rows }, (_, i) => `${at(i)},"é${i % 3}",${i % 7}\n`).join('');
    const calls: ReadProgress[] = [];
    const table = await read(text, { label: 1, onProgress: (progress) => calls.push(progress) });
    assert.deepEqual([table.rows, table.inputs, kindOf(table)], [rows, 2, 'Float32Array']);
    const { data } = table.x as { data: Float32Array };
    const isRight = (_: unknown, i: number) =>
      data[2 * i] === Math.fround(at(i)) && data[2 * i + 1] === i % 7 && table.y?.[i] === i % 3;
    assert.equal(
      Array.from({ length: rows }).findIndex((_, i) => !isRight(_, i)),
      -1,
    );
    const total = Buffer.byteLength(text);
    assert.ok(calls.length > 5 && calls.every(({ totalBytes }) => totalBytes === total));
    assert.equal(calls.at(-1)?.bytes, total);
    assert.ok(calls.every(({ rows: done }, i) => (done ?? 0) >= (calls[i - 1]?.rows ?? 0)));
  });

  it('rows longer than a piece, and lines counted across quotes', async () => {
    const wide = Array.from({ length: 200_000 }, (_, i) => i % 250);
    const text = `${wide.join()}\n${wide.map((value) => 249 - value).join()}\n`;
    const table = await read(text);
    assert.deepEqual([table.rows, table.inputs, kindOf(table)], [2, wide.length, 'Uint8Array']);
    assert.equal((table.x as Anything).data[wide.length + 1], 248);
    const filler = '1,"a\nb\n\nc"\n'.repeat(50_000);
    assert.match(await messageOf(`${filler}x,y\n`, { label: 1 }), /line 200001, column 0/);
  });

  it('any table of texts and numbers comes back as it was written @slow', async () => {
    const cell = fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -70000, max: 70000 }));
    const name = fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', ';', '\n', '\r\n', ' ', '1', '\t', '𝄞') });
    const table = fc.record({
      rows: fc.array(fc.tuple(fc.tuple(cell, cell, cell), name), { minLength: 1, maxLength: 30 }),
      delimiter: fc.constantFrom(',', ';', '\t', '|'),
      newline: fc.constantFrom('\n', '\r\n'),
    });
    await fc.assert(
      fc.asyncProperty(table, async ({ rows, delimiter, newline }) => {
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const lines = rows.map(([cells, label]) =>
          [...cells.map((value, i) => (i === 1 ? quoted(String(value)) : String(value))), quoted(`n${label}`)].join(
            delimiter,
          ),
        );
        const text = `a${delimiter}b${delimiter}c${delimiter}name${newline}${lines.join(newline)}${newline}`;
        const read1 = await read(text, { label: 'name', delimiter });
        const expected = rows.map(([cells]) => cells.map((value) => Math.fround(value)));
        assert.deepEqual(
          rowsOf(read1)
            .flat()
            .map((value) => value + 0),
          expected.flat().map((value) => value + 0),
        );
        const labels = Array.from(read1.y as Int32Array, (label) => read1.classes?.[label]);
        assert.deepEqual(
          labels,
          rows.map(([, label]) => `n${label}`.trim()),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('what JavaScript takes for a number and nobody means is refused, strictly @slow', async () => {
    const good = [
      '0',
      '-0.5',
      '.5',
      '5.',
      '1e5',
      '1E-5',
      '+3',
      ' 7 ',
      '00012',
      '1e-400',
      '123456789012345678901234567890',
    ];
    for (const cell of good) assert.equal(rowsOf(await read(`1\n${cell}\n`))[1]?.[0], Math.fround(Number(cell)), cell);
    const bad = [
      '0x10',
      '0b1',
      '0o7',
      'Infinity',
      '-Infinity',
      '1_000',
      '1 2',
      '--1',
      '1e',
      'e5',
      '.',
      '-',
      '1.2.3',
      '١',
      'true',
      '1f',
    ];
    for (const cell of bad) {
      const message = await messageOf(`1;2\n3;${cell}\n`);
      assert.ok(
        message.startsWith(`ERR_SETNET_DATA data.csv, line 2, column 1 (from 0): ${JSON.stringify(cell)} is no number`),
        message,
      );
    }
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom(...'0123456789+-.eExX _nfity'), minLength: 1 }),
        async (text) => {
          const isNumber =
            /^ *[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)? *$/i.test(text) && Number.isFinite(Math.fround(Number(text)));
          const reading = read(`1;1\n1;${text}\n`, { header: false });
          if (isNumber) assert.equal(rowsOf(await reading)[1]?.[1], Math.fround(Number(text)) + 0);
          else await rejectsCode(reading, 'ERR_SETNET_DATA', /line 2, column 1/);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('says what is wrong, where, and what to do', async () => {
    const cases: [string | Buffer, ReadTableOptions, string][] = [
      ['', {}, 'ERR_SETNET_DATA data.csv: the file is empty; rows of numbers are expected'],
      ['\n \n', {}, 'ERR_SETNET_DATA data.csv: the file is empty; rows of numbers are expected'],
      ['a,b\n', {}, 'ERR_SETNET_DATA data.csv: the file has a header and no rows; rows of numbers are expected'],
      [
        'a,b\n1,2\n3\n',
        {},
        "ERR_SETNET_FORMAT data.csv, line 3: 1 cell, but line 1 has 2 (they are separated by ','; a cell that contains one needs quotes)",
      ],
      [
        '1\t2\n3\t4\t5\n',
        { delimiter: '\t' },
        'ERR_SETNET_FORMAT data.csv, line 2: 3 cells, but line 1 has 2 (they are separated by tabs; a cell that contains one needs quotes)',
      ],
      [
        'a,b\n1,2\n3,x\n',
        {},
        'ERR_SETNET_DATA data.csv, line 3, column "b": "x" is no number; where it is the label: label: \'b\'; where it is no feature: ignore: [\'b\']',
      ],
      [
        'a,b\n1,2\n3,x\n',
        { label: 'a' },
        'ERR_SETNET_DATA data.csv, line 3, column "b": "x" is no number; where it is no feature: ignore: [\'b\']',
      ],
      [
        'x,y\nz,w\n',
        {},
        'ERR_SETNET_DATA data.csv, line 1, column 0 (from 0): "x" is no number; where the first row has the names of the columns: header: true; where it is the label: label: 0; where it is no feature: ignore: [0]',
      ],
      [
        'a,b\n1,2\n3,\n',
        {},
        'ERR_SETNET_DATA data.csv, line 3, column "b": the cell is empty; say what unknown values become, as in missing: NaN, and give the network the same',
      ],
      [
        'a,b\n1,2\n3,NA\n',
        {},
        'ERR_SETNET_DATA data.csv, line 3, column "b": "NA" is no number; say what unknown values become, as in missing: NaN, and give the network the same',
      ],
      [
        'a;b\n1;2\n3;1,5\n',
        {},
        'ERR_SETNET_DATA data.csv, line 3, column "b": "1,5" is no number; decimals are written with a point, as in 1.5',
      ],
      [
        'a;b\n1;2\n3;1,234.5\n',
        {},
        'ERR_SETNET_DATA data.csv, line 3, column "b": "1,234.5" is no number; numbers are written without separators of thousands',
      ],
      [
        'a;b\n1;2\n3;0xff\n',
        {},
        'ERR_SETNET_DATA data.csv, line 3, column "b": "0xff" is no number; numbers are decimal',
      ],
      [
        'a;b\n1;2\n3;-inf\n',
        {},
        'ERR_SETNET_DATA data.csv, line 3, column "b": "-inf" is no number; numbers are finite',
      ],
      [
        'a;b\n1;2\n3;1e39\n',
        {},
        'ERR_SETNET_DATA data.csv, line 3, column "b": "1e39" is too large for a 32-bit float',
      ],
      [
        'a,b,a\n1,2,3\n',
        {},
        'ERR_SETNET_DATA data.csv, line 1: columns 0 and 2 (from 0) are both named "a"; every column needs a name of its own',
      ],
      [
        ',a\n0,2\n',
        {},
        'ERR_SETNET_DATA data.csv, line 1: column 0 (from 0) has no name; give it one, or leave the column out: ignore: [0]',
      ],
      [
        'a,b\n1,2\n',
        { label: 'B' },
        'ERR_SETNET_OPTION readTable: label: data.csv has no column "B". Did you mean \'b\'? There are: "a", "b".',
      ],
      [
        '1,2\n1,2\n',
        { label: 'B' },
        'ERR_SETNET_OPTION readTable: label: data.csv has no header, so that no column is named "B"; give its number from 0, or header: true where the first row has the names',
      ],
      [
        'a,b\n1,2\n',
        { label: 2 },
        'ERR_SETNET_OPTION readTable: label: there is no column 2; data.csv has 2 columns, 0 to 1, or -2 to -1 from the end',
      ],
      [
        'a,b\n1,2\n',
        { ignore: ['a', 'c'] },
        'ERR_SETNET_OPTION readTable: ignore[1]: data.csv has no column "c". There are: "a", "b".',
      ],
      [
        'a,b\n1,2\n',
        { label: 0, ignore: [0] },
        'ERR_SETNET_OPTION readTable: the column of the label is among those to ignore',
      ],
      [
        'a,b\n1,2\n',
        { label: 'a', features: ['a', 'b'] },
        'ERR_SETNET_OPTION readTable: features: "a" is the column of the label',
      ],
      [
        'hight,b\n1,2\n',
        { features: ['b', 'height', 'width'] },
        'ERR_SETNET_DATA data.csv: there is no column "height", "width", which the features are to have. Did you mean \'hight\'?',
      ],
      [
        '1,2\n1,2\n',
        { features: ['a', 'b', 'c'] },
        'ERR_SETNET_SHAPE data.csv: 2 columns of features, but 3 are expected; is one of them the label?',
      ],
      ['1,2\n1,2\n', { inputs: 2, label: 0 }, 'ERR_SETNET_SHAPE data.csv: 1 columns of features, but 2 are expected'],
      ['1\n2\n', { label: 0 }, 'ERR_SETNET_DATA data.csv: no column is left for the features: there is 1'],
      [
        'a,b\n1,"x"y\n',
        { label: 1 },
        'ERR_SETNET_FORMAT data.csv, line 2: a quote (") is followed by more text; a quote within quotes is written twice, ""',
      ],
      ['a,b\n1,2\n1,"x\n', { label: 1 }, 'ERR_SETNET_FORMAT data.csv, line 3: a quote (") is not closed'],
      [
        'a,b\n1,x\n1,\n',
        { label: 1 },
        'ERR_SETNET_DATA data.csv, line 3, column "b": the label is empty; every row needs one',
      ],
      [
        'a,b\n1,0\n1,NA\n',
        { label: 1 },
        'ERR_SETNET_DATA data.csv, line 3, column "b": the label is not known ("NA"); leave out rows without a label',
      ],
      [
        'a,b\n1,0\n1,0.25\n',
        { label: 1 },
        'ERR_SETNET_DATA data.csv, line 3, column "b": the labels are numbers such as 0.25, not classes; to predict numbers: target: \'number\'',
      ],
      [
        'a,b\n1,0\n1,x\n',
        { label: 1, target: 'number' },
        'ERR_SETNET_DATA data.csv, line 3, column "b": "x" is no number, as target: \'number\' asks for',
      ],
      [
        'a,b\n1,0\n1,1e99\n',
        { label: 1, target: 'number' },
        'ERR_SETNET_DATA data.csv, line 3, column "b": "1e99" is too large for a 32-bit float',
      ],
      [
        'a,b\n1,red\n1,gren\n',
        { label: 1, classes: ['red', 'green'] },
        'ERR_SETNET_DATA data.csv, line 3, column "b": there is no class "gren". Did you mean \'green\'? There are: "red", "green".',
      ],
      [
        'a,b\n1,0\n1,2\n',
        { label: 1, classes: ['red', 'green'] },
        'ERR_SETNET_DATA data.csv, line 3, column "b": there is no class "2". There are: "red", "green".',
      ],
      ['1\n\n2\n', {}, 'ERR_SETNET_FORMAT data.csv, line 2: the line is empty'],
      [
        Buffer.from('a,b\n1,2\n1,caf\xe9\n', 'latin1'),
        {},
        'ERR_SETNET_FORMAT data.csv, line 3: the text is not UTF-8; save it as UTF-8',
      ],
      [
        Buffer.from('a,b\n1,2\n1,x\xc3', 'latin1'),
        {},
        'ERR_SETNET_FORMAT data.csv, line 3: the text is not UTF-8; save it as UTF-8',
      ],
      [
        Buffer.from('\ufeffa,b\n1,2\n', 'utf16le'),
        {},
        'ERR_SETNET_FORMAT data.csv: the text is in UTF-16; save it as UTF-8',
      ],
    ];
    for (const [content, options, expected] of cases) assert.equal(await messageOf(content, options), expected);
  });

  it('more labels than classes can be', async () => {
    const text = Array.from({ length: 65537 }, (_, i) => `1,n${i}\n`).join('');
    assert.match(
      await messageOf(text, { label: 1 }),
      /^ERR_SETNET_DATA data\.csv, line 65537, column 1.*more than 65536/,
    );
  });

  it('a quote that is not closed does not make the file a row for ever @slow', async () => {
    const text = `a,b\n1,"${'2,3\n'.repeat(17_000_000)}`;
    assert.match(
      await messageOf(text),
      /data\.csv, line 2: a row of more than 67108864 characters begins here; is a quote/,
    );
  });

  it('gzipped, by a URL, from a pipe', async () => {
    const text = 'a,b\n1,2\n3,4\n';
    assert.deepEqual(rowsOf(await read(gzipSync(text), {}, 'data.csv.gz')), [
      [1, 2],
      [3, 4],
    ]);
    assert.deepEqual(rowsOf(await read(gzipSync(text), {}, 'data.csv')), [
      [1, 2],
      [3, 4],
    ]);
    assert.match(
      await messageOf(gzipSync(text.repeat(1000)).subarray(0, -9)),
      /^ERR_SETNET_FORMAT data\.csv: the packed data are damaged/,
    );
    await withFolder(async (folder) => {
      const path = join(folder, 'ä b.csv');
      writeFileSync(path, text);
      assert.deepEqual(rowsOf(await readTable(pathToFileURL(path))), [
        [1, 2],
        [3, 4],
      ]);
      if (process.platform === 'win32') return;
      const pipe = join(folder, 'pipe');
      execFileSync('mkfifo', [pipe]);
      const reading = readTable(pipe, { format: 'csv' });
      execFileSync('sh', ['-c', `cat '${path}' > '${pipe}'`]);
      assert.deepEqual(rowsOf(await reading), [
        [1, 2],
        [3, 4],
      ]);
    });
  });

  it('labels in a file of their own: a text a line, or a column with a name', async () => {
    await withFolder(async (folder) => {
      const write = (name: string, text: string) => {
        writeFileSync(join(folder, name), text);
        return join(folder, name);
      };
      const data = write('x.csv', '1,2\n3,4\n5,6\n');
      for (const text of ['b\na, c\nb\n', '"b"\r\n"a, c"\r\n"b"', 'b\na, c\nb\n\n']) {
        const { y, classes } = await readTable(data, { labels: write('y.txt', text) });
        assert.deepEqual([y, classes], [Int32Array.of(1, 0, 1), ['a, c', 'b']]);
      }
      const named = await readTable(data, { labels: write('y.csv', 'label\n7\n3\n7\n') });
      assert.deepEqual([named.y, named.classes], [Int32Array.of(1, 0, 1), ['3', '7']]);
      const numbers = await readTable(data, { labels: write('y.csv', '0.5\n1\n2\n'), target: 'number' });
      assert.deepEqual(numbers.y, Float32Array.of(0.5, 1, 2));
      const wrong = (text: string) => readTable(data, { labels: write('y.csv', text) });
      await rejectsCode(wrong('1\n2\n'), 'ERR_SETNET_SHAPE', /y\.csv: 2 labels, but \S*x\.csv has 3 rows$/);
      await rejectsCode(
        wrong('1\t2\n'),
        'ERR_SETNET_FORMAT',
        /y\.csv, line 1: 2 columns; one label a line is expected$/,
      );
      await rejectsCode(wrong('1\n\n2\n'), 'ERR_SETNET_FORMAT', /y\.csv, line 2: the line is empty; one label a line/);
      await rejectsCode(
        readTable(data, { labels: join(folder, 'no') }),
        'ERR_SETNET_IO',
        /cannot read '.*no': no such file/,
      );
    });
  });

  it('files that cannot be read, and options that say nothing', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'x.csv');
      writeFileSync(path, '1,2\n');
      mkdirSync(join(folder, 'sub.csv'));
      const given = (options: unknown) => readTable(path, options as ReadTableOptions);
      await rejectsCode(
        readTable(join(folder, 'y.csv')),
        'ERR_SETNET_IO',
        /^cannot read '.*y\.csv': no such file or folder \(ENOENT\)$/,
      );
      await rejectsCode(
        readTable(join(folder, 'sub.csv')),
        'ERR_SETNET_IO',
        /^cannot read '.*sub\.csv': it is a folder \(EISDIR\)$/,
      );
      await rejectsCode(readTable(join(path, 'z')), 'ERR_SETNET_IO', /a part of the path is not a folder/);
      await rejectsCode(readTable(7 as never), 'ERR_SETNET_TYPE', /readTable: path must be a path/);
      await rejectsCode(given({ lable: 0 }), 'ERR_SETNET_OPTION', /unknown option "lable"\. Did you mean 'label'\?/);
      await rejectsCode(given({ format: 'excel' }), 'ERR_SETNET_OPTION', /format: there is no "excel"/);
      await rejectsCode(given({ label: true }), 'ERR_SETNET_TYPE', /label must be the name of a column or its number/);
      await rejectsCode(given({ label: 0, labels: 'y' }), 'ERR_SETNET_OPTION', /label and labels contradict/);
      await rejectsCode(given({ target: 'number', classes: ['a'] }), 'ERR_SETNET_OPTION', /classes contradict target/);
      await rejectsCode(given({ classes: [] }), 'ERR_SETNET_OPTION', /classes has no names/);
      await rejectsCode(given({ classes: ['a', 'a'] }), 'ERR_SETNET_OPTION', /"a" is there twice/);
      await rejectsCode(given({ delimiter: '::' }), 'ERR_SETNET_OPTION', /delimiter must be one character/);
      await rejectsCode(given({ delimiter: '"' }), 'ERR_SETNET_OPTION', /neither a quote nor/);
      await rejectsCode(given({ missing: Number.POSITIVE_INFINITY }), 'ERR_SETNET_OPTION', /missing must be finite/);
      await rejectsCode(given({ missing: '0' }), 'ERR_SETNET_TYPE', /missing must be a number or NaN/);
      await rejectsCode(given({ header: 1 }), 'ERR_SETNET_TYPE', /header must be true or false/);
      await rejectsCode(given({ inputs: 0 }), 'ERR_SETNET_OPTION', /inputs must be an integer from 1/);
      await rejectsCode(given({ ignore: 'a' }), 'ERR_SETNET_TYPE', /ignore must be an array of columns/);
      await rejectsCode(given({ signal: {} }), 'ERR_SETNET_TYPE', /signal must be an AbortSignal/);
      await rejectsCode(given({ onProgress: 1 }), 'ERR_SETNET_TYPE', /onProgress must be a function/);
      await rejectsCode(
        given({ firstIndex: 0 }),
        'ERR_SETNET_OPTION',
        /firstIndex is an option for SVMlight files, but .* is CSV$/,
      );
    });
  });

  it('a signal ends it with its reason, before and in the middle', async () => {
    const reason = new Error('enough');
    await assert.rejects(read('1,2\n', { signal: AbortSignal.abort(reason) }), (error) => error === reason);
    const text = '1,2\n'.repeat(500_000);
    for (const content of [text, gzipSync(text, { level: 1 })]) {
      const controller = new AbortController();
      const onProgress = () => controller.abort(reason);
      await assert.rejects(read(content, { signal: controller.signal, onProgress }), (error) => error === reason);
    }
    const failing = () => {
      throw reason;
    };
    await assert.rejects(read('1,2\n', { onProgress: failing }), (error) => error === reason);
  });

  it('the event loop runs while it reads', async () => {
    const text = '0.25,1.5,2.125,3.5\n'.repeat(200_000);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    try {
      await read(text);
    } finally {
      clearInterval(timer);
    }
    assert.ok(turns >= 5, `${turns} turns`);
  });
});

describe('56 formats: SVMlight', () => {
  const svm = (content: string, options?: ReadTableOptions) => read(content, options, 'data.svm');

  it('labels, rows that are not sorted, comments, qid, blank lines; indices from 1', async () => {
    const text = '# a comment\n+1 3:0.5 1:-2 # note: 7:7\n\n-1 qid:4 2:1e3\r\n+1\n-1\t1:1\t3:0\n';
    const table = await svm(text);
    assert.deepEqual([table.classes, table.y], [['-1', '1'], Int32Array.of(1, 0, 1, 0)]);
    assert.deepEqual(rowsOf(table), [
      [-2, 0, 0.5],
      [0, 1000, 0],
      [0, 0, 0],
      [1, 0, 0],
    ]);
    const matrix = table.x as CsrMatrix;
    assert.deepEqual([matrix.count, table.inputs, table.format], [5, 3, 'svmlight']);
  });

  it('indices from 0 where 0 occurs, or as it is said', async () => {
    assert.deepEqual(rowsOf(await svm('1 0:5 2:6\n')), [[5, 0, 6]]);
    assert.deepEqual(rowsOf(await svm('1 1:5\n', { firstIndex: 0 })), [[0, 5]]);
    assert.deepEqual(rowsOf(await svm('1 1:5\n', { inputs: 3 })), [[5, 0, 0]]);
    assert.deepEqual(rowsOf(await svm('1 1:5\n', { features: ['a', 'b'] })), [[5, 0]]);
  });

  it('is known by its name and by its first line', async () => {
    for (const name of ['a.svm', 'a.libsvm', 'a.svmlight', 'a.txt', 'a', 'a.data.gz'])
      assert.equal(
        (await read(name.endsWith('gz') ? gzipSync('1 1:2\n') : '1 1:2\n', {}, name)).format,
        'svmlight',
        name,
      );
    assert.equal((await read('1,2\n', {}, 'a.txt')).format, 'csv');
    assert.equal((await read('time:1\n2\n', { header: true }, 'a.txt')).format, 'csv');
  });

  it('numbers to predict, and labels that are not wanted', async () => {
    assert.deepEqual((await svm('0.5 1:1\n2 1:1\n', { target: 'number' })).y, Float32Array.of(0.5, 2));
    const without = await svm('1,2 1:1\nx 1:1\n', { label: false });
    assert.deepEqual([without.y, without.rows], [undefined, 2]);
    assert.deepEqual((await svm('blå 1:1\nab 1:1\n')).classes, ['ab', 'blå']);
  });

  it('says what is wrong, where, and what to do', async () => {
    const cases: [string, ReadTableOptions, string][] = [
      ['', {}, 'ERR_SETNET_DATA data.svm: the file has no rows; LABEL INDEX:VALUE ... is expected'],
      [
        '1 1:2\n1:2\n',
        {},
        'ERR_SETNET_FORMAT data.svm, line 2: the line begins with "1:2"; LABEL INDEX:VALUE ... is expected',
      ],
      ['1 1:2\n1 x\n', {}, 'ERR_SETNET_FORMAT data.svm, line 2: "x" is not INDEX:VALUE, as in 7:1.5'],
      ['1 1:2\n1 -1:3\n', {}, 'ERR_SETNET_FORMAT data.svm, line 2: "-1:3" is not INDEX:VALUE, as in 7:1.5'],
      ['1 1:2 qid:3\n', {}, 'ERR_SETNET_FORMAT data.svm, line 1: "qid:3" is not INDEX:VALUE, as in 7:1.5'],
      ['1 1:2\n1 5:x\n', {}, 'ERR_SETNET_DATA data.svm, line 2, index 5: "x" is no number'],
      ['1 5:0x1\n', {}, 'ERR_SETNET_DATA data.svm, line 1, index 5: "0x1" is no number; numbers are decimal'],
      ['1 5:1e39\n', {}, 'ERR_SETNET_DATA data.svm, line 1, index 5: "1e39" is too large for a 32-bit float'],
      ['1 5:\n', {}, 'ERR_SETNET_DATA data.svm, line 1, index 5: "" is no number'],
      [
        '1 4294967295:1\n',
        {},
        'ERR_SETNET_DATA data.svm, line 1: the index 4294967295 is too large; indices go up to 4294967294',
      ],
      [
        '1 99999999999999999999:1\n',
        {},
        'ERR_SETNET_FORMAT data.svm, line 1: "99999999999999999999:1" is not INDEX:VALUE, as in 7:1.5',
      ],
      [
        '1 1:2\n1 3:1 2:1 3:1\n',
        {},
        'ERR_SETNET_DATA data.svm, line 2: the index 3 is there twice; every index once is expected',
      ],
      ['1,2 1:2\n', {}, 'ERR_SETNET_DATA data.svm, line 1: several labels, "1,2"; one for each row is expected'],
      [
        '1 1:2\n1 7:2\n1 2:1\n',
        { inputs: 5 },
        'ERR_SETNET_SHAPE data.svm, line 2: the index 7, but there are 5 features, called 1 to 5',
      ],
      [
        '1 1:2\n1 0:2\n',
        { firstIndex: 1 },
        'ERR_SETNET_DATA data.svm, line 2: the index 0, but the first feature is called 1 (firstIndex: 0 where it is 0)',
      ],
      ['1\n2\n', {}, 'ERR_SETNET_DATA data.svm: no row has an element; give the number of features as inputs'],
      [
        '1 1:2\n3 1:2\n',
        { classes: ['1', '2'] },
        'ERR_SETNET_DATA data.svm, line 2: there is no class "3". There are: "1", "2".',
      ],
      [
        '1 1:2\n',
        { label: 'a' },
        'ERR_SETNET_OPTION readTable: label names a column of a CSV file, but data.svm is SVMlight; a file of labels is given as labels',
      ],
      [
        '1 1:2\n',
        { delimiter: ';' },
        'ERR_SETNET_OPTION readTable: delimiter is an option for CSV files, but data.svm is SVMlight',
      ],
    ];
    for (const [content, options, expected] of cases)
      assert.equal(await messageOf(content, options, 'data.svm'), expected);
  });

  it('any sparse matrix comes back as it was written, in any order', async () => {
    const element = fc.tuple(fc.integer({ min: 1, max: 300 }), fc.float({ noNaN: true, noDefaultInfinity: true }));
    const row = fc.uniqueArray(element, { selector: ([index]) => index, maxLength: 150 });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
        const text = rows.map((each) => `1 ${each.map(([i, value]) => `${i}:${value}`).join(' ')}`).join('\n');
        const { x } = await svm(text, { inputs: 300 });
        const coordinates = rows.flatMap((each, i) => each.map(([index, value]) => [i, index - 1, value] as const));
        const expected = CsrMatrix.fromCoo({
          ...{ rows: rows.length, columns: 300, rowIndices: coordinates.map(([i]) => i) },
          ...{
            columnIndices: coordinates.map(([, j]) => j), // The text of -0 is 0.
            values: coordinates.map(([, , value]) => value + 0),
          },
        });
        const matrix = x as CsrMatrix;
        assert.deepEqual(matrix.rowPointers, expected.rowPointers);
        assert.deepEqual(matrix.columnIndices, expected.columnIndices);
        assert.deepEqual(matrix.values, expected.values);
      }),
      { numRuns: 60 },
    );
  });

  it('many rows over pieces of the file', async () => {
    const rows = 60_000;
    const text = Array.from({ length: rows }, (_, i) => `${i % 3} ${(i % 500) + 1}:${i} 1000:0.5\n`).join('');
    const table = await svm(text);
    const matrix = table.x as CsrMatrix;
    assert.deepEqual([matrix.rows, matrix.columns, matrix.count], [rows, 1000, 2 * rows]);
    assert.deepEqual(matrix.row(54_321), {
      columnIndices: Uint32Array.of(321, 999),
      values: Float32Array.of(54_321, 0.5),
    });
    assert.equal(table.y?.[54_322], 1);
  });
});
