import { strict as assert } from 'node:assert';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  CsrMatrix,
  dense,
  type History,
  type HistoryData,
  masked,
  Network,
  type ReportOptions,
  set,
  sparse,
  writeReport,
} from '../lib/index';
import { type Anything, blobs, rejectsCode, runChildJson, smallNetwork, withFolder } from './helpers/helpers';

const data = blobs(300, 10, 4, 1);
const validation = blobs(200, 10, 4, 2);

/** The report of a network as text. */
function reportOf(net: Network, options?: ReportOptions): Promise<string> {
  return withFolder(async (folder) => {
    await net.report(join(folder, 'report.html'), options);
    return readFileSync(join(folder, 'report.html'), 'utf8');
  });
}

async function fitted(epochs = 4): Promise<{ net: Network; history: History }> {
  const net = smallNetwork(10, 4, { classes: ['a', 'b', 'c', 'd'] });
  const history = await net.fit(data, { epochs, validation, evolution: set({ zeta: 0.3 }) }).done;
  return { net, history };
}

/** Titles of the drawings, in order. */
function drawings(html: string): string[] {
  return Array.from(
    html.matchAll(/<svg[^>]*><title>([^<]*)<\/title><desc>[^<]+<\/desc>/g),
    ([, title]) => title as string,
  );
}

/** Every element that is opened is closed, in order: what a reader of HTML builds is what was meant. */
function assertWellFormed(html: string): void {
  const open: string[] = [];
  const body = html.replace(/<style>[\s\S]*?<\/style>/, '');
  for (const [, close, name, rest] of body.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:[^<>"]|"[^"]*")*)>/g)) {
    if (['meta', 'link'].includes(name as string) || rest?.endsWith('/')) continue;
    if (close === '') open.push(name as string);
    else assert.equal(open.pop(), name);
  }
  assert.deepEqual(open, []);
}

