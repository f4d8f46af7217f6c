// One order of sums, across processors: what parity_test computes here and, in an emulator, on another kind of machine must
// be the same bits. Trainings with evolution and predictions, sparse and masked.
//
//   node scripts/check-digests.mjs --target arm64
import { basename } from 'node:path';
import { buildNativeTests, crossTools } from './build-native-tests.mjs';
import { Failure, isMain, readOption, run, runMain, stage } from './lib/util.mjs';

/** What parity_test prints: the instruction set it used, and one line per network. */
async function digests(target) {
  const { executables } = await buildNativeTests({ target, only: '/parity_test' });
  if (executables.length !== 1) throw new Failure(`one parity_test is needed; there are ${executables.map(basename)}`);
  const { emulator, libraries } = crossTools(target) || {};
  const command = [...(emulator ? [emulator] : []), executables[0], '--digests'];
  // An instruction set that is forced here does not exist there.
  const env = emulator ? { QEMU_LD_PREFIX: libraries, SETNET_FORCE_ISA: '' } : {};
  const { code, log } = await run(command[0], command.slice(1), { env, timeout: 600000 });
  const [first = '', ...lines] = log.trim().split('\n');
  if (code !== 0 || !/^isa \w+$/.test(first) || lines.length === 0)
    throw new Failure(`${command.join(' ')} ended with ${code} and printed:\n${log}`);
  return { isa: first.slice(4), lines };
}

export async function checkDigests(target) {
  const here = await digests();
  // Without fused multiply-add there is nothing that could be equal: no pass.
  if (here.isa === 'baseline') throw new Failure('this processor has no fused multiply-add; use one that has.');
  const there = await digests(target);
  if (there.isa === here.isa) throw new Failure(`both ran ${here.isa}: that compares nothing.`);
  if (here.lines.join('\n') !== there.lines.join('\n'))
    throw new Failure(
      `the digests differ:\n${here.isa}\n${here.lines.join('\n')}\n${there.isa}\n${there.lines.join('\n')}`,
    );
  return { isas: [here.isa, there.isa], count: here.lines.length };
}

if (isMain(import.meta.url)) {
  runMain(async () => {
    const target = readOption('--target');
    if (!target || target === process.arch)
      throw new Failure(
        'usage: node scripts/check-digests.mjs --target KIND, a kind of machine that this one is not (arm64)',
      );
    const { isas, count } = await stage(`digests here and on ${target}`, () => checkDigests(target));
    console.log(`  ${count} digests of ${isas[0]} and ${isas[1]} are equal`);
  });
}
