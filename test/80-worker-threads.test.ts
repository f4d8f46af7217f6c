import { strict as assert } from 'node:assert';
import { MessageChannel, Worker } from 'node:worker_threads';
import { CsrMatrix, type Session } from '../lib/index';
import {
  blobs,
  digestOf,
  entry,
  rejectsCode,
  runChild,
  runChildJson,
  smallNetwork,
  throwsCode,
} from './helpers/helpers';

const data = blobs(400, 10, 4, 1);

/** The state that digestOf gives when nothing disturbs the fit. */
async function undisturbed(): Promise<string> {
  const net = smallNetwork(10, 4);
  await net.fit(data, { epochs: 40 }).done;
  return digestOf(net);
}

describe('80 worker threads, exits and memory that moves', () => {
  describe("the data's buffer is transferred in mid-fit", () => {
    const ways: [string, (buffer: ArrayBuffer) => unknown][] = [
      ['postMessage', (buffer) => new MessageChannel().port1.postMessage(buffer, [buffer])],
      ['structuredClone', (buffer) => structuredClone(buffer, { transfer: [buffer] })],
      ['ArrayBuffer.prototype.transfer', (buffer) => (buffer as ArrayBuffer & { transfer(): ArrayBuffer }).transfer()],
    ];
    for (const [name, transfer] of ways) {
      it(`${name}: training goes on with the same data`, async function () {
        if (name.startsWith('ArrayBuffer') && !('transfer' in ArrayBuffer.prototype)) this.skip();
        const x = data.x.slice();
        const net = smallNetwork(10, 4);
        const training = net.fit({ x, y: data.y }, { epochs: 40 });
        for await (const { epoch } of training) {
          if (epoch !== 2) continue;
          try {
            transfer(x.buffer as ArrayBuffer);
          } catch (error) {
            assert.match((error as Error).message, /transfer|detach/i);
          }
          // Where the transfer went through, its memory is written over.
          new Float32Array(new ArrayBuffer(x.byteLength)).fill(Number.NaN);
          (globalThis as { gc?: () => void }).gc?.();
        }
        assert.equal(digestOf(net), await undisturbed());
      });
    }

    it('a WebAssembly memory that grows and moves leaves training with the same data', async () => {
      // Without the DOM's types the name is not known.
      const { WebAssembly } = globalThis as unknown as {
        WebAssembly: { Memory: new (size: { initial: number }) => { buffer: ArrayBuffer; grow(pages: number): void } };
      };
      const memory = new WebAssembly.Memory({ initial: Math.ceil(data.x.byteLength / 65536) });
      const x = new Float32Array(memory.buffer, 0, data.x.length);
      x.set(data.x);
      const net = smallNetwork(10, 4);
      const training = net.fit({ x, y: data.y }, { epochs: 40 });
      for await (const { epoch } of training) if (epoch === 2) memory.grow(100);
      assert.equal(x.length, 0, 'the memory has moved');
      assert.equal(digestOf(net), await undisturbed());
    });

    it('validation data and those of evaluate are kept as well', async () => {
      const x = data.x.slice();
      const net = smallNetwork(10, 4);
      const evaluation = net.evaluate({ x, y: data.y });
      try {
        structuredClone(x.buffer, { transfer: [x.buffer] });
      } catch {
        // Newer versions of Node say so, older ones copy.
      }
      assert.deepEqual(await evaluation, await net.evaluate(data));
      const x2 = data.x.slice();
      const { done } = net.fit(data, { epochs: 3, validation: { x: x2, y: data.y } });
      try {
        structuredClone(x2.buffer, { transfer: [x2.buffer] });
      } catch {
        // As above.
      }
      const { epochs, final } = await done;
      assert.equal(epochs.length, 3);
      assert.equal(final?.validation?.samples, 400);
    });
  });

  it('arrays that are changed while they are trained on crash nothing', async () => {
    const x = new Float32Array(new SharedArrayBuffer(data.x.byteLength));
    x.set(data.x);
    const net = smallNetwork(10, 4);
    const training = net.fit({ x, y: data.y }, { epochs: 300 });
    const timer = setInterval(() => x.fill(Math.random()), 1);
    await training.done;
    clearInterval(timer);
    x.fill(Number.NaN);
    const before = net.predictSync(data.x);
    await assert.rejects(net.fit({ x, y: data.y }, { epochs: 3 }).done, { code: 'ERR_SETNET_NONFINITE' });
    assert.deepEqual(net.predictSync(data.x), before);
  });

  describe('whose memory is whose: fit, evaluate, predict, and the arrays of a CsrMatrix', () => {
    /** Features, labels and targets of their own, so that something can be done to them. */
    const owned = () => ({
      x: data.x.slice(),
      y: data.y.slice(),
      targets: Float32Array.from({ length: 1600 }, (_, i) => (i % 4 === data.y[i >> 2] ? 1 : 0)),
      weights: Float32Array.from({ length: 400 }, (_, i) => 1 + (i % 3)),
    });
    type Owned = ReturnType<typeof owned>;
    type Name = keyof Owned;
    const binary = 'binaryCrossEntropy';
    let session: Session;
    before(async () => {
      session = await smallNetwork(10, 4).freeze();
    });
    after(() => session.close());

    /** Each begins at once, and resolves with all that it has computed. */
    const calls: Record<string, (arrays: Owned) => Promise<unknown>> = {
      fit: async ({ x, y, weights }) => {
        const net = smallNetwork(10, 4);
        await net.fit({ x, y }, { epochs: 5, validation: { x: data.x, y }, sampleWeights: weights }).done;
        return digestOf(net);
      },
      'fit with a number for each output': async ({ x, targets }) => {
        const net = smallNetwork(10, 4);
        await net.fit({ x, y: targets }, { epochs: 5, loss: binary }).done;
        return digestOf(net);
      },
      evaluate: ({ x, y }) => smallNetwork(10, 4).evaluate({ x, y }),
      predict: ({ x }) => smallNetwork(10, 4).predict(x),
      'predict of a session': ({ x }) => session.predict(x),
    };
    /** What a call reads at the call, and never again. */
    const copied: Record<string, Name[]> = {
      fit: ['y', 'weights'],
      'fit with a number for each output': ['targets'],
      evaluate: ['y'],
      predict: ['x'],
      'predict of a session': ['x'],
    };
    const read = (name: string): Name[] => [...new Set<Name>(['x', ...(copied[name] as Name[])])];
    const shared = <T extends Float32Array | Int32Array>(array: T): T => {
      const Type = array.constructor as new (buffer: SharedArrayBuffer) => T;
      const copy = new Type(new SharedArrayBuffer(array.byteLength));
      copy.set(array);
      return copy;
    };
    const transfer = (array: ArrayBufferView) => structuredClone(array, { transfer: [array.buffer as ArrayBuffer] });

    for (const [name, call] of Object.entries(calls)) {
      it(`${name}: memory that is shared gives what memory of its own gives`, async () => {
        const arrays = owned();
        const expected = await call(arrays);
        for (const one of read(name)) {
          const with1 = { ...arrays, [one]: shared(arrays[one]) } as Owned;
          assert.deepEqual(await call(with1), expected, one);
        }
      });

      it(`${name}: what was copied may change and go away right after the call`, async () => {
        const expected = await call(owned());
        for (const one of copied[name] as Name[]) {
          for (const make of [
            (arrays: Owned) => arrays,
            (arrays: Owned) => ({ ...arrays, [one]: shared(arrays[one]) }),
          ]) {
            const changed = make(owned()) as Owned;
            const running = call(changed);
            // Neither classes nor numbers that any loss takes.
            changed[one].fill(1e9);
            assert.deepEqual(await running, expected, `${one} was written over`);
          }
          const gone = owned();
          const running = call(gone);
          transfer(gone[one]);
          assert.equal(gone[one].length, 0);
          assert.deepEqual(await running, expected, `${one} was transferred`);
        }
      });

      it(`${name}: what is read in place cannot go away, and is read as it is`, async () => {
        if ((copied[name] as Name[]).includes('x')) return;
        const expected = await call(owned());
        const arrays = owned();
        const running = call(arrays);
        try {
          transfer(arrays.x);
        } catch (error) {
          assert.match((error as Error).message, /transfer|detach/i);
        }
        assert.deepEqual(await running, expected);
        // Written over meanwhile: some answer, or a refusal, but no crash.
        for (const x of [data.x.slice(), shared(data.x)] as Float32Array<ArrayBuffer>[]) {
          const disturbed = call({ ...owned(), x });
          x.fill(0.5);
          await disturbed.catch((error: Error) =>
            assert.match(String((error as { code?: string }).code), /ERR_SETNET/),
          );
        }
      });

      it(`${name}: what was detached before is refused`, async () => {
        for (const one of read(name)) {
          const arrays = owned();
          transfer(arrays[one]);
          await rejectsCode(
            (async () => call(arrays))(),
            'ERR_SETNET_BUFFER',
            new RegExp(`${{ targets: 'y', weights: 'sampleWeights' }[one as string] ?? one} is detached`),
          );
        }
      });
    }

    it('a CsrMatrix owns its arrays: those it was made from may change, be shared, and go away', async () => {
      const source = CsrMatrix.fromDense(
        data.x.map((value) => (Math.abs(value) < 0.4 ? 0 : value)),
        { rows: 400, columns: 10 },
      );
      const arraysOf = () => ({
        rowPointers: Uint32Array.from(source.rowPointers, Number),
        columnIndices: source.columnIndices,
        values: source.values,
      });
      const use = (x: CsrMatrix) => {
        const net = smallNetwork(10, 4);
        const answers = [net.predict(x), net.evaluate({ x, y: data.y })] as const;
        const fitted = net.fit({ x, y: data.y }, { epochs: 5 }).done.then(() => digestOf(net));
        return Promise.all([...answers, fitted]);
      };
      const expected = await use(source);
      const make = (arrays: ReturnType<typeof arraysOf>) => CsrMatrix.from({ rows: 400, columns: 10, ...arrays });
      const spoil: ((array: Float32Array | Uint32Array) => unknown)[] = [(array) => array.fill(1e9), transfer];
      for (const name of ['rowPointers', 'columnIndices', 'values'] as const) {
        for (const change of spoil) {
          const arrays = arraysOf();
          const before = make(arrays);
          change(arrays[name]);
          assert.deepEqual(await use(before), expected, `${name}, before its use`);
          const meanwhile = arraysOf();
          const running = use(make(meanwhile));
          change(meanwhile[name]);
          assert.deepEqual(await running, expected, `${name}, meanwhile`);
        }
        const arrays = arraysOf();
        const Type = arrays[name].constructor as new (buffer: SharedArrayBuffer) => Float32Array;
        const array = new Type(new SharedArrayBuffer(arrays[name].byteLength));
        array.set(arrays[name]);
        const running = use(make({ ...arrays, [name]: array }));
        array.fill(7);
        assert.deepEqual(await running, expected, `${name}, shared`);
        const gone = arraysOf();
        transfer(gone[name]);
        throwsCode(() => make(gone), 'ERR_SETNET_BUFFER', new RegExp(`${name} is detached`));
      }
      // What a matrix shows are copies.
      source.values.fill(Number.NaN);
      source.columnIndices.fill(99);
      assert.deepEqual(await use(source), expected);
    });
  });

  it('a network in a worker learns what it learns in the main thread', async () => {
    const worker = new Worker(
      `
      const { parentPort } = require('node:worker_threads');
      const helpers = require(${JSON.stringify(require.resolve('./helpers/helpers'))});
      (async () => {
        const net = helpers.smallNetwork(10, 4);
        await net.fit(helpers.blobs(400, 10, 4, 1), { epochs: 40 }).done;
        parentPort.postMessage(helpers.digestOf(net));
      })();`,
      { eval: true },
    );
    const exited = new Promise((resolve) => worker.on('exit', resolve));
    const digest = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    assert.equal(digest, await undisturbed());
    assert.equal(await exited, 0, 'the worker ends by itself');
  });

  it('16 workers terminated in mid-fit, 10 rounds: no crash, no hang, nothing left behind @slow', async function () {
    this.timeout(120_000);
    const script = `
      const { Worker } = require('node:worker_threads');
      const source = \`
        const setnet = require(${JSON.stringify(JSON.stringify(entry)).slice(1, -1)});
        const helpers = require(\${JSON.stringify(require.resolve(${JSON.stringify(require.resolve('./helpers/helpers'))}))});
        const { parentPort, workerData } = require('node:worker_threads');
        const { x, y } = helpers.blobs(2000, 50, 4, 1);
        const layers = [setnet.sparse({ units: 200, density: 0.2 }), setnet.masked({ units: 100, density: 0.2 }), setnet.dense({ units: 4 })];
        const net = setnet.Network.createSync({ inputs: 50, seed: workerData, layers });
        net.fit({ x, y }, { epochs: 1e6, validation: { x, y }, onProgress: () => {} }).done.catch(() => {});
        (async () => { for (;;) { await net.predict(x); await net.evaluate({ x, y }); } })();
        (async () => { for await (const epoch of net.clone().fit({ x, y }, { epochs: 1e6 })) if (epoch.epoch === 1) parentPort.postMessage('going'); })();
      \`;
      (async () => {
        for (let round = 0; round < 10; round++) {
          const workers = Array.from({ length: 16 }, (_, i) => new Worker(source, { eval: true, workerData: i }));
          await Promise.all(workers.slice(0, 1 + round).map((worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))));
          await Promise.all(workers.map((worker) => worker.terminate()));
        }
        // What other threads left is gone, and this one works.
        const net = helpers.smallNetwork(10, 4);
        await net.fit(helpers.blobs(100, 10, 4, 1), { epochs: 2 }).done;
        const { fits, networks, jobs } = require(helpers.root + '/dist/loader.js').native().counters();
        console.log(JSON.stringify({ fits, networks, jobs }));
      })();`;
    const counters = await runChildJson(script, { timeout: 100_000 });
    assert.deepEqual(counters, { fits: 0, networks: 1, jobs: 0 });
  });

  it('process.exit() in mid-fit, in mid-predict and in mid-save ends at once and cleanly', async () => {
    const script = (work: string, exit: string) => `
      const { x, y } = helpers.blobs(5000, 50, 4, 1);
      const layers = [setnet.sparse({ units: 400, density: 0.2 }), setnet.masked({ units: 300, density: 0.2 }), setnet.dense({ units: 4 })];
      const net = setnet.Network.createSync({ inputs: 50, seed: 1, layers });
      ${work}
      ${exit}`;
    const works = [
      'net.fit({ x, y }, { epochs: 1e6, onProgress: () => {} });',
      '(async () => { for await (const _ of net.fit({ x, y }, { epochs: 1e6 })); })();',
      'for (let i = 0; i < 20; i++) net.predict(x);',
      'for (let i = 0; i < 20; i++) net.evaluate({ x, y });',
    ];
    for (const work of works) {
      for (const exit of ['process.exit(7);', 'setTimeout(() => process.exit(7), 30);']) {
        const { code, signal, stderr } = await runChild(script(work, exit), { timeout: 20_000 });
        assert.deepEqual({ code, signal, stderr }, { code: 7, signal: null, stderr: '' }, work);
      }
    }
  });

  it('an uncaught error in mid-fit ends the process with its message, not with a crash', async () => {
    const { code, signal, stderr } = await runChild(`
      helpers.smallNetwork(10, 4).fit(helpers.blobs(400, 10, 4, 1), { epochs: 1e6 });
      setTimeout(() => { throw new Error('mine'); }, 20);`);
    assert.deepEqual([code, signal], [1, null]);
    assert.match(stderr, /Error: mine/);
  });

  it('workers that train at once share the pool and stay equal', async () => {
    const digests = await runChildJson<string[]>(
      `
      const { Worker } = require('node:worker_threads');
      const source = \`
        const helpers = require(\${JSON.stringify(${JSON.stringify(require.resolve('./helpers/helpers'))})});
        const net = helpers.smallNetwork(10, 4, { threads: 3 });
        net.fit(helpers.blobs(400, 10, 4, 1), { epochs: 40 }).done.then(() =>
          require('node:worker_threads').parentPort.postMessage(helpers.digestOf(net)));
      \`;
      Promise.all(Array.from({ length: 6 }, () => new Promise((resolve, reject) =>
        new Worker(source, { eval: true }).once('message', resolve).once('error', reject)))).then((digests) => console.log(JSON.stringify(digests)));`,
    );
    assert.deepEqual(digests, new Array(6).fill(await undisturbed()));
  });
});