function assertSelfContained(html: string): void {
  assert.doesNotMatch(html, /https?:|\/\/[a-z]|<script|<iframe|<img|@import|url\(|srcset| on[a-z]+="/i);
  assert.deepEqual(html.match(/(?:href|src)="[^"]*"/g), ['href="data:,"']);
  assert.doesNotMatch(html, /NaN|undefined|Infinity|\[object/);
}

describe('55 reports', () => {
  it('a network with history and test data: every part is there, and nothing from outside', async () => {
    const { net, history } = await fitted();
    const html = await reportOf(net, { title: 'My network', history, test: validation });
    assertWellFormed(html);
    assertSelfContained(html);
    const titles = drawings(html);
    for (const title of ['Loss', 'Accuracy', 'Connections of the inputs', 'Weights of layer 0', 'Confusion matrix'])
      assert.ok(titles.includes(title), `${title}: ${titles}`);
    assert.ok(titles.some((title) => title.startsWith('Connections grown and pruned per epoch')));
    assert.ok(titles.some((title) => title.startsWith('Tail: into the units of layer 0')));
    assert.match(html, /<h1>My network<\/h1>/);
    const { accuracy } = await net.evaluate(validation);
    assert.ok(html.includes(`${(100 * (accuracy as number)).toFixed(1)}\u00a0%`));
    assert.ok(html.includes(`${history.connections.trained}</td>`), 'trained connections');
    assert.match(html, /<code>42<\/code>/);
    assert.match(html, /prefers-color-scheme:dark/);
    assert.match(html, /@media print/);
  });

  it('the record tells versions, instruction set, options and the digest of the topology', async () => {
    const { net, history } = await fitted();
    const html = await withFolder(async (folder) => {
      await net.save(join(folder, 'net'));
      const bytes = readFileSync(join(folder, 'net'));
      const head = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE(0))));
      const { topologyDigest } = JSON.parse(head.__metadata__.setnet).run;
      const text = await reportOf(net, { history });
      assert.ok(text.includes(`<code>${topologyDigest}</code>`));
      return text;
    });
    assert.match(html, /Written with setnet \d+\.\d+\.\d+ on Node\.js v\d+/);
    assert.match(html, /1.thread;/);
    assert.match(html, /batchSize: \d+, .*signMagnitude/);
  });

  it('equal networks give equal reports, byte for byte, loaded ones too', async () => {
    const { net } = await fitted();
    const html = await reportOf(net, { test: validation });
    assert.equal(await reportOf(net.clone(), { test: validation }), html);
    await withFolder(async (folder) => {
      await net.save(join(folder, 'net'));
      const loaded = await Network.load(join(folder, 'net'), { threads: 1 });
      assert.equal(await reportOf(loaded, { test: validation }), html);
    });
  });

  it('a network that was never fitted, and one with each kind of layer, one unit, no connection', async () => {
    const given = CsrMatrix.from({
      rows: 2,
      columns: 6,
      rowPointers: [0, 1, 3],
      columnIndices: [0, 1, 2],
      values: [1, -1, 0],
    });
    const kinds = [
      [dense({ units: 3 }), dense({ units: 2 })],
      [sparse({ units: 1, density: 1e-9 }), dense({ units: 2 })],
      [sparse({ units: 1, density: 1 }), masked({ units: 1, density: 0.5 }), dense({ units: 1 })],
      [masked({ units: 6, density: 0.5, draw: 'bernoulli' }), sparse({ weights: given }), dense({ units: 2 })],
      [sparse({ units: 6, epsilon: 2, draw: 'withReplacement', evolve: false }), sparse({ units: 2 })],
    ];
    for (const layers of kinds) {
      const html = await reportOf(await Network.create({ inputs: 10, layers, seed: 1 }));
      assertWellFormed(html);
      assertSelfContained(html);
      assert.match(html, /never fitted/);
    }
    const html = await reportOf(await Network.create({ inputs: 10, layers: kinds[3] as Anything, seed: 1 }));
    assert.match(html, /Layer 1: The layer was made from connections that were given/);
    assert.match(html, /1 exactly 0/);
  });

  it('a loss without right answers has no accuracy and no confusion matrix', async () => {
    const net = await Network.create({ inputs: 10, layers: [sparse({ units: 8 }), dense({ units: 1 })], seed: 1 });
    const numbers = { x: data.x, y: Float32Array.from(data.y) };
    const history = await net.fit(numbers, { epochs: 3, loss: 'meanSquaredError', validation: numbers }).done;
    const html = await reportOf(net, { history, test: numbers });
    assertSelfContained(html);
    assert.match(html, /Loss \(squared units of the target\)/);
    assert.ok(!drawings(html).some((title) => /accuracy|confusion/i.test(title)));
  });

  it('binary cross-entropy, with one output and with several', async () => {
    for (const outputs of [1, 3]) {
      const net = await Network.create({
        inputs: 10,
        layers: [sparse({ units: 8 }), dense({ units: outputs })],
        seed: 1,
      });
      const y = Float32Array.from({ length: 300 * outputs }, (_, i) => i % 2);
      const history = await net.fit({ x: data.x, y }, { epochs: 2, loss: 'binaryCrossEntropy' }).done;
      const titles = drawings(await reportOf(net, { history, test: { x: data.x, y } }));
      assert.equal(titles.includes('Confusion matrix'), outputs === 1);
      assert.ok(titles.includes('Accuracy'));
    }
  });

  it('a history writes its learning curves, is plain data otherwise, and can be stopped or empty', () =>
    withFolder(async (folder) => {
      const { history } = await fitted(2);
      assert.equal(Object.keys(history).includes('report'), false);
      const plain = JSON.parse(JSON.stringify(history)) as HistoryData;
      assert.deepEqual(plain, history);
      assert.deepEqual(structuredClone(history), history);
      await history.report(pathToFileURL(join(folder, 'curves.html')), { title: 'Curves' });
      const html = readFileSync(join(folder, 'curves.html'), 'utf8');
      assertWellFormed(html);
      assertSelfContained(html);
      assert.deepEqual(drawings(html).slice(0, 2), ['Loss', 'Accuracy']);
      await writeReport(join(folder, 'empty.html'), {
        runs: [
          {
            name: 'nothing',
            history: { epochs: [], stopped: true, stoppedEarly: false, connections: { trained: 0, final: 0 } },
          },
        ],
      });
      assertSelfContained(readFileSync(join(folder, 'empty.html'), 'utf8'));
      const net = smallNetwork(10, 4);
      const training = net.fit(data, { epochs: 1000 });
      training.stop();
      await (await training.done).report(join(folder, 'stopped.html'));
      assert.match(readFileSync(join(folder, 'stopped.html'), 'utf8'), /stopped by hand after/);
    }));

  it('several runs: a table, charts of what accuracy cost, and wiring that is equal is drawn once', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'runs.html');
      const runs = [];
      for (const [name, layer] of [
        ['sparse', sparse],
        ['masked', masked],
      ] as const) {
        const layers = [layer({ units: 30, density: 0.3 }), dense({ units: 4 })];
        const network = await Network.create({ inputs: 10, layers, seed: 3, threads: 1 });
        const history = await network.fit(data, { epochs: 3, validation }).done;
        runs.push({ name, network, history, seconds: name === 'sparse' ? 2 : 8, memoryBytes: 1e6 });
      }
      await writeReport(path, { runs, title: 'Both' });
      const html = readFileSync(path, 'utf8');
      assertWellFormed(html);
      assertSelfContained(html);
      assert.match(html, /Compared with masked, sparse is 4\.0 times faster\./);
      for (const cost of ['connections', 'time', 'memory'])
        assert.ok(drawings(html).includes(`Accuracy against ${cost}`));
      if (runs[0]?.history.final?.validation?.loss === runs[1]?.history.final?.validation?.loss) {
        assert.match(html, /Wired exactly as sparse/);
        assert.match(html, />sparse = masked</);
      }
    }));

  it('text of users never becomes markup', async () => {
    const evil = `</title><script>alert('x')</script><b a="&amp;">\u0000\u202e\ud800`;
    const classes = [evil, '<i>', '"', "'"];
    const features = Array.from({ length: 10 }, (_, i) => `${i}${evil}`);
    const net = smallNetwork(10, 4, { classes, features });
    const history = await net.fit(data, { epochs: 2, validation }).done;
    const html = await reportOf(net, {
      title: evil,
      history,
      test: validation,
      positions: { chromosomes: features, positions: new Float32Array(10) },
    });
    assertWellFormed(html);
    assertSelfContained(html);
    assert.ok(html.includes('&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;'));
    for (const character of ['\u0000', '\u202e']) assert.ok(!html.includes(character));
    await withFolder(async (folder) => {
      await writeReport(join(folder, 'x.html'), { runs: [{ name: evil, network: net, history }] });
      assertSelfContained(readFileSync(join(folder, 'x.html'), 'utf8'));
    });
  });

  it('pixels are an image: at epoch 0 as the seed draws them, and now', async () => {
    const net = await Network.create({
      inputs: 12,
      layers: [sparse({ units: 40, density: 0.3 }), dense({ units: 4 })],
      seed: 9,
    });
    const before = net.layers[0]?.outDegree() as Uint32Array;
    for (let i = 0; i < 3; i++) await net.evolve();
    const now = net.layers[0]?.outDegree() as Uint32Array;
    assert.notDeepEqual(now, before);
    const html = await reportOf(net, { image: { width: 4, height: 3 } });
    const mean = (degrees: Uint32Array) => (degrees.reduce((a, b) => a + b, 0) / degrees.length).toFixed(1);
    assert.ok(html.includes(`At epoch 0</b><span>${mean(before)} connections of an input in the mean`));
    assert.ok(drawings(html).includes('Input degrees: Now'));
    // What the drawing says of its range is what the network has.
    const most = Math.max(
      ...Array.from(before, (d) => d / Number(mean(before))),
      ...Array.from(now, (d) => d / Number(mean(now))),
    );
    assert.ok(html.includes(`to ${most.toFixed(2)} times the mean`), String(most));
  });

  it('wrong input is a SetnetError, and no file is written', () =>
    withFolder(async (folder) => {
      const { net, history } = await fitted(1);
      const path = join(folder, 'x.html');
      const report = (options: unknown) => net.report(path, options as Anything);
      await rejectsCode(report({ image: { width: 3, height: 3 } }), 'ERR_SETNET_SHAPE', /3 x 3 = 9 pixels.*10 inputs/);
      await rejectsCode(report({ image: { width: 0, height: 3 } }), 'ERR_SETNET_OPTION', /image\.width/);
      const positions = { chromosomes: ['1'], positions: [1] };
      await rejectsCode(report({ positions }), 'ERR_SETNET_SHAPE', /chromosomes has 1 elements.*10 inputs/);
      await rejectsCode(report({ positions: { chromosomes: 'X', positions: [] } }), 'ERR_SETNET_TYPE', /chromosomes/);
      await rejectsCode(report({ positions, image: { width: 5, height: 2 } }), 'ERR_SETNET_OPTION', /both/);
      await rejectsCode(report({ titel: 'x' }), 'ERR_SETNET_OPTION', /title/);
      await rejectsCode(report({ title: 3 }), 'ERR_SETNET_TYPE', /title/);
      await rejectsCode(report({ history: { epochs: 3 } }), 'ERR_SETNET_TYPE', /history\.epochs/);
      await rejectsCode(
        report({ history: { ...history, epochs: [{ epoch: 'one' }] } }),
        'ERR_SETNET_TYPE',
        /epochs\[0\]/,
      );
      await rejectsCode(report({ test: { x: data.x, y: [] } }), 'ERR_SETNET_SHAPE', /report: test/);
      await rejectsCode(net.report(3 as Anything), 'ERR_SETNET_TYPE', /path/);
      await rejectsCode(net.report(join(folder, 'no', 'x.html')), 'ERR_SETNET_IO', /no/);
      await rejectsCode(net.report(folder), 'ERR_SETNET_IO');
      await rejectsCode(history.report('', {}), 'ERR_SETNET_OPTION', /path/);
      await rejectsCode(history.report(path, { titel: 1 } as Anything), 'ERR_SETNET_OPTION', /title/);
      const runs = (value: unknown) => writeReport(path, { runs: value } as Anything);
      await rejectsCode(writeReport(path, undefined as Anything), 'ERR_SETNET_TYPE', /runs/);
      await rejectsCode(runs([]), 'ERR_SETNET_OPTION', /at least one/);
      await rejectsCode(runs([{}]), 'ERR_SETNET_TYPE', /runs\[0\]\.name/);
      await rejectsCode(runs([{ name: 'a' }, { name: 'a' }]), 'ERR_SETNET_OPTION', /twice/);
      await rejectsCode(runs([{ name: 'a', network: {} }]), 'ERR_SETNET_TYPE', /runs\[0\]\.network needs a Network/);
      await rejectsCode(runs([{ name: 'a', seconds: -1 }]), 'ERR_SETNET_OPTION', /seconds/);
      await rejectsCode(
        runs([{ name: 'a', evaluation: { loss: 1, samples: 1, confusion: { counts: [[1, 2]] } } }]),
        'ERR_SETNET_TYPE',
        /square/,
      );
      assert.deepEqual(readdirSync(folder), []);
    }));

  it('the file is replaced whole, through a symbolic link, and a failed one leaves the old', () =>
    withFolder(async (folder) => {
      const { net } = await fitted(1);
      const [target, link] = [join(folder, 'target.html'), join(folder, 'link.html')];
      writeFileSync(target, 'old');
      symlinkSync(target, link);
      await rejectsCode(net.report(link, { test: { x: data.x, y: [] } }), 'ERR_SETNET_SHAPE');
      assert.equal(readFileSync(target, 'utf8'), 'old');
      await net.report(link);
      assert.ok(lstatSync(link).isSymbolicLink());
      assert.match(readFileSync(target, 'utf8'), /^<!doctype html>/);
      assert.deepEqual(readdirSync(folder).sort(), ['link.html', 'target.html']);

      // A link to a link to a file that is not there yet.
      mkdirSync(join(folder, 'later'));
      symlinkSync(join('later', 'first.html'), join(folder, 'second.html'));
      symlinkSync('made.html', join(folder, 'later', 'first.html'));
      await net.report(join(folder, 'second.html'));
      assert.ok(lstatSync(join(folder, 'second.html')).isSymbolicLink());
      assert.deepEqual(readdirSync(join(folder, 'later')).sort(), ['first.html', 'made.html']);
      assert.match(readFileSync(join(folder, 'later', 'made.html'), 'utf8'), /^<!doctype html>/);
    }));

  it('it is of the state at the call, whatever happens to the network meanwhile', () =>
    withFolder(async (folder) => {
      const { net } = await fitted(1);
      const expected = await reportOf(net);
      const running = net.report(join(folder, 'x.html'));
      net.dispose();
      await running;
      assert.equal(readFileSync(join(folder, 'x.html'), 'utf8'), expected);
    }));

  it('a million inputs give a report of less than a megabyte @slow', () =>
    withFolder(async (folder) => {
      const layers = [sparse({ units: 64, epsilon: 4 }), dense({ units: 3 })];
      const net = await Network.create({ inputs: 1_000_000, layers, seed: 2 });
      for (const options of [{}, { image: { width: 1000, height: 1000 } }]) {
        const path = join(folder, 'big.html');
        await net.report(path, options);
        assert.ok(statSync(path).size < 1e6, String(statSync(path).size));
      }
    }));

  it('a program that writes no report does not load them', async () => {
    const script = `
      helpers.smallNetwork(10, 4).summary();
      console.log(JSON.stringify(Object.keys(require.cache).filter((name) => /dist.report.(report|style|page)[.]js$/.test(name))));`;
    assert.deepEqual(await runChildJson(script), []);
    assert.ok(existsSync(join(process.cwd(), 'dist/report/report.js')));
  });
});
