// Wrong uses of the command: each is one message, without a stack trace, with the right exit code, and nothing is lost.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { flowersText, inParallel, makeFlowers, outputOf, program, setnet, writeFlowers } from './helpers/command';
import { type ChildResult, resultOf, root, withFolder } from './helpers/helpers';

/** A wrong use: what is typed, the exit code, what the message says. `data` is written to data.csv. */
interface WrongUse {
  readonly args: string;
  readonly code: 1 | 2;
  readonly says: RegExp;
  /** Lines of data.csv; else it is as flowers.csv. */
  readonly data?: (lines: string[]) => readonly string[];
}

const train = 'train data.csv --label species --out model';

function changed(line: number, text: string): (lines: string[]) => readonly string[] {
  return (lines) => lines.map((each, i) => (i === line - 1 ? text : each));
}

const uses: readonly WrongUse[] = [
  // Wrong usage: nothing is done.
  { args: 'trian data.csv', code: 2, says: /there is no command 'trian'\. Did you mean 'train'\?/ },
  { args: '--verison', code: 2, says: /unknown option --verison\. Did you mean '--version'\?/ },
  { args: 'train', code: 2, says: /DATA is missing\nUsage: setnet train DATA/ },
  { args: 'predict model', code: 2, says: /DATA is missing/ },
  { args: 'train data.csv --label species', code: 2, says: /--out is missing/ },
  {
    args: 'train data.csv more.csv --label species --out model',
    code: 2,
    says: /'more\.csv' is one argument too many/,
  },
  { args: `${train} --epoch 5`, code: 2, says: /unknown option --epoch\. Did you mean --epochs\?/ },
  { args: `${train} -e 5`, code: 2, says: /unknown option -e/ },
  { args: `${train} --epochs`, code: 2, says: /--epochs needs a value: --epochs N/ },
  { args: `${train} --epochs --quiet`, code: 2, says: /--epochs needs a value/ },
  { args: `${train} --epochs 0`, code: 2, says: /--epochs must be an integer from 1 to \d+, not '0'/ },
  { args: `${train} --epochs 1e99`, code: 2, says: /--epochs must be an integer .*not '1e99'/ },
  { args: `${train} --epochs ten`, code: 2, says: /--epochs must be an integer .*not 'ten'/ },
  { args: `${train} --epochs 2 --epochs 3`, code: 2, says: /--epochs is there twice/ },
  { args: `${train} --quiet=yes`, code: 2, says: /--quiet takes no value/ },
  { args: `${train} --hidden 100,many`, code: 2, says: /--hidden must be an integer .*not 'many'/ },
  { args: `${train} --hidden 99999999999`, code: 2, says: /--hidden must be an integer from 1 to 4294967295/ },
  { args: `${train} --epsilon -1`, code: 2, says: /--epsilon must be a number from 0 to \d+ \(0 excluded\), not '-1'/ },
  { args: `${train} --epsilon 5 --density 0.1`, code: 2, says: /--epsilon and --density are two ways/ },
  { args: `${train} --dropout 1`, code: 2, says: /--dropout must be a number from 0 to 1 \(1 excluded\)/ },
  { args: `${train} --zeta nan`, code: 2, says: /--zeta must be a number from 0 to 1, not 'nan'/ },
  { args: `${train} --activation rleu`, code: 2, says: /--activation: there is no 'rleu'\. Did you mean 'relu'\?/ },
  { args: `${train} --optimizer adm`, code: 2, says: /Did you mean 'adam'\?/ },
  { args: `${train} --kind spase`, code: 2, says: /Did you mean 'sparse'\?/ },
  { args: `${train} --seed -3`, code: 2, says: /--seed must be an integer from 0 to 2\^64 - 1, not '-3'/ },
  { args: `${train} --seed 18446744073709551616`, code: 2, says: /--seed must be an integer from 0/ },
  { args: `${train} --threads 0`, code: 2, says: /--threads must be an integer from 1/ },
  { args: `${train} --hold-out 1`, code: 2, says: /--hold-out must be a number from 0 to 1 \(1 excluded\)/ },
  { args: `${train} --hold-out 0 --keep best`, code: 2, says: /--keep best needs samples held out/ },
  { args: `${train} --resume --restart`, code: 2, says: /exclude each other/ },
  { args: `${train} --delimiter ab`, code: 2, says: /--delimiter must be one character/ },
  { args: `${train} --labels labels.npy`, code: 2, says: /--label and --labels are two places/ },
  { args: `${train} --test-labels labels.npy`, code: 2, says: /--test-labels is of --test, which is missing/ },
  { args: `${train} --target number --balanced`, code: 2, says: /--balanced is for classes/ },
  {
    args: 'train data.csv --ignore species --out model',
    code: 2,
    says: /has no answers: --label COLUMN .*length, width, petal length/,
  },
  { args: 'train data.csv --label speces --out model', code: 2, says: /no column "speces"\. Did you mean 'species'\?/ },
  { args: 'train data.csv --label 9 --out model', code: 2, says: /--label/ },
  { args: `${train} --ignore lenth`, code: 2, says: /--ignore.*no column "lenth"\. Did you mean 'length'\?/ },
  { args: 'report good --image 28', code: 2, says: /--image must be columns and rows, as in 28x28, not '28'/ },
  { args: 'predict good data.csv --as npy', code: 2, says: /give --out FILE\.npy/ },
  { args: 'predict good data.csv --json', code: 2, says: /give --out FILE/ },
  { args: 'compare data.csv --label species --kinds sparse,dens', code: 2, says: /there is no 'dens'/ },
  // Data, files, memory.
  { args: 'train nothing.csv --label species --out model', code: 1, says: /cannot read 'nothing\.csv': no such file/ },
  { args: 'train . --label species --out model', code: 1, says: /it is a folder/ },
  { args: train, data: () => [], code: 1, says: /data\.csv: the file is empty/ },
  { args: train, data: (lines) => lines.slice(0, 1), code: 1, says: /data\.csv: the file has a header and no rows/ },
  { args: train, data: changed(8, '1,2'), code: 1, says: /data\.csv, line 8: 2 cells, but line 1 has 4/ },
  {
    args: train,
    data: changed(8, '1,2,three,setosa'),
    code: 1,
    says: /line 8, column "petal length": "three" is no number; where it is no feature: --ignore 'petal length'/,
  },
  {
    args: train,
    data: changed(8, '1,2,1e99,setosa'),
    code: 1,
    says: /line 8, column "petal length": "1e99" is too large/,
  },
  { args: train, data: changed(8, '1,2,3,'), code: 1, says: /line 8, column "species": the label is empty/ },
  { args: train, data: changed(8, '1,2,"3,setosa'), code: 1, says: /data\.csv, line \d+.*quote/ },
  {
    args: train,
    data: (lines) => lines.filter((line) => !/ver|vir/.test(line)),
    code: 1,
    says: /all answers are "setosa"/,
  },
  {
    args: `${train} --test other.csv`,
    code: 1,
    says: /other\.csv, line 2, column "species": there is no class "rose"/,
  },
  {
    args: 'train data.csv --label width --target number --out model',
    code: 1,
    says: /column "species": ".*" is no number/,
  },
  { args: 'train cut.npy --labels labels.npy --out model', code: 1, says: /cut\.npy.*cut off/ },
  { args: 'train data.csv.gz --label species --out model', code: 1, says: /data\.csv\.gz/ },
  {
    args: 'train data.csv --ignore species --labels labels.npy --out model',
    code: 1,
    says: /labels\.npy: 7 labels, but data\.csv has 120 rows/,
  },
  { args: 'train data.csv --label species --out no/model', code: 1, says: /--out no\/model: there is no folder no/ },
  { args: 'train data.csv --label species --out folder', code: 1, says: /--out folder: this is a folder/ },
  { args: 'train data.csv --label species --out flowers.csv/model', code: 1, says: /flowers\.csv is no folder/ },
  { args: 'train data.csv --label species --out /proc/model', code: 1, says: /\/proc/ },
  { args: `${train} --report no/report.html`, code: 1, says: /--report no\/report\.html: there is no folder/ },
  { args: `${train} --resume`, code: 1, says: /there is nothing to resume: model\.checkpoint is not there/ },
  { args: `${train} --hidden 999999999 --density 1`, code: 1, says: /GB of memory/ },
  {
    args: `${train} --optimizer sgd --learning-rate 1e6`,
    code: 1,
    says: /no longer a finite number.*smaller learning rate/,
  },
  { args: `${train} --hold-out 0.0001`, code: 1, says: /leaves none to hold out/ },
  { args: 'predict nothing data.csv', code: 1, says: /cannot read 'nothing'/ },
  { args: 'predict flowers.csv data.csv', code: 1, says: /'flowers\.csv' is not a valid model file/ },
  { args: 'predict damaged data.csv', code: 1, says: /damaged/ },
  { args: 'predict good less.csv', code: 1, says: /less\.csv: there is no column "petal length"/ },
  { args: 'predict good cut.npy', code: 1, says: /cut\.npy/ },
  {
    args: 'evaluate good data.csv --label species',
    data: changed(8, '1,2,3,rose'),
    code: 1,
    says: /line 8, column "species": there is no class "rose"/,
  },
  { args: 'report good --image 5x5', code: 1, says: /5 x 5 = 25 pixels, but the network has 3 inputs/ },
  { args: 'report good --history flowers.csv', code: 1, says: /flowers\.csv: this is no history/ },
];

