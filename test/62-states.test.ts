import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { Network, Session, SetnetError, Training } from '../lib/index';
import {
  type Anything,
  blobs,
  digestOf,
  rejectsCode,
  runChildJson,
  smallNetwork,
  throwsCode,
  withFolder,
} from './helpers/helpers';

const data = blobs(100, 10, 4, 1);

type State = 'idle' | 'fitting' | 'disposed';
type Outcome = 'works' | 'ERR_SETNET_BUSY' | 'ERR_SETNET_STATE';

/** Every method and property of Network and of its layers, against every state. docs/api.md says the same in words. */
const needsNetwork: Record<State, Outcome> = { idle: 'works', fitting: 'works', disposed: 'ERR_SETNET_STATE' };
const always: Record<State, Outcome> = { idle: 'works', fitting: 'works', disposed: 'works' };

const methods: Record<string, [call: (net: Network, path: string) => unknown, outcomes: Record<State, Outcome>]> = {
  fit: [
    (net) => {
      const training = net.fit(data, { epochs: 1 });
      return training.done;
    },
    { idle: 'works', fitting: 'ERR_SETNET_BUSY', disposed: 'ERR_SETNET_STATE' },
  ],
  evaluate: [(net) => net.evaluate(data), needsNetwork],
  evolve: [(net) => net.evolve(), { idle: 'works', fitting: 'ERR_SETNET_BUSY', disposed: 'ERR_SETNET_STATE' }],
  finalize: [
    (net) => net.finalize({ again: true }),
    { idle: 'works', fitting: 'ERR_SETNET_BUSY', disposed: 'ERR_SETNET_STATE' },
  ],
  predict: [(net) => net.predict(data.x), needsNetwork],
  predictSync: [(net) => net.predictSync(data.x), needsNetwork],
  save: [(net, path) => net.save(path), needsNetwork],
  report: [(net, path) => net.report(path), needsNetwork],
  freeze: [async (net) => (await net.freeze()).close(), needsNetwork],
  clone: [(net) => net.clone().dispose(), needsNetwork],
  summary: [(net) => net.summary(), needsNetwork],
  connections: [(net) => net.connections, needsNetwork],
  loss: [(net) => net.loss, needsNetwork],
  'layers[0].weights': [(net) => net.layers[0]?.weights.toDense(), needsNetwork],
  'layers[0].bias': [(net) => net.layers[0]?.bias, needsNetwork],
  'layers[0].activationParameters': [(net) => net.layers[0]?.activationParameters, needsNetwork],
  'layers[0].connections': [(net) => net.layers[0]?.connections, needsNetwork],
  'layers[0].density': [(net) => net.layers[0]?.density, needsNetwork],
  'layers[0].inputs': [(net) => net.layers[0]?.inputs, needsNetwork],
  'layers[0].units': [(net) => net.layers[0]?.units, needsNetwork],
  'layers[0].evolved': [(net) => net.layers[0]?.evolved, needsNetwork],
  'layers[0].inDegree': [(net) => net.layers[0]?.inDegree(), needsNetwork],
  'layers[0].outDegree': [(net) => net.layers[0]?.outDegree(), needsNetwork],
  'layers[0].index': [(net) => net.layers[0]?.index, always],
  'layers[0].kind': [(net) => net.layers[0]?.kind, always],
  'layers[0].activation': [(net) => net.layers[0]?.activation, always],
  'layers[0].dropout': [(net) => net.layers[0]?.dropout, always],
  layers: [(net) => net.layers.length, always],
  inputs: [(net) => net.inputs, always],
  outputs: [(net) => net.outputs, always],
  classes: [(net) => net.classes, always],
  features: [(net) => net.features, always],
  missing: [(net) => net.missing, always],
  seed: [(net) => net.seed, always],
  isFitting: [(net) => net.isFitting, always],
  isDisposed: [(net) => net.isDisposed, always],
  dispose: [(net) => net.clone === undefined, always],
};

/** The same of Session: what works while it is open, and once it is closed. */
const sessionMethods: Record<string, [call: (session: Session) => unknown, closed: Outcome]> = {
  predict: [(session) => session.predict(data.x), 'ERR_SETNET_STATE'],
  predictSync: [(session) => session.predictSync(data.x), 'ERR_SETNET_STATE'],
  inputs: [(session) => session.inputs, 'works'],
  outputs: [(session) => session.outputs, 'works'],
  classes: [(session) => session.classes, 'works'],
  features: [(session) => session.features, 'works'],
  connections: [(session) => session.connections, 'works'],
  isClosed: [(session) => session.isClosed, 'works'],
  close: [(session) => session.close(), 'works'],
};

