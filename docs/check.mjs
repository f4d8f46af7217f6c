// Checks what the documents say against the tree; prints one line, or fails with what is wrong:
//
//   node docs/check.mjs           lists and links: every error code, the programs in README.md and docs/api.md, every link to a file
//   node docs/check.mjs --run     also runs the programs and compares their output (needs a build)
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const read = (path) => readFileSync(join(root, path), 'utf8');
const problems = [];
const check = (condition, text) => condition || problems.push(text);

// Each code once, in the order of lib/errors.ts.
const codes = Array.from(read('lib/errors.ts').matchAll(/^ {2}(ERR_SETNET_\w+): '/gm), ([, code]) => code);
const documented = Array.from(read('docs/errors.md').matchAll(/^\| `(ERR_SETNET_\w+)` +\|/gm), ([, code]) => code);
check(codes.length > 0, 'lib/errors.ts: no codes found');
check(codes.join() === documented.join(), `docs/errors.md lists ${documented}, lib/errors.ts has ${codes}`);

const readme = read('README.md');
const program = read('examples/first.mjs');
check(readme.includes(`\`\`\`js\n${program}\`\`\`\n`), 'README.md: its program is not examples/first.mjs');
const api = read('docs/api.md');
// The programs of docs/api.md, each followed by what it prints.
const programs = ['session', 'matrix', 'own_loop'];
for (const name of programs) {
  const path = `examples/${name}.mjs`;
  check(api.includes(`\`\`\`js\n${read(path)}\`\`\`\n`), `docs/api.md: its program is not ${path}`);
}
if (process.argv.includes('--run')) {
  const output = execFileSync(process.execPath, ['examples/first.mjs'], { cwd: root, encoding: 'utf8' });
  check(
    readme.includes(`\`\`\`text\n${output}\`\`\`\n`),
    `README.md: examples/first.mjs prints something else:\n${output}`,
  );
  for (const name of programs) {
    const printed = execFileSync(process.execPath, [`examples/${name}.mjs`], { cwd: root, encoding: 'utf8' });
    check(
      api.includes(`\`\`\`text\n${printed}\`\`\`\n`),
      `docs/api.md: examples/${name}.mjs prints something else:\n${printed}`,
    );
  }
}

// Code is no prose: a lambda of C++ looks like a link.
const prose = (page) => read(page).replace(/^```[\s\S]*?^```$/gm, '');
const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)];
for (const page of pages.filter((name) => name.endsWith('.md'))) {
  for (const [, target] of prose(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
    check(existsSync(join(root, dirname(page), target)), `${page}: links to ${target}, which is not there`);
  }
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
} else {
  console.log(`docs: ${codes.length} codes, the program and all links agree`);
}
