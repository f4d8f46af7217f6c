// Everything between a fresh clone and a working package, each part only where it is missing or stale:
// the tools are checked, npm packages installed, the native part and the TypeScript part built.
//
//   node scripts/setup.mjs [--tests] [--force]
//
// Plain Node without dependencies: it runs before node_modules exists.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildNative, chooseBuild, isNativeFresh, nativeDigest } from './build-native.mjs';
import { checkNode, checkTools } from './lib/requirements.mjs';
import { Failure, isMain, root, run, runMain, stage, withLock } from './lib/util.mjs';

/**
 * Are the installed packages those of package-lock.json? npm keeps a list of what it installed inside node_modules; this
 * compares the lists instead of times, which a checkout or a copy changes.
 */
function packagesFresh() {
  let installed;
  try {
    installed = JSON.parse(readFileSync(join(root, 'node_modules/.package-lock.json'), 'utf8')).packages;
  } catch {
    return false;
  }
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || entry.link) continue;
    if (installed[path] === undefined) {
      // Packages for another platform are in the lock but not installed.
      if (entry.optional) continue;
      return false;
    }
    if (installed[path].version !== entry.version || !existsSync(join(root, path, 'package.json'))) return false;
  }
  return true;
}

async function installPackages() {
  // npm tells its scripts where it is; outside npm the one on PATH has to do.
  const npm = process.env.npm_execpath && /npm-cli\.js$/.test(process.env.npm_execpath);
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  const result = npm ? await run(process.execPath, [process.env.npm_execpath, ...args]) : await run('npm', args);
  if (result.code === 0) return;
  process.stderr.write(`\n${result.log}\n`);
  throw new Failure('`npm ci` failed; its output is above.');
}

/** The npm packages alone, where they are missing or not those of package-lock.json. */
export async function setupPackages() {
  checkNode();
  await withLock(async () => {
    if (!packagesFresh()) await stage('npm packages', installPackages);
  });
}

export async function setup({ tests = false, force = false } = {}) {
  checkNode();
  // Looked at before anything is downloaded: a missing compiler is said at once.
  const kind = chooseBuild();
  const hash = nativeDigest();
  const isBuilt = () =>
    isNativeFresh('cmake', nativeDigest()) || (kind === 'gyp' && isNativeFresh('gyp', nativeDigest()));
  if (force || !(isNativeFresh('cmake', hash) || isNativeFresh('gyp', hash))) checkTools(kind);

  await withLock(async () => {
    if (!packagesFresh()) await stage('npm packages', installPackages);
    if (force || !isBuilt()) {
      await stage(`native build (${kind === 'cmake' ? 'cmake-js' : 'node-gyp'})`, () => buildNative({ kind }));
    }
    // Imported late: nothing of the TypeScript build is needed where it is fresh, and nothing before the packages are there.
    const { buildTs, isTsFresh } = await import('./build-ts.mjs');
    if (force || !isTsFresh({ tests })) {
      await stage(tests ? 'TypeScript build with tests' : 'TypeScript build', () => buildTs({ tests }));
    }
  });
}

if (isMain(import.meta.url)) {
  runMain(() => setup({ tests: process.argv.includes('--tests'), force: process.argv.includes('--force') }));
}
