// The house has storeys: includes in native/ and imports in lib/ only go down. This script is the plan of the house; a new
// folder or module gets its line in a table below.
//
//   node scripts/check-includes.mjs [--self-test]
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { Failure, isMain, listFiles, root, runMain } from './lib/util.mjs';

/** What each folder of native/ may include besides itself. */
const nativeLayers = {
  base: [],
  rules: ['base'],
  kernels: ['base', 'rules'],
  core: ['base', 'rules'],
  backend: ['base', 'rules', 'core'],
  // The truth that kernels are compared with must not be made of kernels.
  reference: ['base', 'rules', 'core', 'backend'],
  cpu: ['base', 'rules', 'kernels', 'core', 'backend'],
  // The trainer knows backends only by their interface.
  train: ['base', 'rules', 'core', 'backend'],
  binding: ['base', 'rules', 'kernels', 'core', 'backend', 'reference', 'cpu', 'train'],
  test: ['base', 'rules', 'kernels', 'core', 'backend', 'reference', 'cpu', 'train'],
};

/** Headers of Node and libuv: only the binding may know that there is a Node. */
const nodeHeader =
  /^(napi|napi-inl|node_api|node_api_types|js_native_api|js_native_api_types|node|uv|v8)\.h$|^(uv|v8|node)\//;

/**
 * The storeys of lib/, lowest first. A module may import from lower storeys and from its own folder; a name that ends in /
 * is a folder. Modules of one storey do not know each other.
 */
const libLayers = [
  ['breathe', 'errors', 'types'],
  ['native'],
  ['loader'],
  ['options', 'memory', 'io_error', 'text', 'onnx/'],
  ['rules/', 'devices', 'build_info', 'row_batch', 'whole_file'],
  ['csr_matrix'],
  ['data', 'formats/', 'scaling', 'stop_rule', 'layers/'],
  ['definition', 'weights'],
  ['batch_stream', 'fit_record', 'layer_view', 'prediction', 'sample_order', 'sparse_layer', 'summary'],
  ['checkpoint', 'hold_out'],
  ['metadata'],
  // Networks and histories write themselves; the functions of reports know them as data.
  ['report/'],
  ['fit_options', 'method_options', 'training'],
  ['presets'],
  ['model_file'],
  ['session'],
  ['network'],
  ['onnx', 'write_report'],
  ['cli/'],
  ['index'],
];

/** The packages that lib/ needs, and the module that may require each, when it is first used. */
const packages = { 'node-gyp-build': 'loader', papaparse: 'formats/csv' };

/** C++: one problem as text for each wrong include of `file` (a path below native/). */
export function checkCpp(file, text, exists) {
  const problems = [];
  const folder = file.split('/')[0];
  const allowed = nativeLayers[folder];
  if (allowed === undefined)
    return [`native/${file}: the folder ${folder}/ is not in the table of scripts/check-includes.mjs`];
  text.split('\n').forEach((line, index) => {
    const match = /^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)"|(\S+))/.exec(line);
    if (!match) return;
    const where = `native/${file}:${index + 1}`;
    const [, system, own, macro] = match;
    if (macro) {
      problems.push(`${where}: #include ${macro}: a macro hides what is included`);
    } else if (system) {
      if (nodeHeader.test(system)) {
        if (folder !== 'binding') problems.push(`${where}: <${system}>: only binding/ may include headers of Node`);
      } else if (exists(system)) {
        problems.push(`${where}: <${system}>: a header of ours is included with quotes`);
      }
    } else if (nodeHeader.test(own)) {
      problems.push(`${where}: "${own}": headers of Node are included with <>`);
    } else {
      const target = own.split('/')[0];
      if (own.includes('..') || !own.includes('/') || nativeLayers[target] === undefined) {
        problems.push(`${where}: "${own}": not a path below native/, as in "core/csr.h"`);
      } else if (!exists(own)) {
        problems.push(`${where}: "${own}": there is no such file below native/`);
      } else if (target !== folder && !allowed.includes(target)) {
        problems.push(`${where}: "${own}": ${folder}/ may include ${[...allowed, 'itself'].join(', ')}`);
      }
    }
  });
  return problems;
}

function libStorey(module) {
  return libLayers.findIndex((names) =>
    names.some((name) => (name.endsWith('/') ? module.startsWith(name) : module === name)),
  );
}

const libFolder = (module) => (module.includes('/') ? module.slice(0, module.indexOf('/')) : '');