/** What lies in the folder of a wrong use. */
async function furnish(cwd: string, good: Buffer, data: WrongUse['data']): Promise<void> {
  writeFlowers(cwd);
  const text = flowersText(makeFlowers(120, 1));
  const lines = text.trimEnd().split('\n');
  writeFileSync(
    join(cwd, 'data.csv'),
    data === undefined
      ? text
      : data(lines)
          .map((line) => `${line}\n`)
          .join(''),
  );
  writeFileSync(join(cwd, 'other.csv'), 'length,width,"petal length",species\n5,3,1,rose\n');
  writeFileSync(join(cwd, 'less.csv'), 'length,width\n5,3\n');
  writeFileSync(join(cwd, 'good'), good);
  writeFileSync(join(cwd, 'damaged'), good);
  truncateSync(join(cwd, 'damaged'), good.length - 100);
  writeFileSync(join(cwd, 'model'), 'an older model');
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (7, 3), }`.padEnd(117);
  const npy = (text: string, size: number) =>
    Buffer.concat([Buffer.from('\x93NUMPY\x01\x00v\x00', 'latin1'), Buffer.from(`${text}\n`), Buffer.alloc(size)]);
  writeFileSync(join(cwd, 'cut.npy'), npy(header, 50));
  writeFileSync(
    join(cwd, 'labels.npy'),
    npy(header.replace("'<f4'", "'|u1'").replace('(7, 3)', '(7,)').padEnd(117), 7),
  );
  const packed = gzipSync(text);
  writeFileSync(join(cwd, 'data.csv.gz'), packed.subarray(0, packed.length / 2));
  mkdirSync(join(cwd, 'folder'));
}

function contents(cwd: string): Record<string, string> {
  const files = readdirSync(cwd).filter((name) => name !== 'folder');
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(cwd, name), 'base64')]));
}

/** As a shell runs it: with limits, or with a stdout of its own. */
function shell(script: string, cwd: string): Promise<ChildResult> {
  return resultOf(spawn('bash', ['-c', script, 'bash', process.execPath, program], { cwd, timeout: 60_000 }));
}

describe('58 command: wrong uses @slow', function () {
  this.timeout(180_000);
  let good: Buffer;

  before(async () => {
    await withFolder(async (cwd) => {
      writeFlowers(cwd);
      await outputOf(['train', 'flowers.csv', '--label', 'species', '--out', 'm', '--hidden', '20', '--epochs', '2'], {
        cwd,
      });
      good = readFileSync(join(cwd, 'm'));
    });
  });

  it(`${uses.length} of them: one message, the right exit code, no file changed`, async () => {
    await inParallel(uses, async ({ args, code, says, data }) => {
      await withFolder(async (cwd) => {
        await furnish(cwd, good, data);
        const before = contents(cwd);
        const result = await setnet(args.split(' '), { cwd });
        const what = `setnet ${args}\n${result.stdout}${result.stderr}`;
        assert.equal(result.code, code, what);
        assert.match(result.stderr, /^setnet: /, what);
        assert.match(result.stderr.replace(/\s+/g, ' '), new RegExp(says.source.replaceAll('\\n', ' ')), what);
        assert.equal(result.stderr.match(/^setnet: /gm)?.length, 1, what);
        assert.ok(!/\n\s+at /.test(result.stderr) && !/not foreseen/.test(result.stderr), what);
        if (code === 2) assert.match(result.stderr, /--help|There is|comes first|ERR_SETNET_OPTION/, what);
        assert.deepEqual(contents(cwd), before, what);
      });
    });
  });

  it('with SETNET_DEBUG=1 the stack is shown too', async () => {
    const { code, stderr } = await setnet(['inspect', 'nothing'], { cwd: root, env: { SETNET_DEBUG: '1' } });
    assert.equal(code, 1);
    assert.match(stderr, /^setnet: cannot read 'nothing'.*\n.*\n +at /);
  });

  it('a full disk: the older model stays as it was, and a checkpoint from before the last one', async () => {
    await withFolder(async (cwd) => {
      writeFlowers(cwd);
      writeFileSync(join(cwd, 'm'), 'an older model');
      // Files of at most 16 kB: the network of 100 units needs more, the messages of npm do not.
      const { code, stderr } = await shell(
        'ulimit -f 16; "$1" "$2" train flowers.csv --label species --out m --hidden 1000 --density 1 --epochs 3',
        cwd,
      );
      assert.equal(code, 1, stderr);
      assert.match(stderr, /^setnet: .*m\.checkpoint.*(ERR_SETNET_IO)/);
      assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
      assert.equal(readFileSync(join(cwd, 'm'), 'utf8'), 'an older model');
      assert.deepEqual(readdirSync(cwd).sort(), ['flowers.csv', 'm', 'new.csv']);
    });
  });

  it('answers that cannot be written leave the older file as it was', async () => {
    await withFolder(async (cwd) => {
      await furnish(cwd, good, undefined);
      const rows = flowersText(makeFlowers(3000, 4));
      writeFileSync(join(cwd, 'many.csv'), rows);
      for (const name of ['answers.csv', 'answers.npy']) {
        writeFileSync(join(cwd, name), 'older answers');
        const { code, stderr } = await shell(`ulimit -f 16; "$1" "$2" predict good many.csv --out ${name}`, cwd);
        assert.equal(code, 1, stderr);
        assert.match(stderr, new RegExp(`^setnet: .*${name}.*\\n$`));
        assert.equal(readFileSync(join(cwd, name), 'utf8'), 'older answers');
      }
      assert.ok(!readdirSync(cwd).some((name) => name.includes('tmp')), readdirSync(cwd).join());
    });
  });

  it('a full stdout is said, a stdout that nobody reads ends quietly', async () => {
    await withFolder(async (cwd) => {
      await furnish(cwd, good, undefined);
      if (existsSync('/dev/full')) {
        const full = await shell('"$1" "$2" predict good data.csv > /dev/full', cwd);
        assert.equal(full.code, 1);
        assert.match(full.stderr, /^setnet: the output cannot be written: no space left on the device \(ENOSPC\)\n$/);
      }
      for (let i = 0; i < 6; i++)
        appendFileSync(join(cwd, 'data.csv'), flowersText(makeFlowers(9000, i)).split('\n').slice(1).join('\n'));
      const head = await shell('set -o pipefail; "$1" "$2" predict good data.csv | head -n 1', cwd);
      assert.deepEqual([head.code, head.stdout, head.stderr], [0, 'class,setosa,versicolor,virginica\n', '']);
      const train = await shell(
        '"$1" "$2" train flowers.csv --label species --out m --hidden 20 --epochs 40 | true',
        cwd,
      );
      assert.equal(train.stderr, '');
      for (let wait = 0; wait < 100 && !existsSync(join(cwd, 'm')); wait++)
        await new Promise((resolve) => setTimeout(resolve, 50));
      assert.ok(existsSync(join(cwd, 'm')));
    });
  });
});
