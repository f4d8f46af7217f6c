import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Network } from '../lib/index';
import { native } from '../lib/loader';
import type { NativeNetwork } from '../lib/native';
import { type Anything, blobs, digestOf, metadataOf, rejectsCode, smallNetwork } from './helpers/helpers';

// A mutated file fails its checksum before anybody looks at what it says. Here the checksums are right and the contents lie:
// native code writes whatever metadata it is given.
describe('41 metadata that lie, with a right checksum', () => {
  const folder = mkdtempSync(join(tmpdir(), 'setnet-test-'));
  const path = join(folder, 'net');
  let net: Network;
  let writer: NativeNetwork;
  let metadata: Anything;

  before(async () => {
    net = smallNetwork(10, 4, { scaling: 'perFeature', classes: ['a', 'b', 'c', 'd'] });
    await net.fit(blobs(300, 10, 4, 1), { epochs: 3 }).done;
    await net.save(path);
    metadata = metadataOf(path);
    const layers = net.layers.map(({ kind, units, activation }) => ({
      kind,
      units,
      ...(kind === 'sparse' ? { density: 0.4 } : {}),
      draw: 'exact' as const,
      activation: { name: activation, parameters: {} },
      initializer: { name: 'heUniform', parameters: {} },
      dropout: 0,
      bias: true,
      evolve: kind === 'sparse',
    }));
    const counters = { step: 9n, epoch: 3n, evolution: 2n };
    const state = { ...counters, loss: 'softmaxCrossEntropy', finalised: true, scalingKnown: true };
    const file = await native().readModelFile(path);
    const spec = { inputs: 10, seed: 42n, layers, scaling: { kind: 'perFeature' as const }, threads: 1 };
    writer = await file.network(spec, state, null, metadata.run.topologyDigest);
  });

  after(() => rmSync(folder, { recursive: true }));

  /** Loads a file that says what `change` made of the metadata: a text, an object, or undefined for the changed copy. */
  async function load(change: (copy: Anything) => unknown): Promise<Network> {
    const copy = structuredClone(metadata);
    const changed = change(copy) ?? copy;
    await writer.save(`${path}-lie`, typeof changed === 'string' ? changed : JSON.stringify(changed));
    return Network.load(`${path}-lie`);
  }

  it('unchanged, the file loads', async () => {
    assert.equal(digestOf(await load(() => undefined)), digestOf(net));
  });

  const set = (at: (copy: Anything) => Anything, change: object) => (copy: Anything) =>
    void Object.assign(at(copy), change);
  const definition = ({ definition }: Anything) => definition;
  const layer = (index: number) => (copy: Anything) => copy.definition.layers[index];
  const given = (connections: unknown) => (copy: Anything) => {
    const { density, draw, ...rest } = copy.definition.layers[0];
    copy.definition.layers[0] = { ...rest, connections };
  };
  const run = ({ run }: Anything) => run;
  const counters = ({ counters }: Anything) => counters;
  const firstFit = ({ run }: Anything) => run.fits[0].options;
  const rules = { activation: { kind: 'relu' }, initializer: { kind: 'heUniform' } };
  const denseLayer = { kind: 'dense', units: 32, ...rules, dropout: 0.1, bias: true };

  // biome-ignore format: one lie per line
  const lies: [string, (copy: Anything) => unknown, RegExp][] = [
    ['not JSON', () => '{"format":1', /not JSON/],
    ['null', () => 'null', /format is undefined/],
    ['another format', (m) => ({ ...m, format: 2 }), /format is 2; this version of setnet reads format 1/],
    ['a field that is not known', (m) => ({ ...m, more: 1 }), /unknown option "more"/],
    ['no definition', ({ definition, ...m }) => m, /definition/],
    ['inputs 0', set(definition, { inputs: 0 }), /definition\.inputs/],
    ['one input more', set(definition, { inputs: 11 }), /scaling\.mean|layers\.0/],
    ['inputs as a text', set(definition, { inputs: '10' }), /definition\.inputs/],
    ['a seed as a number', set(definition, { seed: 42 }), /definition\.seed/],
    ['a seed of 65 bits', set(definition, { seed: '18446744073709551616' }), /definition\.seed/],
    ['a signed seed', set(definition, { seed: '-1' }), /definition\.seed/],
    ['no layers', set(definition, { layers: [] }), /definition\.layers/],
    ['a layer less', (m) => void m.definition.layers.pop(), /classes/],
    ['a layer more', (m) => void m.definition.layers.push(m.definition.layers[2]), /layers\.3|classes/],
    ['another kind', set((m) => m.definition.layers, [denseLayer]), /layers\.0/],
    ['an unknown kind', set(layer(0), { kind: 'conv' }), /definition\.layers\[0\]\.kind/],
    ['a unit more', set(layer(0), { units: 33 }), /layers\.0/],
    ['a number of units that memory could not hold', set(layer(1), { units: 2 ** 32 - 1 }), /layers\.1/],
    ['half a unit', set(layer(0), { units: 1.5 }), /definition\.layers\[0\]\.units/],
    ['an unknown activation', set(layer(0), { activation: 'swish' }), /definition\.layers\[0\]\.activation/],
    ['dropout 1', set(layer(0), { dropout: 1 }), /definition\.layers\[0\]\.dropout/],
    ['no bias', set(layer(0), { bias: false }), /layers\.0|bias/],
    ['a default left out', (m) => void delete m.definition.layers[0].draw, /definition\.layers\[0\]\.draw is missing/],
    ['connections beside density', set(layer(0), { connections: 5 }), /layers\[0\] has both connections and density/],
    ['connections that are no number', given('5'), /layers\[0\]\.connections/],
    ['half a connection', given(1.5), /layers\[0\]\.connections/],
    ['more connections than cells', given(321), /layers\[0\]\.connections must be at most 320, but is 321/],
    ['weights', set(layer(0), { weights: {} }), /unknown option "weights"/],
    ['a class less', (m) => void m.classes.pop(), /classes/],
    ['a class twice', (m) => ({ ...m, classes: ['a', 'a', 'c', 'd'] }), /classes\[1\]/],
    ['a scaling that is not there', (m) => ({ ...m, scaling: { kind: 'none', known: true } }), /scaling/],
    ['a scaling said to be unknown', (m) => ({ ...m, scaling: { kind: 'perFeature', known: false } }), /scaling/],
    ['missing as a text', (m) => ({ ...m, scaling: { ...m.scaling, missing: 'none' } }), /scaling\.missing/],
    ['a counter with zeros', set(counters, { step: '007' }), /counters\.step/],
    ['a counter as a number', set(counters, { epoch: 3 }), /counters\.epoch/],
    ['a counter left out', (m) => void delete m.counters.evolution, /counters\.evolution/],
    ['an unknown loss', (m) => ({ ...m, loss: 'hinge' }), /loss/],
    ['finalised as a number', (m) => ({ ...m, finalised: 1 }), /finalised/],
    ['another topology', set(run, { topologyDigest: 'ffffffffffffffff' }), /topologyDigest/],
    ['a digest that is none', set(run, { topologyDigest: 'x' }), /topologyDigest/],
    ['fits that are no list', set(run, { fits: {} }), /run\.fits/],
    ['a negative number of epochs', set(firstFit, { epochs: -1 }), /run\.fits\[0\]\.options\.epochs/],
    ['a negative weight of a class', set(firstFit, { classWeights: [1, -1, 1, 1] }), /options: classWeights\[1\]/],
    ['weights of three classes', set(firstFit, { classWeights: [1, 1, 1] }), /classWeights has 3 numbers/],
    ['weights of samples', set(firstFit, { sampleWeights: [1] }), /sampleWeights is an array of length 1, which must be true/],
    ['zeta 2', set((m) => firstFit(m).evolution.zeta, { from: 2 }), /run\.fits\[0\]\.options\.evolution\.zeta/],
    ['a prototype', () => JSON.stringify(metadata).replace('{', '{"__proto__":{"a":1},'), /__proto__/],
  ];
  for (const [name, change, pattern] of lies) {
    it(`${name} is ERR_SETNET_FORMAT`, () => rejectsCode(load(change), 'ERR_SETNET_FORMAT', pattern));
  }
});
