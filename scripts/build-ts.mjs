// Compiles lib/ to dist/ (CommonJS, then the thin ESM entry) and, with --tests, test/ to build-test/.
import { existsSync, lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { digest, Failure, isMain, listFiles, readStamp, root, run, runMain, stage, writeStamp } from './lib/util.mjs';
import { makeEsm } from './make-esm.mjs';

const configs = ['tsconfig.base.json', 'tsconfig.json', 'tsconfig.test.json', 'package.json', 'scripts/make-esm.mjs'];
const tsc = join(root, 'node_modules/typescript/bin/tsc');

const libDigest = () => digest([...listFiles('lib', /\.[mc]?ts$/), ...configs]);
const testDigest = () => digest([...listFiles('lib', /\.[mc]?ts$/), ...listFiles('test', /\.[mc]?ts$/), ...configs]);

export function isTsFresh({ tests = false } = {}) {
  if (!existsSync(join(root, 'dist/index.mjs')) || readStamp('dist/.stamp') !== libDigest()) return false;
  return !tests || (existsSync(join(root, 'build-test/test')) && readStamp('build-test/.stamp') === testDigest());
}

/** Compiled files whose source is gone: mocha would still run such a test, and a stale module would still be packed. */
function prune(sourceFolder, outFolder) {
  for (const file of listFiles(outFolder, /\.(d\.ts|js|js\.map)$/)) {
    const source = file.slice(outFolder.length + 1).replace(/\.(d\.ts|js|js\.map)$/, '.ts');
    if (!existsSync(join(root, sourceFolder, source))) rmSync(join(root, file));
  }
}

/** The tests' '../lib/index' must be the module that users load: build-test/lib is a link to dist. */
function linkLib() {
  const link = join(root, 'build-test/lib');
  const isThere = existsSync(link) && lstatSync(link).isSymbolicLink();
  if (isThere) return;
  rmSync(link, { recursive: true, force: true });
  mkdirSync(join(root, 'build-test'), { recursive: true });
  // A relative target, so that a moved checkout keeps working; Windows wants an absolute one and a junction.
  if (process.platform === 'win32') symlinkSync(join(root, 'dist'), link, 'junction');
  else symlinkSync('../dist', link);
}

async function compile(project) {
  const result = await run(process.execPath, [tsc, '--build', project, '--pretty', 'false']);
  if (result.code === 0) return;
  process.stderr.write(`\n${result.log}\n`);
  throw new Failure('the TypeScript build failed; its output is above.');
}

export async function buildTs({ tests = false } = {}) {
  const hashes = [libDigest(), testDigest()];
  // tsc writes files even where it finds errors: the old stamp must not vouch for them.
  for (const stamp of ['dist/.stamp', 'build-test/.stamp']) rmSync(join(root, stamp), { force: true });
  prune('lib', 'dist');
  await compile('tsconfig.json');
  makeEsm();
  writeStamp('dist/.stamp', hashes[0]);
  if (tests) {
    // After the ESM entry: tests may import 'setnet' itself, which resolves to dist through package.json.
    prune('test', 'build-test/test');
    await compile('tsconfig.test.json');
    linkLib();
    writeStamp('build-test/.stamp', hashes[1]);
  }
}

if (isMain(import.meta.url)) {
  runMain(() => {
    const tests = process.argv.includes('--tests');
    return stage(tests ? 'TypeScript build with tests' : 'TypeScript build', () => buildTs({ tests }));
  });
}
