import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import * as setnet from '../lib/index';
import { native } from '../lib/loader';
import { root, runChild, runChildJson } from './helpers/helpers';

describe('00 setup', () => {
  it('says which binary, instruction set and number of threads are tested', () => {
    const info = setnet.buildInfo();
    console.log(`      ${info.binary}`);
    console.log(`      ${info.compiler}, ${info.instructionSet} of ${JSON.stringify(info.instructionSets)}`);
    console.log(`      ${info.threads} threads, Node.js ${info.node}, setnet ${info.version}`);
    assert.equal(info.platform, process.platform);
    assert.equal(info.architecture, process.arch);
    assert.equal(info.napi, 8);
    assert.equal(info.version, require(`${root}/package.json`).version);
    assert.ok(info.instructionSets.some(({ name, available }) => name === info.instructionSet && available));
  });

  it('uses the best instruction set the processor has, unless one is forced', () => {
    const { instructionSet, instructionSets } = setnet.buildInfo();
    const best = instructionSets.find(({ available }) => available)?.name;
    assert.equal(instructionSet, process.env.SETNET_FORCE_ISA || best);
  });

  it('uses a forced instruction set and says so', async () => {
    for (const { name, available } of setnet.buildInfo().instructionSets) {
      if (!available) continue;
      const forced = await runChildJson('console.log(JSON.stringify(setnet.buildInfo().instructionSet))', {
        env: { SETNET_FORCE_ISA: name },
      });
      assert.equal(forced, name);
    }
  });

  it('SETNET_THREADS sets the number of threads', async () => {
    const script = 'console.log(JSON.stringify([setnet.buildInfo().threads, setnet.devices()[0].threads]))';
    assert.deepEqual(await runChildJson(script, { env: { SETNET_THREADS: '3' } }), [3, 3]);
  });

  it('import and require give the same classes', () => {
    const script = `
      import * as esm from 'setnet';
      import { createRequire } from 'node:module';
      const cjs = createRequire(import.meta.url)('setnet');
      const names = Object.keys(cjs).sort();
      const same = names.every((name) => cjs[name] === esm[name]);
      const caught = [];
      try { cjs.sparse({ unit: 3 }); } catch (error) { caught.push(error instanceof esm.SetnetError, error.code); }
      console.log(JSON.stringify({ same, equalNames: names.join() === Object.keys(esm).sort().join(), caught }));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      encoding: 'utf8',
    });
    assert.notEqual(stdout, '', stderr);
    assert.deepEqual(JSON.parse(stdout), { same: true, equalNames: true, caught: [true, 'ERR_SETNET_OPTION'] });
  });

  it('has the named exports of the design and no default one', () => {
    const names = [
      'Network',
      'Session',
      'Training',
      'CsrMatrix',
      'LayerView',
      'SetnetError',
      'SparseLayer',
      'errorCodes',
      'devices',
      'buildInfo',
      'writeReport',
    ];
    const factories = [
      'sparse',
      'masked',
      'presets',
      'sampleOrder',
      'dense',
      'set',
      'sgd',
      'adam',
      'adamw',
      'constant',
      'cosine',
      'linear',
      'exponential',
      'step',
    ];
    const files = ['readTable', 'readNpy', 'writeNpy', 'readNpz', 'readCsrNpz'];
    const others = ['holdOut'];
    assert.deepEqual(Object.keys(setnet).sort(), [...names, ...factories, ...files, ...others].sort());
  });

  it('importing loads neither the native binary nor a package', async () => {
    const script =
      'console.log(JSON.stringify(Object.keys(require.cache).filter((path) => /\\.node$|node_modules/.test(path))))';
    assert.deepEqual(await runChildJson(script), []);
  });

  it('a process that used everything ends by itself', async () => {
    const { code, stderr } = await runChild(`
      (async () => {
        const { x, y } = helpers.blobs(200, 8, 3, 1);
        const net = await setnet.Network.create(helpers.smallOptions(8, 3));
        await net.fit({ x, y }, { epochs: 2 }).done;
        await net.predict(x);
        await net.evaluate({ x, y });
      })();`);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  });

  it('devices() lists the cpu, and cuda with the reason why it cannot be used', () => {
    const [cpu, cuda] = setnet.devices();
    assert.equal(cpu?.id, 'cpu');
    assert.equal(cpu?.available, true);
    assert.equal(cuda?.id, 'cuda');
    assert.equal(cuda?.available, false);
    assert.match(cuda?.reason ?? '', /CUDA/);
  });

  it('every code of native code is documented', () => {
    for (const code of native().codes()) assert.ok(Object.hasOwn(setnet.errorCodes, `ERR_SETNET_${code}`), code);
  });
});
