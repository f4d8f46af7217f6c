// The parts of the benchmarks that measure nothing: what they make of numbers has to be right before the numbers are read.
import { strict as assert } from 'node:assert';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = resolve(__dirname, '../../bench/lib');

/** Plain modules without declarations. */
// biome-ignore lint/suspicious/noExplicitAny: they have no types
async function load(name: string): Promise<any> {
  return import(pathToFileURL(join(folder, name)).href);
}

describe('95 bench: statistics', () => {
  it('median, quantiles and spread', async () => {
    const { median, quantile, spread, mean } = await load('statistics.mjs');
    assert.equal(median([5]), 5);
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([10, 2, 9, 1]), 5.5);
    assert.equal(quantile([0, 10, 20, 30, 40], 0.25), 10);
    assert.equal(quantile([0, 10], 0.75), 7.5);
    assert.equal(spread([8, 9, 10, 11, 12]), 0.2);
    assert.equal(mean([1, 2, 6]), 3);
    assert.throws(() => median([]), RangeError);
  });

  it('does not sort by digits, and leaves its input as it was', async () => {
    const { median } = await load('statistics.mjs');
    const values = [100, 20, 3];
    assert.equal(median(values), 20);
    assert.deepEqual(values, [100, 20, 3]);
  });

  it('a ratio is that of each turn, not of the medians', async () => {
    const { medianRatio } = await load('statistics.mjs');
    // The machine was ten times slower in the second turn, for both sides.
    assert.equal(medianRatio([2, 20, 3], [1, 10, 1.5]), 2);
    assert.throws(() => medianRatio([1, 2], [1]), RangeError);
  });
});

describe('95 bench: timing', () => {
  it('takes turns that begin with another side each, and awaits what returns a promise', async () => {
    const { measureInTurns } = await load('timing.mjs');
    const order: string[] = [];
    let running = 0;
    const timing = await measureInTurns(
      {
        sync: () => {
          assert.equal(running, 0);
          order.push('sync');
        },
        async: async () => {
          running++;
          await new Promise((done) => setTimeout(done, 2));
          running--;
          order.push('async');
        },
      },
      // A block is one call of the side that takes that long.
      { repeats: 4, blockSeconds: 1e-6 },
    );
    assert.equal(timing.repeats, 4);
    assert.deepEqual([timing.seconds.sync.length, timing.seconds.async.length], [4, 4]);
    // Blocks of the quick side count as one; both were warmed up before.
    const blocks = order.filter((name, i) => name === 'async' || order[i - 1] !== 'sync').join(' ');
    assert.equal(blocks, 'sync async async sync async async sync async async sync');
    assert.ok(timing.time('async') >= 0.0015 && timing.ratio('async', 'sync') > 0);
  });

  it('ends after three turns once the limit is reached', async () => {
    const { measureInTurns } = await load('timing.mjs');
    const timing = await measureInTurns({ one: () => {} }, { repeats: 1000, blockSeconds: 1e-4, limitSeconds: 0 });
    assert.equal(timing.repeats, 3);
  });

  it('differences of outputs: lengths and NaN never pass for equal', async () => {
    const { maxDifference } = await load('timing.mjs');
    assert.equal(maxDifference([1, 2, 3], [1, 2.5, 3]), 0.5);
    assert.equal(maxDifference([], []), 0);
    assert.equal(maxDifference([1], [1, 2]), Number.POSITIVE_INFINITY);
    assert.equal(maxDifference([Number.NaN, 1], [0, 1]), Number.POSITIVE_INFINITY);
    assert.equal(maxDifference([0, Number.NaN, 5], [0, Number.NaN, 5]), Number.POSITIVE_INFINITY);
  });
});

