import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  adam,
  adamw,
  dense,
  masked,
  Network,
  type NetworkOptions,
  type Optimizer,
  SetnetError,
  set,
  sgd,
  sparse,
} from '../lib/index';
import {
  assertSameBits,
  blobs,
  digestOf,
  entry,
  metadataOf,
  randomFeatures,
  randomSource,
  rejectsCode,
  smallNetwork,
  withFolder,
} from './helpers/helpers';

const data = blobs(300, 10, 4, 1);

async function fitted(options: Partial<NetworkOptions> = {}): Promise<Network> {
  const net = smallNetwork(10, 4, options);
  await net.fit(data, { epochs: 3, optimizer: sgd({ nesterov: true }), evolution: set({ newWeights: 'initializer' }) })
    .done;
  return net;
}

describe('40 save and load', () => {
  it('a loaded network predicts the same bits and is the same network', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'net.safetensors');
      const makes: Promise<Network>[] = [
        fitted(),
        fitted({ scaling: 'perFeature', missing: Number.NaN, classes: ['a', 'b', 'c', 'd'] }),
        fitted({ scaling: 'global', seed: 2n ** 64n - 1n }),
        fitted({ scaling: { mean: 0.25, scale: 2 }, features: Array.from({ length: 10 }, (_, i) => `f${i}`) }),
        fitted({
          layers: [
            masked({ units: 30, epsilon: 3.7, bias: false, zeta: 0.2 }),
            sparse({
              units: 20,
              density: 0.3,
              draw: 'bernoulli',
              evolve: false,
              initializer: { kind: 'normal', sigma: 0.1 },
            }),
            dense({ units: 4, activation: 'relu', initializer: 'xavierNormal' }),
          ],
        }),
        fitted({
          layers: [
            sparse({ units: 30, epsilon: 3, activation: 'srelu', dropout: 0.2 }),
            masked({ units: 20, epsilon: 3, activation: { kind: 'srelu' } }),
            dense({ units: 4, activation: 'srelu' }),
          ],
        }),
        Promise.resolve(smallNetwork(10, 4)),
        Promise.resolve(smallNetwork(10, 1, { scaling: 'perFeature', missing: -0, layers: [dense({ units: 1 })] })),
      ];
      for (const net of await Promise.all(makes)) {
        await net.save(path);
        const loaded = await Network.load(path, { threads: 1 });
        assert.equal(digestOf(loaded), digestOf(net));
        assert.deepEqual(
          [loaded.inputs, loaded.outputs, loaded.classes, loaded.features, loaded.seed],
          [net.inputs, net.outputs, net.classes, net.features, net.seed],
        );
        assert.equal(loaded.summary(), net.summary());
        if (net.outputs > 1) {
          const x = randomFeatures(33, 10, 5);
          assertSameBits(loaded.predictSync(x), net.predictSync(x));
          assertSameBits(await loaded.predict(x, { output: 'logits' }), net.predictSync(x, { output: 'logits' }));
        }
        const again = join(folder, 'again.safetensors');
        await loaded.save(again);
        assert.ok(readFileSync(again).equals(readFileSync(path)), 'saved again, the bytes are the same');
      }
    }));

  it('equal runs give equal bytes, whatever the threads', () =>
    withFolder(async (folder) => {
      const paths = [1, 2, 3].map((threads) => join(folder, `${threads}`));
      for (const [i, path] of paths.entries()) await (await fitted({ threads: i + 1 })).save(path);
      const [first, ...others] = paths.map((path) => readFileSync(path));
      for (const other of others) assert.ok(other.equals(first as Buffer));
    }));

  it('a loaded network trains on as the saved one does', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'net');
      const net = await fitted();
      await net.save(path);
      const loaded = await Network.load(path);
      await Promise.all([net, loaded].map((network) => network.fit(data, { epochs: 2 }).done));
      assert.equal(digestOf(loaded), digestOf(net));
      await net.save(path);
      await loaded.save(`${path}2`);
      assert.ok(readFileSync(path).equals(readFileSync(`${path}2`)));
    }));

  it('the file is safetensors: a padded header, tensors by name, nothing of time, host or threads', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'net');
      const net = await fitted({ scaling: 'perFeature' });
      await net.save(path);
      const bytes = readFileSync(path);
      const length = Number(bytes.readBigUInt64LE(0));
      assert.equal((8 + length) % 64, 0);
      const { __metadata__, ...tensors } = JSON.parse(bytes.subarray(8, 8 + length).toString('utf8'));
      const layer = net.layers[0];
      assert.deepEqual(tensors['layers.0.weights'].shape, [layer?.connections]);
      const [begin, end] = tensors['layers.0.weights'].data_offsets;
      assert.ok(
        bytes
          .subarray(8 + length + begin, 8 + length + end)
          .equals(Buffer.from(layer?.weights.values.buffer as ArrayBuffer)),
      );
      assert.deepEqual(tensors['layers.2.weights'].shape, [4, 24]);
      assert.deepEqual(tensors['scaling.mean'].shape, [10]);
      const metadata = JSON.parse(__metadata__.setnet);
      assert.equal(metadata.format, 1);
      assert.equal(metadata.definition.seed, '42');
      assert.equal(metadata.counters.epoch, '3');
      assert.equal(metadata.run.fits.length, 1);
      assert.equal(metadata.run.fits[0].options.optimizer.nesterov, 1);
      assert.doesNotMatch(JSON.stringify(metadata), /threads|path|host|time"|avx/);
    }));

  it('the run record names the optimizer with all of its options, and is read back', () =>
    withFolder(async (folder) => {
      const records: [Optimizer, object][] = [
        [sgd({ decay: 'unscaled' }), { kind: 'sgd', momentum: 0.9, decay: 'unscaled', decayBias: 1 }],
        [sgd({ decay: 'unscaled', decayBias: false }), { kind: 'sgd', decay: 'unscaled', decayBias: 0 }],
        [sgd(), { kind: 'sgd', decay: 'gradient', decayBias: 0 }],
        [adam({ beta1: 0.5 }), { kind: 'adam', beta1: 0.5, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }],
        [adamw(), { kind: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, decayBias: 0 }],
      ];
      for (const [optimizer, expected] of records) {
        const path = join(folder, 'net');
        const net = smallNetwork(10, 4);
        await net.fit(data, { epochs: 2, optimizer }).done;
        await net.save(path);
        const bytes = readFileSync(path);
        const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString('utf8'));
        const record = JSON.parse(header.__metadata__.setnet).run.fits[0].options.optimizer;
        assert.deepEqual({ ...record, ...expected }, record);
        // Moments are not part of a model: loaded, it is the same network and the same file.
        const loaded = await Network.load(path);
        assert.equal(digestOf(loaded), digestOf(net));
        await loaded.save(`${path}2`);
        assert.ok(readFileSync(`${path}2`).equals(bytes));
      }
    }));

  it('the run record counts equal fits once, and holds both sizes of the network', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'net');
      const net = smallNetwork(10, 4);
      const before = net.connections;
      for (let i = 0; i < 3; i++) await net.fit(data, { epochs: 1, evolution: null }).done;
      const { connections } = await net.fit(data, { epochs: 2 }).done;
      await net.save(path);
      const { run } = metadataOf(path);
      assert.deepEqual(
        run.fits.map(({ times }: { times: number }) => times),
        [3, 1],
      );
      assert.equal(run.trainedConnections, before);
      assert.match(
        (await Network.load(path)).summary(),
        new RegExp(`${before} while training, ${connections.final} after`),
      );
    }));

  it('saves the state at the call while a fit goes on', () =>
    withFolder(async (folder) => {
      const net = smallNetwork(10, 4);
      const digests: string[] = [];
      const saves: Promise<void>[] = [];
      for await (const { epoch } of net.fit(data, { epochs: 8 })) {
        digests.push(digestOf(net));
        saves.push(net.save(join(folder, `${epoch}`)));
      }
      await Promise.all(saves);
      for (const [i, digest] of digests.entries()) {
        const loaded = await Network.load(join(folder, `${i + 1}`));
        assert.equal(digestOf(loaded), digest, `epoch ${i + 1}`);
        assert.equal(metadataOf(join(folder, `${i + 1}`)).counters.epoch, `${i + 1}`);
      }
    }));

  it('saving at any time during a fit gives a file that loads', () =>
    withFolder(async (folder) => {
      const net = smallNetwork(10, 4);
      const training = net.fit(data, { epochs: 100_000 });
      for (let i = 0; i < 25; i++) {
        await net.save(join(folder, 'net'));
        (await Network.load(join(folder, 'net'))).dispose();
      }
      training.stop();
      await training.done;
    }));

  it('writes through a symbolic link, keeps the mode, leaves nothing else', () =>
    withFolder(async (folder) => {
      const target = join(folder, 'target');
      const link = join(folder, 'deep', 'link');
      mkdirSync(join(folder, 'deep'));
      symlinkSync('../target', link);
      const net = smallNetwork(10, 4);
      await net.save(link);
      assert.ok(lstatSync(link).isSymbolicLink());
      assert.equal(digestOf(await Network.load(target)), digestOf(net));
      const before = statSync(target).ino;
      await net.save(pathToFileURL(link));
      assert.notEqual(statSync(target).ino, before, 'a new file took the place');
      assert.deepEqual(readdirSync(folder).sort(), ['deep', 'target']);
      assert.deepEqual(readdirSync(join(folder, 'deep')), ['link']);
    }));

  it('many saves to one path at once leave one whole file', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'net');
      const nets = Array.from({ length: 8 }, (_, seed) => smallNetwork(10, 4, { seed }));
      await Promise.all(nets.map((net) => net.save(path)));
      const digest = digestOf(await Network.load(path));
      assert.ok(nets.some((net) => digestOf(net) === digest));
      assert.deepEqual(readdirSync(folder), ['net']);
    }));

  it('what cannot be written is ERR_SETNET_IO, and the old file is unharmed', () =>
    withFolder(async (folder) => {
      const net = smallNetwork(10, 4);
      await rejectsCode(net.save(join(folder, 'no', 'such', 'folder')), 'ERR_SETNET_IO', /no such file/);
      await rejectsCode(net.save(folder), 'ERR_SETNET_IO');
      if (process.getuid?.() !== 0) {
        const path = join(folder, 'net');
        await net.save(path);
        const bytes = readFileSync(path);
        chmodSync(folder, 0o500);
        await rejectsCode(net.save(path), 'ERR_SETNET_IO');
        chmodSync(folder, 0o700);
        assert.ok(readFileSync(path).equals(bytes));
      }
    }));

  it('refuses 1,000 mutated and truncated files with a code', async function () {
    this.timeout(120_000);
    await withFolder(async (folder) => {
      const path = join(folder, 'net');
      await (await fitted({ scaling: 'perFeature', classes: ['a', 'b', 'c', 'd'] })).save(path);
      const original = readFileSync(path);
      const headerLength = 8 + Number(original.readBigUInt64LE(0));
      const random = randomSource(99);
      const integer = (limit: number) => Math.floor(random() * limit);
      const codes = new Map<string, number>();
      const mutate = (i: number): Buffer => {
        const kind = i % 5;
        if (kind === 0) return original.subarray(0, integer(original.length));
        if (kind === 1) return Buffer.concat([original, Buffer.alloc(1 + integer(100))]);
        const changed = Buffer.from(original);
        // Half of the changes in the header, where they can do most; the length itself among them.
        const within = kind === 2 ? 8 : kind === 3 ? headerLength : original.length;
        for (let n = 0; n <= integer(3); n++) {
          const at = integer(within);
          changed[at] = (changed[at] as number) ^ (1 + integer(255));
        }
        return changed;
      };
      const mutated = `${path}-mutated`;
      for (let i = 0; i < 1000; i++) {
        const bytes = mutate(i);
        if (bytes.equals(original)) continue;
        writeFileSync(mutated, bytes);
        const error = await Network.load(mutated).then(
          () => assert.fail(`mutation ${i} was loaded`),
          (error: unknown) => error,
        );
        assert.ok(error instanceof SetnetError, `mutation ${i}: ${error}`);
        codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
      }
      assert.deepEqual([...codes.keys()], ['ERR_SETNET_FORMAT']);
    });
  });

  it('a file that is no model, or not there, is refused with a code', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'file');
      await rejectsCode(Network.load(path), 'ERR_SETNET_IO', /no such file/);
      await rejectsCode(Network.load(folder), 'ERR_SETNET_IO');
      for (const bytes of ['', '{}', 'x'.repeat(1000), '\0'.repeat(4096)]) {
        writeFileSync(path, bytes);
        await rejectsCode(Network.load(path), 'ERR_SETNET_FORMAT');
      }
      const header = '{"__metadata__":{"other":"1"}}'.padEnd(56);
      writeFileSync(path, Buffer.concat([Buffer.from([56, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(header)]));
      await rejectsCode(Network.load(path), 'ERR_SETNET_FORMAT');
    }));

  it('200 kills during saves over a file: each leaves the old one or the new one, and a folder that saves again @slow', async function () {
    this.timeout(120_000);
    await withFolder(async (folder) => {
      const random = randomSource(5);
      const make = (seed: number) => Network.createSync({ inputs: 300, seed, layers: [dense({ units: 400 })] });
      const nets = [make(1), make(2)] as const;
      const digests = nets.map(digestOf);
      await nets[0].save(join(folder, 'old'));
      const script = `
        const { Network, dense } = require(${JSON.stringify(entry)});
        const nets = [1, 2].map((seed) => Network.createSync({ inputs: 300, seed, layers: [dense({ units: 400 })] }));
        (async () => {
          for (let i = 1; ; i++) {
            const saved = nets[i % 2].save(process.argv[1]);
            if (i === 1) process.stdout.write('saving');
            await saved;
          }
        })();`;
      const seen = new Set<string>();
      let halves = 0;
      /** A child saves over and over, and is killed at some moment. */
      const kill = async (round: number): Promise<void> => {
        const own = join(folder, `${round}`);
        const path = join(own, 'net');
        mkdirSync(own);
        copyFileSync(join(folder, 'old'), path);
        const child = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
        const closed = new Promise((resolve) => child.on('close', (_, signal) => resolve(signal)));
        await new Promise((resolve) => child.stdout.once('data', resolve));
        await new Promise((resolve) => setTimeout(resolve, 30 * random() ** 2));
        child.kill('SIGKILL');
        assert.equal(await closed, 'SIGKILL');
        const digest = digestOf(await Network.load(path));
        assert.ok(digests.includes(digest), `kill ${round}`);
        seen.add(digest);
        // What was being written when it was killed lies beside the file and is in nobody's way.
        if (readdirSync(own).length > 1) halves++;
        if (round % 8 === 0) {
          const last = digest === digests[0] ? 1 : 0;
          await nets[last].save(path);
          assert.equal(digestOf(await Network.load(path)), digests[last]);
        }
        rmSync(own, { recursive: true });
      };
      // A process can be killed only once; several are there at once.
      let round = 0;
      const lane = async (): Promise<void> => {
        while (round < 200) await kill(round++);
      };
      await Promise.all(Array.from({ length: 6 }, lane));
      assert.equal(seen.size, 2, 'the old one and the new one');
      assert.ok(halves > 40, `${halves} of 200 kills came while a file was being written`);
    });
  });
});
