import { strict as assert } from 'node:assert';
import { dense, type FitOptions, masked, Network, set, sparse, type Training } from '../lib/index';
import { blobs, digestOf, fashion, rejectsCode, runChild, smallNetwork, throwsCode } from './helpers/helpers';

const data = blobs(400, 10, 4, 1);
const validation = blobs(200, 10, 4, 2);

/** Runs a fit whose epochs take a while, so that something can happen meanwhile. */
function longFit(net: Network, options: FitOptions = {}): Training {
  return net.fit(data, { epochs: 1_000_000, evolution: null, ...options });
}

describe('35 while a fit runs', () => {
  it('while it trains: everything but fit works, on the state of the last finished epoch', async () => {
    const net = smallNetwork(10, 4);
    const initial = digestOf(net);
    const training = longFit(net, { evolution: set() });
    throwsCode(() => net.fit(data), 'ERR_SETNET_BUSY', /fit: the network is training/);
    assert.equal(net.predictSync(data.x).length, 1600);
    assert.equal((await net.predict(data.x)).length, 1600);
    assert.equal((await net.evaluate(validation)).samples, 200);
    assert.equal(net.layers.length, 3);
    assert.match(net.summary(), /setnet network/);
    const clone = net.clone();
    assert.equal(clone.isFitting, false);
    await clone.fit(data, { epochs: 1 }).done;
    training.stop();
    await training.done;
    assert.notEqual(digestOf(net), initial);
  });

  it('predictions during a fit are those of an epoch end', async () => {
    const net = smallNetwork(10, 4);
    const ends = new Set([Buffer.from(net.predictSync(validation.x, { output: 'logits' }).buffer).toString('hex')]);
    const seen: string[] = [];
    const training = net.fit(data, { epochs: 60, evolution: set() });
    const answers: Promise<unknown>[] = [];
    const timer = setInterval(() => {
      answers.push(
        net
          .predict(validation.x, { output: 'logits' })
          .then((answer) => seen.push(Buffer.from(answer.buffer).toString('hex'))),
      );
    }, 1);
    for await (const _ of training) {
      ends.add(Buffer.from(net.predictSync(validation.x, { output: 'logits' }).buffer).toString('hex'));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    clearInterval(timer);
    ends.add(Buffer.from(net.predictSync(validation.x, { output: 'logits' }).buffer).toString('hex'));
    await Promise.all(answers);
    assert.ok(seen.length > 10, `${seen.length} predictions`);
    assert.ok(seen.every((answer) => ends.has(answer)));
    assert.ok(new Set(seen).size > 3);
  });

  it('10,000 predictions while it trains and evolves: each is that of the end of one epoch, bit for bit', async function () {
    this.timeout(120_000);
    const asked = 10_000;
    const net = smallNetwork(10, 4);
    const x = validation.x.subarray(0, 30);
    const logits = { output: 'logits' } as const;
    const textOf = (answer: Float32Array) => Buffer.from(answer.buffer).toString('latin1');
    /** The answer after each epoch; the trainer waits while it is asked for. */
    const expected = [textOf(net.predictSync(x, logits))];
    /** What was answered, and which epochs had been seen when it was asked for and when it came. */
    const answers: { text: string; from: number; to: number }[] = [];
    let waiting = 0;
    let training: Training | undefined;
    const ask = async (): Promise<void> => {
      while (answers.length + waiting < asked) {
        const from = expected.length - 1;
        let answer: Float32Array;
        if (answers.length % 5 === 0) {
          // On this thread: without waiting for anybody.
          answer = net.predictSync(x, logits);
        } else {
          waiting++;
          answer = await net.predict(x, logits);
          waiting--;
        }
        answers.push({ text: textOf(answer), from, to: expected.length - 1 });
      }
      training?.stop();
    };
    training = net.fit(data, { epochs: 1_000_000, batchSize: 50, evolution: set() });
    const asking = Promise.all(Array.from({ length: 6 }, ask));
    for await (const { evolution } of training) {
      if (answers.length < asked) assert.equal(evolution?.evolutions, 1);
      expected.push(textOf(net.predictSync(x, logits)));
    }
    await asking;
    await training.done;
    assert.equal(answers.length, asked);
    assert.ok(expected.length > 50, `${expected.length} epochs`);
    assert.ok(new Set(expected).size > 0.9 * expected.length, 'epochs answer differently');
    // A finished epoch is published before the loop hears of it.
    for (const [i, { text, from, to }] of answers.entries())
      assert.ok(expected.slice(from, to + 2).includes(text), `answer ${i} is of no epoch from ${from} to ${to + 1}`);
    assert.ok(new Set(answers.map(({ text }) => text)).size > 50);
  });

  it('dispose() during a fit ends it: done rejects with ERR_SETNET_ABORTED', async () => {
    const net = smallNetwork(10, 4);
    const training = longFit(net);
    const progress = new Promise((resolve) => setTimeout(resolve, 30));
    await progress;
    net.dispose();
    await rejectsCode(training.done, 'ERR_SETNET_ABORTED', /disposed/);
    assert.equal(net.isFitting, false);
    throwsCode(() => net.fit(data), 'ERR_SETNET_STATE', /disposed/);
  });

  it('dispose() during a fit nobody looks at does not end the process', async () => {
    const { code, stderr } = await runChild(`
      const { x, y } = helpers.blobs(400, 10, 4, 1);
      const net = helpers.smallNetwork(10, 4);
      net.fit({ x, y }, { epochs: 1e6 });
      setTimeout(() => net.dispose(), 50);`);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  });

  it('a fit keeps its network alive, and the process', async () => {
    const { code, stdout } = await runChild(
      `
      const { x, y } = helpers.blobs(400, 10, 4, 1);
      helpers.smallNetwork(10, 4).fit({ x, y }, { epochs: 300 }).done.then((history) => console.log(history.epochs.length));
      const timer = setInterval(() => gc(), 5);
      timer.unref();`,
      { args: ['--expose-gc'] },
    );
    assert.deepEqual([code, stdout], [0, '300\n']);
  });

  it('the event loop turns while a network trains, predicts and evaluates', async () => {
    const { xTrain, yTrain } = await fashion(5000, 1);
    const net = Network.createSync({
      inputs: 784,
      seed: 1,
      threads: 1,
      layers: [masked({ units: 800 }), dense({ units: 10 })],
    });
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await net.fit({ x: xTrain, y: yTrain }, { epochs: 1 }).done;
    const duringFit = turns;
    await Promise.all([net.predict(xTrain), net.evaluate({ x: xTrain, y: yTrain })]);
    clearInterval(timer);
    assert.ok(duringFit > 20, `${duringFit} turns`);
    assert.ok(turns > duringFit);
  });

  it('fits of two networks at once give what each gives alone', async () => {
    const alone: string[] = [];
    for (const seed of [1, 2]) {
      const net = smallNetwork(10, 4, { seed });
      await net.fit(data, { epochs: 20 }).done;
      alone.push(digestOf(net));
    }
    const nets = [1, 2].map((seed) => smallNetwork(10, 4, { seed, threads: 2 }));
    await Promise.all(nets.map((net) => net.fit(data, { epochs: 20 }).done));
    assert.deepEqual(nets.map(digestOf), alone);
  });

  it('fits of two networks at once share the processor: neither waits for the other to end', async () => {
    const { x, y } = blobs(2000, 100, 4, 1);
    const epochs = 40;
    const finished = [0, 0];
    const run = async (which: 0 | 1) => {
      const layers = [sparse({ units: 300, epsilon: 20 }), sparse({ units: 300, epsilon: 20 }), dense({ units: 4 })];
      const net = Network.createSync({ inputs: 100, seed: which, layers, threads: 2 });
      const training = net.fit({ x, y }, { epochs });
      for await (const { epoch } of training) finished[which] = epoch;
      // What the other one has done until now.
      return finished[1 - which] as number;
    };
    const [first] = (await Promise.all([run(0), run(1)])).sort((a, b) => a - b) as [number, number];
    console.log(`      when one had done ${epochs} epochs, the other had done ${first}`);
    assert.ok(first >= epochs / 4, `${first} of ${epochs} epochs`);
  });
});
