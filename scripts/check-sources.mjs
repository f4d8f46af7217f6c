// native/sources.json must list every native/**/*.cc once: tests (native/test/) under testSources, all else under sources.
// `--write` puts the list in order after files were added, renamed or removed.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, isMain, listFiles, readSources, root, runMain } from './lib/util.mjs';

/** The kernels take minutes each, all else seconds: compiled first, they keep all cores busy to the end. */
function longestFirst(files) {
  const isKernels = (file) => file.startsWith('native/kernels/isa_');
  return [...files.filter(isKernels), ...files.filter((file) => !isKernels(file))];
}

export function checkSources({ write = false } = {}) {
  const list = readSources();
  const files = listFiles('native', /\.(cc|cpp|cxx|c)$/);
  const wrong = files.filter((file) => !file.endsWith('.cc'));
  if (wrong.length > 0) throw new Failure(`C++ files end in .cc here: ${wrong.join(', ')}`);
  const expected = {
    sources: longestFirst(files.filter((file) => !file.startsWith('native/test/'))),
    testSources: files.filter((file) => file.startsWith('native/test/')),
  };
  const problems = [];
  for (const key of ['sources', 'testSources']) {
    for (const file of expected[key]) if (!list[key].includes(file)) problems.push(`${file} is missing in "${key}"`);
    for (const file of list[key])
      if (!expected[key].includes(file)) problems.push(`"${key}" lists ${file}, which is not there`);
    if (new Set(list[key]).size !== list[key].length) problems.push(`"${key}" lists a file twice`);
  }
  if (write) {
    const lines = Object.entries({ ...list, ...expected }).map(([key, values]) =>
      values.length === 0
        ? `  "${key}": []`
        : `  "${key}": [\n${values.map((value) => `    ${JSON.stringify(value)}`).join(',\n')}\n  ]`,
    );
    writeFileSync(join(root, 'native/sources.json'), `{\n${lines.join(',\n')}\n}\n`);
    return `${expected.sources.length} sources, ${expected.testSources.length} of tests`;
  }
  if (problems.length > 0) {
    throw new Failure(
      `native/sources.json is not what lies in native/ (\`npm run sources\` corrects it):\n  ${problems.join('\n  ')}`,
    );
  }
  return `${list.sources.length} sources, ${list.testSources.length} of tests`;
}

if (isMain(import.meta.url))
  runMain(() => console.log(`sources: ${checkSources({ write: process.argv.includes('--write') })}`));
