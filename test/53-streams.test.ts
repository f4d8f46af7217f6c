import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { BatchPump } from '../lib/batch_stream';
import {
  adam,
  type Batch,
  type BatchStream,
  CsrMatrix,
  constant,
  cosine,
  dense,
  type EpochReport,
  type FeatureArray,
  type FitOptions,
  Network,
  type NetworkOptions,
  type Progress,
  sampleOrder,
  set,
  sgd,
  sparse,
} from '../lib/index';
import { native } from '../lib/loader';
import {
  type Anything,
  blobs,
  digestOf,
  entry,
  mean,
  metadataOf,
  rejectsCode,
  runChild,
  runChildJson,
  smallNetwork,
  throwsCode,
  withFolder,
} from './helpers/helpers';

const [samples, inputs, classes] = [150, 10, 4];
const data = blobs(samples, inputs, classes, 1);
const validation = blobs(60, inputs, classes, 2);
const batchSize = 32;
const seed = 42;
const stepsPerEpoch = Math.ceil(samples / batchSize);

type Values = FeatureArray | Int32Array;

/** The rows of a row-major array. */
function rowsOf<T extends Values>(array: T, rows: ArrayLike<number>, width: number): T {
  const taken = new (array.constructor as new (length: number) => T)(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    taken.set(array.subarray(row * width, (row + 1) * width), i * width);
  }
  return taken;
}

/** The batches of a fit on the whole data set, in its order. `epoch` is of the network's life. */
function* batchesOf(
  epoch: number,
  x: FeatureArray = data.x,
  y: Values = data.y,
): Generator<Batch & { x: FeatureArray }> {
  const order = sampleOrder(samples, { seed, epoch });
  for (let first = 0; first < samples; first += batchSize) {
    const rows = order.subarray(first, first + batchSize);
    yield { x: rowsOf(x, rows, inputs), y: rowsOf(y, rows, y.length / samples) };
  }
}

