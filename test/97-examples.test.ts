// The examples on real data, run as users run them, on a small slice; where the data are not in this repository, on made-up data
// of the same form.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { buildInfo } from '../lib/index';
import { type Anything, type ChildResult, randomSource, resultOf, root, withFolder } from './helpers/helpers';

/** Plain modules without declarations. */
async function load(name: string): Promise<Anything> {
  return import(pathToFileURL(join(root, 'examples', name)).href);
}

/** Runs an example without SETNET_DATA. */
function runExample(name: string, ...args: string[]): Promise<ChildResult> {
  const env = { ...process.env };
  delete env.SETNET_DATA;
  return resultOf(spawn(process.execPath, [join('examples', name), ...args], { cwd: root, env, timeout: 60_000 }));
}

/** As runExample; anything but a clean exit fails. */
async function outputOf(name: string, ...args: string[]): Promise<string> {
  const { code, signal, stdout, stderr } = await runExample(name, ...args);
  assert.equal(code, 0, `${name} ended with ${signal ?? code}:\n${stdout}${stderr}`);
  assert.equal(stderr, '');
  return stdout;
}

/** The numbers of a printed table's row. */
function rowOf(output: string, name: string): number[] {
  const line = output.split('\n').find((text) => text.startsWith(`${name}  `));
  assert.ok(line !== undefined, `no row '${name}' in\n${output}`);
  return line
    .slice(name.length)
    .trim()
    .split(/\s{2,}/)
    .map((text) => Number(text.replace(/,/g, '')));
}

