import { strict as assert } from 'node:assert';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { adam, type FitOptions, type History, Network, Session, set, sgd, type Training } from '../lib/index';
import { data, fitOf, network, type Scenario, scenarios, validation } from './helpers/checkpoints';
import { blobs, digestOf, metadataOf, randomSource, rejectsCode, runChild, withFolder } from './helpers/helpers';

/** What two runs of the same fit share. */
function timeless(history: History): object {
  const rounds = history.epochs.map(({ seconds: _, evolutionSeconds: __, validationSeconds: ___, ...epoch }) => epoch);
  return { ...history, epochs: rounds };
}

async function stopAfter(training: Training, last: number): Promise<void> {
  for await (const { epoch } of training) if (epoch === last) break;
  await training.done;
}

async function uninterrupted(scenario: Scenario, folder: string) {
  const net = Network.createSync({ ...scenario.network, threads: 1 });
  const checkpoint = join(folder, 'whole.checkpoint');
  const history = await fitOf(net, scenario, { checkpoint: { path: checkpoint } }).done;
  const file = join(folder, 'whole');
  await net.save(file);
  return { history: timeless(history), file: readFileSync(file), checkpoint: readFileSync(checkpoint) };
}

/** Goes on from a checkpoint to the end, and compares everything with the run that was never interrupted. */
async function goesOn(scenario: Scenario, path: string, whole: Awaited<ReturnType<typeof uninterrupted>>) {
  const net = await Network.load(path, { threads: 2 });
  const history = await fitOf(net, scenario, { checkpoint: { path }, resume: true }).done;
  assert.deepEqual(timeless(history), whole.history);
  await net.save(`${path}.model`);
  assert.ok(readFileSync(`${path}.model`).equals(whole.file), 'the network has the same bytes');
  assert.ok(readFileSync(path).equals(whole.checkpoint), 'the last checkpoint has the same bytes');
}

