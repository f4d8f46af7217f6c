// Single layers, linear and without a bias, called from JavaScript: a sparse layer against the same one as a dense matrix in
// onnxruntime, against our own masked and dense layers, and against sparse and dense libraries in C and C++.
import { ceilings } from './lib/ceilings.mjs';
import { runNative } from './lib/native_programs.mjs';
import { openDense } from './lib/onnx.mjs';
import { onnxRuntime } from './lib/peers.mjs';
import { openSession, randomFeatures } from './lib/session.mjs';
import { crossover, layerTarget, libraryTarget, shares } from './lib/targets.mjs';
import { maxDifference, measureInTurns } from './lib/timing.mjs';

export const description = 'single layers from JavaScript: sparse, masked, dense, onnxruntime dense, C libraries';

export const options = {
  batches: { fallback: [1, 16, 128, 1024], about: 'rows per call' },
};

const threads = 1;
const percent = (density) => `${Number((100 * density).toPrecision(3))} %`;
/** A session that was frozen with optimizeFor: 'latency', for single rows. */
const forLatency = 'setnet for latency';
const layerName = ({ inputs, units, density }) =>
  `${inputs}${inputs === units ? 'x' : '->'}${units} ${percent(density)}`;

/**
 * `libraries`: how many repeats the C libraries get on it (each tries all its ways, which takes minutes on the largest); `masked`:
 * whether the masked layer fits in reason.
 */
function fixedCases(batches, quick) {
  const cases = [
    { inputs: 1000, units: 1000, density: 0.04, batches, libraries: 9, masked: true },
    { inputs: 4096, units: 4096, density: 0.01, batches, libraries: 3 },
    { inputs: 4096, units: 4096, density: 0.1, batches, libraries: 3 },
    { inputs: 65536, units: 4096, density: 0.005, batches, libraries: 3 },
    { inputs: 3072, units: 768, density: 0.1, batches: [256], libraries: 3 },
    { inputs: 3072, units: 768, density: 0.01, batches: [256], libraries: 3 },
  ];
  // The widest needs 1 GiB as a dense matrix, and seconds for a call of many rows.
  return quick
    ? cases.filter(({ inputs }) => inputs < 65536).map((one) => ({ ...one, libraries: one.inputs === 1000 ? 5 : 0 }))
    : cases;
}