describe('95 bench: options', () => {
  const specs = { batches: { fallback: [1, 2] }, repeats: { fallback: 5 } };

  it('switches take no value, the others do', async () => {
    const { commonOptions, splitArguments } = await load('options.mjs');
    const every = { ...commonOptions, ...specs };
    assert.deepEqual(splitArguments(['layers', '--json', 'training', '--repeats', '3', '--out=x'], every), {
      names: ['layers', 'training'],
      flags: ['--json', '--repeats', '3', '--out=x'],
    });
    assert.deepEqual(splitArguments(['--quick', 'layers'], every).names, ['layers']);
  });

  it('reads numbers, lists, texts and switches, and leaves out what was not given', async () => {
    const { readOptions, withFallbacks } = await load('options.mjs');
    const given = readOptions(['--repeats', '3', '--batches=4,8', '--quick'], [specs]);
    assert.deepEqual(given, { repeats: 3, batches: [4, 8], quick: true });
    const options = withFallbacks({ quick: true }, { repeats: specs.repeats });
    assert.deepEqual(options, { json: false, quick: true, out: '', repeats: 5 });
  });

  it('two benchmarks with an option of one name each keep their own fallback', async () => {
    const { readOptions, withFallbacks } = await load('options.mjs');
    const other = { batches: { fallback: [7] } };
    const given = readOptions([], [specs, other]);
    assert.deepEqual(withFallbacks(given, specs).batches, [1, 2]);
    assert.deepEqual(withFallbacks(given, other).batches, [7]);
  });

  it('says what is wrong', async () => {
    const { readOptions } = await load('options.mjs');
    assert.throws(() => readOptions(['--epoch', '1'], [specs]), /unknown option --epoch; there are: .*--repeats/);
    assert.throws(() => readOptions(['--repeats', '0'], [specs]), /an integer from 1, not '0'/);
    assert.throws(() => readOptions(['--repeats', '1,2'], [specs]), /one integer/);
    assert.throws(() => readOptions(['--batches', '1,x'], [specs]), /integers from 1/);
    assert.throws(() => readOptions(['--repeats'], [specs]), /not ''/);
    assert.throws(() => readOptions(['--quick=1'], [specs]), /takes no value/);
    assert.throws(() => readOptions(['--out='], [specs]), /wants a value/);
  });
});

describe('95 bench: figures', () => {
  it('more is better of a ratio, less of a time; the tolerance widens both', async () => {
    const { judge } = await load('figures.mjs');
    const met = (value: number, unit: string, bars: object) => judge(value, unit, bars).met;
    assert.equal(met(10, 'times', { floor: 4, aim: 9 }), 'aim');
    assert.equal(met(5, 'times', { floor: 4, aim: 9 }), 'floor');
    assert.equal(met(3.9, 'times', { floor: 4, aim: 9 }), 'no');
    assert.equal(met(19, 'ms', { floor: 35, aim: 20 }), 'aim');
    assert.equal(met(36, 'ms', { floor: 35, aim: 20 }), 'no');
    assert.equal(met(1.5, 'times the cost', { floor: 1.6, aim: 1.3 }), 'floor');
    assert.equal(met(0.98, 'times', { floor: 1, tolerance: 0.03 }), 'floor');
    assert.equal(met(0.96, 'times', { floor: 1, tolerance: 0.03 }), 'no');
  });

  it('what has no target or no value is not judged', async () => {
    const { judge } = await load('figures.mjs');
    assert.deepEqual(judge(3, 'us', { batch: 1 }), { batch: 1 });
    assert.equal(judge(null, 'times', { floor: 1 }).met, undefined);
  });

  it('every target of the tables has a floor that its aim is beyond', async () => {
    const { inferenceTarget, layerTarget, libraryTarget, evolutionTarget } = await load('targets.mjs');
    for (const isa of ['avx512', 'avx2', 'neon']) {
      for (const batch of [1, 16, 128, 1024]) {
        const { floor, aim } = inferenceTarget(batch, isa);
        assert.ok(floor > 1 && aim > floor, `${isa}, ${batch}`);
      }
    }
    for (const name of ['4096x4096 10 %', '4096x4096 1 %', '65536->4096 0.5 %']) {
      assert.ok(layerTarget(name, 128).aim > layerTarget(name, 128).floor, name);
    }
    assert.ok(layerTarget('3072->768 1 %', 256).aim > 18);
    assert.ok(libraryTarget('1000x1000 4 %', 1).floor > 1);
    assert.deepEqual(layerTarget('7x7 1 %', 1), {});
    assert.ok(evolutionTarget(1e7).floor > evolutionTarget(1e6).floor);
  });

  it('targets of kernels are those of the instruction set in use, and go with the FMA rate where they are absolute', async () => {
    const { kernelTarget } = await load('targets.mjs');
    const update = { kernel: 'sparseUpdate', shape: '1000x1000 4 %', batch: 128, unit: 'GFLOP/s', isa: 'avx512' };
    assert.deepEqual(kernelTarget(update, 225, 'avx512'), { floor: 50, aim: 75 });
    assert.deepEqual(kernelTarget(update, 112.5, 'avx512'), { floor: 25, aim: 37.5 });
    assert.deepEqual(kernelTarget(update, undefined, 'avx512'), {});
    assert.deepEqual(kernelTarget({ ...update, isa: 'avx2' }, 225, 'avx512'), {});
    const dense = { kernel: 'denseUpdate', shape: '1000x1000', batch: 128, unit: 'fraction', isa: 'avx2' };
    assert.deepEqual(kernelTarget({ ...dense, bound: 'sgemm of the same product' }, 100, 'avx2'), { floor: 0.6 });
    assert.deepEqual(kernelTarget({ ...dense, bound: 'FMA' }, 100, 'avx2'), {});
  });

  it('ceilings are found by name and instruction set, the best of their repeats', async () => {
    const { findCeiling } = await load('ceilings.mjs');
    const list = [
      { ceiling: 'FMA', isa: 'avx512', value: 200, best: 210, unit: 'GFLOP/s' },
      { ceiling: 'FMA', isa: 'avx2', value: 90, unit: 'GFLOP/s' },
      { ceiling: 'sgemm', value: null, absent: 'no OpenBLAS' },
    ];
    assert.deepEqual(findCeiling(list, 'FMA', 'avx512'), { value: 210, unit: 'GFLOP/s' });
    assert.deepEqual(findCeiling(list, 'FMA', 'avx2'), { value: 90, unit: 'GFLOP/s' });
    assert.deepEqual(findCeiling(list, 'sgemm', 'avx2'), { absent: 'no OpenBLAS' });
    assert.ok(findCeiling(list, 'L9', 'avx2').absent);
  });
});

