import { strict as assert } from 'node:assert';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildInfo } from '../lib/index';
import { root, runChildJson } from './helpers/helpers';
import type { ParityRun } from './helpers/parity';

/**
 * The digests of a run on the machine where this was first right. SETNET_WRITE_GOLDEN=1 writes them anew, which is for
 * changes of the definition only, and to be said in CHANGELOG.
 */
const goldenPath = join(root, 'test', 'golden', 'training.json');

function run(kind: 'sparse' | 'masked', threads: number, instructionSet: string): Promise<ParityRun> {
  const script = `
    require(${JSON.stringify(join(__dirname, 'helpers', 'parity.js'))}).parityRun('${kind}', ${threads}).then((result) =>
      console.log(JSON.stringify({ instructionSet: setnet.buildInfo().instructionSet, ...result })));`;
  return runChildJson<ParityRun>(script, { env: { SETNET_FORCE_ISA: instructionSet }, timeout: 300_000 });
}

/** All that must be equal. */
function bits({ networks, losses, digest }: ParityRun): object {
  return { networks, losses, digest };
}

describe('31 parity: 784-1000-1000-1000-10, 300 steps, three evolutions, dropout, momentum @slow', function () {
  this.timeout(300_000);
  // Instruction sets without fused multiply-add round otherwise and are exempt.
  const sets = buildInfo().instructionSets.filter(({ name }) => name !== 'baseline');
  const [best, ...others] = sets.filter(({ available }) => available).map(({ name }) => name);
  let reference: ParityRun;

  before(async function () {
    if (best === undefined) {
      console.log('      no instruction set with fused multiply-add here: parity is NOT TESTED');
      this.skip();
    }
    for (const { name, available } of sets) if (!available) console.log(`      ${name}: not run here`);
    reference = await run('sparse', 1, best);
    console.log(
      `      ${reference.instructionSet}: loss ${reference.loss.toFixed(4)}, accuracy ${reference.accuracy}, ` +
        `${reference.seconds.toFixed(1)} s`,
    );
    assert.equal(reference.steps, 300);
    assert.equal(reference.evolutions, 3);
    assert.equal(new Set(reference.networks).size, 5, 'every epoch changed the network');
    assert.ok(reference.accuracy > 0.8);
  });

  it('the golden digest', () => {
    const golden = { digest: reference.digest, losses: reference.losses, networks: reference.networks };
    if (process.env.SETNET_WRITE_GOLDEN === '1') writeFileSync(goldenPath, `${JSON.stringify(golden, null, 2)}\n`);
    assert.ok(existsSync(goldenPath), 'test/golden/training.json is missing');
    assert.deepEqual(golden, JSON.parse(readFileSync(goldenPath, 'utf8')));
  });

  for (const threads of [2, 3]) {
    it(`sparse with ${threads} threads: the same bits`, async () => {
      assert.deepEqual(bits(await run('sparse', threads, best as string)), bits(reference));
    });
  }

  it('masked: the same bits', async () => {
    const masked = await run('masked', 2, best as string);
    console.log(`      masked, 2 threads: ${masked.seconds.toFixed(1)} s`);
    assert.deepEqual(bits(masked), bits(reference));
  });

  for (const name of others) {
    it(`sparse on ${name}: the same bits`, async () => {
      const other = await run('sparse', 1, name);
      assert.equal(other.instructionSet, name);
      assert.deepEqual(bits(other), bits(reference));
    });

    it(`masked on ${name}: the same bits`, async () => {
      assert.deepEqual(bits(await run('masked', 2, name)), bits(reference));
    });
  }
});
