import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import {
  dense,
  type EpochReport,
  type FitOptions,
  masked,
  Network,
  type Progress,
  sgd,
  sparse,
  step,
  Training,
} from '../lib/index';
import { blobs, digestOf, fashion, rejectsCode, runChild, smallNetwork, throwsCode } from './helpers/helpers';

const data = blobs(400, 10, 4, 1);
const validation = blobs(200, 10, 4, 2);

/** Runs a fit whose epochs take a while, so that something can happen meanwhile. */
function longFit(net: Network, options: FitOptions = {}): Training {
  return net.fit(data, { epochs: 1_000_000, evolution: null, ...options });
}

/** A network with epochs of a few tenths of a second. */
function slowNetwork(): Network {
  const layers = [masked({ units: 500, density: 0.1 }), masked({ units: 500, density: 0.1 }), dense({ units: 4 })];
  return Network.createSync({ inputs: 10, seed: 1, threads: 1, layers });
}

const slowData = blobs(20_000, 10, 4, 3);

async function take(training: Training, count: number): Promise<EpochReport[]> {
  const epochs: EpochReport[] = [];
  for await (const epoch of training) {
    epochs.push(epoch);
    if (epochs.length === count) break;
  }
  return epochs;
}

describe('33 Training: the loop, stop, abort, progress', () => {
  it('fit returns a Training at once, which is not thenable', async () => {
    const net = smallNetwork(10, 4);
    const training = net.fit(data, { epochs: 1 });
    assert.ok(training instanceof Training);
    assert.equal('then' in training, false);
    assert.equal(net.isFitting, true);
    await training.done;
    assert.equal(net.isFitting, false);
  });

  it('the loop delivers every epoch in order, then done resolves to the history of the same', async () => {
    const net = smallNetwork(10, 4);
    const training = net.fit(data, { epochs: 5, validation });
    const epochs: EpochReport[] = [];
    for await (const epoch of training) epochs.push(epoch);
    const history = await training.done;
    assert.deepEqual(
      epochs.map(({ epoch }) => epoch),
      [1, 2, 3, 4, 5],
    );
    assert.deepEqual(history.epochs, epochs);
    assert.equal(history.stopped, false);
    for (const epoch of epochs) {
      assert.equal(epoch.validation?.samples, 200);
      assert.ok(
        epoch.loss > 0 && (epoch.accuracy as number) > 0 && (epoch.accuracy as number) <= 1 && epoch.seconds >= 0,
      );
    }
  });

  it('epochs that were finished before the loop began are delivered too', async () => {
    const net = smallNetwork(10, 4);
    const training = net.fit(data, { epochs: 6 });
    await training.done;
    const epochs: number[] = [];
    for await (const { epoch } of training) epochs.push(epoch);
    assert.deepEqual(epochs, [1, 2, 3, 4, 5, 6]);
  });

  it('the trainer waits for the body of the loop', async () => {
    const net = smallNetwork(10, 4);
    const digests: string[] = [];
    for await (const { epoch } of net.fit(data, { epochs: 3, evolution: null })) {
      const digest = digestOf(net);
      await new Promise((resolve) => setTimeout(resolve, 60));
      assert.equal(digestOf(net), digest, `the network changed during the body of epoch ${epoch}`);
      digests.push(digest);
    }
    assert.equal(new Set(digests).size, 3);
  });

  it('stepping changes nothing of what is learned', async () => {
    const looped = smallNetwork(10, 4);
    for await (const _ of looped.fit(data, { epochs: 3 })) await new Promise((resolve) => setTimeout(resolve, 5));
    const awaited = smallNetwork(10, 4);
    await awaited.fit(data, { epochs: 3 }).done;
    assert.equal(digestOf(looped), digestOf(awaited));
  });

  it('break stops after this epoch: no more epochs, no final removal', async () => {
    const net = smallNetwork(10, 4);
    const training = net.fit(data, { epochs: 1000 });
    const epochs = await take(training, 2);
    const digest = digestOf(net);
    const history = await training.done;
    assert.equal(epochs.length, 2);
    assert.equal(history.epochs.length, 2);
    assert.equal(history.stopped, true);
    assert.equal(history.final, undefined);
    assert.equal(digestOf(net), digest);
    assert.equal(net.isFitting, false);
  });

  it('an error in the body stops as break does, and is what the loop throws', async () => {
    const net = smallNetwork(10, 4);
    const training = net.fit(data, { epochs: 1000 });
    const loop = (async () => {
      for await (const { epoch } of training) if (epoch === 2) throw new RangeError('mine');
    })();
    await assert.rejects(loop, RangeError);
    const history = await training.done;
    assert.deepEqual([history.stopped, history.epochs.length], [true, 2]);
    await net.fit(data, { epochs: 1 }).done;
  });

  it('stop() ends after the running epoch; twice and afterwards is fine', async () => {
    const net = smallNetwork(10, 4);
    const training = longFit(net);
    training.stop();
    training.stop();
    const history = await training.done;
    assert.equal(history.stopped, true);
    assert.ok(history.epochs.length >= 1);
    assert.equal(history.final, undefined);
    training.stop();
  });

  it('stop() within the loop delivers no further epoch', async () => {
    const net = smallNetwork(10, 4);
    const training = longFit(net);
    const epochs: number[] = [];
    for await (const { epoch } of training) {
      epochs.push(epoch);
      if (epoch === 3) training.stop();
    }
    assert.deepEqual(epochs, [1, 2, 3]);
  });

  it('a second iterator is ERR_SETNET_STATE', async () => {
    const net = smallNetwork(10, 4);
    const training = net.fit(data, { epochs: 2 });
    const loop = take(training, 100);
    throwsCode(() => training[Symbol.asyncIterator](), 'ERR_SETNET_STATE', /iterated already/);
    assert.equal((await loop).length, 2);
    throwsCode(() => training[Symbol.asyncIterator](), 'ERR_SETNET_STATE');
  });

  it('next() may be called ahead', async () => {
    const net = smallNetwork(10, 4);
    const iterator = net.fit(data, { epochs: 3 })[Symbol.asyncIterator]();
    const results = await Promise.all(Array.from({ length: 5 }, () => iterator.next()));
    assert.deepEqual(
      results.map(({ value }) => value?.epoch),
      [1, 2, 3, undefined, undefined],
    );
    assert.deepEqual(
      results.map(({ done }) => done),
      [false, false, false, true, true],
    );
  });

  it('an abort rejects the loop and done with the reason, soon; the network is usable', async () => {
    const net = smallNetwork(10, 4);
    const controller = new AbortController();
    const reason = new Error('enough');
    const training = longFit(net, { signal: controller.signal });
    const loop = (async () => {
      for await (const { epoch } of training) if (epoch === 2) setImmediate(() => controller.abort(reason));
    })();
    const isReason = (error: unknown) => error === reason;
    await assert.rejects(loop, isReason);
    await assert.rejects(training.done, isReason);
    assert.equal(net.isFitting, false);
    net.predictSync(data.x);
    await net.fit(data, { epochs: 1 }).done;
  });

  it('an abort takes effect within a step: long before the epoch is over', async () => {
    const { xTrain, yTrain } = await fashion(5000, 1);
    const net = Network.createSync({
      inputs: 784,
      seed: 1,
      threads: 1,
      layers: [masked({ units: 1000 }), masked({ units: 1000 }), dense({ units: 10 })],
    });
    const before = digestOf(net);
    const controller = new AbortController();
    const progress: Progress[] = [];
    const started = Date.now();
    const training = net.fit(
      { x: xTrain, y: yTrain },
      { epochs: 1, signal: controller.signal, onProgress: (report) => progress.push(report) && controller.abort() },
    );
    await assert.rejects(training.done, { name: 'AbortError' });
    assert.equal(progress.length, 1);
    const { step: done, steps } = progress[0] as Progress;
    assert.ok(done < (steps as number), `${done} of ${steps} after ${Date.now() - started} ms`);
    // The network is as after the last finished step, and nothing was removed finally.
    assert.notEqual(digestOf(net), before);
    assert.equal(net.connections, 35_680 + 40_000 + 10_000);
  });

  it('a signal that is aborted already: nothing starts', async () => {
    const net = smallNetwork(10, 4);
    const before = digestOf(net);
    const training = net.fit(data, { signal: AbortSignal.abort('no') });
    assert.equal(net.isFitting, false);
    await assert.rejects(training.done, (error) => error === 'no');
    assert.equal(digestOf(net), before);
    await assert.rejects(take(net.fit(data, { signal: AbortSignal.abort('no') }), 1), (error) => error === 'no');
  });

  it('an abort after the end changes nothing, and no listener stays behind', async () => {
    const net = smallNetwork(10, 4);
    let listeners = 0;
    const signal = {
      aborted: false,
      addEventListener: () => {
        listeners++;
      },
      removeEventListener: () => {
        listeners--;
      },
    };
    const history = await net.fit(data, { epochs: 2, signal }).done;
    assert.equal(history.stopped, false);
    assert.equal(listeners, 0);
  });

  it('a rejection of done nobody looks at counts as unhandled, unless somebody iterates', async () => {
    const script = (use: string) => `
      const { x, y } = helpers.blobs(400, 10, 4, 1);
      const training = helpers.smallNetwork(10, 4).fit({ x, y }, { signal: AbortSignal.abort(new Error('why')) });
      ${use}`;
    const ignored = await runChild(script(''));
    assert.equal(ignored.code, 1);
    assert.match(ignored.stderr, /why/);
    const iterated = await runChild(script('(async () => { try { for await (const _ of training); } catch {} })()'));
    assert.deepEqual([iterated.code, iterated.stderr], [0, '']);
  });

  it('onProgress reports within an epoch, with running means @slow', async () => {
    const reports: Progress[] = [];
    const options: FitOptions = { epochs: 2, batchSize: 50, onProgress: (report) => reports.push(report) };
    await slowNetwork().fit(slowData, options).done;
    assert.ok(reports.length >= 1, 'there were reports');
    for (const report of reports) {
      assert.ok(report.epoch >= 1 && report.epochs === 2);
      assert.ok(report.step >= 1 && report.steps === 400 && report.step <= report.steps);
      assert.equal(report.samples, 50 * report.step);
      assert.ok(
        report.loss > 0 && (report.accuracy as number) >= 0 && (report.accuracy as number) <= 1 && report.seconds > 0,
      );
      assert.equal(report.connections, 500 + 25_000 + 2000);
    }
  });

  it('an onProgress that throws ends the training, and done rejects with what it threw', async () => {
    for (const onProgress of [
      () => {
        throw new RangeError('mine');
      },
      async () => {
        throw new RangeError('mine');
      },
    ]) {
      const net = slowNetwork();
      const training = net.fit(slowData, { epochs: 1000, onProgress });
      await assert.rejects(training.done, { name: 'RangeError', message: 'mine' });
      assert.equal(net.isFitting, false);
      await net.fit(data, { epochs: 1 }).done;
    }
  });

  it('a blocked event loop does not slow training: late reports are dropped @slow', async () => {
    const net = slowNetwork();
    const reports: Progress[] = [];
    const training = net.fit(slowData, {
      epochs: 1000,
      evolution: null,
      onProgress: (report) => {
        reports.push(report);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
        if (reports.length >= 4) training.stop();
      },
    });
    await training.done;
    // Training has gone on meanwhile: from one report to the next at least half of the 0.4 s, in steps or in epochs.
    for (const [i, report] of reports.slice(1).entries()) {
      const before = reports[i] as Progress;
      assert.ok(report.epoch > before.epoch || report.seconds - before.seconds > 0.2, JSON.stringify([before, report]));
    }
  });

  it('divergence in a loop is what the loop throws, after the epochs before it', async () => {
    const net = smallNetwork(10, 4);
    let epochs = 0;
    const loop = async () => {
      for await (const _ of net.fit(data, {
        epochs: 50,
        evolution: null,
        optimizer: sgd({ learningRate: step({ from: 0.01, factor: 1e30, every: 2 }) }),
      })) {
        epochs++;
      }
    };
    await rejectsCode(loop(), 'ERR_SETNET_DIVERGED');
    assert.equal(epochs, 2);
    assert.ok(net.predictSync(data.x).every(Number.isFinite));
  });

  it('data of any signal type: an EventTarget of another kind works as a signal', async () => {
    const target = Object.assign(new EventTarget(), { aborted: false, reason: 'because' });
    const net = smallNetwork(10, 4);
    const training = longFit(net, { signal: target });
    setTimeout(() => {
      target.aborted = true;
      target.dispatchEvent(new Event('abort'));
    }, 20);
    await once(target, 'abort');
    await assert.rejects(training.done, (error) => error === 'because');
  });

  it('clipNorm: a norm that is never reached changes no bit, a small one does, with any threads, sparse and masked', async () => {
    const digest = async (options: FitOptions, kind: 'sparse' | 'masked' = 'sparse') => {
      const layer = kind === 'sparse' ? sparse : masked;
      const layers = [layer({ units: 30, density: 0.4, activation: 'srelu', dropout: 0.1 }), dense({ units: 4 })];
      const net = Network.createSync({ inputs: 10, seed: 8, layers });
      const { epochs } = await net.fit(data, { epochs: 4, batchSize: 32, ...options }).done;
      return { digest: digestOf(net), loss: epochs.at(-1)?.loss as number };
    };
    const plain = await digest({});
    assert.deepEqual(await digest({ clipNorm: 1e15 }), plain);
    const clipped = await digest({ clipNorm: 0.05, threads: 1 });
    assert.notEqual(clipped.digest, plain.digest);
    assert.ok(clipped.loss > plain.loss, 'smaller steps learn less in four epochs');
    assert.deepEqual(await digest({ clipNorm: 0.05, threads: 3 }), clipped);
    assert.deepEqual(await digest({ clipNorm: 0.05 }, 'masked'), clipped);
    // What would diverge does not.
    const wild = sgd({ learningRate: 3 });
    await rejectsCode(digest({ optimizer: wild, epochs: 30 }), 'ERR_SETNET_DIVERGED');
    await digest({ optimizer: wild, epochs: 30, clipNorm: 0.1 });
  });
});