export async function run({ options: { batches, quick }, figure, note }) {
  const setnet = await import('setnet');
  const isa = setnet.buildInfo().instructionSet;
  const runtime = await onnxRuntime();
  if (runtime.absent) note(`  onnxruntime is absent: ${runtime.absent}`);
  const bench = { setnet, isa, runtime, quick, figure, note, bounds: await ceilings({ isa, quick }) };

  for (const one of fixedCases(batches, quick)) {
    await measureCase(bench, { ...one, group: 'layer' });
  }
  const sweep = quick ? [0.01, 0.05, 0.1, 0.3, 0.6] : [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
  for (const density of sweep) {
    const sweepBatches = quick ? batches.filter((batch) => batch <= 128) : batches;
    await measureCase(bench, {
      inputs: 1024,
      units: 1024,
      density,
      batches: sweepBatches,
      dense: true,
      group: 'density',
    });
  }
  // The same number of connections per unit whatever the width: what a wider layer costs when its units stay as they are.
  for (const width of quick ? [256, 1024, 4096] : [256, 512, 1024, 2048, 4096, 8192]) {
    const density = perUnit / width;
    await measureCase(bench, {
      inputs: width,
      units: width,
      density,
      batches: [1, 128].filter((b) => batches.includes(b)),
      group: 'width',
    });
  }
}

/** Connections per unit in the sweep over widths. */
const perUnit = 40;

/** Measures one layer at its batches, beside all that is asked for. */
async function measureCase(bench, { group, ...layer }) {
  const { setnet, isa, runtime, quick, figure, bounds } = bench;
  const { inputs, units, density, batches } = layer;
  const create = (kind, extra) =>
    setnet.Network.create({
      inputs,
      seed: 1,
      threads,
      layers: [setnet[kind]({ units, activation: 'linear', bias: false, ...extra })],
    });
  const net = await create('sparse', { density });
  const session = await openSession(net, { threads });
  const quickest = batches.includes(1) ? await openSession(net, { threads, optimizeFor: 'latency' }) : undefined;
  const others = {
    ...(layer.masked && { masked: await create('masked', { density }) }),
    ...(layer.dense && { dense: await create('dense') }),
  };
  const model = runtime.absent ? undefined : await openDense(runtime, net, { threads });
  const connections = net.connections;
  const x = randomFeatures(Math.max(...batches) * inputs, 2);
  const name = layerName(layer);
  const times = {};
  for (const batch of batches) {
    const rows = x.subarray(0, batch * inputs);
    const out = { setnet: new Float32Array(batch * units) };
    const calls = { setnet: () => session.predictSync(rows, out.setnet) };
    for (const [kind, other] of Object.entries(others)) {
      out[kind] = new Float32Array(batch * units);
      calls[kind] = () => other.predictSync(rows, out[kind]);
    }
    if (batch === 1) {
      out.latency = new Float32Array(units);
      calls[forLatency] = () => quickest.predictSync(rows, out.latency);
    }
    if (model) calls.onnxruntime = model.call(rows, batch, inputs);

    const origin = { threads, group, layer: name, batch, density, width: units };
    // Nothing is timed that does not compute the same. (Our dense layer has other weights: the same work only.)
    calls.setnet();
    if (others.masked) calls.masked();
    const answers = { masked: others.masked && out.masked, onnxruntime: model && (await calls.onnxruntime()) };
    for (const [peer, answer] of Object.entries(answers)) {
      if (!answer || group !== 'layer') continue;
      const difference = maxDifference(out.setnet, answer);
      figure(`${name}: largest difference of outputs, ${peer}, batch ${batch}`, difference, 'absolute', {
        threads,
        repeats: 1,
        peer,
        layer: name,
      });
    }
    const timing = await measureInTurns(calls, {
      repeats: quick ? 5 : 11,
      blockSeconds: quick ? 0.008 : 0.02,
      limitSeconds: quick ? 1 : 8,
    });
    times[batch] = timing.time('setnet');
    const flops = 2 * connections * batch;
    const detail = { ...origin, repeats: timing.repeats };
    for (const side of Object.keys(calls)) {
      const work = side.startsWith('setnet') ? flops : 2 * inputs * units * batch;
      figure(`${name}: ${side}, batch ${batch}`, timing.time(side) * 1e6, 'us', {
        ...detail,
        side,
        spread: Number(timing.spread(side).toFixed(3)),
        rate: `${(work / timing.time(side) / 1e9).toFixed(1)} GFLOP/s`,
      });
      if (side.startsWith('setnet')) continue;
      const isCrossover = group === 'density' && Math.abs(density - 0.3) < 1e-9;
      const target = isCrossover
        ? crossover
        : side === 'onnxruntime' && group === 'layer'
          ? layerTarget(name, batch)
          : {};
      for (const ours of ['setnet', forLatency].filter((one) => calls[one])) {
        figure(`${name}: ${side} / ${ours}, batch ${batch}`, timing.ratio(side, ours), 'times', {
          ...detail,
          // The charts show one line for a layer.
          peer: ours === 'setnet' ? side : `${side}, ${forLatency}`,
          ...target,
        });
      }
    }
    if (!model) {
      const absent = runtime.absent;
      const target = group === 'layer' ? layerTarget(name, batch) : {};
      figure(`${name}: onnxruntime / setnet, batch ${batch}`, null, 'times', {
        ...detail,
        repeats: 0,
        peer: 'onnxruntime',
        absent,
        ...target,
      });
    }
    if (group === 'layer')
      shareOfBound({ bounds, isa, figure, name, batch, flops, seconds: timing.time('setnet'), detail });
  }
  if (layer.libraries) {
    await compareLibraries(bench, layer, async (batch) => {
      const rows = x.subarray(0, batch * inputs);
      const out = new Float32Array(batch * units);
      const timing = await measureInTurns(
        { setnet: () => session.predictSync(rows, out) },
        { blockSeconds: 0.01, limitSeconds: 1 },
      );
      return (times[batch] + timing.time('setnet')) / 2;
    });
  }
  await session.close();
  await quickest?.close();
  await model?.close();
  for (const other of [net, ...Object.values(others)]) other.dispose();
}

/** What a kernel reaches of the ceiling that bounds it, called from JavaScript. */
function shareOfBound({ bounds, isa, figure, name, batch, flops, seconds, detail }) {
  const isSingle = batch === 1;
  const ceiling = isSingle ? 'software gather' : `random rows of ${batch <= 16 ? 16 : 32} floats in L2`;
  const bound = bounds.find(ceiling);
  const title = `${name}: share of ${ceiling}, batch ${batch}`;
  if (bound.absent) {
    figure(title, null, 'fraction', { ...detail, repeats: 0, absent: bound.absent });
    return;
  }
  // The gather is counted in elements, a row in its multiply-adds.
  const rate = (isSingle ? flops / 2 : flops) / seconds / 1e9;
  const target = name !== '1000x1000 4 %' ? {} : isSingle ? shares.batch1 : batch === 128 ? shares.panel(isa) : {};
  figure(title, rate / bound.value, 'fraction', {
    ...detail,
    bound: `${bound.value.toFixed(1)} ${bound.unit}`,
    ...target,
  });
}

/**
 * The C and C++ libraries on a layer of the same size and density. They are programs of their own and cannot take turns with us
 * call by call: so setnet's call is measured before them and after, `secondsAround(batch)` is the mean of both.
 */
async function compareLibraries(
  { quick, figure },
  { inputs, units, density, batches: all, libraries: repeats },
  secondsAround,
) {
  const name = layerName({ inputs, units, density });
  // At 65,536 inputs a library may need many seconds for a call of 1024 rows.
  const batches = inputs < 65536 ? all : all.filter((batch) => batch <= 128);
  const args = {
    rows: units,
    columns: inputs,
    density,
    batches,
    seed: 1,
    threads,
    repeats,
    ...(quick && { seconds: 0.005 }),
  };
  const kernelsBefore = await kernelSeconds(name, quick);
  const results = await runNative('libraries', args);
  const kernelsAfter = await kernelSeconds(name, quick);
  const best = {};
  for (const { name: library, value, unit, absent, repeats = 0, batch, ...extra } of results) {
    const origin = { threads, repeats: value === null ? 0 : repeats, group: 'library', layer: name, batch };
    const title = `${name}: ${library}`;
    if (value === null) {
      figure(title, null, unit ?? 'us', { ...origin, library: extra.library, absent });
      continue;
    }
    figure(title, value, unit, { ...origin, ...extra });
    if (extra.dense) continue;
    if (best[batch] === undefined || value < best[batch].value) best[batch] = { value, library };
  }
  for (const batch of batches) {
    const target = libraryTarget(name, batch);
    const origin = {
      threads,
      repeats: 1,
      group: 'library',
      layer: name,
      batch,
      peer: 'best sparse library',
    };
    const title = `${name}: best sparse library / setnet, batch ${batch}`;
    const absent = results.find((one) => one.absent)?.absent ?? 'no sparse library was measured';
    if (best[batch] === undefined) {
      figure(title, null, 'times', { ...origin, repeats: 0, absent });
      continue;
    }
    const seconds = await secondsAround(batch);
    figure(title, best[batch].value / (seconds * 1e6), 'times', { ...origin, library: best[batch].library });
    // The libraries are timed on a layout of their choice, without what it takes to get there: so is our kernel here.
    for (const form of ['', latencyForm]) {
      const before = kernelsBefore[batch + form];
      const after = kernelsAfter[batch + form];
      if (before === undefined || after === undefined) continue;
      const mean = (before + after) / 2;
      const end = `product alone, batch ${batch}${form}`;
      figure(`${name}: setnet, ${end}`, mean, 'us', { ...origin, repeats: 2 });
      figure(`${name}: best sparse library / setnet, ${end}`, best[batch].value / mean, 'times', {
        ...origin,
        peer: 'best sparse library, product alone',
        ...target,
        library: best[batch].library,
      });
    }
  }
}

/** What bench/native/kernels.cc calls the form that a session for latency has beside the other. */
const latencyForm = ', form for latency';

/** { batch, or batch and form: microseconds } of our kernels on a layer of this name, where bench/native/kernels.cc has it. */
async function kernelSeconds(name, quick) {
  const { buildInfo } = await import('setnet');
  const isa = buildInfo().instructionSet;
  const result = {};
  for (const kernel of ['sparseProduct', 'sparseVector']) {
    const lines = await runNative('kernels', { isa, kernel, ...(quick && { seconds: 0.003, repeats: 5 }) });
    for (const { shape, batch, microseconds } of lines)
      if (shape?.startsWith(name) && microseconds !== undefined && (kernel === 'sparseVector') === (batch === 1))
        result[batch + shape.slice(name.length)] = microseconds;
  }
  return result;
}

const colors = { setnet: 0, onnxruntime: 1, masked: 3, dense: 4 };

export function charts(figures) {
  const made = [];
  const points = (list, key) => list.map((figure) => ({ x: figure[key], y: figure.value ?? Number.NaN }));
  const ratioSeries = (group, key) => {
    const these = figures.filter(
      (figure) => figure.group === group && figure.peer === 'onnxruntime' && figure.unit === 'times',
    );
    const by = key === 'batch' ? 'layer' : 'batch';
    return [...new Set(these.map((figure) => figure[by]))].map((name) => ({
      name: by === 'batch' ? `batch ${name}` : name,
      points: points(
        these.filter((figure) => figure[by] === name),
        key,
      ),
    }));
  };
  const timeSeries = (group, key, batch) =>
    Object.keys(colors).map((side) => ({
      name: side,
      color: colors[side],
      points: points(
        figures.filter((figure) => figure.group === group && figure.side === side && figure.batch === batch),
        key,
      ),
    }));
  const equal = [{ y: 1, label: 'equal' }];
  made.push({
    kind: 'lines',
    title: 'Single layers: onnxruntime dense against setnet sparse',
    x: { label: 'batch (rows per call)', scale: 'log', ticks: [1, 16, 128, 256, 1024] },
    y: { label: 'onnxruntime / setnet', scale: 'log' },
    series: ratioSeries('layer', 'batch'),
    bounds: equal,
  });
  for (const batch of [1, 128]) {
    made.push({
      kind: 'lines',
      title: `1024x1024: time against density, batch ${batch}`,
      x: { label: 'density (fraction of cells)', scale: 'log' },
      y: { label: 'microseconds', scale: 'log' },
      series: timeSeries('density', 'density', batch),
    });
  }
  made.push({
    kind: 'lines',
    title: '1024x1024: onnxruntime dense against setnet sparse, by density',
    x: { label: 'density (fraction of cells)', scale: 'log' },
    y: { label: 'onnxruntime / setnet', scale: 'log' },
    series: ratioSeries('density', 'density'),
    bounds: equal,
  });
  for (const batch of [1, 128]) {
    made.push({
      kind: 'lines',
      title: `Time against width, ${perUnit} connections per unit, batch ${batch}`,
      x: { label: 'inputs and units', scale: 'log', ticks: [256, 512, 1024, 2048, 4096, 8192] },
      y: { label: 'microseconds', scale: 'log' },
      series: timeSeries('width', 'width', batch),
    });
  }
  const fractions = figures.filter(({ unit }) => unit === 'fraction');
  if (fractions.length > 0) {
    made.push({
      kind: 'bars',
      title: 'Share of the ceiling that bounds the kernel, from JavaScript, one thread',
      x: { label: 'fraction of the ceiling measured in this run' },
      bars: fractions.map(({ layer, batch, value, floor, aim, absent }) => ({
        name: `${layer}, batch ${batch}`,
        value: value ?? Number.NaN,
        floor,
        aim,
        note: absent,
      })),
    });
  }
  const libraries = figures.filter(({ group, peer }) => group === 'library' && peer !== undefined);
  if (libraries.some(({ value }) => value !== null)) {
    made.push({
      kind: 'bars',
      title: 'Best sparse C library against setnet called from JavaScript',
      x: { label: 'library / setnet (times)', scale: 'log' },
      bars: libraries.map(({ layer, batch, value, floor, aim, absent }) => ({
        name: `${layer}, batch ${batch}`,
        value: value ?? Number.NaN,
        floor,
        aim,
        note: absent,
      })),
    });
  }
  return made;
}
