// `npm run lint`: everything that can be said about the text without running it. `npm run format` (--fix) corrects what can be
// corrected by a program.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildTs } from './build-ts.mjs';
import { checkDocstrings } from './check-docstrings.mjs';
import { checkIncludes } from './check-includes.mjs';
import { checkSources } from './check-sources.mjs';
import { Failure, findProgram, listFiles, root, run, runMain, stage, withLock } from './lib/util.mjs';

/** The binary of the npm package `clang-format` (one version for all); it has none for arm64, where the system's has to do. */
function findClangFormat() {
  const bundled = join(root, `node_modules/clang-format/bin/${process.platform}_${process.arch}/clang-format`);
  const found = existsSync(bundled) ? bundled : findProgram('clang-format');
  if (found === undefined) throw new Failure('clang-format is missing: `npm ci`, or `apt-get install clang-format`.');
  return found;
}

async function tool(program, args) {
  const { code, log } = await run(program, args);
  if (code === 0) return;
  const lines = log.split('\n');
  throw new Failure(
    `\n${lines.slice(0, 100).join('\n')}${lines.length > 100 ? `\n... ${lines.length - 100} more lines` : ''}`,
  );
}

async function clangFormat(fix) {
  const files = ['native', 'bench', 'examples'].flatMap((folder) => listFiles(folder, /\.(cc|h|hpp|inl|inc|cu|cuh)$/));
  if (files.length > 0)
    await tool(findClangFormat(), [...(fix ? ['-i'] : ['--dry-run', '-Werror']), '--style=file', ...files]);
}

async function biome(fix) {
  const executable = join(root, 'node_modules/@biomejs/biome/bin/biome');
  await tool(process.execPath, [
    executable,
    'check',
    '--error-on-warnings',
    '--colors=off',
    '--max-diagnostics=50',
    ...(fix ? ['--write'] : []),
  ]);
}

runMain(async () => {
  const fix = process.argv.includes('--fix');
  const stages = [
    ['native/sources.json', () => checkSources({ write: fix })],
    ['includes and imports', checkIncludes],
    ['docstrings', checkDocstrings],
    ['clang-format', () => clangFormat(fix)],
    ['biome', () => biome(fix)],
    ['TypeScript', () => withLock(() => buildTs({ tests: true }))],
  ];
  const problems = [];
  for (const [name, work] of stages) {
    try {
      await stage(name, work);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problems.push(`${name}: ${error.message}`);
    }
  }
  if (problems.length > 0) throw new Failure(problems.join('\nsetnet: '));
});
