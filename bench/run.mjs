// Runs benchmarks by name:
//
//   npm run bench                          lists the names and runs them all
//   npm run bench -- NAME...               a readable table each
//   npm run -s bench -- NAME... --json     one line of JSON per figure on stdout, everything else on stderr
//
// Further options are the benchmarks' own (README.md). Exit code 0; 2 where a benchmark lacks something that it names
// (data, an option it does not know); 1 where it failed.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { isMain, root } from '../scripts/lib/util.mjs';
import { BenchError } from './lib/errors.mjs';
import { readOptions } from './lib/options.mjs';
import { makeReport } from './lib/report.mjs';

// A new benchmark is one file that exports `description`, `options` (name: { fallback, about }) and
// `run({ options, figure, note })`, and one line here. Imported late: the set-up comes before.
const benchmarks = {
  accuracy: () => import('./accuracy.mjs'),
  training: () => import('./training.mjs'),
};

async function main(args) {
  const { names, flags } = split(args);
  const unknown = names.filter((name) => !Object.hasOwn(benchmarks, name));
  if (unknown.length > 0) {
    throw new BenchError(
      `there is no benchmark ${unknown.join(', ')}; there are: ${Object.keys(benchmarks).join(', ')}`,
    );
  }
  const modules = new Map();
  for (const name of names.length > 0 ? names : Object.keys(benchmarks)) modules.set(name, await benchmarks[name]());
  const options = readOptions(
    flags,
    [...modules.values()].map((module) => module.options),
  );

  await setUp();
  const report = await makeReport({ json: options.json });
  if (names.length === 0) {
    for (const [name, { description }] of modules) report.note(`${name.padEnd(10)} ${description}`);
  }
  for (const [name, module] of modules) {
    const bench = report.begin(name, module.description);
    try {
      await module.run({ options, figure: bench.figure, note: report.note });
    } catch (error) {
      // The others still run; the exit code tells.
      fail(error, `${name}: `);
    }
    bench.end();
  }
}

/** The words that name benchmarks, and the options with their values. */
function split(args) {
  const names = [];
  const flags = [];
  for (let i = 0; i < args.length; i++) {
    if (!args[i].startsWith('--')) {
      names.push(args[i]);
      continue;
    }
    flags.push(args[i]);
    const takesNext = args[i] !== '--json' && !args[i].includes('=');
    if (takesNext && i + 1 < args.length) flags.push(args[++i]);
  }
  return { names, flags };
}

/** What a fresh clone lacks is built first; its output must not mix with the figures. */
function setUp() {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [join(root, 'scripts/setup.mjs')], { cwd: root, stdio: ['ignore', 2, 2] });
    child.on('error', failed);
    child.on('close', (code) => (code === 0 ? done() : failed(new BenchError('the set-up failed; see above', 1))));
  });
}

function fail(error, prefix = '') {
  const isExpected = error instanceof BenchError;
  process.stderr.write(`setnet bench: ${prefix}${isExpected ? error.message : error.stack}\n`);
  process.exitCode = Math.max(process.exitCode ?? 0, isExpected ? error.exitCode : 1);
}

if (isMain(import.meta.url)) main(process.argv.slice(2)).catch((error) => fail(error));
