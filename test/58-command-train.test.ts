// The command trains: on files of every format, and through interruptions.
import { strict as assert } from 'node:assert';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type History, Network } from '../lib/index';
import { flowersText, makeFlowers, outputOf, setnet, writeFlowers } from './helpers/command';
import { type Anything, blobs, metadataOf, randomSource, root, withFolder } from './helpers/helpers';

const quick = ['--hidden', '30', '--epochs', '25', '--threads', '1'];

/** An NPY 1.0 file. */
function npy(descr: string, shape: readonly number[], data: ArrayBufferView): Buffer {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const header = Buffer.from(
    `${`{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`.padEnd(117)}\n`,
    'latin1',
  );
  const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  return Buffer.concat([head, header, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}

async function trainJson(args: readonly string[], cwd: string): Promise<Anything> {
  return JSON.parse(await outputOf(['train', ...args, '--json', '--quiet'], { cwd }));
}

describe('58 command: training on files @slow', function () {
  this.timeout(120_000);

  it('CSV: text labels, names of features and classes in the model, what is said is what is saved', async () => {
    await withFolder(async (cwd) => {
      writeFlowers(cwd);
      const args = ['flowers.csv', '--label', 'species', '--test', 'new.csv', '--out', 'm.safetensors', ...quick];
      const result = await trainJson(args, cwd);
      assert.deepEqual(result.classes, ['setosa', 'versicolor', 'virginica']);
      assert.deepEqual(result.samples, { training: 108, heldOut: 12, test: 9 });
      assert.ok(result.heldOut.accuracy > 0.9, `${result.heldOut.accuracy}`);
      const net = await Network.load(join(cwd, 'm.safetensors'));
      assert.deepEqual([net.features, net.classes], [['length', 'width', 'petal length'], result.classes]);
      const { rows } = makeFlowers(9, 2);
      const x = Float32Array.from(rows.flatMap((row) => row.slice(0, 3).map(Number)));
      const { accuracy, loss } = await net.evaluate({ x, y: rows.map((row) => row[3]) });
      assert.deepEqual([result.test.accuracy, result.test.loss], [accuracy, loss]);
      assert.equal(result.connections.saved, net.connections);
      assert.deepEqual(readdirSync(cwd).sort(), [
        'flowers.csv',
        'm.safetensors',
        'm.safetensors.history.json',
        'new.csv',
      ]);
    });
  });

  it('the network of the best epoch is saved, without the final removal; --keep last and --final-removal change that', async () => {
    await withFolder(async (cwd) => {
      writeFlowers(cwd);
      const args = ['flowers.csv', '--label', 'species', ...quick];
      const best = await trainJson([...args, '--out', 'best', '--best-by', 'loss'], cwd);
      const { history } = JSON.parse(readFileSync(join(cwd, 'best.history.json'), 'utf8')) as { history: History };
      const losses = history.epochs.map(({ validation }) => validation?.loss as number);
      assert.equal(best.savedEpoch, 1 + losses.indexOf(Math.min(...losses)));
      assert.equal(best.heldOut.loss, Math.min(...losses));
      assert.equal(metadataOf(join(cwd, 'best')).finalised, false);
      const last = await trainJson([...args, '--out', 'last', '--keep', 'last'], cwd);
      assert.deepEqual([last.savedEpoch, last.heldOut.loss], [25, losses.at(-1)]);
      const removed = await trainJson([...args, '--out', 'removed', '--final-removal', '--density', '0.5'], cwd);
      assert.ok(removed.connections.saved < removed.connections.trained);
      assert.equal(metadataOf(join(cwd, 'removed')).finalised, true);
      const early = [
        ...args,
        '--out',
        'early',
        '--final-removal',
        '--density',
        '0.5',
        '--patience',
        '1',
        '--epochs',
        '40',
      ];
      early.splice(early.indexOf('--epochs'), 2);
      const stopped = await trainJson([...early, '--learning-rate', '0.5'], cwd);
      assert.ok(stopped.epochs < 40, `${stopped.epochs}`);
      assert.equal(metadataOf(join(cwd, 'early')).finalised, true);
    });
  });

  it('IDX: the images in the repository, whose labels lie beside them', async () => {
    await withFolder(async (cwd) => {
      const folder = join(root, 'examples/fashion/data');
      for (const [part, size] of [
        ['images-idx3', 784],
        ['labels-idx1', 1],
      ] as const) {
        // The first 1,500 of them.
        const bytes = gunzipSync(readFileSync(join(folder, `train-${part}-ubyte.gz`)));
        const head = size === 1 ? 8 : 16;
        const slice = Buffer.from(bytes.subarray(0, head + 1500 * size));
        slice.writeUInt32BE(1500, 4);
        writeFileSync(join(cwd, `train-${part}-ubyte`), slice);
      }
      copyFileSync(join(folder, 't10k-images-idx3-ubyte.gz'), join(cwd, 't10k-images-idx3-ubyte.gz'));
      copyFileSync(join(folder, 't10k-labels-idx1-ubyte.gz'), join(cwd, 't10k-labels-idx1-ubyte.gz'));
      const args = ['train-images-idx3-ubyte', '--test', 't10k-images-idx3-ubyte.gz', '--out', 'm', '--epochs', '6'];
      const report = ['--report', 'train.html', '--image', '28x28'];
      const result = await trainJson([...args, '--hidden', '200', ...report], cwd);
      assert.ok(readFileSync(join(cwd, 'train.html'), 'utf8').includes('</html>'));
      assert.equal(result.report, 'train.html');
      assert.deepEqual([result.inputs, result.outputs, result.samples.test], [784, 10, 2000]);
      assert.ok(result.test.accuracy > 0.75, `${result.test.accuracy}`);
      await outputOf(['report', 'm', '--image', '28x28', '--data', 't10k-images-idx3-ubyte.gz'], { cwd });
      assert.ok(readFileSync(join(cwd, 'm.html'), 'utf8').includes('</html>'));
    });
  });

  it('SVMlight: sparse counts stay sparse, and are divided only', async () => {
    await withFolder(async (cwd) => {
      const random = randomSource(4);
      const line = (i: number) => {
        const label = i % 2;
        const words = Array.from({ length: 300 }, (_, word) => word).filter((word) => {
          const isTypical = Math.floor(word / 30) === label;
          return random() < (isTypical ? 0.2 : 0.02);
        });
        return `${label === 0 ? -1 : 1} ${words.map((word) => `${word + 1}:${1 + (word % 3)}`).join(' ')}`;
      };
      // The last word occurs, so that both files have as many inputs.
      const file = (rows: number) =>
        Array.from({ length: rows }, (_, i) => line(i))
          .concat('1 300:1', '')
          .join('\n');
      writeFileSync(join(cwd, 'train.svm'), file(400));
      writeFileSync(join(cwd, 'test.svm'), file(100));
      const result = await trainJson(
        ['train.svm', '--test', 'test.svm', '--out', 'm', '--epochs', '10', '--hidden', '40'],
        cwd,
      );
      assert.deepEqual([result.inputs, result.classes], [300, ['-1', '1']]);
      assert.ok(result.test.accuracy > 0.9, `${result.test.accuracy}`);
      const answers = (await outputOf(['predict', 'm', 'test.svm'], { cwd })).trimEnd().split('\n');
      assert.equal(answers.length, 102);
    });
  });

  it('NPY: labels in a file of their own, for the test data too', async () => {
    await withFolder(async (cwd) => {
      for (const [name, rows, seed] of [
        ['train', 300, 1],
        ['test', 100, 2],
      ] as const) {
        const { x, y } = blobs(rows, 12, 4, seed);
        writeFileSync(join(cwd, `${name}.npy`), npy('<f4', [rows, 12], x));
        writeFileSync(join(cwd, `${name}_y.npy`), npy('|u1', [rows], Uint8Array.from(y)));
      }
      const test = ['--test', 'test.npy', '--test-labels', 'test_y.npy'];
      const result = await trainJson(['train.npy', '--labels', 'train_y.npy', ...test, '--out', 'm', ...quick], cwd);
      assert.deepEqual(result.classes, ['0', '1', '2', '3']);
      assert.ok(result.test.accuracy > 0.9, `${result.test.accuracy}`);
    });
  });

  it('unknown cells count as the mean, in training and in prediction', async () => {
    await withFolder(async (cwd) => {
      const lines = flowersText(makeFlowers(120, 1)).split('\n');
      lines[5] = lines[5]?.replace(/^[\d.]+/, '') as string;
      lines[9] = lines[9]?.replace(/,[\d.]+/, ',NA') as string;
      writeFileSync(join(cwd, 'gaps.csv'), lines.join('\n'));
      const output = await outputOf(['train', 'gaps.csv', '--label', 'species', '--out', 'm', ...quick], { cwd });
      assert.match(output, /^2 numbers are unknown and count as the mean$/m);
      const answers = await outputOf(['predict', 'm', 'gaps.csv'], { cwd });
      assert.ok(!answers.includes('NaN'));
      // The same gaps, said with a number.
      const said = lines.map((line) => line.replace(/^,/, '-9,').replace(',NA', ',-9'));
      writeFileSync(join(cwd, 'said.csv'), said.join('\n'));
      await outputOf(['train', 'said.csv', '--label', 'species', '--missing', '-9', '--out', 'n', ...quick], { cwd });
      for (const file of ['gaps.csv', 'said.csv'])
        assert.equal(await outputOf(['predict', 'n', file], { cwd }), answers, file);
    });
  });

  it('equal command lines give equal files, and another seed another one', async () => {
    await withFolder(async (cwd) => {
      writeFlowers(cwd);
      const args = ['flowers.csv', '--label', 'species', ...quick];
      for (const name of ['a', 'b']) await trainJson([...args, '--out', name], cwd);
      await trainJson([...args, '--out', 'c', '--seed', '2'], cwd);
      const [a, b, c] = ['a', 'b', 'c'].map((name) => readFileSync(join(cwd, name)));
      assert.ok(a?.equals(b as Buffer));
      assert.ok(!a?.equals(c as Buffer));
    });
  });

  it('compare trains every kind on the same samples: sparse and masked come to the same answers', async () => {
    await withFolder(async (cwd) => {
      writeFlowers(cwd);
      const args = ['compare', 'flowers.csv', '--label', 'species', ...quick, '--report', 'page.html', '--out', 'kept'];
      const { runs } = JSON.parse(await outputOf([...args, '--json', '--quiet'], { cwd }));
      assert.deepEqual(
        runs.map(({ kind }: Anything) => kind),
        ['sparse', 'masked', 'dense'],
      );
      const [sparse, masked, dense] = runs;
      assert.deepEqual(sparse.connections, masked.connections);
      assert.ok(dense.connections.saved >= sparse.connections.saved);
      for (const run of runs) {
        assert.ok(run.memory.peak > 2e7 && run.memory.aboveData >= 0 && run.memory.aboveData < run.memory.peak);
        assert.ok(run.seconds.perEpoch > 0);
        assert.ok(existsSync(join(cwd, 'kept', `${run.kind}.safetensors`)));
      }
      assert.ok(readFileSync(join(cwd, 'page.html'), 'utf8').includes('masked'));
    });
  });
});

describe('58 command: interrupted @slow', function () {
  this.timeout(120_000);

  const args = [
    'train',
    'flowers.csv',
    '--label',
    'species',
    '--hidden',
    '60,40',
    '--density',
    '0.2',
    '--epochs',
    '60',
  ];

  it('Ctrl-C at any moment, --resume: the file of a training that was never interrupted, to the byte', async () => {
    await withFolder(async (cwd) => {
      writeFlowers(cwd);
      await outputOf([...args, '--out', 'whole', '--quiet'], { cwd });
      const random = randomSource(Date.now());
      let interrupted = 0;
      let code: number | null = 130;
      for (let attempt = 0; code === 130 && attempt < 30; attempt++) {
        // At first soon and then later, so that it comes to an end.
        const wait = 60 * (1 + attempt) * random();
        const resume = existsSync(join(cwd, 'parts.checkpoint')) ? ['--resume'] : [];
        const result = await setnet([...args, '--out', 'parts', ...resume], {
          cwd,
          // Not before it has begun, when a signal ends any process.
          onStart: (child) =>
            child.stdout?.once('data', () =>
              setTimeout(() => child.kill(attempt % 2 === 0 ? 'SIGINT' : 'SIGTERM'), wait),
            ),
        });
        // A signal that comes when all is done, and Node takes its handlers down, ends it as it ends any process.
        code = result.signal !== null && existsSync(join(cwd, 'parts')) ? 0 : result.code;
        if (code === 130) {
          interrupted++;
          assert.match(result.stderr, /^setnet: interrupted/);
          assert.ok(!/\n +at /.test(result.stderr), result.stderr);
          assert.ok(!existsSync(join(cwd, 'parts')));
        } else assert.equal(code, 0, `waited ${wait} ms: ${result.stderr}`);
      }
      assert.equal(code, 0);
      assert.ok(interrupted > 0);
      assert.ok(readFileSync(join(cwd, 'parts')).equals(readFileSync(join(cwd, 'whole'))));
      assert.ok(!existsSync(join(cwd, 'parts.checkpoint')));
    });
  });

  /** Interrupts a training after an epoch was shown. */
  async function interruptedAfter(epoch: number, out: string, cwd: string): Promise<string> {
    const { code, stderr } = await setnet([...args, '--out', out, '--epochs', '100000'].filter(notFirstEpochs), {
      cwd,
      onStart: (child) => {
        let text = '';
        child.stdout?.on('data', (part: string) => {
          text += part;
          if (new RegExp(`^ *${epoch}/`, 'm').test(text)) child.kill('SIGINT');
        });
      },
    });
    assert.equal(code, 130, stderr);
    return stderr;
  }
  const notFirstEpochs = (_: string, i: number, all: string[]) => {
    const first = all.indexOf('--epochs');
    return i !== first && i !== first + 1;
  };

  it('says how to go on; without --resume nothing is lost, with another command line nothing is mixed', async () => {
    await withFolder(async (cwd) => {
      writeFlowers(cwd);
      writeFileSync(join(cwd, 'm'), 'an older model');
      const stderr = await interruptedAfter(1, 'm', cwd);
      assert.match(
        stderr,
        /^setnet: interrupted after epoch \d[\d,]* of 100,000, whose checkpoint is kept in m\.checkpoint\./,
      );
      const command = /^ {2}setnet (.*)$/m.exec(stderr)?.[1] as string;
      assert.ok(command.endsWith('--resume'), command);
      assert.equal(readFileSync(join(cwd, 'm'), 'utf8'), 'an older model');
      const again = command.split(' ');

      const anew = await setnet(again.slice(0, -1), { cwd });
      assert.equal(anew.code, 1);
      assert.match(
        anew.stderr,
        /m\.checkpoint is of a training that was interrupted after .*--resume goes on.*--restart begins anew/,
      );
      for (const [more, message] of [
        [['--seed', '7'], /seed was .*1.* in the training that is to go on, but is .*7/],
        [['--dropout', '0.5'], /dropout was 0\.3 .*but is 0\.5 now/],
        [['--batch-size', '3'], /batchSize was 8 .*but is 3 now/],
      ] as const) {
        const { code, stderr } = await setnet([...again, ...more], { cwd });
        assert.equal(code, 1);
        assert.match(stderr, message);
      }
      writeFileSync(join(cwd, 'flowers.csv'), flowersText(makeFlowers(120, 9)));
      const other = await setnet(again, { cwd });
      assert.equal(other.code, 1);
      assert.match(other.stderr, /data are not those of the checkpoint/);
      assert.ok(existsSync(join(cwd, 'm.checkpoint')));
    });
  });

  it('a second Ctrl-C ends at once', async () => {
    await withFolder(async (cwd) => {
      writeFlowers(cwd);
      const { code } = await setnet(
        ['train', 'flowers.csv', '--label', 'species', '--out', 'm', '--epochs', '100000'],
        {
          cwd,
          onStart: (child) => {
            child.stdout?.once('data', () => {
              child.kill('SIGINT');
              setTimeout(() => child.kill('SIGINT'), 500);
            });
          },
        },
      );
      assert.equal(code, 130);
    });
  });
});