describe('95 bench: charts', () => {
  const lines = (more: object) => ({
    title: 'Time',
    x: { label: 'batch', scale: 'log', ticks: [1, 16, 128] },
    y: { label: 'microseconds', scale: 'log' },
    series: [],
    ...more,
  });
  const placesOf = (svg: string) =>
    Array.from(svg.matchAll(/<polyline class="s0" points="([^"]+)"/g), ([, points]) =>
      (points as string).split(' ').map((pair) => pair.split(',').map(Number)),
    );

  it('a log axis gives equal ratios equal lengths, upwards, inside the plot', async () => {
    const { lineChart } = await load('svg.mjs');
    const points = [1, 10, 100].map((y, i) => ({ x: 4 ** i, y }));
    const [line] = placesOf(lineChart(lines({ x: { label: 'n', scale: 'log' }, series: [{ name: 'a', points }] })));
    const [a, b, c] = line as [number[], number[], number[]];
    const at = (point: number[], axis: number) => point[axis] as number;
    for (const axis of [0, 1]) {
      assert.ok(Math.abs(at(c, axis) - at(b, axis) - (at(b, axis) - at(a, axis))) < 0.02, `axis ${axis}`);
    }
    assert.ok(at(c, 1) < at(b, 1) && at(b, 0) > at(a, 0));
    for (const [x, y] of [a, b, c])
      assert.ok((x as number) >= 0 && (x as number) <= 460 && (y as number) > 0, `${x}, ${y}`);
  });

  it('names, units and the kind of scale stand at the axes; text is escaped', async () => {
    const { lineChart, barChart } = await load('svg.mjs');
    const series = [{ name: 'a < b & "c"', points: [{ x: 1, y: 2 }] }];
    const svg = lineChart(lines({ series }));
    assert.ok(svg.includes('microseconds, log scale') && svg.includes('batch, log scale'));
    assert.ok(svg.includes('a &#60; b &#38; &#34;c&#34;') && !svg.includes('a < b'));
    assert.ok(barChart({ title: 'B', x: { label: 'times' }, bars: [{ name: 'x', value: 1 }] }).includes('>times<'));
  });

  it('what was not measured is left out or said, and nothing becomes NaN', async () => {
    const { lineChart, barChart, drawChart } = await load('svg.mjs');
    const holes = [
      { x: 1, y: Number.NaN },
      { x: 16, y: 0 },
      { x: 128, y: 3 },
    ];
    const line = lineChart(
      lines({
        series: [
          { name: 'a', points: holes },
          { name: 'none', points: [] },
        ],
      }),
    );
    assert.equal(line.match(/<title>/g)?.length, 1);
    assert.ok(!line.includes('none'));
    const bars = [
      { name: 'absent peer', value: Number.NaN, note: 'not here' },
      { name: 'one', value: 2, floor: 1, aim: 3 },
    ];
    const bar = barChart({ title: 'B', x: { label: 'times', scale: 'log' }, bars });
    assert.ok(bar.includes('not here') && bar.includes('floor'));
    const empty = [lineChart(lines({})), barChart({ title: 'B', x: { label: 'x' }, bars: bars.slice(0, 1) })];
    assert.ok(empty[0].includes('nothing was measured') && empty[1].includes('not here'));
    for (const svg of [line, bar, ...empty]) assert.ok(!/NaN|Infinity|undefined/.test(svg), svg);
    assert.throws(() => drawChart({ kind: 'pie' }), TypeError);
  });

  it('one point, equal values and huge ranges have an axis', async () => {
    const { makeAxis, logTicks } = await load('svg.mjs');
    for (const values of [[3], [3, 3], [1e-9, 1e9], [1, 1.0001]]) {
      for (const scale of ['log', 'linear']) {
        const axis = makeAxis(values, { scale }, [10, 100]);
        for (const value of values) {
          assert.ok(
            axis.place(value) >= 9.99 && axis.place(value) <= 100.01,
            `${scale} ${values}: ${axis.place(value)}`,
          );
        }
        assert.ok(axis.ticks.length >= 2 && axis.ticks.length <= 20, `${scale} ${values}: ${axis.ticks}`);
      }
    }
    assert.deepEqual(logTicks(1, 100), [1, 2, 5, 10, 20, 50, 100]);
    assert.deepEqual(logTicks(1, 1e6), [1, 10, 100, 1000, 1e4, 1e5, 1e6]);
  });

  it('numbers at axes are short', async () => {
    const { formatTick, formatValue } = await load('svg.mjs');
    assert.deepEqual([0.5, 20, 1000, 20000, 2.5e6, 3e9].map(formatTick), ['0.5', '20', '1000', '20k', '2.5M', '3G']);
    assert.deepEqual([3, 3.4567, 123.456, 2e11].map(formatValue), ['3', '3.46', '123.5', '2.00e+11']);
  });
});