/** An NPY 1.0 file. */
function npy(descr: string, shape: number[], data: Uint8Array, { order = 'False' } = {}): Buffer {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${sizes}), }`;
  const header = Buffer.from(`${text.padEnd(117)}\n`, 'latin1');
  const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  return Buffer.concat([head, header, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}

const sameBits = /the same bits in every fold/;
const promised = (): boolean => buildInfo().instructionSet !== 'baseline';

describe('97 examples: NPY files', () => {
  it('images are read, gzipped or not', async () => {
    const { readArray } = await load('fashion/data.mjs');
    const data = Uint8Array.of(0, 1, 255, 7, 8, 9);
    await withFolder(async (folder) => {
      writeFileSync(join(folder, 'plain.npy'), npy('|u1', [2, 3], data));
      writeFileSync(join(folder, 'packed.npy.gz'), gzipSync(npy('|u1', [2, 3], data)));
      for (const name of ['plain.npy', 'packed.npy.gz'])
        assert.deepEqual(readArray(join(folder, name)), { shape: [2, 3], data });
    });
  });

  it('what is no such file is refused, with what was expected', async () => {
    const { DataError, parseNpy, readTextOf, readBytes } = await load('lib/npy.mjs');
    const good = npy('|u1', [2, 3], new Uint8Array(6));
    const cases: [Buffer, RegExp][] = [
      [Buffer.from('not an array at all'), /wrong magic/],
      [good.subarray(0, 9), /wrong magic/],
      [good.subarray(0, 60), /NPY header of 128 bytes, the file has 60/],
      [good.subarray(0, -1), /5 bytes after the header, the shape 2 x 3 needs 6/],
      [npy('<f4', [2, 3], new Uint8Array(24)), /numbers of type '<f4', expected '\|u1' \(uint8\)/],
      [npy('|u1', [2, 3], new Uint8Array(6), { order: 'True' }), /Fortran order/],
      [Buffer.concat([good.subarray(0, 6), Buffer.of(9), good.subarray(7)]), /NPY version 9/],
    ];
    const isError = (pattern: RegExp) => (error: Error) => error instanceof DataError && pattern.test(error.message);
    for (const [bytes, pattern] of cases) assert.throws(() => parseNpy(bytes, 'name'), isError(pattern), `${pattern}`);
    await withFolder(async (folder) => {
      assert.throws(() => readTextOf(folder, 'a.tsv'), isError(/has neither a\.tsv nor a\.tsv\.gz/));
      assert.throws(() => readBytes(join(folder, 'a.tsv')), isError(/cannot be read \(ENOENT\)/));
      writeFileSync(join(folder, 'a.tsv.gz'), gzipSync(good).subarray(0, -12));
      assert.throws(() => readTextOf(folder, 'a.tsv'), isError(/not a whole gzip file/));
    });
  });
});

describe('97 examples: folds', () => {
  const random = randomSource(5);
  const labels = Int32Array.from({ length: 203 }, () => Math.floor(3 * random() ** 2));

  function assertPartition(folds: { train: Int32Array; test: Int32Array }[], samples: number): void {
    const tested = folds.flatMap(({ test }) => Array.from(test));
    assert.deepEqual(
      tested.sort((a, b) => a - b),
      Array.from({ length: samples }, (_, i) => i),
    );
    for (const { train, test } of folds) {
      assert.equal(train.length + test.length, samples);
      assert.equal(new Set([...train, ...test]).size, samples);
    }
  }

  it('every sample is tested once, and every class is spread evenly', async () => {
    const { stratifiedFolds } = await load('lib/folds.mjs');
    for (const count of [2, 5, 203]) {
      const folds = stratifiedFolds(labels, count, 1);
      assert.equal(folds.length, count);
      assertPartition(folds, labels.length);
      for (const label of [0, 1, 2]) {
        const counts = folds.map(({ test }: Anything) => test.filter((i: number) => labels[i] === label).length);
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `class ${label}: ${counts}`);
      }
      const sizes = folds.map(({ test }: Anything) => test.length);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `${sizes}`);
    }
  });

  it('the seed decides', async () => {
    const { stratifiedFolds } = await load('lib/folds.mjs');
    assert.deepEqual(stratifiedFolds(labels, 5, 1), stratifiedFolds(labels, 5, 1));
    assert.notDeepEqual(stratifiedFolds(labels, 5, 1), stratifiedFolds(labels, 5, 2));
    for (const count of [1, 204, 2.5]) {
      assert.throws(() => stratifiedFolds(labels, count, 1), /folds of 203 samples, expected an integer from 2/);
    }
  });

  it('a group is never in two folds', async () => {
    const { groupedFolds } = await load('lib/folds.mjs');
    const groups = Array.from(labels, (_, i) => `group ${(i * i) % 31}`);
    const folds = groupedFolds(groups, 4, 1);
    assertPartition(folds, groups.length);
    for (const { train, test } of folds) {
      const tested = new Set(Array.from(test as Int32Array, (i) => groups[i]));
      assert.ok((train as Int32Array).every((i) => !tested.has(groups[i])));
      assert.ok(test.length > groups.length / 8, `${test.length} in a fold`);
    }
    assert.throws(() => groupedFolds(['a', 'a', 'b'], 3, 1), /3 folds of 2 groups/);
  });
});

describe('97 examples: their command line', function () {
  this.timeout(120_000);

  it('options are checked', async () => {
    const { readOptions } = await load('lib/program.mjs');
    const defaults = { epochs: 3, data: '', all: false };
    assert.deepEqual(readOptions(defaults, []), defaults);
    assert.deepEqual(readOptions(defaults, ['--epochs', '7', '--data=x', '--all']), {
      epochs: 7,
      data: 'x',
      all: true,
    });
    for (const text of ['0', '-1', '1.5', 'x', '']) {
      assert.throws(() => readOptions(defaults, [`--epochs=${text}`]), /--epochs is '.*', expected an integer from 1/);
    }
    assert.throws(() => readOptions(defaults, ['--epoch', '7']), /There are: --epochs, --data, --all/);
  });

  it('without data it says where they come from and what they hold @slow', async () => {
    for (const [name, what] of [
      ['text/run.mjs', /y\.npy.*PCMAC.*scikit-feature/s],
      ['genotypes/run.mjs', /snps\.tsv.*BGLR/s],
    ] as const) {
      const { code, stdout, stderr } = await runExample(name);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /--data FOLDER or in SETNET_DATA/);
      assert.match(stderr, what);
      const missing = await runExample(name, '--data', join(root, 'docs'));
      assert.equal(missing.code, 1);
      assert.match(missing.stderr, /there is no X\.npy or X\.npy\.gz in .*docs/);
    }
  });

  it('samples are read with their labels; what does not fit together is refused', async () => {
    const { readSamples } = await load('lib/program.mjs');
    await withFolder(async (folder) => {
      const write = (name: string, shape: number[], data: Uint8Array) =>
        writeFileSync(join(folder, name), npy('|u1', shape, data));
      write('X.npy', [3, 2], Uint8Array.of(1, 2, 3, 4, 5, 6));
      await assert.rejects(readSamples(folder), /has neither y\.npy nor y\.npy\.gz/);
      write('y.npy', [3], Uint8Array.of(4, 255, 4));
      assert.deepEqual(await readSamples(folder), {
        ...{ x: Uint8Array.of(1, 2, 3, 4, 5, 6), rows: 3, columns: 2 },
        ...{ y: Int32Array.of(0, 1, 0), classes: ['4', '255'] },
      });
      write('y.npy', [2], Uint8Array.of(4, 4));
      await assert.rejects(readSamples(folder), /y\.npy: 2 labels, but .*X\.npy has 3 rows/);
    });
  });
});

describe('97 examples: on data', function () {
  this.timeout(120_000);

  it('texts: SET learns from sparse counts, with the bits of masked layers @slow', async () => {
    await withFolder(async (folder) => {
      const [texts, words] = [600, 120];
      const random = randomSource(3);
      const y = Uint8Array.from({ length: texts }, (_, i) => i % 2);
      // Every class has 20 words that are frequent in it.
      const x = Uint8Array.from({ length: texts * words }, (_, i) => {
        const isTypical = Math.floor((i % words) / 20) === y[Math.floor(i / words)];
        return random() < (isTypical ? 0.3 : 0.05) ? 1 + Math.floor(2 * random()) : 0;
      });
      writeFileSync(join(folder, 'X.npy.gz'), gzipSync(npy('|u1', [texts, words], x)));
      writeFileSync(join(folder, 'y.npy'), npy('|u1', [texts], y));
      const args = ['--data', folder, '--folds', '2', '--epochs', '20', '--units', '40'];
      const output = await outputOf('text/run.mjs', ...args);
      assert.match(output, /^600 texts, 120 words, .* 2 classes\n2 folds, 20 epochs, 40 hidden units\n/);
      const [accuracy, , connections, deployed] = rowOf(output, 'SET') as [number, number, number, number];
      assert.ok(accuracy > 90, output);
      // 20 * (120 + 40) connections and the dense layer's 40 * 2.
      assert.equal(connections, 3280);
      assert.ok(deployed < connections);
      if (promised()) {
        assert.match(output, sameBits);
        assert.deepEqual(rowOf(output, 'masked').slice(0, 4), rowOf(output, 'SET').slice(0, 4));
      }
    });
  });

  it('genotypes: the inputs that a network leans on are the ones that decide @slow', async () => {
    await withFolder(async (folder) => {
      const { genes } = await load('genotypes/peaks.mjs');
      const [mice, perChromosome] = [500, 12];
      // Twelve SNPs on each gene's chromosome, 15 Mb apart, one of them at the gene; one in three without a position.
      const snps = (genes as { chromosome: string; position: number }[]).flatMap(({ chromosome, position }) =>
        Array.from({ length: perChromosome }, (_, i) => ({ chromosome, at: (position % 15) + 15 * i, gene: position })),
      );
      const isGene = snps.map(({ at, gene }) => Math.abs(at - gene) < 0.1);
      assert.equal(isGene.filter((is) => is).length, genes.length);
      const random = randomSource(11);
      const x = Uint8Array.from({ length: mice * snps.length }, () => 2 * Math.round(random()));
      const y = Uint8Array.from({ length: mice }, (_, mouse) => {
        const row = x.subarray(mouse * snps.length, (mouse + 1) * snps.length);
        return row.filter((_, i) => isGene[i]).reduce((code, value) => 2 * code + value / 2, 0) % 8;
      });
      // The first gene decides alone as well, or half of the code would not depend on it.
      for (let mouse = 0; mouse < mice; mouse++) {
        const first = x[mouse * snps.length + isGene.indexOf(true)] as number;
        y[mouse] = (y[mouse] as number) + 4 * first;
      }
      y[7] = 255;
      const table = snps.map(({ chromosome, at }, i) => {
        const bases = i % 3 === 1 && !isGene[i] ? 'NA' : String(Math.round(1e6 * at));
        return `s${i}\t${chromosome}\t${bases}`;
      });
      writeFileSync(join(folder, 'X.npy'), npy('|u1', [mice, snps.length], x));
      writeFileSync(join(folder, 'y.npy'), npy('|u1', [mice], y));
      writeFileSync(join(folder, 'snps.tsv'), ['snp\tchr\tpos', ...table, ''].join('\n'));
      const cages = Array.from({ length: mice }, (_, i) => `m${i}\tcage ${i >> 2}`);
      writeFileSync(join(folder, 'pheno.tsv.gz'), gzipSync(['name\tcage', ...cages].join('\n')));

      const args = ['--data', folder, '--folds', '2', '--epochs', '10', '--units', '60'];
      const output = await outputOf('genotypes/run.mjs', ...args, '--peaks', '5');
      assert.match(output, /^499 mice, 48 SNPs, 16 colours\n2 folds \(the colours spread evenly\)/);
      assert.ok((rowOf(output, 'SET')[0] as number) > 60, output);
      if (promised()) assert.match(output, sameBits);
      assert.match(output, /4 of the first 4 peaks lie at a known gene/);
      for (const { name } of genes) assert.ok(output.includes(`${name}, 0.0 Mb away`), output);

      const byCage = await outputOf('genotypes/run.mjs', ...args, '--cages');
      assert.match(byCage, /2 folds \(no cage in two of them\)/);

      writeFileSync(join(folder, 'snps.tsv'), ['snp\tchr\tpos', ...table.slice(1), ''].join('\n'));
      const wrong = await runExample('genotypes/run.mjs', ...args);
      assert.equal(wrong.code, 1);
      assert.match(wrong.stderr, /snps\.tsv: 47 SNPs, expected the 48 columns of X/);
    });
  });

  it('a SNP without a position is put between its neighbours, never beyond its chromosome', async () => {
    const { readSnps } = await load('genotypes/peaks.mjs');
    const rows = [
      ['1', 'NA'],
      ['1', '1000000'],
      ['1', 'NA'],
      ['1', 'NA'],
      ['1', '4000000'],
      ['2', 'NA'],
      ['2', '9000000'],
      ['2', 'NA'],
      ['3', 'NA'],
    ];
    const table = rows.map(([chr, pos], i) => ({ snp: `s${i}`, chr, pos }));
    const positions = readSnps(table, rows.length, 'x').map(({ position }: Anything) => position);
    assert.deepEqual(positions, [1, 1, 2, 3, 4, 9, 9, 9, Number.NaN]);
  });

  it('expression: four kinds of tumour are told apart, from the data in the repository @slow', async () => {
    const args = ['--folds', '3', '--repeats', '2', '--epochs', '10', '--units', '50'];
    const output = await outputOf('expression/run.mjs', ...args);
    assert.match(output, /^63 samples, 2,308 genes, 4 classes\n2 times 3 folds, 10 epochs, 50 hidden units\n/);
    for (const name of ['linear', 'SET', 'masked', 'static', 'dense']) {
      assert.ok((rowOf(output, name)[0] as number) > 80, `${name}\n${output}`);
    }
    if (promised()) assert.match(output, sameBits);
  });

  it('workers: every answer of every worker has the bits of the network @slow', async () => {
    const output = await outputOf('workers.mjs', '--rows', '1250', '--epochs', '1', '--train', '300', '--workers', '3');
    assert.match(output, /^1 worker: [\d,]+ rows per second, 13 of 13 answers equal to the bit\n/);
    assert.match(output, /\n3 workers: [\d,]+ rows per second, 13 of 13 answers equal to the bit\n$/);
  });

  it('degrees: drawn they are binomial, trained they are wider @slow', async () => {
    const output = await outputOf('degrees.mjs', '--epochs', '4', '--train', '2000');
    const [mean, drawn, trained] = rowOf(output, 'layer 1, into its units') as [number, number, number];
    assert.equal(mean, 40);
    assert.ok(Math.abs(drawn - 1) < 0.15 && trained > drawn + 0.1, output);
    const histogram = output.split('\n').filter((line) => /^ *\d+ to \d+ /.test(line));
    const units = (column: number) =>
      histogram.reduce((sum, line) => sum + Number(line.match(/\d+/g)?.[column] ?? Number.NaN), 0);
    assert.deepEqual([units(2), units(3)], [1000, 1000], output);
    for (const place of ['border', 'between', 'centre'])
      assert.ok(Math.abs((rowOf(output, place)[0] as number) - 45.5) < 2);
  });

  it('streaming: a network learns from a file, and nothing of it is left behind', async () => {
    const { output, left } = await withFolder(async (folder) => {
      const before = process.env.TMPDIR;
      process.env.TMPDIR = folder;
      const running = outputOf('streaming.mjs', '--mb', '8', '--epochs', '2');
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
      return { output: await running, left: readdirSync(folder) };
    });
    assert.deepEqual(left, []);
    assert.match(output, /^a file of 8 MB: 10,191 rows of 784 pixels and a label\nepoch 1: /);
    assert.equal(output.match(/^epoch \d: loss [\d.]+, [\d.]+ % of the test images right$/gm)?.length, 2);
    const right = Number(/epoch 2: .*, ([\d.]+) %/.exec(output)?.[1]);
    assert.ok(right > 70, output);
    const [before, after] = (/(\d+) MB before training, (\d+) MB after it\n$/.exec(output) ?? []).slice(1).map(Number);
    assert.ok((before as number) > 0 && (after as number) >= (before as number), output);
  });

  it('every example is described', () => {
    const page = readFileSync(join(root, 'examples/README.md'), 'utf8');
    const entries = readdirSync(join(root, 'examples'), { withFileTypes: true });
    const programs = entries
      .filter(({ name }) => !['lib', 'README.md'].includes(name))
      .map((entry) => (entry.isDirectory() ? `${entry.name}/run.mjs` : entry.name));
    assert.ok(programs.length >= 8);
    for (const program of programs)
      assert.ok(page.includes(`\`${program}\``), `examples/README.md: nothing on ${program}`);
  });
});
