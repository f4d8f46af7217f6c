import { strict as assert } from 'node:assert';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { guard, toSetnetError } from '../lib/errors';
import { buildInfo, dense, errorCodes, Network, SetnetError, type SetnetErrorCode, sgd, sparse } from '../lib/index';
import {
  type Anything,
  blobs,
  rejectsCode,
  runChildJson,
  smallNetwork,
  throwsCode,
  withFolder,
} from './helpers/helpers';

const data = blobs(100, 10, 4, 1);

type Load = { code: SetnetErrorCode; message: string };

/** Loads the native binary in a process of its own, and what error that gave. */
function load<T = Load>(env: Record<string, string>, script?: string): Promise<T> {
  const errorOf =
    'try { setnet.buildInfo(); console.log("{}") } catch ({ code, message }) { console.log(JSON.stringify({ code, message })) }';
  return runChildJson<T>(script ?? errorOf, { env });
}

describe('63 errors', () => {
  describe('every code can be provoked', () => {
    const net = smallNetwork(10, 4);
    const provoke: Record<SetnetErrorCode, () => unknown> = {
      ERR_SETNET_OPTION: () => sparse({ units: 0 }),
      ERR_SETNET_TYPE: () => (net.predictSync as Anything)('x'),
      ERR_SETNET_SHAPE: () => net.predictSync(new Float32Array(11)),
      ERR_SETNET_DATA: () => net.evaluate({ x: data.x, y: new Uint8Array(100).fill(4) }),
      ERR_SETNET_NONFINITE: () => net.predictSync(new Float32Array(10).fill(Number.NaN)),
      ERR_SETNET_BUFFER: () => net.predictSync(data.x.subarray(0, 10), data.x.subarray(2, 6)),
      ERR_SETNET_FORMAT: () => Network.load(__filename),
      ERR_SETNET_IO: () => Network.load('/no/such/file'),
      ERR_SETNET_STATE: () => net.predictSync(data.x, { output: 'probabilities' }),
      ERR_SETNET_BUSY: async () => {
        const training = net.clone();
        const first = training.fit(data, { epochs: 1e6 });
        try {
          training.fit(data);
        } finally {
          first.stop();
          await first.done;
        }
      },
      ERR_SETNET_RESUME: async () => {
        const copy = net.clone();
        const training = copy.fit(data, { epochs: 5 });
        for await (const _ of training) break;
        await training.done;
        await copy.fit(data, { epochs: 6, resume: true }).done;
      },
      ERR_SETNET_DIVERGED: () => net.clone().fit(data, { epochs: 30, optimizer: sgd({ learningRate: 1e30 }) }).done,
      ERR_SETNET_MEMORY: () => Network.create({ inputs: 2 ** 31, layers: [dense({ units: 2 ** 31 })] }),
      ERR_SETNET_DEVICE: () => Network.create({ inputs: 10, layers: [dense({ units: 2 })], device: 'cuda' }),
      ERR_SETNET_ABORTED: () => {
        const copy = net.clone();
        const { done } = copy.fit(data, { epochs: 1e6 });
        copy.dispose();
        return done;
      },
      ERR_SETNET_INTERNAL: () => guard(() => (undefined as Anything).x),
      ERR_SETNET_LOAD: async () => {
        const { code, message } = await load({ SETNET_BINARY: '/no/such/setnet.node' });
        throw new SetnetError(code, message);
      },
    };
    for (const code of Object.keys(errorCodes) as SetnetErrorCode[]) {
      it(code, () => rejectsCode(Promise.resolve().then(provoke[code]), code, /./));
    }
  });

  describe('files', () => {
    it('paths', async () => {
      const net = smallNetwork(10, 4);
      await rejectsCode((net.save as Anything)(), 'ERR_SETNET_TYPE', /save: path must be a path/);
      await rejectsCode(net.save(''), 'ERR_SETNET_OPTION', /path/);
      await rejectsCode(net.save('a\0b'), 'ERR_SETNET_OPTION', /path/);
      await rejectsCode(net.save(new URL('https://example.org/x')), 'ERR_SETNET_OPTION', /file: URL/);
      await rejectsCode(Network.load('/no/such/file'), 'ERR_SETNET_IO', /\/no\/such\/file/);
      await rejectsCode((Network.load as Anything)('x', { thread: 1 }), 'ERR_SETNET_OPTION', /Did you mean 'threads'/);
      await rejectsCode(Network.load('x', { device: 'cuda' }), 'ERR_SETNET_DEVICE', /CUDA/);
    });

    it('a file that is no model', () =>
      withFolder(async (folder) => {
        writeFileSync(join(folder, 'x'), 'no model at all, but long enough for a length');
        await rejectsCode(Network.load(join(folder, 'x')), 'ERR_SETNET_FORMAT', /./);
      }));
  });

  describe('the native binary', () => {
    it('one that is not there: what was tried, and what to do', async () => {
      const { code, message } = await load({ SETNET_BINARY: '/no/such/setnet.node' });
      assert.equal(code, 'ERR_SETNET_LOAD');
      assert.match(message, /Tried:\n {2}\/no\/such\/setnet\.node: .*\nWhat to do:\n {2}SETNET_BINARY is set/s);
    });

    it('one that is none', () =>
      withFolder(async (folder) => {
        const path = join(folder, 'setnet.node');
        writeFileSync(path, 'no binary');
        const { code, message } = await load({ SETNET_BINARY: path });
        assert.equal(code, 'ERR_SETNET_LOAD');
        assert.match(message, /invalid ELF header|file too short|not a mach-o|not a valid Win32/);
      }));

    it('a copy elsewhere loads, and buildInfo says which it is', () =>
      withFolder(async (folder) => {
        const path = join(folder, 'copy.node');
        copyFileSync(buildInfo().binary, path);
        const binary = await load<string>(
          { SETNET_BINARY: path },
          'console.log(JSON.stringify(setnet.buildInfo().binary))',
        );
        assert.equal(binary, path);
      }));

    it('without any: every attempt is listed, and importing still works', async () => {
      const { code, message } = await load({ PREBUILDS_ONLY: '1' });
      if (code === undefined) return; // there are prebuilds here
      assert.equal(code, 'ERR_SETNET_LOAD');
      assert.match(message, /prebuilds.*What to do/s);
    });

    it('SETNET_THREADS that is no number', async () => {
      for (const threads of ['0', 'many', '1.5', '-2', '5000']) {
        const { code, message } = await load({ SETNET_THREADS: threads });
        assert.equal(code, 'ERR_SETNET_OPTION');
        assert.match(message, /SETNET_THREADS must be an integer from 1 to 1024/);
      }
    });

    it('an instruction set that is not there', async () => {
      const { code, message } = await load({ SETNET_FORCE_ISA: 'mmx' });
      assert.match(code, /ERR_SETNET_(DEVICE|OPTION)/);
      assert.match(message, /mmx/);
    });
  });

  it('a SetnetError is an Error with code, name, message and stack', () => {
    const error = new SetnetError('ERR_SETNET_SHAPE', 'text', { cause: 1 });
    assert.ok(error instanceof Error);
    assert.deepEqual(
      [error.code, error.name, error.message, error.cause],
      ['ERR_SETNET_SHAPE', 'SetnetError', 'text', 1],
    );
    assert.match(error.stack as string, /^SetnetError: text\n/);
    assert.deepEqual(Object.keys(error), ['code']);
  });

  it('an error of native code that nobody foresaw is ERR_SETNET_INTERNAL, with its cause', () => {
    const cause = new TypeError('strange');
    throwsCode(
      () =>
        guard(() => {
          throw cause;
        }),
      'ERR_SETNET_INTERNAL',
      /strange/,
    );
    assert.equal(toSetnetError(cause).cause, cause);
    assert.equal(toSetnetError(new Error('std::bad_alloc')).code, 'ERR_SETNET_MEMORY');
    assert.equal(toSetnetError(undefined).code, 'ERR_SETNET_INTERNAL');
  });
});
