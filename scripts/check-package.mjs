// The package as a user gets it: the ESM entry names what the CommonJS build exports and hands out the very same objects, the
// tarball holds what a build from source needs and nothing of the workshop, and the lock file names no download address.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure, isMain, readSources, root, runMain } from './lib/util.mjs';

async function checkEntries(problems) {
  const cjs = createRequire(import.meta.url)(join(root, 'dist/index.js'));
  const esm = await import(pathToFileURL(join(root, 'dist/index.mjs')).href);
  for (const name of new Set([...Object.keys(cjs), ...Object.keys(esm)])) {
    if (!(name in cjs)) problems.push(`dist/index.mjs exports ${name}, dist/index.js does not`);
    else if (!(name in esm)) problems.push(`dist/index.js exports ${name}, dist/index.mjs does not`);
    else if (cjs[name] !== esm[name])
      problems.push(`${name} is not the same object in dist/index.js and dist/index.mjs`);
  }
  return Object.keys(cjs).length;
}

function checkTarball(problems) {
  const npm = /npm-cli\.js$/.test(process.env.npm_execpath || '')
    ? [process.execPath, process.env.npm_execpath]
    : ['npm'];
  const args = [...npm.slice(1), 'pack', '--dry-run', '--json', '--ignore-scripts'];
  const answer = JSON.parse(
    execFileSync(npm[0], args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  // npm 11 answers a list, npm 12 an object keyed by the package's name.
  const [pack] = Object.values(answer);
  const files = pack.files.map((file) => file.path);
  const needed = ['LICENSE', 'README.md', 'CHANGELOG.md', 'binding.gyp', 'native/sources.json', 'scripts/install.cjs'];
  const compiled = ['dist/index.js', 'dist/index.mjs', 'dist/index.d.ts', 'dist/index.d.mts'];
  for (const file of [...needed, ...compiled, ...readSources().sources]) {
    if (!files.includes(file)) problems.push(`the tarball lacks ${file}`);
  }
  const allowed =
    /^(LICENSE|README\.md|CHANGELOG\.md|SECURITY\.md|package\.json|binding\.gyp|scripts\/install\.cjs|(dist|native|prebuilds)\/.+)$/;
  for (const file of files) {
    if (!allowed.test(file) || /^native\/test\/|\/\.|\.tsbuildinfo$/.test(file))
      problems.push(`the tarball holds ${file}`);
  }
  return files.length;
}

export async function checkPackage() {
  const problems = [];
  if (/"resolved"/.test(readFileSync(join(root, 'package-lock.json'), 'utf8'))) {
    problems.push('package-lock.json names download addresses: .npmrc of this repository leaves them out');
  }
  const names = await checkEntries(problems);
  const files = checkTarball(problems);
  if (problems.length > 0) throw new Failure(`the package:\n  ${problems.join('\n  ')}`);
  return `${names} exports, ${files} files`;
}

if (isMain(import.meta.url)) runMain(async () => console.log(`package: ${await checkPackage()}`));
