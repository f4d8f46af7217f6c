// The command: its help, its answers, and how it takes what a terminal or a pipe does to it.
import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, helpOf } from '../lib/cli/command';
import { commands } from '../lib/cli/commands';
import { common } from '../lib/cli/options';
import { buildInfo, Network, readNpy } from '../lib/index';
import { makeFlowers, outputOf, setnet, writeFlowers } from './helpers/command';
import { assertSameBits, root, withFolder } from './helpers/helpers';

/** The words of a command line of the help. */
function wordsOf(line: string): string[] {
  assert.match(line, /^setnet /);
  return line.split(' ').slice(1);
}

describe('58 command: help', function () {
  this.timeout(60_000);

  it('every subcommand has a help with each of its options and an example, 80 columns wide', async () => {
    const general = await outputOf(['--help'], { cwd: root });
    for (const command of commands) {
      assert.ok(general.includes(`  ${command.name} `), command.name);
      assert.ok(command.examples.length > 0);
      const help = helpOf(command);
      for (const name of Object.keys({ ...command.options, ...common }))
        assert.match(help, new RegExp(`^  --${name}\\b`, 'm'), `${command.name} --${name}`);
      for (const line of help.split('\n')) {
        if (!/^ {2}setnet /.test(line)) assert.ok(line.length < 80, `${command.name}: ${line}`);
      }
    }
    assert.equal(await outputOf(['train', '--help'], { cwd: root }), `${helpOf(commands[0] as Command)}\n`);
    assert.equal(await outputOf(['help', 'train'], { cwd: root }), `${helpOf(commands[0] as Command)}\n`);
  });

  it('the examples of the help work, in the order of the help @slow', async () => {
    await withFolder(async (cwd) => {
      writeFlowers(cwd);
      for (const { examples } of commands)
        for (const line of examples) await outputOf(wordsOf(line), { cwd, env: { SETNET_THREADS: '1' } });
      const made = readdirSync(cwd);
      for (const name of ['flowers.safetensors', 'answers.jsonl', 'flowers.html', 'compared.html'])
        assert.ok(made.includes(name), `${name} is not among ${made.join(', ')}`);
      assert.ok(!made.some((name) => /checkpoint|tmp/.test(name)), made.join(', '));
    });
  });

  it('the page of the command has the help of every subcommand', () => {
    const page = readFileSync(join(root, 'docs/command.md'), 'utf8');
    for (const command of commands)
      assert.ok(
        page.includes(`\`\`\`text\n${helpOf(command)}\n\`\`\`\n`),
        `docs/command.md has another help of ${command.name}: node docs/make-command.mjs brings it up to date`,
      );
  });

  it('--version says the version of the package, and no command the help', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    assert.equal(await outputOf(['--version'], { cwd: root }), `${version}\n`);
    const { code, stdout } = await setnet([], { cwd: root });
    assert.equal(code, 2);
    assert.match(stdout, /Usage: setnet COMMAND/);
  });
});

describe('58 command: doctor', function () {
  this.timeout(60_000);

  it('says all that a bug report needs, and tries every instruction set', async () => {
    const { system, build, kernels, devices, problems } = JSON.parse(
      await outputOf(['doctor', '--json'], { cwd: root }),
    );
    assert.deepEqual(problems, []);
    assert.equal(build.version, buildInfo().version);
    assert.equal(system['Node.js'].split(',')[0], process.version);
    const expected = buildInfo().instructionSets.map(({ name, available }) => [name, available]);
    assert.deepEqual(
      kernels.map((kernel: { name: string; isAvailable: boolean }) => [kernel.name, kernel.isAvailable]),
      expected,
    );
    for (const { isAvailable, result } of kernels) assert.equal(result !== undefined, isAvailable);
    assert.deepEqual(
      devices.map(({ id }: { id: string }) => id),
      ['cpu', 'cuda'],
    );
  });

  it('works without the native binary, and says why it cannot be loaded', async () => {
    const { code, stdout, stderr } = await setnet(['doctor'], { cwd: root, env: { SETNET_BINARY: '/nowhere.node' } });
    assert.equal(code, 1);
    assert.match(stdout, /Node\.js +v/);
    assert.match(stdout, /nowhere\.node: Cannot find module/);
    assert.equal(stderr, 'setnet: 1 problem found\n');
  });
});