describe('62 states', () => {
  it('the table has every member of Network and of its layers', () => {
    const members = (prototype: object) =>
      Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor');
    const layer = smallNetwork(10, 4).layers[0] as object;
    const expected = [
      ...members(Network.prototype),
      ...[...Object.keys(layer), ...members(Object.getPrototypeOf(layer))].map((name) => `layers[0].${name}`),
    ];
    assert.deepEqual(Object.keys(methods).sort(), expected.sort());
  });

  for (const state of ['idle', 'fitting', 'disposed'] as const) {
    it(`${state}: every method does what the table says`, () =>
      withFolder(async (folder) => {
        const net = smallNetwork(10, 4);
        const training = state === 'fitting' ? net.fit(data, { epochs: 1e6 }) : undefined;
        if (state === 'disposed') net.dispose();
        for (const [name, [call, outcomes]] of Object.entries(methods)) {
          let outcome: string = 'works';
          try {
            await call(net, join(folder, 'net'));
          } catch (error) {
            assert.ok(error instanceof SetnetError, `${name}: ${(error as Error).stack}`);
            outcome = error.code;
          }
          assert.equal(outcome, outcomes[state], `${name} while ${state}`);
        }
        training?.stop();
        await training?.done;
      }));
  }

  it('a session, open and closed: every method does what the table says', async () => {
    const members = Object.getOwnPropertyNames(Session.prototype).filter((name) => name !== 'constructor');
    assert.deepEqual(Object.keys(sessionMethods).sort(), members.sort());
    const session = await smallNetwork(10, 4).freeze();
    for (const isClosed of [false, true]) {
      for (const [name, [call, closed]] of Object.entries(sessionMethods)) {
        let outcome: string = 'works';
        try {
          await call(session);
        } catch (error) {
          assert.ok(error instanceof SetnetError, `${name}: ${(error as Error).stack}`);
          outcome = error.code;
        }
        assert.equal(outcome, isClosed ? closed : 'works', `${name}, ${isClosed ? 'closed' : 'open'}`);
      }
    }
  });

  it('environment ending: every method works or says what is wrong, and nothing crashes', async () => {
    const script = `
      const { x, y } = helpers.blobs(100, 10, 4, 1);
      const [fitting, idle, disposed] = [1, 2, 3].map(() => helpers.smallNetwork(10, 4));
      fitting.fit({ x, y }, { epochs: 1e6 }).done.catch(() => {});
      disposed.dispose();
      process.on('exit', () => {
        const outcomes = [];
        for (const net of [fitting, idle, disposed]) {
          for (const call of [
            () => net.predictSync(x), () => net.summary(), () => net.clone(), () => net.connections,
            () => net.layers[0].weights.toDense(), () => net.fit({ x, y }), () => net.dispose(),
          ]) {
            try { call(); outcomes.push('works'); } catch (error) { outcomes.push(error.code); }
          }
          for (const call of [() => net.predict(x), () => net.evaluate({ x, y }), () => net.save('/no/such/folder/x')]) {
            call().catch(() => {});
          }
        }
        console.log(JSON.stringify(outcomes));
      });
      setTimeout(() => process.exit(0), 50);`;
    const [busy, gone] = ['ERR_SETNET_BUSY', 'ERR_SETNET_STATE'];
    const works = new Array(5).fill('works');
    assert.deepEqual(await runChildJson(script), [
      ...[...works, busy, 'works'],
      ...[...works, 'works', 'works'],
      ...[...new Array(5).fill(gone), gone, 'works'],
    ]);
  });

  it('what began before dispose is finished', async () => {
    const net = smallNetwork(10, 4);
    const expected = net.predictSync(data.x);
    const [answer, evaluation] = [net.predict(data.x), net.evaluate(data)];
    net.dispose();
    assert.deepEqual(await answer, expected);
    assert.equal((await evaluation).samples, 100);
  });

  it('a weights matrix outlives its network', () => {
    const net = smallNetwork(10, 4);
    const weights = net.layers[0]?.weights;
    const before = weights?.values;
    net.dispose();
    assert.deepEqual(weights?.values, before);
  });

  it('a network whose scaling is to be learned cannot predict before the first fit', async () => {
    const net = smallNetwork(10, 4, { scaling: 'perFeature' });
    throwsCode(() => net.predictSync(data.x), 'ERR_SETNET_STATE', /scaling/);
    await rejectsCode(net.predict(data.x), 'ERR_SETNET_STATE', /scaling/);
    await rejectsCode(net.evaluate(data), 'ERR_SETNET_STATE', /scaling/);
    await net.fit(data, { epochs: 1 }).done;
    net.predictSync(data.x);
  });

  it('a failed call leaves the network as it was', async () => {
    const net = smallNetwork(10, 4);
    const before = digestOf(net);
    const x = data.x.slice();
    x[5] = Number.NaN;
    throwsCode(() => net.fit({ x: data.x, y: [] }), 'ERR_SETNET_SHAPE');
    throwsCode(() => net.fit(data, { epochs: 0 }), 'ERR_SETNET_OPTION');
    throwsCode(() => net.predictSync(x), 'ERR_SETNET_NONFINITE');
    await rejectsCode(net.fit({ x, y: data.y }, { epochs: 1, batchSize: 100 }).done, 'ERR_SETNET_NONFINITE');
    await rejectsCode(net.save('/no/such/folder/x'), 'ERR_SETNET_IO');
    assert.equal(digestOf(net), before);
    assert.equal(net.isFitting, false);
  });

  it('objects are made by their factories only, and a wrong this is refused', () => {
    for (const Class of [Network, Training] as Anything[])
      throwsCode(() => new Class(), 'ERR_SETNET_TYPE', /is made by/);
    const { predictSync, fit } = Network.prototype as Anything;
    assert.throws(() => predictSync.call({}, data.x), TypeError);
    assert.throws(() => fit.call(smallNetwork(10, 4).layers[0], data), TypeError);
  });

  it('V8 knows how much memory a network has: what is not held any more goes without being asked @memory', async () => {
    // 100 networks of 6 MB, and a look at each one's weights: 1.2 GB in all.
    const script = `
      (async () => {
        for (let i = 0; i < 100; i++) {
          const layers = [setnet.sparse({ units: 1000, density: 0.5 }), setnet.dense({ units: 500 })];
          setnet.Network.createSync({ inputs: 1000, seed: i, layers }).layers[0].weights;
          await new Promise(setImmediate);
        }
        const { networks } = require(helpers.root + '/dist/loader.js').native().counters();
        console.log(JSON.stringify([process.resourceUsage().maxRSS / 1000, networks]));
      })();`;
    const [peak, networks] = await runChildJson<[number, number]>(script);
    assert.ok(peak < 500, `${peak} MB`);
    assert.ok(networks < 60, `${networks} networks are alive`);
  });
});
