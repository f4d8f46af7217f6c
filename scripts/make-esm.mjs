// Writes dist/index.mjs and dist/index.d.mts: named re-exports of the CommonJS build, so that every class exists once in a
// process and `instanceof SetnetError` holds across import and require.
//
// The names are read from the text of dist/index.js and not by loading it, because the native binary may not be built yet.
// scripts/check-package.mjs loads both and compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure, isMain, root, runMain } from './lib/util.mjs';

/** The export names of a file that tsc wrote, `export *` followed. */
function exportNames(path, seen = new Set()) {
  if (seen.has(path)) return [];
  seen.add(path);
  const text = readFileSync(path, 'utf8');
  const names = [];
  for (const [, name] of text.matchAll(/Object\.defineProperty\(exports, "([\w$]+)"/g)) names.push(name);
  for (const [, name] of text.matchAll(/\bexports\.([\w$]+) = /g)) names.push(name);
  for (const [, target] of text.matchAll(/__exportStar\(require\("(\.[^"]+)"\), exports\)/g)) {
    names.push(...exportNames(join(dirname(path), `${target.replace(/\.js$/, '')}.js`), seen));
  }
  return names;
}

export function makeEsm() {
  const names = [...new Set(exportNames(join(root, 'dist/index.js')))].filter((name) => name !== '__esModule').sort();
  if (names.length === 0) throw new Failure('dist/index.js exports nothing.');
  if (names.includes('default'))
    throw new Failure('lib/index.ts has a default export; the package has named exports only.');
  const head = '// Written by scripts/make-esm.mjs from the exports of index.js.\n';
  // Through the default import, not `export { x } from`: that form depends on a lexer guessing the names of a CommonJS file.
  const body = names.map((name) => `export const ${name} = setnet.${name};\n`).join('');
  writeFileSync(join(root, 'dist/index.mjs'), `${head}import setnet from './index.js';\n\n${body}`);
  writeFileSync(join(root, 'dist/index.d.mts'), `${head}export * from './index.js';\n`);
}

if (isMain(import.meta.url)) runMain(makeEsm);