describe('58 command: answers', function () {
  this.timeout(60_000);

  it('predict answers what the network answers, as CSV, JSON lines and NPY', async () => {
    await withFolder(async (cwd) => {
      writeFlowers(cwd);
      const small = ['--hidden', '20', '--epochs', '15'];
      await outputOf(['train', 'flowers.csv', '--label', 'species', '--out', 'm', ...small], { cwd });
      const net = await Network.load(join(cwd, 'm'));
      assert.deepEqual(net.features, ['length', 'width', 'petal length']);
      const flowers = makeFlowers(9, 2).rows;
      const x = Float32Array.from(flowers.flatMap((row) => row.slice(0, 3).map(Number)));
      const expected = await net.predict(x);
      const names = net.classes as readonly string[];

      const [header, ...lines] = (await outputOf(['predict', 'm', 'new.csv'], { cwd })).trimEnd().split('\n');
      assert.equal(header, 'class,setosa,versicolor,virginica');
      lines.forEach((line, i) => {
        const [name, ...numbers] = line.split(',');
        const row = expected.subarray(3 * i, 3 * i + 3);
        assert.equal(name, names[row.indexOf(Math.max(...row))]);
        for (const [j, number] of numbers.entries()) assert.ok(Math.abs(Number(number) - (row[j] as number)) < 1e-6);
      });
      assert.equal(lines.length, 9);

      const answers = (await outputOf(['predict', 'm', 'new.csv', '--as', 'jsonl'], { cwd })).trimEnd().split('\n');
      const objects = answers.map((line) => JSON.parse(line));
      assert.deepEqual(
        objects.map((object) => object.class),
        lines.map((line) => line.split(',')[0]),
      );
      assert.deepEqual(Object.keys(objects[0].probabilities), names);

      await outputOf(['predict', 'm', 'new.csv', '--out', 'p.npy'], { cwd });
      const { data, shape } = await readNpy(join(cwd, 'p.npy'));
      assert.deepEqual(shape, [9, 3]);
      assertSameBits(data as Float32Array, expected);
      assert.equal(
        await outputOf(['predict', 'm', 'new.csv', '--output', 'classes'], { cwd }),
        `class\n${lines.map((line) => `${line.split(',')[0]}\n`).join('')}`,
      );
    });
  });

  it('columns are found by their names, wherever they stand', async () => {
    await withFolder(async (cwd) => {
      writeFlowers(cwd);
      await outputOf(['train', 'flowers.csv', '--label', 'species', '--out', 'm', '--hidden', '20', '--epochs', '3'], {
        cwd,
      });
      const { rows } = makeFlowers(9, 2);
      const turned = rows.map(([length, width, petal], i) => [`text ${i}`, petal, length, width].join(','));
      writeFileSync(join(cwd, 'turned.csv'), ['note,petal length,length,width', ...turned].join('\r\n'));
      assert.equal(
        await outputOf(['predict', 'm', 'turned.csv'], { cwd }),
        await outputOf(['predict', 'm', 'new.csv'], { cwd }),
      );
    });
  });

  it('evaluate agrees with the network, and shows which class is taken for which', async () => {
    await withFolder(async (cwd) => {
      writeFlowers(cwd);
      await outputOf(['train', 'flowers.csv', '--label', 'species', '--out', 'm', '--hidden', '20', '--epochs', '15'], {
        cwd,
      });
      const args = ['evaluate', 'm', 'new.csv', '--label', 'species'];
      const evaluation = JSON.parse(await outputOf([...args, '--json'], { cwd }));
      const net = await Network.load(join(cwd, 'm'));
      const { rows } = makeFlowers(9, 2);
      const x = Float32Array.from(rows.flatMap((row) => row.slice(0, 3).map(Number)));
      const expected = await net.evaluate({ x, y: rows.map((row) => row[3]) }, { metrics: 'all' });
      assert.deepEqual(evaluation, { model: 'm', data: 'new.csv', ...JSON.parse(JSON.stringify(expected)) });
      const text = await outputOf(args, { cwd });
      assert.match(text, new RegExp(`^accuracy +${(100 * (expected.accuracy as number)).toFixed(2)} %$`, 'm'));
      assert.match(text, /^ +setosa +versicolor +virginica +right$/m);
      assert.match(text, /^setosa +\d+ +\d+ +\d+ +[\d.]+ %$/m);
    });
  });

  it('inspect names the inputs with the most connections', async () => {
    await withFolder(async (cwd) => {
      writeFlowers(cwd);
      const density = ['--density', '0.5', '--hidden', '20', '--epochs', '3'];
      await outputOf(['train', 'flowers.csv', '--label', 'species', '--out', 'm', ...density], { cwd });
      const answer = JSON.parse(await outputOf(['inspect', 'm', '--json'], { cwd }));
      const net = await Network.load(join(cwd, 'm'));
      const degrees = net.layers[0]?.outDegree() as Uint32Array;
      for (const { input, name, connections } of answer.mostConnectedInputs) {
        assert.equal(connections, degrees[input]);
        assert.equal(name, net.features?.[input]);
      }
      const order = answer.mostConnectedInputs.map(({ connections }: { connections: number }) => connections);
      assert.deepEqual(
        order,
        [...degrees].sort((a, b) => b - a),
      );
      assert.equal(answer.connections, net.connections);
      assert.equal(answer.fits[0].options.epochs, 3);
      const text = await outputOf(['inspect', 'm'], { cwd });
      for (const part of ['petal length', 'adam', 'classes: setosa, versicolor, virginica'])
        assert.ok(text.includes(part), part);
      for (const line of text.split('\n')) assert.ok(line.length <= 100, line);
    });
  });

  it('numbers are predicted where the answers are numbers', async () => {
    await withFolder(async (cwd) => {
      writeFlowers(cwd);
      const args = ['train', 'flowers.csv', '--label', 'petal length', '--target', 'number', '--ignore', 'species'];
      const { heldOut, classes } = JSON.parse(
        await outputOf([...args, '--out', 'm', '--hidden', '50', '--json'], { cwd }),
      );
      assert.equal(classes, undefined);
      assert.equal(heldOut.accuracy, undefined);
      assert.ok(heldOut.loss < 1, `${heldOut.loss}`);
      const lines = (await outputOf(['predict', 'm', 'new.csv'], { cwd })).trimEnd().split('\n');
      assert.equal(lines[0], 'prediction');
      const { rows } = makeFlowers(9, 2);
      for (const [i, row] of rows.entries())
        assert.ok(Math.abs(Number(lines[i + 1]) - Number(row[2])) < 2.5, `${lines[i + 1]} for ${row[2]}`);
      assert.match(
        await outputOf(['evaluate', 'm', 'new.csv', '--label', 'petal length'], { cwd }),
        /mean squared error/,
      );
    });
  });
});
