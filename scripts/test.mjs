// `npm test`: set-up, the C++ tests, then mocha over the compiled tests. Arguments are passed on to mocha; with some (a
// --grep, a file) the C++ tests are left out, since one test is wanted then.
//
// SETNET_COUNTS=file appends a line `passed failed pending` per part: .ci/run sums them.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildNativeTests, runNativeTests } from './build-native-tests.mjs';
import { root, run, runMain, stage } from './lib/util.mjs';
import { setup } from './setup.mjs';

runMain(async () => {
  const mochaArgs = process.argv.slice(2);
  const counts = process.env.SETNET_COUNTS;
  await setup({ tests: true });
  if (mochaArgs.length === 0) {
    const { executables } = await stage('C++ tests, compiling', () => buildNativeTests());
    const { passed, failed } = await runNativeTests(executables);
    console.log(`  C++: ${passed} checks passed, ${failed} failed`);
    if (counts) appendFileSync(counts, `${passed} ${failed} 0\n`);
    if (failed > 0) process.exitCode = 1;
  }
  const mocha = await run(process.execPath, [join(root, 'node_modules/mocha/bin/mocha.js'), ...mochaArgs], {
    show: true,
  });
  if (mocha.code !== 0) process.exitCode = 1;
});
