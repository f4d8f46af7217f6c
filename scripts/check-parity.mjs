// Two binaries made from the same sources by different build systems must say the same of themselves.
//
//   node scripts/check-parity.mjs FIRST.node SECOND.node
//
// Whether they also compute the same is said by test/*golden*.test.ts, run once with each (SETNET_BINARY names the binary).
import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { Failure, isMain, root, runMain } from './lib/util.mjs';

function buildInfo(binary) {
  const text = `process.stdout.write(JSON.stringify(require(${JSON.stringify(join(root, 'dist/index.js'))}).buildInfo()))`;
  const env = { ...process.env, SETNET_BINARY: resolve(binary) };
  return JSON.parse(execFileSync(process.execPath, ['-e', text], { encoding: 'utf8', env }));
}

export function checkParity(first, second) {
  const infos = [first, second].map(buildInfo);
  // Where the file lies is the one thing that differs by intention.
  for (const info of infos) for (const key of ['path', 'binary', 'file']) delete info[key];
  const texts = infos.map((info) => JSON.stringify(info, null, 2));
  if (texts[0] !== texts[1]) throw new Failure(`buildInfo() differs:\n${first}: ${texts[0]}\n${second}: ${texts[1]}`);
  return texts[0];
}

if (isMain(import.meta.url)) {
  runMain(() => {
    const [first, second] = process.argv.slice(2);
    if (!first || !second) throw new Failure('usage: node scripts/check-parity.mjs FIRST.node SECOND.node');
    console.log(`parity: ${checkParity(first, second)}`);
  });
}