/** TypeScript: one problem as text for each wrong import of `file` (a path below lib/). */
export function checkTs(file, text) {
  const problems = [];
  const module = file.replace(/\.[mc]?ts$/, '');
  const storey = libStorey(module);
  if (storey < 0) return [`lib/${file}: the module is not in the table of scripts/check-includes.mjs`];
  const imports = /(?:\bfrom\s+|\bimport\s+|\bimport\s*\(\s*|\brequire\s*\(\s*)(['"])([^'"\n]+)\1/g;
  // Examples in comments are no imports. A string never holds '/*' here.
  const code = text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/^\s*\/\/.*$/gm, '');
  for (const match of code.matchAll(imports)) {
    const name = match[2];
    const where = `lib/${file}:${code.slice(0, match.index).split('\n').length}`;
    if (!name.startsWith('.')) {
      const isBuiltin = name.startsWith('node:');
      if (!isBuiltin && packages[name] !== module)
        problems.push(
          `${where}: '${name}': lib/ imports node: modules (with the prefix), and packages in one place only`,
        );
      continue;
    }
    const target = posix.join(dirname(module), name).replace(/\.[mc]?[jt]s$/, '');
    if (target.startsWith('..')) {
      problems.push(`${where}: '${name}': lib/ may not import from outside of lib/`);
      continue;
    }
    const targetStorey = libStorey(target);
    const sameFolder = libFolder(module) !== '' && libFolder(module) === libFolder(target);
    if (targetStorey < 0)
      problems.push(`${where}: '${name}': the module is not in the table of scripts/check-includes.mjs`);
    else if (!sameFolder && targetStorey >= storey)
      problems.push(`${where}: '${name}': imports only go down, and ${target} does not stand below ${module}`);
  }
  return problems;
}

/** The check is seen failing: each of these must be found, and the good ones passed. */
function selfTest() {
  const exists = (path) => ['base/span.h', 'core/csr.h', 'cpu/pool.h', 'kernels/table.h'].includes(path);
  const bad = [
    checkCpp('base/a.h', '#include "core/csr.h"', exists),
    checkCpp('core/a.cc', '#include "kernels/table.h"', exists),
    checkCpp('kernels/a.h', '#  include "core/csr.h"', exists),
    checkCpp('train/a.cc', '#include "cpu/pool.h"', exists),
    checkCpp('reference/a.cc', '#include "kernels/table.h"', exists),
    checkCpp('core/a.cc', '#include <napi.h>', exists),
    checkCpp('core/a.cc', '#include <core/csr.h>', exists),
    checkCpp('core/a.cc', '#include "../base/span.h"', exists),
    checkCpp('core/a.cc', '#include "csr.h"', exists),
    checkCpp('attic/a.cc', '', exists),
    checkTs('errors.ts', "import { x } from './network';"),
    checkTs('native.ts', "export * from './index';"),
    checkTs('network.ts', "import x from '../test/helpers';"),
    checkTs('network.ts', "import x from 'lodash';"),
    checkTs('network.ts', "require('papaparse')"),
    checkTs('network.ts', "import fs from 'fs';"),
    checkTs('csr_matrix.ts', "const x = require('./network')"),
    checkTs('attic.ts', ''),
  ];
  const good = [
    checkCpp(
      'cpu/a.cc',
      '#include <cmath>\n#include "core/csr.h"\n#include "kernels/table.h"\n#include "cpu/pool.h"',
      exists,
    ),
    checkCpp('binding/a.cc', '#include <napi.h>\n#include "cpu/pool.h"', exists),
    checkTs(
      'network.ts',
      "import { x } from './csr_matrix';\nimport fs from 'node:fs';\n// from './index'\n/** import './index' */",
    ),
    checkTs('formats/csv.ts', "import { x } from './numbers'; require('papaparse')"),
  ];
  const unseen = bad.flatMap((problems, index) => (problems.length === 0 ? [`bad ${index}`] : []));
  const wrong = good.flat();
  if (unseen.length + wrong.length > 0)
    throw new Failure(`check-includes: self-test failed: ${[...unseen, ...wrong].join('; ')}`);
}

export function checkIncludes() {
  selfTest();
  const exists = (path) => existsSync(join(root, 'native', path));
  const problems = [];
  const cpp = listFiles('native', /\.(h|hpp|cc|inl|inc|def|cu|cuh)$/);
  for (const file of cpp)
    problems.push(...checkCpp(relative('native', file), readFileSync(join(root, file), 'utf8'), exists));
  const ts = listFiles('lib', /\.[mc]?ts$/);
  for (const file of ts) problems.push(...checkTs(relative('lib', file), readFileSync(join(root, file), 'utf8')));
  if (problems.length > 0) throw new Failure(`includes and imports only go down:\n  ${problems.join('\n  ')}`);
  return `${cpp.length} C++ files, ${ts.length} TypeScript files`;
}

if (isMain(import.meta.url)) runMain(() => console.log(`includes: ${checkIncludes()}`));