describe('95 bench: report', () => {
  const figure = (more: object) => ({
    ...{ bench: 'layers', name: 'a call', value: 1.5, unit: 'us', threads: 1, repeats: 3 },
    ...{ isa: 'avx2', processor: 'P', caches: 'L1d 32K', node: 'v20', setnet: '0', ...more },
  });
  const head = { title: 'Benchmarks', machine: 'P', lines: ['quick'] };
  const sections = (figures: object[], more = {}) => [
    { name: 'layers', description: 'D', figures, charts: [], ...more },
  ];

  it('a page is self-contained, holds its charts, and knows dark mode and narrow screens', async () => {
    const { htmlPage } = await load('page.mjs');
    const chart = { kind: 'bars', title: 'T', x: { label: 'us' }, bars: [{ name: 'n', value: 2 }], caption: 'C' };
    const html = htmlPage({ head, sections: sections([figure({})], { charts: [chart] }) });
    assert.ok(
      html.includes('<svg') && html.includes('prefers-color-scheme: dark') && html.includes('width=device-width'),
    );
    assert.ok(!/<(script|link|img|iframe)|url\(|@import|(src|href)="(?!#)/.test(html));
  });

  it('absent peers, parts that did not run and targets are said, in both forms', async () => {
    const { htmlPage, markdownPage } = await load('page.mjs');
    const figures = [
      figure({ name: 'good', unit: 'times', floor: 1, aim: 2, met: 'floor' }),
      figure({ name: 'bad | worse', unit: 'times', value: 0.5, floor: 1, met: 'no' }),
      figure({ name: 'peer', value: null, absent: 'not installed', floor: 1 }),
    ];
    const report = {
      head,
      sections: [...sections(figures), { ...sections([])[0], name: 'accuracy', notRun: 'no data' }],
    };
    const html = htmlPage(report);
    const markdown = markdownPage({ ...report, html: 'b.html' });
    for (const text of [html, markdown]) {
      for (const part of [
        'not installed',
        'no data',
        'below the floor',
        'floor reached',
        'Of 3 figures with a target',
      ]) {
        assert.ok(text.includes(part), part);
      }
    }
    assert.ok(markdown.includes('bad \\| worse'));
    assert.ok(markdown.includes('](b.html)'));
  });

  it('a line of JSON is read back as it was, other lines are not taken for figures', async () => {
    const { parseFigure } = await load('page.mjs');
    const one = figure({ floor: 1 });
    assert.deepEqual(parseFigure(JSON.stringify(one)), one);
    for (const line of ['', 'setnet 0.1.0', '{"value":1}', '[1]', 'null', '3'])
      assert.equal(parseFigure(line), undefined, line);
  });
});

describe('95 bench: GraphChallenge', () => {
  it('a transform of every radix equals the sum it stands for, and its inverse brings the input back', async () => {
    const { makeFft, factorize } = await load('fft.mjs');
    for (const length of [1, 2, 3, 4, 5, 7, 8, 12, 28, 60, 210, 256]) {
      const re = Float64Array.from({ length }, (_, i) => Math.sin(i * i + 1));
      const im = Float64Array.from({ length }, (_, i) => Math.cos(3 * i));
      const [a, b] = [re.slice(), im.slice()];
      const transform = makeFft(length);
      transform(a, b);
      for (let k = 0; k < length; k++) {
        let [x, y] = [0, 0];
        for (let j = 0; j < length; j++) {
          const turn = (-2 * Math.PI * ((j * k) % length)) / length;
          x += (re[j] as number) * Math.cos(turn) - (im[j] as number) * Math.sin(turn);
          y += (re[j] as number) * Math.sin(turn) + (im[j] as number) * Math.cos(turn);
        }
        assert.ok(
          Math.abs(x - (a[k] as number)) < 1e-11 * length && Math.abs(y - (b[k] as number)) < 1e-11 * length,
          `${length}, ${k}`,
        );
      }
      transform(a, b, true);
      for (const [i, value] of a.entries()) assert.ok(Math.abs(value / length - (re[i] as number)) < 1e-12 * length);
    }
    assert.deepEqual(factorize(60).sort(), [3, 4, 5]);
    assert.throws(() => makeFft(22), /only factors/);
  });

  it('a layer joins each unit with the inputs of its class and of the class above it, 32 a row and a column', async () => {
    const { makeLayer } = await load('graphchallenge_data.mjs');
    const classOfRow = Uint8Array.from({ length: 1024 }, (_, row) => (row * 7) % 64);
    const { rowPointers, columnIndices, values } = makeLayer(classOfRow, 4);
    const perColumn = new Uint32Array(1024);
    assert.equal(rowPointers[1024], 32768);
    for (let unit = 0; unit < 1024; unit++) {
      const inputs = columnIndices.subarray(rowPointers[unit], rowPointers[unit + 1]);
      assert.equal(inputs.length, 32);
      for (const [i, input] of inputs.entries()) {
        assert.ok(i === 0 || input > inputs[i - 1]);
        perColumn[input] = (perColumn[input] as number) + 1;
        const own = classOfRow[input] as number;
        assert.ok(unit % 64 === own || unit % 64 === (own - 4 + 64) % 64);
      }
    }
    assert.ok(perColumn.every((count) => count === 32) && values.every((value: number) => value === 1 / 16));
  });

  it('enlarged images keep what was bright: a blank picture is blank, a bright quarter stays where it is', async () => {
    const { packImages, unpackInput } = await load('graphchallenge_data.mjs');
    const count = 2;
    const pixels = new Uint8Array(count * 784);
    for (let row = 4; row < 12; row++)
      for (let column = 4; column < 12; column++) pixels[784 + row * 28 + column] = 255;
    const bits = packImages(pixels, count, 32);
    const first = unpackInput(bits, 0, 1);
    const second = unpackInput(bits, 1, 1);
    assert.ok(first.every((value: number) => value === 0));
    // Feature = column * 32 + row; 28 pixels become 32.
    assert.equal(second[9 * 32 + 9], 1);
    assert.equal(second[20 * 32 + 20], 0);
    const bright = second.reduce((sum: number, value: number) => sum + value, 0);
    assert.ok(Math.abs(bright - (8 * 8 * 32 * 32) / (28 * 28)) < 30, `${bright} bright`);
  });
});