describe('46 checkpoints', () => {
  describe('40 interruptions: what goes on is as if it had never stopped, to the bit', function () {
    this.timeout(120_000);
    for (const [name, scenario] of Object.entries(scenarios)) {
      it(`${name}: an abort, a stop, and kill -9 at two places`, () =>
        withFolder(async (folder) => {
          const random = randomSource(Object.keys(scenarios).indexOf(name) + 1);
          const whole = await uninterrupted(scenario, folder);
          const length = (whole.history as History).epochs.length;
          const at = () => 1 + Math.floor(random() * (length - 1));

          // In mid-step: the epoch that runs begins anew.
          const aborted = join(folder, 'aborted');
          const controller = new AbortController();
          const reached = at();
          const one = Network.createSync({ ...scenario.network, threads: 2 });
          const running = fitOf(one, scenario, { checkpoint: { path: aborted }, signal: controller.signal });
          const abort = async () => {
            for await (const { epoch } of running) {
              if (epoch !== reached) continue;
              // The trainer goes on once the body is left; the abort reaches it within a step.
              setImmediate(() => controller.abort(new Error('enough')));
            }
          };
          await abort().catch((error: Error) => assert.equal(error.message, 'enough'));
          await goesOn(scenario, aborted, whole);

          // After an epoch, in memory and from a file.
          const stopped = join(folder, 'stopped');
          const two = Network.createSync(scenario.network);
          const last = at();
          await stopAfter(fitOf(two, scenario, {}), last);
          await two.save(stopped, { training: true });
          await goesOn(scenario, stopped, whole);
          assert.deepEqual(timeless(await fitOf(two, scenario, { resume: true }).done), whole.history);
          await two.save(stopped);
          assert.ok(readFileSync(stopped).equals(whole.file));

          for (const place of [0, at()]) {
            const killed = join(folder, `killed-${place}`);
            const script = `
              const { scenarios, fitOf } = require(${JSON.stringify(join(__dirname, 'helpers', 'checkpoints.js'))});
              const scenario = scenarios[${JSON.stringify(name)}];
              const { existsSync } = require('node:fs');
              const kill = () => process.kill(process.pid, 'SIGKILL');
              const net = setnet.Network.createSync(scenario.network);
              const training = fitOf(net, scenario, { checkpoint: { path: ${JSON.stringify(killed)} } });
              if (${place} === 0) setInterval(() => existsSync(${JSON.stringify(killed)}) && kill(), 1);
              else (async () => { for await (const { epoch } of training) if (epoch === ${place}) kill(); })();`;
            const { signal } = await runChild(script);
            assert.equal(signal, 'SIGKILL');
            await goesOn(scenario, killed, whole);
          }
        }));
    }
  });

  it('a checkpoint is a model as well: it loads, predicts and saves as one', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'checkpoint');
      const net = Network.createSync(network);
      const seen: string[] = [];
      for await (const { epoch } of net.fit(data, {
        epochs: 5,
        checkpoint: { path, everyEpochs: 2 },
        optimizer: adam(),
      })) {
        seen.push(digestOf(net));
        if (epoch === 3) copyFileSync(path, `${path}-2`);
      }
      const at2 = await Network.load(`${path}-2`);
      assert.equal(digestOf(at2), seen[1], 'after epoch 3 the file is of epoch 2');
      assert.equal(digestOf(await Network.load(path)), seen[4], 'the end is always written');
      const session = await Session.load(`${path}-2`);
      assert.deepEqual(session.predictSync(data.x), at2.predictSync(data.x));
      await at2.save(`${path}-model`);
      assert.equal(metadataOf(`${path}-model`).training, undefined);
      assert.ok(metadataOf(`${path}-2`).training);
      await rejectsCode(
        (await Network.load(`${path}-model`)).save(path, { training: true }),
        'ERR_SETNET_STATE',
        /could go on/,
      );
    }));

  it('with everySeconds the beginning and the end are written, and what is between on request', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'checkpoint');
      const epochOf = (file: string) => metadataOf(file).training.epoch;
      const fit: FitOptions = { epochs: 6, validation, restoreBest: true };
      const whole = Network.createSync(network);
      await whole.fit(data, fit).done;

      const net = Network.createSync(network);
      const controller = new AbortController();
      const checkpoint = { path, everySeconds: 1e6 };
      const abort = async () => {
        for await (const { epoch } of net.fit(data, { ...fit, checkpoint, signal: controller.signal })) {
          assert.equal(epochOf(path), 0);
          if (epoch === 4) setImmediate(() => controller.abort(new Error('enough')));
        }
      };
      await assert.rejects(abort(), /enough/);
      assert.equal(epochOf(path), 0);
      await net.save(`${path}-late`, { training: true });
      assert.ok(epochOf(`${path}-late`) >= 4);
      for (const file of [path, `${path}-late`]) {
        const next = await Network.load(file);
        await next.fit(data, { ...fit, checkpoint, resume: true }).done;
        assert.equal(digestOf(next), digestOf(whole));
        assert.equal(epochOf(path), 6);
      }
    }));

  it('classes with the names of numbers that JSON does not know come back as they were', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'checkpoint');
      const classes = ['NaN', 'Infinity', '-Infinity', 'other'];
      const fit: FitOptions = { epochs: 3, validation, metrics: ['confusion'], checkpoint: { path } };
      const history = await Network.createSync({ ...network, classes }).fit(data, fit).done;
      const told = await (await Network.load(path)).fit(data, { ...fit, resume: true }).done;
      assert.deepEqual(timeless(told), timeless(history));
      assert.deepEqual(told.epochs[0]?.validation?.confusion?.classes, classes);
    }));

  it('a training that has ended is told again, without training', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'checkpoint');
      const net = Network.createSync(network);
      const fit = { epochs: 3, validation, checkpoint: { path } };
      const history = await net.fit(data, fit).done;
      const digest = digestOf(net);
      const loaded = await Network.load(path);
      assert.deepEqual(timeless(await loaded.fit(data, { ...fit, resume: true }).done), timeless(history));
      assert.equal(digestOf(loaded), digest);
      const told = loaded.fit(data, { ...fit, resume: true });
      for await (const _ of told) assert.fail('no epoch is left');
    }));

  it('options or data that differ are refused by name, and nothing is lost', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'checkpoint');
      const net = Network.createSync(network);
      const fit: FitOptions = { epochs: 4, batchSize: 16, optimizer: adam(), validation };
      await stopAfter(net.fit(data, { ...fit, checkpoint: { path } }), 1);
      const loaded = await Network.load(path);
      const before = digestOf(loaded);
      const other = blobs(150, 12, 4, 9);
      const cases: [FitOptions, typeof data, RegExp][] = [
        [{ ...fit, epochs: 5 }, data, /epochs was 4 .* 5 now/],
        [{ ...fit, batchSize: 32 }, data, /batchSize was 16/],
        [{ ...fit, optimizer: adam({ beta1: 0.8 }) }, data, /optimizer\.beta1 was 0\.9/],
        [{ ...fit, optimizer: sgd() }, data, /optimizer\.kind was "adam"/],
        [{ ...fit, evolution: null }, data, /evolution/],
        [{ ...fit, evolution: set({ zeta: 0.2 }) }, data, /evolution\.zeta\.from was 0\.3/],
        [{ ...fit, restoreBest: true }, data, /restoreBest was undefined/],
        [fit, { x: data.x.subarray(0, 120), y: data.y.subarray(0, 10) }, /samples was 150/],
        [fit, other, /data are not those/],
        [{ ...fit, validation: other }, data, /data are not those/],
        [fit, { x: data.x, y: data.y.map((label) => (label + 1) % 4) }, /data are not those/],
      ];
      for (const [options, set, pattern] of cases) {
        const refused = async () => loaded.fit(set, { ...options, resume: true }).done;
        await rejectsCode(refused(), 'ERR_SETNET_RESUME', pattern);
        assert.equal(digestOf(loaded), before);
      }
      await loaded.fit(data, { ...fit, resume: true, threads: 1, onProgress: () => {} }).done;
    }));

  it('another fit, or an evolution by hand, ends what could go on', async () => {
    const stopped = async () => {
      const net = Network.createSync(network);
      await stopAfter(net.fit(data, { epochs: 5 }), 1);
      return net;
    };
    const resume = async (net: Network) => net.fit(data, { epochs: 5, resume: true }).done;
    const evolved = await stopped();
    await evolved.evolve();
    await rejectsCode(resume(evolved), 'ERR_SETNET_STATE', /no training/);
    const fitted = await stopped();
    await fitted.fit(data, { epochs: 1 }).done;
    await rejectsCode(resume(fitted), 'ERR_SETNET_STATE', /no training/);
    const again = await stopped();
    assert.equal((await resume(again)).epochs.length, 5);
  });

  it('a checkpoint that cannot be written ends the training as an abort does; the network can be used', () =>
    withFolder(async (folder) => {
      const net = Network.createSync(network);
      const training = net.fit(data, { epochs: 3, checkpoint: { path: join(folder, 'no', 'such') } });
      await rejectsCode(training.done, 'ERR_SETNET_IO');
      assert.equal(net.isFitting, false);
      await net.fit(data, { epochs: 1 }).done;
      assert.ok(!existsSync(join(folder, 'no')));
    }));

  it('hostile training metadata are ERR_SETNET_FORMAT', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'checkpoint');
      const net = Network.createSync(network);
      await stopAfter(net.fit(data, { epochs: 4, checkpoint: { path }, optimizer: adam() }), 2);
      const text = readFileSync(path);
      const header = text.subarray(8, 8 + Number(text.readBigUInt64LE(0))).toString();
      assert.match(header, /weights\.state\.firstMoment/);
      // The checksum vouches for all of it: whatever is changed is refused.
      for (const [from, to] of [
        ['\\"epoch\\":2', '\\"epoch\\":3'],
        ['\\"finished\\":false', '\\"finished\\":true '],
        ['firstMoment', 'thirdMoment'],
      ] as const) {
        const changed = Buffer.from(text.toString('latin1').replace(from, to), 'latin1');
        assert.ok(!changed.equals(text), from);
        writeFileSync(`${path}-changed`, changed);
        await rejectsCode(Network.load(`${path}-changed`), 'ERR_SETNET_FORMAT');
      }
    }));
});
