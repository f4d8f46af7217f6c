import { strict as assert } from 'node:assert';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildInfo } from '../lib/index';
import { root, runChildJson } from './helpers/helpers';
import type { ParityRun, ScenarioName } from './helpers/parity';

/**
 * The digests of runs on the machine where they were first right. SETNET_WRITE_GOLDEN=1 writes them anew, which is for
 * changes of the definition only, and to be said in CHANGELOG.
 */
const goldenPath = { sgd: join(root, 'test/golden/training.json'), adam: join(root, 'test/golden/adam.json') };

function run(
  name: ScenarioName,
  kind: 'sparse' | 'masked',
  threads: number,
  instructionSet: string,
): Promise<ParityRun> {
  const script = `
    require(${JSON.stringify(join(__dirname, 'helpers', 'parity.js'))}).parityRun('${name}', '${kind}', ${threads}).then(
      (result) => console.log(JSON.stringify({ instructionSet: setnet.buildInfo().instructionSet, ...result })));`;
  return runChildJson<ParityRun>(script, { env: { SETNET_FORCE_ISA: instructionSet }, timeout: 300_000 });
}

/** All that must be equal. */
function bits({ networks, losses, digest }: ParityRun): object {
  return { networks, losses, digest };
}

/** Whether sparse, masked, every number of threads and every instruction set give the bits of the golden digest. */
function sameBits(name: ScenarioName, expected: { steps: number; evolutions: number; accuracy: number }): void {
  // Instruction sets without fused multiply-add round otherwise and are exempt.
  const sets = buildInfo().instructionSets.filter(({ name }) => name !== 'baseline');
  const [best, ...others] = sets.filter(({ available }) => available).map(({ name }) => name);
  let reference: ParityRun;

  before(async function () {
    if (best === undefined) {
      console.log('      no instruction set with fused multiply-add here: parity is NOT TESTED');
      this.skip();
    }
    for (const set of sets) if (!set.available) console.log(`      ${set.name}: not run here`);
    reference = await run(name, 'sparse', 1, best);
    console.log(
      `      ${reference.instructionSet}: loss ${reference.loss.toFixed(4)}, accuracy ${reference.accuracy}, ` +
        `${reference.seconds.toFixed(1)} s`,
    );
    assert.equal(reference.steps, expected.steps);
    assert.equal(reference.evolutions, expected.evolutions);
    assert.equal(new Set(reference.networks).size, 5, 'every epoch changed the network');
    assert.ok(reference.accuracy > expected.accuracy);
  });

  it('the golden digest', () => {
    const golden = { digest: reference.digest, losses: reference.losses, networks: reference.networks };
    if (process.env.SETNET_WRITE_GOLDEN === '1')
      writeFileSync(goldenPath[name], `${JSON.stringify(golden, null, 2)}\n`);
    assert.ok(existsSync(goldenPath[name]), `${goldenPath[name]} is missing`);
    assert.deepEqual(golden, JSON.parse(readFileSync(goldenPath[name], 'utf8')));
  });

  for (const threads of [2, 3]) {
    it(`sparse with ${threads} threads: the same bits`, async () => {
      assert.deepEqual(bits(await run(name, 'sparse', threads, best as string)), bits(reference));
    });
  }

  it('masked: the same bits', async () => {
    const masked = await run(name, 'masked', 2, best as string);
    console.log(`      masked, 2 threads: ${masked.seconds.toFixed(1)} s`);
    assert.deepEqual(bits(masked), bits(reference));
  });

  for (const set of others) {
    it(`sparse on ${set}: the same bits`, async () => {
      const other = await run(name, 'sparse', 1, set);
      assert.equal(other.instructionSet, set);
      assert.deepEqual(bits(other), bits(reference));
    });

    it(`masked on ${set}: the same bits`, async () => {
      assert.deepEqual(bits(await run(name, 'masked', 2, set)), bits(reference));
    });
  }
}

describe('31 parity: 784-1000-1000-1000-10, 300 steps, three evolutions, dropout, momentum @slow', function () {
  this.timeout(300_000);
  sameBits('sgd', { steps: 300, evolutions: 3, accuracy: 0.8 });
});

describe('31 parity: 784-300-300-300-10, srelu, dropout, Adam, an evolution every 7 of 160 steps @slow', function () {
  this.timeout(300_000);
  sameBits('adam', { steps: 160, evolutions: 22, accuracy: 0.6 });
});
