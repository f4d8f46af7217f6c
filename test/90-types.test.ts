import { strict as assert } from 'node:assert';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ts from 'typescript';
import { native } from '../lib/loader';
import { root, withFolder } from './helpers/helpers';

/** The package as a consumer has it, without @types/node and without the library of browsers. */
const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts'],
  module: ts.ModuleKind.Node16,
  moduleResolution: ts.ModuleResolutionKind.Node16,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  types: [],
  noEmit: true,
};

/** What the compiler says of a program in a folder that has setnet installed. */
function check(folder: string, name: string, text: string, change: ts.CompilerOptions = {}): string[] {
  const path = join(folder, name);
  writeFileSync(path, text);
  const program = ts.createProgram([path], { ...options, ...change });
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText, start }) => {
    const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    return `${file?.fileName ?? ''}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
}

/** A folder whose node_modules/setnet has package.json and the declarations alone. */
function withConsumer<T>(work: (folder: string) => T): Promise<T> {
  return withFolder(async (folder) => {
    const packageFolder = join(folder, 'node_modules', 'setnet');
    mkdirSync(packageFolder, { recursive: true });
    for (const name of ['package.json', ...ts.sys.readDirectory(join(root, 'dist'), ['.d.ts', '.d.mts'])]) {
      const source = name === 'package.json' ? join(root, name) : name;
      const target = join(packageFolder, source.slice(root.length + 1));
      mkdirSync(join(target, '..'), { recursive: true });
      writeFileSync(target, ts.sys.readFile(source) as string);
    }
    return work(folder);
  });
}

const program = `
  const { Network, Session, CsrMatrix, SparseLayer, sampleOrder, SetnetError, sparse, masked, dense, set, sgd, cosine, constant, devices, buildInfo } = setnet;
  async function main(): Promise<void> {
    const net: setnet.Network = await Network.create({
      inputs: 784, scaling: 'perFeature', classes: ['a', 'b'], seed: 42n, missing: NaN, device: 'auto', threads: 2,
      layers: [
        sparse({ units: 10, epsilon: 20, activation: 'relu', dropout: 0.3, initializer: { kind: 'normal', sigma: 0.1 } }),
        masked({ units: 10, density: 0.5, activation: { kind: 'relu' }, draw: 'bernoulli', zeta: 0.1 }),
        sparse({ units: 10, activation: { kind: 'clippedRelu', max: 32 } }),
        dense({ units: 2 }),
      ],
    });
    const x: Float32Array = new Float32Array(784);
    const signal = { aborted: false, addEventListener() {}, removeEventListener() {} };
    const training: setnet.Training = net.fit({ x, y: ['a'] }, {
      epochs: 20, batchSize: 128, loss: 'softmaxCrossEntropy', signal, validation: { x: { data: x, shape: [1, 784] }, y: [0] },
      optimizer: sgd({ learningRate: cosine({ from: 0.05, warmup: 1 }), momentum: 0.9, weightDecay: 2e-4 }),
      evolution: set({ zeta: constant({ value: 0.3 }), prune: 'signMagnitude', newWeights: 'initializer' }),
      onProgress: ({ epoch, step, steps }) => { const sum: number = epoch + step / (steps ?? 1); void sum; },
    });
    const weighed: setnet.ClassWeights = { a: 2 };
    void net.fit({ x, y: ['a'] }, { classWeights: 'balanced', sampleWeights: new Float64Array(1) });
    const oneBatch: setnet.Batch = { x, y: ['a'], sampleWeights: [1] };
    const stream: setnet.BatchStream = { batches: (epoch: number) => [oneBatch, Promise.resolve(oneBatch)], stepsPerEpoch: 2 };
    async function* streamed(epoch: number): AsyncGenerator<setnet.Batch> { if (epoch > 0) yield oneBatch; }
    const onProgress = ({ steps }: setnet.Progress): void => { const known: number | undefined = steps; void known; };
    void [net.fit(stream), net.fit({ batches: streamed }, { epochs: 2, onProgress })];
    void [net.fit({ x, y: [0] }, { classWeights: weighed }), net.fit({ x, y: [0] }, { classWeights: [1, 2], sampleWeights: [1] })];
    for await (const epoch of training) {
      const accuracy: number | undefined = epoch.validation?.accuracy;
      const pruned: number | undefined = epoch.evolution?.layers[0]?.pruned;
      void [accuracy, pruned];
    }
    const history: setnet.History = await training.done;
    const sizes: { readonly trained: number; readonly final: number } = history.connections;
    const out: Float32Array = net.predictSync(x, new Float32Array(2));
    const more: Float32Array = net.predictSync(x, undefined, { output: 'logits' });
    const classes: Int32Array = net.predictSync(x, { output: 'classes' });
    const some: Float32Array = await net.predict(x);
    const names: Int32Array = await net.predict(x, { output: 'classes' });
    const evaluation: setnet.Evaluation = await net.evaluate({ x, y: new Uint8Array(1) }, { metrics: ['auc', 'confusion'] });
    const confusion: setnet.Confusion | undefined = evaluation.confusion, area: number | undefined = evaluation.auc;
    const count: number | undefined = confusion?.counts[0]?.[1], metric: setnet.Metric = 'balancedAccuracy';
    void [area, count, metric];
    await net.save('model.safetensors');
    await using session: setnet.Session = await net.freeze({ threads: 2, optimizeFor: 'latency', precision: 'f32' });
    const fromFile = await Session.load('model.safetensors', { precision: 'bf16' } satisfies setnet.SessionOptions);
    const answers: Float32Array[] = [session.predictSync(x, out, { output: 'logits' }), await session.predict(x)];
    const numbers: Int32Array[] = [session.predictSync(x, { output: 'classes' }), await session.predict(x, { output: 'classes' })];
    const isClosed: boolean = session.isClosed, label: string | undefined = session.classes?.[0], size: number = session.connections;
    const closed: Promise<void> = fromFile.close();
    void [answers, numbers, isClosed, label, size, closed];
    using loaded = await Network.load('model.safetensors', { threads: 1 });
    const m: setnet.CsrMatrix = CsrMatrix.from({ rows: 1, columns: 1, rowPointers: [0, 1], columnIndices: new Uint16Array(1), values: [1] });
    const options: setnet.DenseMatrixOptions = { rows: 1, columns: 2, tolerance: 0.1 }, coo: setnet.CooArrays = { rows: 1, columns: 1, rowIndices: [0], columnIndices: new Uint32Array(1), values: x, duplicates: 'sum' };
    const made: setnet.CsrMatrix[] = [CsrMatrix.fromDense(x, options), CsrMatrix.fromCoo(coo), m.transpose(), await m.sampledProduct(x, x), m.sampledProductSync(x, x)];
    const products: Float32Array[] = [await m.multiply(x), m.multiplySync({ data: x, shape: [1, 1] }, out), await m.transposeMultiply(new Uint8Array(1)), m.transposeMultiplySync(x)];
    const row: setnet.CsrRow = m.row(0), rowValues: Float32Array = row.values, rowColumns: Uint32Array = row.columnIndices;
    void [made, products, rowValues, rowColumns];
    const given: setnet.SparseLayerDefinition = sparse({ weights: m, bias: new Float32Array(1), zeta: 0.2, activation: 'linear' });
    void [given, masked({ weights: m, bias: -0.3, evolve: false }), sparse({ weights: m, bias: false })];
    const sparseData: setnet.Dataset = { x: m, y: [0] };
    const features: setnet.Features = m;
    void [net.fit(sparseData, { validation: { x: m, y: [0] } }), net.evaluate(sparseData), net.predictSync(m, out), session.predict(features)];
    using layer: setnet.SparseLayer = SparseLayer.create({ inputs: 4, units: 2, density: 0.5, activation: 'srelu', optimizer: sgd({ learningRate: 0.1 }), seed: 1n, index: 3, dropout: 0.1, threads: 1 } satisfies setnet.SparseLayerOptions);
    void [SparseLayer.create({ weights: m, bias: 0.5 }), SparseLayer.create({ inputs: 1, weights: m, bias: new Float32Array(1) })];
    const y: Float32Array = layer.forward(m, { training: true, out }), noGradient: undefined = layer.backward(y, { inputGradient: false });
    const dx: Float32Array = layer.backward({ data: y, shape: [1, 2] }, { out }), maybe: Float32Array | undefined = layer.backward(y, { inputGradient: isClosed });
    const gradient: setnet.CsrMatrix = layer.weightGradient();
    layer.step(); layer.step({ learningRate: 0.1 });
    const report: setnet.LayerEvolution = layer.evolve({ zeta: 0.3, prune: 'random', grow: 'random', newWeights: 'initializer', regrowPruned: false }), removal: setnet.LayerEvolution = layer.prune({ zeta: 0.1 });
    const buffer: setnet.OptimizerBuffer | undefined = layer.state.velocity, order: Uint32Array = sampleOrder(10, { seed: 1, epoch: 2 });
    void [noGradient, dx, maybe, gradient, report, removal, buffer?.bias, order, layer.steps, layer.weights];
    const degrees: Uint32Array | undefined = net.layers[0]?.inDegree();
    const device: string | undefined = devices()[0]?.reason;
    const version: string = buildInfo().version;
    try { loaded.summary(); } catch (error) {
      if (error instanceof SetnetError) { const code: setnet.SetnetErrorCode = error.code; void code; }
    }
    void [sizes, out, more, classes, some, names, evaluation, m.toDense(), degrees, device, version];
  }
  void main;
`;

describe('90 types @slow', function () {
  this.timeout(120_000);

  it('the declarations compile for consumers with lib es2022 alone, without @types/node, libraries checked', () =>
    withConsumer((folder) => {
      const lib = ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'];
      assert.deepEqual(check(folder, 'esm.mts', `import * as setnet from 'setnet';\n${program}`), []);
      assert.deepEqual(check(folder, 'cjs.cts', `import setnet = require('setnet');\n${program}`), []);
      assert.deepEqual(check(folder, 'named.mts', "import { Network } from 'setnet'; void Network;", { lib }), []);
    }));

  it('mistakes are errors of the compiler', () =>
    withConsumer((folder) => {
      const mistakes = [
        'setnet.sparse({ units: 3, epsylon: 4 });',
        'setnet.dense({ units: 3, epsilon: 4 });',
        'setnet.sparse({});',
        'declare const m: setnet.CsrMatrix; setnet.sparse({ weights: m, epsilon: 3 });',
        'declare const m: setnet.CsrMatrix; setnet.dense({ units: 1, weights: m });',
        'declare const m: setnet.CsrMatrix; m.multiplySync([1]);',
        "setnet.CsrMatrix.fromCoo({ rows: 1, columns: 1, rowIndices: [0], columnIndices: [0], values: [1], duplicates: 'last' });",
        'setnet.sparse({ units: 3, bias: 0.5 });',
        "setnet.sparse({ units: 3, activation: { kind: 'relu', max: 3 } });",
        "setnet.sparse({ units: 3, activation: 'swish' });",
        "setnet.sgd({ learningRate: '0.1' });",
        "setnet.sgd({ decay: 'decoupled' });",
        'setnet.adam({ momentum: 0.9 });',
        'setnet.set({ prune: 3 });',
        "declare const net: setnet.Network; net.fit({ x: new Uint8Array(1), y: [0] }, { classWeights: 'equal' });",
        'declare const net: setnet.Network; net.fit({ batches: [{ x: new Uint8Array(1), y: [0] }] });',
        'declare const net: setnet.Network; net.fit({ batches: () => [{ x: new Uint8Array(1) }] });',
        "declare const net: setnet.Network; net.evaluate({ x: new Uint8Array(1), y: [0] }, { metrics: ['samples'] });",
        'new setnet.Network();',
        'new setnet.Session();',
        'new setnet.SparseLayer();',
        'setnet.SparseLayer.create({ inputs: 3, units: 3, evolve: false });',
        'declare const layer: setnet.SparseLayer; const y: Float32Array = layer.backward(new Float32Array(1), { inputGradient: false });',
        'declare const session: setnet.Session; session.fit({});',
        "declare const net: setnet.Network; net.freeze({ optimizeFor: 'size' });",
        "declare const session: setnet.Session; const y: Float32Array = session.predictSync(new Uint8Array(1), { output: 'classes' });",
        'declare const net: setnet.Network; net.predictSync([1, 2]);',
        "declare const net: setnet.Network; const y: Float32Array = net.predictSync(new Uint8Array(1), { output: 'classes' });",
        'declare const net: setnet.Network; net.fit({ x: new Float32Array(1) });',
        'declare const training: setnet.Training; training.then(() => {});',
        "declare const e: setnet.SetnetError; const code: 'ERR_OTHER' = e.code;",
      ];
      for (const [i, mistake] of mistakes.entries()) {
        const said = check(folder, `mistake${i}.mts`, `import * as setnet from 'setnet';\n${mistake}`);
        assert.equal(said.length, 1, `${mistake}: ${said.join('; ')}`);
        assert.match(said[0] as string, /mistake\d+\.mts:2:/);
      }
    }));

  it('every rule of the native tables has its type', () =>
    withConsumer((folder) => {
      const rules = native().rules();
      const lines = [
        ...rules.activations.map(({ name }) => `setnet.sparse({ units: 1, activation: '${name}' });`),
        ...rules.initializers.map(({ name }) => `setnet.sparse({ units: 1, initializer: '${name}' });`),
        ...rules.prune.map(({ name }) => `setnet.set({ prune: '${name}' });`),
        ...rules.grow.map(({ name }) => `setnet.set({ grow: '${name}' });`),
        ...rules.losses.map(({ name }) => `const loss_${name}: setnet.Loss = '${name}'; void loss_${name};`),
        ...rules.metrics.map(({ name }) => `const metric_${name}: setnet.Metric = '${name}'; void metric_${name};`),
        ...rules.schedules.map(({ name, parameters }) => {
          const given = parameters.map((parameter) => `${parameter.name}: ${Math.max(parameter.fallback, 0.1)}`);
          return `setnet.${name}({ ${given.join(', ')} });`;
        }),
        ...rules.optimizers.map(({ name, parameters }) => {
          const given = parameters.map((p) => {
            if (p.choices !== undefined) return `${p.name}: '${p.choices.split('|').at(-1)}'`;
            return `${p.name}: ${/nesterov|decayBias/.test(p.name) ? false : p.fallback}`;
          });
          // A variant is chosen by an option of its rule.
          const [rule, variant] = name.split('.');
          if (variant !== undefined) given.push(`newState: '${variant}'`);
          return `setnet.${rule}({ ${given.join(', ')} });`;
        }),
      ];
      assert.ok(lines.length >= 18, `${lines.length} rules`);
      assert.deepEqual(check(folder, 'rules.mts', `import * as setnet from 'setnet';\n${lines.join('\n')}`), []);
    }));
});
