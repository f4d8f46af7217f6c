import { strict as assert } from 'node:assert';
import { set, sgd } from '../lib/index';
import { blobs, digestOf, smallNetwork } from './helpers/helpers';

const data = blobs(120, 10, 4, 1);
const validation = blobs(100, 10, 4, 2);

describe('33 early stopping and the best epoch', () => {
  it('ends after `patience` epochs that bring nothing better, without a final removal, which finalize() makes up for', async () => {
    const net = smallNetwork(10, 4);
    const size = net.connections;
    const history = await net.fit(data, {
      epochs: 400,
      validation,
      earlyStopping: { patience: 3 },
      optimizer: sgd({ learningRate: 0.2 }),
    }).done;
    const losses = history.epochs.map((epoch) => epoch.validation?.loss as number);
    const best = losses.indexOf(Math.min(...losses)) + 1;
    assert.ok(losses.length < 400, 'it stops');
    assert.deepEqual(history.best, { epoch: best, value: losses[best - 1], restored: false });
    assert.equal(losses.length, best + 3);
    assert.ok(history.stopped && history.stoppedEarly);
    assert.equal(history.final, undefined);
    assert.equal(history.epochs.at(-1)?.evolution, undefined, 'what was validated last is what there is');
    assert.equal(net.connections, size);
    assert.deepEqual(await net.evaluate(validation), history.epochs.at(-1)?.validation);

    const final = await net.finalize({ validation });
    assert.equal(final.removal.zeta, 0.3);
    assert.equal(final.removal.grown, 0);
    assert.equal(net.connections, final.connections);
    assert.equal(final.connections, size - final.removal.pruned);
    assert.deepEqual(await net.evaluate(validation), final.validation);
  });

  it('restoreBest: the network of the best epoch comes back, at the end, after an early stop and after break', async () => {
    for (const kind of ['end', 'early', 'break'] as const) {
      const net = smallNetwork(10, 4);
      const digests: string[] = [];
      // Without evolution the network in the loop's body is the one that was validated.
      const training = net.fit(data, {
        epochs: 30,
        validation,
        evolution: null,
        restoreBest: 'accuracy',
        optimizer: sgd({ learningRate: 0.6 }),
        ...(kind === 'early' ? { earlyStopping: { patience: 4, monitor: 'accuracy' } as const } : {}),
      });
      for await (const { epoch } of training) {
        digests.push(digestOf(net));
        if (kind === 'break' && epoch === 12) break;
      }
      const { best, epochs, stopped, stoppedEarly } = await training.done;
      assert.ok(best?.restored);
      assert.equal(best.value, Math.max(...epochs.map((epoch) => epoch.validation?.accuracy as number)));
      assert.ok(best.epoch < epochs.length, 'a later epoch was worse');
      assert.equal(stopped, kind !== 'end');
      assert.equal(stoppedEarly, kind === 'early');
      assert.equal(digestOf(net), digests[best.epoch - 1]);
      assert.equal((await net.evaluate(validation)).accuracy, best.value);
    }
  });

  it('restoreBest with a final removal: removed is from the best network, as a fit that ended there would have', async () => {
    const options = { validation, optimizer: sgd({ learningRate: 0.3 }), batchSize: 16 } as const;
    const constant = set({ zeta: { kind: 'constant', value: 0.2 } });
    const net = smallNetwork(10, 4);
    const history = await net.fit(data, { ...options, epochs: 20, evolution: constant, restoreBest: true }).done;
    assert.ok(history.best?.restored && history.final);
    const { epoch } = history.best;
    assert.ok(epoch < 20);
    // The learning rate is constant, so the epochs before are the same ones; the removal is by magnitude alone.
    const short = smallNetwork(10, 4);
    const last = await short.fit(data, { ...options, epochs: epoch, evolution: constant }).done;
    assert.equal(digestOf(net), digestOf(short));
    assert.deepEqual(history.final.validation, last.final?.validation);
  });

  it('equal is not better, and what is not better by minDelta is not either', async () => {
    const still = { validation, evolution: null, optimizer: sgd({ learningRate: 0, weightDecay: 0 }) } as const;
    const { best, epochs } = await smallNetwork(10, 4).fit(data, {
      ...still,
      epochs: 50,
      earlyStopping: { patience: 2 },
    }).done;
    assert.deepEqual([best?.epoch, epochs.length], [1, 3]);
    const learning = { validation, epochs: 50, optimizer: sgd({ learningRate: 0.01 }) } as const;
    const history = await smallNetwork(10, 4).fit(data, { ...learning, earlyStopping: { patience: 2, minDelta: 10 } })
      .done;
    assert.deepEqual([history.best?.epoch, history.epochs.length], [1, 3]);
  });
});
