// Runs benchmarks by name:
//
//   npm run bench                          runs them all, a process each, and writes docs/benchmarks.md and .html
//   npm run bench -- --quick               the same with fewer repeats and smaller cases
//   npm run bench -- NAME...               a readable table each
//   npm run -s bench -- NAME... --json     one line of JSON per figure on stdout, everything else on stderr
//
// Further options are the benchmarks' own (README.md). Exit code 0; 2 where a benchmark lacks something that it names
// (data, an option it does not know); 1 where it failed.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { isMain, root } from '../scripts/lib/util.mjs';
import { runAll } from './lib/all.mjs';
import { BenchError } from './lib/errors.mjs';
import { commonOptions, readOptions, splitArguments, withFallbacks } from './lib/options.mjs';
import { makeReport } from './lib/report.mjs';

// A new benchmark is one file that exports `description`, `options` (name: { fallback, about }), `charts(figures)` and
// `run({ options, figure, note })`, and one line here. Imported late: the set-up comes before.
const benchmarks = {
  inference: () => import('./inference.mjs'),
  layers: () => import('./layers.mjs'),
  training: () => import('./training.mjs'),
  'while-fitting': () => import('./while-fitting.mjs'),
  'sparse-inputs': () => import('./sparse-inputs.mjs'),
  reading: () => import('./reading.mjs'),
  accuracy: () => import('./accuracy.mjs'),
  evolution: () => import('./evolution.mjs'),
  kernels: () => import('./kernels.mjs'),
  memory: () => import('./memory.mjs'),
  scaling: () => import('./scaling.mjs'),
  graphchallenge: () => import('./graphchallenge.mjs'),
};

async function main(args) {
  const modules = new Map();
  for (const [name, load] of Object.entries(benchmarks)) modules.set(name, await load());
  const every = Object.assign({}, commonOptions, ...[...modules.values()].map((module) => module.options));
  const { names, flags } = splitArguments(args, every);
  const unknown = names.filter((name) => !modules.has(name));
  if (unknown.length > 0) {
    throw new BenchError(
      `there is no benchmark ${unknown.join(', ')}; there are: ${Object.keys(benchmarks).join(', ')}`,
    );
  }
  const chosen = names.length > 0 ? new Map(names.map((name) => [name, modules.get(name)])) : modules;
  const given = readOptions(
    flags,
    [...chosen.values()].map((module) => module.options),
  );
  await setUp();
  if (names.length === 0) {
    process.exitCode = await runAll({ modules, given, script: join(root, 'bench/run.mjs') });
    return;
  }
  const report = await makeReport({ json: given.json ?? false });
  for (const [name, module] of chosen) {
    const bench = report.begin(name, module.description);
    try {
      await module.run({ options: withFallbacks(given, module.options), figure: bench.figure, note: report.note });
    } catch (error) {
      // The others still run; the exit code tells.
      fail(error, `${name}: `);
    }
    bench.end();
  }
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