/** Fits twice, from memory and from a stream of the same batches, and compares. */
async function sameAsInMemory(
  options: FitOptions,
  {
    network = {},
    x = data.x,
    y = data.y,
    batches = (epoch: number) => batchesOf(epoch, x, y),
  }: {
    network?: Partial<NetworkOptions>;
    x?: FeatureArray;
    y?: Values;
    batches?: BatchStream['batches'];
  } = {},
): Promise<void> {
  const fit = { epochs: 4, validation: { x: validation.x, y: validation.y }, ...options };
  const [whole, streamed] = [smallNetwork(inputs, classes, network), smallNetwork(inputs, classes, network)];
  const expected = await whole.fit({ x, y }, { batchSize, ...fit }).done;
  const history = await streamed.fit({ batches, stepsPerEpoch }, fit).done;
  const numbers = ({ seconds: _, evolutionSeconds: __, validationSeconds: ___, ...rest }: EpochReport) => rest;
  assert.deepEqual(history.epochs.map(numbers), expected.epochs.map(numbers));
  assert.deepEqual(history.final, expected.final);
  assert.equal(digestOf(streamed), digestOf(whole));
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A promise, and what resolves it. */
function signalOf(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** An iterator that gives so many batches and then waits for ever; notes what is asked of it. */
function stuckAfter(count: number): { batches: BatchStream['batches']; stuck: Promise<void>; returned: () => number } {
  let [pulled, returned] = [0, 0];
  const { promise, resolve } = signalOf();
  const [batch] = batchesOf(1);
  const batches = (): AsyncIterable<Batch> => ({
    [Symbol.asyncIterator]: () => ({
      next: () => {
        if (pulled++ < count) return Promise.resolve({ value: batch as Batch, done: false });
        resolve();
        return new Promise(() => {});
      },
      return: () => {
        returned++;
        return Promise.resolve({ value: undefined, done: true });
      },
    }),
  });
  return { batches, stuck: promise, returned: () => returned };
}

describe('53 streams of batches', () => {
  describe('the batches of a data set in its order give its network, to the bit', () => {
    it('with the default optimizer and evolution, a schedule and a warm-up', async () => {
      await sameAsInMemory({});
      await sameAsInMemory({ optimizer: sgd({ learningRate: cosine({ from: 0.05, warmup: 1.5 }) }) });
    });

    it('with evolutions between steps: the last one of the fit has none', async () => {
      await sameAsInMemory({ optimizer: adam(), evolution: set({ every: { steps: 1 } }) });
      await sameAsInMemory({ optimizer: adam(), evolution: set({ every: { probability: 0.4 } }) });
    });

    it('with numbers as targets and features of another type', async () => {
      const oneHot = new Float32Array(samples * classes);
      data.y.forEach((label, row) => {
        oneHot[row * classes + label] = 1;
      });
      const bytes = Uint8Array.from(data.x, (value) => Math.round(50 * (value + 2)));
      const scaling = { mean: 100, scale: 0.02 };
      const options: FitOptions = { loss: 'binaryCrossEntropy' };
      const plain = smallNetwork(inputs, classes, { scaling });
      const fit = { ...options, epochs: 3 };
      await plain.fit({ x: bytes, y: oneHot }, { ...fit, batchSize }).done;
      const streamed = smallNetwork(inputs, classes, { scaling });
      await streamed.fit({ batches: (epoch) => batchesOf(epoch, bytes, oneHot), stepsPerEpoch }, fit).done;
      assert.equal(digestOf(streamed), digestOf(plain));
    });

    it('from async generators with delays, arrays, promises of batches and a Readable', async () => {
      const kinds: BatchStream['batches'][] = [
        async function* (epoch) {
          for (const batch of batchesOf(epoch)) {
            await later(epoch % 2);
            yield batch;
          }
        },
        (epoch) => [...batchesOf(epoch)],
        (epoch) => [...batchesOf(epoch)].map((batch) => later(1).then(() => batch)),
        (epoch) => Readable.from(batchesOf(epoch)),
      ];
      for (const batches of kinds) await sameAsInMemory({}, { batches });
    });

    it('of sparse features', async () => {
      const thinned = data.x.map((value) => (Math.abs(value) < 0.6 ? 0 : value));
      const matrixOf = (x: Float32Array) => CsrMatrix.fromDense(x, { rows: x.length / inputs, columns: inputs });
      const plain = smallNetwork(inputs, classes);
      await plain.fit({ x: matrixOf(thinned), y: data.y }, { epochs: 3, batchSize }).done;
      const streamed = smallNetwork(inputs, classes);
      const batches = function* (epoch: number): Generator<Batch> {
        for (const { x, y } of batchesOf(epoch, thinned)) yield { x: matrixOf(x as Float32Array), y };
      };
      await streamed.fit({ batches, stepsPerEpoch }, { epochs: 3 }).done;
      assert.equal(digestOf(streamed), digestOf(plain));
    });

    it('with weights of classes and samples', async () => {
      const sampleWeights = Float64Array.from({ length: samples }, (_, i) => (i % 5) / 2);
      const fit: FitOptions = { epochs: 3, classWeights: [1, 2, 0, 0.5] };
      const plain = smallNetwork(inputs, classes);
      await plain.fit(data, { ...fit, sampleWeights, batchSize }).done;
      const streamed = smallNetwork(inputs, classes);
      const batches = function* (epoch: number): Generator<Batch> {
        const order = sampleOrder(samples, { seed, epoch });
        let first = 0;
        for (const batch of batchesOf(epoch)) {
          const rows = Array.from(order.subarray(first, first + batchSize));
          yield { ...batch, sampleWeights: rows.map((row) => sampleWeights[row] as number) };
          first += batchSize;
        }
      };
      await streamed.fit({ batches, stepsPerEpoch }, fit).done;
      assert.equal(digestOf(streamed), digestOf(plain));
    });

    it('from one buffer that is filled anew for each batch', async () => {
      const batches = function* (epoch: number): Generator<Batch> {
        const [x, y] = [new Float32Array(batchSize * inputs), new Int32Array(batchSize)];
        for (const batch of batchesOf(epoch)) {
          const rows = batch.x.length / inputs;
          x.set(batch.x);
          y.set(batch.y as Int32Array);
          yield { x: x.subarray(0, rows * inputs), y: y.subarray(0, rows) };
          x.fill(Number.NaN);
          y.fill(-1);
        }
      };
      await sameAsInMemory({}, { batches });
    });

    it('after a fit that learned the scaling; epochs are counted from 1 in each fit', async () => {
      const nets = [0, 1].map(() => smallNetwork(inputs, classes, { scaling: 'perFeature' }));
      const [plain, streamed] = nets as [Network, Network];
      for (const net of nets) await net.fit(data, { epochs: 2, batchSize }).done;
      await plain.fit(data, { epochs: 2, batchSize }).done;
      const asked: number[] = [];
      const batches = (epoch: number) => {
        asked.push(epoch);
        return batchesOf(epoch + 2);
      };
      await streamed.fit({ batches, stepsPerEpoch }, { epochs: 2 }).done;
      assert.deepEqual(asked, [1, 2]);
      assert.equal(digestOf(streamed), digestOf(plain));
    });
  });

  it('batches of all sizes are steps, as many threads as there are', async () => {
    const sizes = [1, 70, 3, 33, 1, 42];
    const batches = function* (): Generator<Batch> {
      let first = 0;
      for (const size of sizes) {
        yield { x: data.x.subarray(first * inputs, (first + size) * inputs), y: data.y.subarray(first, first + size) };
        first += size;
      }
    };
    const digests = [];
    for (const threads of [1, 3]) {
      const net = smallNetwork(inputs, classes, { threads });
      const { epochs } = await net.fit({ batches }, { epochs: 3 }).done;
      assert.ok((epochs.at(-1) as EpochReport).loss < (epochs[0] as EpochReport).loss);
      digests.push(digestOf(net));
      await withFolder(async (folder) => {
        await net.save(join(folder, 'net'));
        const { counters, run } = metadataOf(join(folder, 'net'));
        assert.equal(counters.step, String(3 * sizes.length));
        const { options } = run.fits[0];
        assert.deepEqual([options.stepsPerEpoch, options.samples, options.batchSize], [0, undefined, undefined]);
        assert.equal((await Network.load(join(folder, 'net'))).summary(), net.summary());
      });
    }
    assert.equal(digests[0], digests[1]);
  });

  it('without stepsPerEpoch learning rates follow the schedule and the warm-up from epoch to epoch', async () => {
    const rates = async (stream: BatchStream, learningRate: Anything) => {
      const { epochs } = await smallNetwork(inputs, classes).fit(stream, {
        epochs: 4,
        optimizer: sgd({ learningRate }),
      }).done;
      return epochs.map((epoch) => epoch.learningRate);
    };
    const close = (actual: number[], expected: number[]) =>
      actual.forEach((rate, i) => {
        assert.ok(Math.abs(rate - (expected[i] as number)) < 1e-7, `${actual} is not ${expected}`);
      });
    const course = (position: number) => 0.05 * (1 + Math.cos((Math.PI * position) / 4));
    const schedule = cosine({ from: 0.1 });
    close(await rates({ batches: batchesOf }, schedule), [0, 1, 2, 3].map(course));
    // With it, each epoch's last step is 4/5 of an epoch further.
    close(await rates({ batches: batchesOf, stepsPerEpoch }, schedule), [0.8, 1.8, 2.8, 3.8].map(course));
    close(
      await rates({ batches: batchesOf }, constant({ value: 0.1, warmup: 3 } as Anything)),
      [0.025, 0.05, 0.075, 0.1],
    );
  });

  it('exactly stepsPerEpoch batches are taken, the rest is not asked for and the iterator is closed', async () => {
    let [pulled, returned] = [0, 0];
    const batches = function* (epoch: number): Generator<Batch> {
      try {
        for (;;) {
          for (const batch of batchesOf(epoch)) {
            pulled++;
            yield batch;
          }
        }
      } finally {
        returned++;
      }
    };
    await smallNetwork(inputs, classes).fit({ batches, stepsPerEpoch: 7 }, { epochs: 3 }).done;
    assert.deepEqual([pulled, returned], [21, 3]);
  });

  it('at most two batches are under way: while the first is worked on, one waits and no third is asked for', async () => {
    const layers = [1000, 1000].map((units) => sparse({ units, density: 0.99 }));
    const net = Network.createSync({ inputs, seed, threads: 1, layers: [...layers, dense({ units: classes })] });
    const rows = 1000;
    const large = { x: new Float32Array(rows * inputs).fill(0.5), y: new Int32Array(rows) };
    const small = { x: large.x.subarray(0, inputs), y: large.y.subarray(0, 1) };
    const times: number[][] = [];
    const batches = function* (): Generator<Batch> {
      const began = performance.now();
      const asked: number[] = [];
      times.push(asked);
      for (const batch of [large, small, small, small]) {
        asked.push(performance.now() - began);
        yield batch;
      }
    };
    await net.fit({ batches }, { epochs: 3, evolution: null }).done;
    // The large batch is a step of 3 billion products, which no thread does in so short a time.
    for (const asked of times)
      assert.ok((asked[2] as number) > 15, `the third batch was asked for after ${asked[2]} ms`);
    // The second one did not wait for that, unless this thread itself had to wait.
    const isAhead = ([, second, third]: number[]) => (second as number) < (third as number) / 2;
    assert.ok(times.some(isAhead), JSON.stringify(times));
  });

  it('the pump asks for a batch only where there is room, one at a time', async () => {
    let [pulled, pushed, running, room] = [0, 0, 0, 2];
    const ended = signalOf();
    const receiver = {
      hasRoom: () => room > 0,
      pushBatch: () => {
        pushed++;
        room--;
      },
      endEpoch: ended.resolve,
    };
    const batches = async function* () {
      while (pulled < 20) {
        assert.ok(room > 0, 'asked for without room');
        assert.equal(running++, 0);
        pulled++;
        await later(pulled % 3);
        running--;
        yield pulled;
      }
    };
    const plan = { stream: { batches, native: { stepsPerEpoch: 0 } }, read: (batch: Anything) => batch };
    const errors: unknown[] = [];
    const pump = new BatchPump({ ...plan, onError: (error) => errors.push(error) }, () => receiver as Anything);
    pump.wanted(1);
    while (pushed < 20) {
      await later(2);
      if (room === 2 || pushed === 0) continue;
      room++;
      pump.wanted(1);
      // Once too often changes nothing.
      pump.wanted(1);
    }
    room = 2;
    pump.wanted(1);
    await ended.promise;
    assert.deepEqual([pulled, pushed, errors], [20, 20, []]);
  });

  it('nothing is asked for while the loop looks at an epoch', async () => {
    let asked = 0;
    const batches = function* (epoch: number): Generator<Batch> {
      for (const batch of batchesOf(epoch)) {
        asked++;
        yield batch;
      }
    };
    for await (const { epoch } of smallNetwork(inputs, classes).fit({ batches }, { epochs: 3 })) {
      await later(20);
      assert.equal(asked, epoch * stepsPerEpoch);
    }
  });

  it('progress has `steps` where they are known only', async () => {
    for (const known of [true, false]) {
      const reports: Progress[] = [];
      const batches = async function* (epoch: number): AsyncGenerator<Batch> {
        for (const batch of batchesOf(epoch)) {
          await later(60);
          yield batch;
        }
      };
      const stream = known ? { batches, stepsPerEpoch } : { batches };
      const onProgress = (progress: Progress) => reports.push(progress);
      await smallNetwork(inputs, classes).fit(stream, { epochs: 1, onProgress }).done;
      assert.ok(reports.length > 0);
      for (const report of reports) {
        assert.equal(report.steps, known ? stepsPerEpoch : undefined);
        assert.equal('steps' in report, known);
        assert.equal(report.samples, Math.min(samples, report.step * batchSize));
      }
    }
  });

  describe('what is refused at the call', () => {
    const net = smallNetwork(inputs, classes);
    const stream = { batches: batchesOf };
    const cases: [string, () => unknown, Anything, RegExp][] = [
      [
        'a one-shot iterator',
        () => net.fit({ batches: batchesOf(1) } as Anything),
        'ERR_SETNET_TYPE',
        /data\.batches must be a function \(epoch\) => iterable, not an object: it is called once an epoch/,
      ],
      [
        'no function',
        () => net.fit({ batches: null } as Anything),
        'ERR_SETNET_TYPE',
        /data\.batches must be a function/,
      ],
      [
        'x beside batches',
        () => net.fit({ ...stream, x: data.x } as Anything),
        'ERR_SETNET_OPTION',
        /fit: data: unknown option "x"/,
      ],
      ['no steps', () => net.fit({ ...stream, stepsPerEpoch: 0 }), 'ERR_SETNET_OPTION', /data\.stepsPerEpoch must be/],
      [
        'half a step',
        () => net.fit({ ...stream, stepsPerEpoch: 2.5 }),
        'ERR_SETNET_OPTION',
        /data\.stepsPerEpoch must be an integer/,
      ],
      [
        'batchSize',
        () => net.fit(stream, { batchSize: 32 }),
        'ERR_SETNET_OPTION',
        /batchSize has no meaning with `batches`/,
      ],
      [
        'balanced classes',
        () => net.fit(stream, { classWeights: 'balanced' }),
        'ERR_SETNET_OPTION',
        /'balanced' follow from all labels/,
      ],
      [
        'sampleWeights of a fit',
        () => net.fit(stream, { sampleWeights: [1] }),
        'ERR_SETNET_OPTION',
        /each batch has its own sampleWeights/,
      ],
      [
        'a scaling to be learned',
        () => smallNetwork(inputs, classes, { scaling: 'perFeature' }).fit(stream),
        'ERR_SETNET_OPTION',
        /the scaling 'perFeature' has yet to be learned.*'none' or \{ mean, scale \}/,
      ],
      [
        'a global one',
        () => smallNetwork(inputs, classes, { scaling: 'global' }).fit(stream),
        'ERR_SETNET_OPTION',
        /the scaling 'global'/,
      ],
    ];
    for (const [name, call, code, pattern] of cases) {
      it(name, () => {
        throwsCode(call, code, pattern);
        assert.equal(net.isFitting, false);
      });
    }
  });

  describe('what is wrong with a batch ends the training, the network as after the last finished epoch', () => {
    const rows3 = data.x.subarray(0, 3 * inputs);
    const withNaN = rows3.slice();
    withNaN[2 * inputs + 4] = Number.NaN;
    const bad: [string, Anything, Anything, RegExp][] = [
      ['no object', 7, 'ERR_SETNET_TYPE', /^fit: epoch 2, batch 3 must be/],
      ['nothing', undefined, 'ERR_SETNET_TYPE', /^fit: epoch 2, batch 3 must be \{ x, y \}, not undefined/],
      [
        'a misspelt name',
        { x: rows3, labels: [0] },
        'ERR_SETNET_OPTION',
        /^fit: epoch 2, batch 3: unknown option "labels"/,
      ],
      [
        'no samples',
        { x: new Float32Array(0), y: [] },
        'ERR_SETNET_DATA',
        /^fit: epoch 2, batch 3: data\.x has no samples/,
      ],
      [
        'half a row',
        { x: rows3.subarray(1), y: [0, 1, 2] },
        'ERR_SETNET_SHAPE',
        /^fit: epoch 2, batch 3: data\.x has 29 elements/,
      ],
      [
        'too few labels',
        { x: rows3, y: [0, 1] },
        'ERR_SETNET_SHAPE',
        /^fit: epoch 2, batch 3: data\.y has 2 labels, but there are 3/,
      ],
      ['a label out of range', { x: rows3, y: [0, 1, 4] }, 'ERR_SETNET_DATA', /^fit: epoch 2, batch 3: data\.y\[2\]/],
      [
        'a detached buffer',
        () => ({ x: rows3.slice(), y: [0, 1, 2] }),
        'ERR_SETNET_BUFFER',
        /^fit: epoch 2, batch 3: data\.x is detached/,
      ],
      [
        'weights that are negative',
        { x: rows3, y: [0, 1, 2], sampleWeights: [1, -1, 1] },
        'ERR_SETNET_DATA',
        /^fit: epoch 2, batch 3: sampleWeights\[1\] is -1/,
      ],
      [
        'a feature that is no number',
        { x: withNaN, y: [0, 1, 2] },
        'ERR_SETNET_NONFINITE',
        /^epoch 2, batch 3: the feature in row 2, column 4/,
      ],
    ];
    for (const [name, batch, code, pattern] of bad) {
      it(name, async () => {
        let returned = false;
        const batches = function* (epoch: number): Generator<Batch> {
          try {
            let number = 0;
            for (const good of batchesOf(epoch)) {
              const isBad = epoch === 2 && ++number === 3;
              const item = isBad && typeof batch === 'function' ? batch() : batch;
              if (isBad && typeof batch === 'function') structuredClone(item.x.buffer, { transfer: [item.x.buffer] });
              yield isBad ? item : good;
            }
          } finally {
            returned ||= epoch === 2;
          }
        };
        const net = smallNetwork(inputs, classes);
        const seen: number[] = [];
        const training = net.fit({ batches }, { epochs: 4, evolution: null });
        const loop = async () => {
          for await (const { epoch } of training) seen.push(epoch);
        };
        await rejectsCode(loop(), code, pattern);
        await rejectsCode(training.done, code, pattern);
        await later(0);
        assert.deepEqual([seen, returned, net.isFitting], [[1], true, false]);
        const first = smallNetwork(inputs, classes);
        for await (const { epoch } of first.fit({ batches: batchesOf }, { epochs: 4, evolution: null })) {
          if (epoch === 1) break;
        }
        while (first.isFitting) await later(1);
        assert.equal(digestOf(net), digestOf(first));
        // And it can be used on.
        await net.fit(data, { epochs: 1 }).done;
      });
    }

    it('a CsrMatrix where the scaling has a mean', async () => {
      const net = smallNetwork(inputs, classes, { scaling: { mean: 1, scale: 2 } });
      const x = CsrMatrix.fromDense(rows3, { rows: 3, columns: inputs });
      const { done } = net.fit({ batches: () => [{ x, y: [0, 1, 2] }] });
      await rejectsCode(done, 'ERR_SETNET_OPTION', /^fit: epoch 1, batch 1: a CsrMatrix cannot be centred/);
    });

    it('classWeights where targets lie between the classes', async () => {
      const net = Network.createSync({ inputs: 2, layers: [dense({ units: 1 })] });
      const batches = () => [{ x: Float32Array.of(1, 2), y: Float32Array.of(0.5) }];
      const { done } = net.fit({ batches }, { loss: 'binaryCrossEntropy', classWeights: [1, 2] });
      await rejectsCode(done, 'ERR_SETNET_DATA', /^fit: epoch 1, batch 1: classWeights need labels/);
    });
  });

  describe('iterators that fail', () => {
    const net = smallNetwork(inputs, classes);
    const before = digestOf(net);
    const [batch] = batchesOf(1) as unknown as [Batch];
    const fails = async (batches: Anything, check: Anything) => {
      await assert.rejects(net.fit({ batches }, { epochs: 2 }).done, check);
      assert.equal(digestOf(net), before);
      assert.equal(net.isFitting, false);
    };
    const mine = new Error('mine');
    const isMine = (error: unknown) => error === mine;

    it('what they throw is what `done` rejects with', async () => {
      await fails(() => {
        throw mine;
      }, isMine);
      await fails(function* () {
        yield batch;
        throw mine;
      }, isMine);
      await fails(async function* () {
        yield batch;
        await later(1);
        throw mine;
      }, isMine);
      await fails(() => [batch, Promise.reject(mine)], isMine);
      await fails(() => Readable.from([batch]).map(() => Promise.reject(mine)), isMine);
    });

    it('an error of theirs at the end of an epoch that had enough batches counts', async () => {
      const batches = function* () {
        try {
          for (;;) yield batch;
        } finally {
          // biome-ignore lint/correctness/noUnsafeFinally: that is what is tried
          throw mine;
        }
      };
      await assert.rejects(net.fit({ batches, stepsPerEpoch: 2 }, { epochs: 2 }).done, isMine);
    });

    it('nothing to loop over, and iterators that are none', async () => {
      for (const nothing of [undefined, null, 7, {}, { [Symbol.iterator]: 7 }, { [Symbol.asyncIterator]: () => 7 }])
        await fails(() => nothing, {
          code: 'ERR_SETNET_TYPE',
          message: /batches\(1\) must return something to loop over/,
        });
      await fails(() => ({ [Symbol.iterator]: () => ({ next: () => 7 }) }), {
        code: 'ERR_SETNET_TYPE',
        message: /next\(\) answered 7, which is no object/,
      });
    });

    it('an iterator that an earlier epoch has used up', async () => {
      const once = batchesOf(1);
      const training = net.clone().fit({ batches: () => once }, { epochs: 2 });
      await rejectsCode(training.done, 'ERR_SETNET_DATA', /batches\(2\) returned an iterator that an earlier epoch/);
      // One epoch is enough for it.
      const [iterator, copy] = [batchesOf(1), net.clone()];
      await copy.fit({ batches: () => iterator }, { epochs: 1 }).done;
      assert.notEqual(digestOf(copy), before);
    });

    it('an iterator that begins anew, or goes on for ever, serves several epochs', async () => {
      const expected = net.clone();
      await expected.fit({ batches: () => [batch, batch] }, { epochs: 3 }).done;
      let left = 0;
      const anew = {
        next: () => (left-- > 0 ? { value: batch, done: false } : { value: undefined, done: true }),
        [Symbol.iterator]: () => {
          left = 2;
          return anew;
        },
      } as Anything;
      const copy = net.clone();
      await copy.fit({ batches: () => anew }, { epochs: 3 }).done;
      assert.equal(digestOf(copy), digestOf(expected));
      const endless = { next: () => ({ value: batch, done: false }), [Symbol.iterator]: () => endless } as Anything;
      const { epochs } = await net.clone().fit({ batches: () => endless, stepsPerEpoch: 2 }, { epochs: 3 }).done;
      assert.equal(epochs.length, 3);
    });

    it('an epoch without any batch, and one with too few', async () => {
      await fails(() => [], { code: 'ERR_SETNET_DATA', message: 'epoch 1 has no batch' });
      const second = net.clone().fit({ batches: (epoch) => (epoch === 1 ? batchesOf(1) : []) }, { epochs: 3 });
      await rejectsCode(second.done, 'ERR_SETNET_DATA', /^epoch 2 has no batch$/);
      const few = net.clone().fit({ batches: () => [batch], stepsPerEpoch: 3 });
      await rejectsCode(few.done, 'ERR_SETNET_DATA', /^epoch 1 ended after 1 batch, but stepsPerEpoch is 3$/);
    });

    it('a callback that fits again, or disposes, while a batch is asked for', async () => {
      const copy = net.clone();
      const training = copy.fit({
        batches: function* (): Generator<Batch> {
          throwsCode(() => copy.fit(data), 'ERR_SETNET_BUSY');
          yield batch;
          copy.dispose();
          yield batch;
        },
      });
      await rejectsCode(training.done, 'ERR_SETNET_ABORTED', /disposed/);
    });
  });

  describe('while the trainer waits for a batch', () => {
    it('an abort ends the training at once and closes the iterator', async () => {
      for (const count of [0, 1, 3]) {
        const { batches, stuck, returned } = stuckAfter(count);
        const net = smallNetwork(inputs, classes);
        const controller = new AbortController();
        const training = net.fit({ batches }, { epochs: 2, signal: controller.signal });
        await stuck;
        await later(10);
        assert.equal(net.isFitting, true);
        const began = performance.now();
        controller.abort(new Error('enough'));
        await assert.rejects(training.done, { message: 'enough' });
        assert.ok(performance.now() - began < 2000);
        assert.deepEqual([returned(), net.isFitting], [1, false]);
        await net.fit(data, { epochs: 1 }).done;
      }
    });

    it('dispose does', async () => {
      const { batches, stuck, returned } = stuckAfter(1);
      const net = smallNetwork(inputs, classes);
      const training = net.fit({ batches });
      await stuck;
      net.dispose();
      await rejectsCode(training.done, 'ERR_SETNET_ABORTED', /disposed/);
      assert.equal(returned(), 1);
    });

    it('what onProgress throws does, and a batch that comes after that is dropped', async () => {
      const [first] = batchesOf(1) as unknown as [Batch];
      const go = signalOf();
      let closed = false;
      const batches = async function* (): AsyncGenerator<Batch> {
        try {
          yield first;
          await later(150);
          yield first;
          await go.promise;
          yield first;
        } finally {
          closed = true;
        }
      };
      const onProgress = () => {
        throw new Error('mine');
      };
      await assert.rejects(smallNetwork(inputs, classes).fit({ batches }, { onProgress }).done, { message: 'mine' });
      assert.equal(closed, false);
      go.resolve();
      await later(5);
      assert.equal(closed, true);
    });

    it('a stop takes effect after the running epoch, all of whose batches come', async () => {
      const waiting = signalOf();
      const go = signalOf();
      const asked: number[] = [];
      let finished = 0;
      const batches = async function* (epoch: number): AsyncGenerator<Batch> {
        asked.push(epoch);
        for (const batch of batchesOf(epoch)) {
          if (epoch === 2) waiting.resolve();
          if (epoch === 2) await go.promise;
          yield batch;
        }
        finished++;
      };
      const net = smallNetwork(inputs, classes);
      const training = net.fit({ batches, stepsPerEpoch }, { epochs: 5 });
      await waiting.promise;
      training.stop();
      await later(10);
      assert.equal(net.isFitting, true);
      go.resolve();
      const { epochs, stopped } = await training.done;
      assert.deepEqual([epochs.length, stopped, asked, finished], [2, true, [1, 2], 0]);
    });

    it('leaving the loop is a stop', async () => {
      const asked: number[] = [];
      const batches = (epoch: number) => {
        asked.push(epoch);
        return batchesOf(epoch);
      };
      const training = smallNetwork(inputs, classes).fit({ batches }, { epochs: 5 });
      for await (const { epoch } of training) if (epoch === 2) break;
      await training.done;
      assert.deepEqual(asked, [1, 2]);
    });

    it('the event loop is free', async () => {
      const { batches, stuck } = stuckAfter(1);
      const net = smallNetwork(inputs, classes);
      const controller = new AbortController();
      const { done } = net.fit({ batches }, { signal: controller.signal });
      await stuck;
      const began = process.cpuUsage();
      for (let i = 0; i < 20; i++) await later(5);
      // And nobody spins.
      const { user, system } = process.cpuUsage(began);
      assert.ok(user + system < 80_000, `${user + system} us of processor time in 100 ms of waiting`);
      controller.abort();
      await assert.rejects(done);
    });

    it('a worker can be terminated, and a process can exit', async () => {
      const script = `
        const net = helpers.smallNetwork(10, 4);
        const { x, y } = helpers.blobs(20, 10, 4, 1);
        let pulled = 0;
        const batches = () => ({ [Symbol.asyncIterator]: () => ({ next: () => pulled++ < 2 ? Promise.resolve({ value: { x, y } }) : (going(), new Promise(() => {})) }) });
        net.fit({ batches }, { epochs: 5 });`;
      const worker = new Worker(
        `const helpers = require(${JSON.stringify(require.resolve('./helpers/helpers'))});
        const going = () => setTimeout(() => require('node:worker_threads').parentPort.postMessage('going'), 10);${script}`,
        { eval: true },
      );
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      assert.equal(await worker.terminate(), 1);
      const exit = await runChild(`const going = () => setTimeout(() => process.exit(7), 10);${script}`, {
        timeout: 20_000,
      });
      assert.deepEqual(exit, { code: 7, signal: null, stdout: '', stderr: '' });
      const { networks, fits } = native().counters();
      assert.ok(networks >= 0 && fits === 0);
    });

    it('many workers are terminated in mid-stream, and nothing is left behind @slow', async function () {
      this.timeout(60_000);
      const source = `
        const setnet = require(${JSON.stringify(entry)});
        const helpers = require(${JSON.stringify(require.resolve('./helpers/helpers'))});
        const { x, y } = helpers.blobs(20, 10, 4, 1);
        let pulled = 0;
        const batches = async function* () {
          for (;;) {
            if (++pulled === 50) require('node:worker_threads').parentPort.postMessage('going');
            if (pulled % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
            yield { x, y };
          }
        };
        helpers.smallNetwork(10, 4).fit({ batches, stepsPerEpoch: 20 }, { epochs: 1e6 });`;
      const counters = await runChildJson(
        `
        const { Worker } = require('node:worker_threads');
        (async () => {
          for (let round = 0; round < 8; round++) {
            const workers = Array.from({ length: 6 }, () => new Worker(${JSON.stringify(source)}, { eval: true }));
            await Promise.all(workers.slice(0, round).map((worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))));
            await Promise.all(workers.map((worker) => worker.terminate()));
          }
          helpers.smallNetwork(10, 4);
          const { fits, networks, jobs } = require(helpers.root + '/dist/loader.js').native().counters();
          console.log(JSON.stringify({ fits, networks, jobs }));
        })();`,
        { timeout: 50_000 },
      );
      assert.deepEqual(counters, { fits: 0, networks: 1, jobs: 0 });
    });
  });

  describe('checkpoints', () => {
    const fit: FitOptions = { epochs: 6, optimizer: adam(), validation: { x: validation.x, y: validation.y } };
    const streamOf = (asked: number[]): BatchStream => ({
      batches: (epoch) => {
        asked.push(epoch);
        return batchesOf(epoch);
      },
      stepsPerEpoch,
    });

    it('a training goes on with the epochs that are left, and ends with the bytes of one that never stopped', () =>
      withFolder(async (folder) => {
        const [path, file] = [join(folder, 'checkpoint'), join(folder, 'net')];
        const whole = smallNetwork(inputs, classes);
        await whole.fit(streamOf([]), fit).done;
        await whole.save(file);
        const expected = readFileSync(file);

        const net = smallNetwork(inputs, classes);
        const controller = new AbortController();
        const { batches } = streamOf([]);
        const stream: BatchStream = {
          batches: async function* (epoch) {
            let number = 0;
            for await (const batch of batches(epoch)) {
              // In the midst of epoch 4.
              if (epoch === 4 && ++number === 3) controller.abort();
              yield batch;
            }
          },
          stepsPerEpoch,
        };
        await assert.rejects(net.fit(stream, { ...fit, checkpoint: { path }, signal: controller.signal }).done);

        const loaded = await Network.load(path);
        const asked: number[] = [];
        const history = await loaded.fit(streamOf(asked), { ...fit, resume: true }).done;
        assert.deepEqual(asked, [4, 5, 6]);
        assert.equal(history.epochs.length, 6);
        await loaded.save(file);
        assert.ok(readFileSync(file).equals(expected));
      }));

    it('is refused with other steps, a data set or another validation', async () => {
      const net = smallNetwork(inputs, classes);
      for await (const { epoch } of net.fit(streamOf([]), fit)) if (epoch === 2) break;
      while (net.isFitting) await later(1);
      const resume = { ...fit, resume: true };
      const { batches } = streamOf([]);
      throwsCode(() => net.fit({ batches }, resume), 'ERR_SETNET_RESUME', /stepsPerEpoch was 5.*but is 0 now/);
      throwsCode(() => net.fit(data, resume), 'ERR_SETNET_RESUME', /stepsPerEpoch was 5.*but is undefined now/);
      const other = { ...resume, validation: data };
      await rejectsCode(net.fit(streamOf([]), other).done, 'ERR_SETNET_RESUME', /validation data/);
      await net.fit(streamOf([]), resume).done;
    });
  });

  it('2,000 batches: the memory level stays @memory', async function () {
    this.timeout(60_000);
    const sizes = await runChildJson<number[]>(
      `
      const [rows, inputs] = [64, 500];
      const layers = [setnet.sparse({ units: 20, density: 0.1 }), setnet.dense({ units: 4 })];
      const net = setnet.Network.createSync({ inputs, seed: 1, layers });
      const sizes = [];
      const batches = async function* () {
        for (let i = 0; i < 2000; i++) {
          const x = helpers.randomFeatures(1, inputs, i + 1);
          const all = new Float32Array((1 + (i * 37) % rows) * inputs);
          for (let row = 0; row * inputs < all.length; row++) all.set(x, row * inputs);
          const y = new Int32Array(all.length / inputs);
          const rowsOf = { rows: y.length, columns: inputs };
          if (i % 50 === 0) { gc(); sizes.push(process.memoryUsage.rss() / 1e6); }
          if (i % 10 === 0) await new Promise(setImmediate);
          yield { x: i % 2 ? all : setnet.CsrMatrix.fromDense(all, rowsOf), y };
        }
      };
      net.fit({ batches }, { epochs: 1 }).done.then(() => console.log(JSON.stringify(sizes)));`,
      { args: ['--expose-gc'], timeout: 60_000 },
    );
    assert.equal(sizes.length, 40);
    const [early, late] = [mean(sizes.slice(10, 20)), mean(sizes.slice(30, 40))];
    console.log(`      ${early.toFixed(1)} MB in batches 501-1000, ${late.toFixed(1)} MB in batches 1501-2000`);
    assert.ok(late - early <= 5, `${early} MB, then ${late} MB`);
  });
});
