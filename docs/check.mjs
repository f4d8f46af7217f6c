// Checks what the documents say against the tree; prints one line, or fails with what is wrong:
//
//   node docs/check.mjs           every error code has its row and its section; links and anchors lead somewhere; the commands of shell
//                                 blocks exist; TypeScript blocks are TypeScript; charts are what docs/figures/draw.mjs draws
//   node docs/check.mjs --run     also runs every JavaScript block and compares what it prints (needs a build)
//   node docs/check.mjs --run docs/guide/your-data.md     of one page
//   node docs/check.mjs --write docs/guide/your-data.md   puts what the programs print into the page: read it before you commit it
//
// How a page shows a program: a `js` block, and after it a `text` block with what it prints. Blocks of a page run one after the other
// in a folder of their own, and so may read what an earlier one has written. A block that is a file of examples/ runs as that file.
// A comment on the line before a block changes that:
//
//   <!-- file: NAME -->     the block is no program but a file, which the programs after it find in their folder
//   <!-- fails -->          the program ends with an uncaught error, and the text is what Node says of it
//   <!-- not run: WHY -->   only looked at: what it needs is not here
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const read = (path) => readFileSync(join(root, path), 'utf8');
const isWriting = process.argv.includes('--write');
const problems = [];
const check = (condition, text) => condition || problems.push(text);

const markdown = (folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => posix.join(folder, name));
const pages = [
  ...markdown('.'),
  ...markdown('docs'),
  ...markdown('docs/guide'),
  'examples/README.md',
  'bench/README.md',
];
const examples = new Map(
  readdirSync(join(root, 'examples'))
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => [read(`examples/${name}`), name]),
);

/** The blocks of a page: { language, code, line, before }, `before` being the line ahead of it. */
function blocksOf(page) {
  const blocks = [];
  let open;
  const lines = read(page).split('\n');
  for (const [i, text] of lines.entries()) {
    if (open === undefined) {
      const [, language] = /^```(\w*)$/.exec(text) ?? [];
      if (language !== undefined) open = { language, line: i + 1, before: lines[i - 1] ?? '', code: '', gap: 0 };
      else if (text.trim() !== '' && blocks.length > 0) ++blocks.at(-1).gap;
    } else if (text === '```') {
      blocks.push(open);
      open = undefined;
    } else {
      open.code += `${text}\n`;
    }
  }
  if (open !== undefined) problems.push(`${page}:${open.line}: a block without an end`);
  return blocks;
}

/** The comment that stands before a block: [word, argument]. */
const markOf = ({ before }) => /^<!-- (file|fails|not run|new|change)(?:: (.*))? -->$/.exec(before)?.slice(1) ?? [];

/** What a program prints: the text right after it, with at most a line or two of prose between. */
function outputOf(blocks, i) {
  const next = blocks[i + 1];
  return next?.language === 'text' && blocks[i].gap <= 2 && markOf(next)[0] === undefined ? next.code : undefined;
}

function node(args, cwd) {
  const env = { ...process.env, NO_COLOR: '1', COLUMNS: '100' };
  delete env.FORCE_COLOR;
  return new Promise((done) => {
    execFile(process.execPath, args, { cwd, env, timeout: 120_000, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      done({ failed: error !== null, stdout, stderr }),
    );
  });
}

/** What Node says of an uncaught error, without its stack. */
function errorText(stderr) {
  const [, text] = /^(\w*Error[^\n]*(?:\n(?! {4}at )[^\n]+)*)/m.exec(stderr) ?? [];
  return text === undefined ? '' : `${text}\n`;
}

/** Puts texts in place of those after programs. `texts`: by the number of the program's block. */
function rewrite(page, blocks, texts) {
  const lines = read(page).split('\n');
  // From the end, so that the numbers of the lines before stay what they are.
  for (const [i, text] of [...texts].reverse()) {
    const { line, code } = blocks[i + 1];
    lines.splice(line, code.split('\n').length - 1, ...text.split('\n').slice(0, -1));
  }
  writeFileSync(join(root, page), lines.join('\n'));
}

/** Runs the programs of a page; what is wrong goes to `problems`. Answers how many ran. */
async function runPage(page) {
  const blocks = blocksOf(page);
  const folder = mkdtempSync(join(tmpdir(), 'setnet-docs-'));
  let count = 0;
  const texts = new Map();
  try {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(root, join(folder, 'node_modules/setnet'), 'dir');
    for (const [i, block] of blocks.entries()) {
      const [mark, argument] = markOf(block);
      if (mark === 'file') writeFileSync(join(folder, argument), block.code);
      if (block.language !== 'js' || mark === 'not run' || mark === 'file') continue;
      const example = examples.get(block.code);
      const place = `${page}:${block.line}${example === undefined ? '' : ` (examples/${example})`}`;
      const script = join(folder, `block-${i}.mjs`);
      if (example === undefined) writeFileSync(script, block.code);
      const { failed, stdout, stderr } =
        example === undefined ? await node([script], folder) : await node([`examples/${example}`], root);
      ++count;
      const output = outputOf(blocks, i);
      if (isWriting && output !== undefined && failed === (mark === 'fails')) {
        texts.set(i, failed ? errorText(stderr) : stdout);
      } else if (mark === 'fails') {
        check(failed, `${place}: ends well, the page says that it fails`);
        check(output === errorText(stderr), `${place}: its error is another one:\n${stderr}`);
      } else if (failed) {
        problems.push(`${place}: fails:\n${stderr}`);
      } else {
        check(output === undefined ? stdout === '' : output === stdout, `${place}: prints something else:\n${stdout}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (texts.size > 0) rewrite(page, blocks, texts);
  return count;
}

/** GitHub's anchors: small letters, digits, - and _ of the heading, spaces as -. The second of a name gets -1. */
function anchorsOf(page) {
  const seen = new Map();
  const headings = read(page)
    .replace(/^```[\s\S]*?^```$/gm, '')
    .matchAll(/^#+ (.+)$/gm);
  return new Set(
    Array.from(headings, ([, title]) => {
      const name = title
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/ /g, '-');
      const times = seen.get(name) ?? 0;
      seen.set(name, times + 1);
      return times === 0 ? name : `${name}-${times}`;
    }),
  );
}

// Each code once, in the order of lib/errors.ts.
const codes = Array.from(read('lib/errors.ts').matchAll(/^ {2}(ERR_SETNET_\w+): '/gm), ([, code]) => code);
const errors = read('docs/errors.md');
const documented = Array.from(errors.matchAll(/^\| \[?`(ERR_SETNET_\w+)`.*\|/gm), ([, code]) => code);
const sections = Array.from(errors.matchAll(/^## (ERR_SETNET_\w+)$/gm), ([, code]) => code);
check(codes.length > 0, 'lib/errors.ts: no codes found');
check(codes.join() === documented.join(), `docs/errors.md lists ${documented}, lib/errors.ts has ${codes}`);
check(codes.join() === sections.join(), `docs/errors.md has sections of ${sections}, lib/errors.ts has ${codes}`);

check(
  read('README.md').includes(`\`\`\`js\n${read('examples/first.mjs')}\`\`\`\n`),
  'README.md: no examples/first.mjs',
);

const { scripts } = JSON.parse(read('package.json'));
// Programs of the system that the pages name.
const programs =
  /^(apt-get|apk|cat|cd|cp|curl|dnf|du|git|head|ls|mkdir|mv|npx|open|python3|rm|sh|tar|unzip|wc|xcode-select|xdg-open)$/;
const setnetCommands = existsSync(join(root, 'lib/cli/commands.ts')) ? read('lib/cli/commands.ts') : '';

/** What is wrong with a line of a shell block, or undefined. */
function commandProblem(line) {
  const words = line
    .replace(/\s+#.*$/, '')
    .trim()
    .split(/\s+/);
  while (/^[A-Z_][A-Z0-9_]*=/.test(words[0])) words.shift();
  const [program, ...rest] = words;
  const args = rest.filter((word) => !/^-/.test(word));
  if (program === 'npm') {
    if (['start', 'test'].includes(args[0])) return;
    if (args[0] === 'run') return args[1] in scripts ? undefined : `package.json has no script ${args[1]}`;
    return /^(ci|install|pack|rebuild)$/.test(args[0]) ? undefined : `npm ${args[0]}`;
  }
  if (program === 'node')
    return args.length === 0 || existsSync(join(root, args[0])) ? undefined : `no file ${args[0]}`;
  if (program === 'setnet' || (program === 'npx' && args[0] === 'setnet')) {
    const name = program === 'npx' ? args[1] : args[0];
    return name === undefined || new RegExp(`\\b${name}\\b`).test(setnetCommands)
      ? undefined
      : `setnet has no command ${name}`;
  }
  if (/^(\.\/)?\.ci\//.test(program)) return existsSync(join(root, program)) ? undefined : `no file ${program}`;
  return programs.test(program) ? undefined : `the program ${program} is not known here`;
}

async function checkTypeScript(page, { code, line }) {
  const { default: ts } = await import('typescript');
  const { diagnostics } = ts.transpileModule(code, { reportDiagnostics: true, compilerOptions: { target: 'es2022' } });
  for (const { messageText } of diagnostics) problems.push(`${page}:${line}: ${messageText}`);
}

for (const page of pages) {
  for (const block of blocksOf(page)) {
    if (block.language === 'ts') await checkTypeScript(page, block);
    if (block.language !== 'sh') continue;
    // A line that ends in \ goes on.
    for (const line of block.code.replace(/\\\n\s*/g, ' ').split('\n')) {
      for (const command of line.split(/\s(?:&&|\|)\s/)) {
        if (/^\s*(#|$)/.test(command)) continue;
        const problem = commandProblem(command);
        check(problem === undefined, `${page}:${block.line}: ${command.trim()}: ${problem}`);
      }
    }
  }
  // Code is no prose: a lambda of C++ looks like a link.
  const prose = read(page)
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/`[^`\n]*`/g, '');
  for (const [, target] of prose.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path, anchor] = target.split('#');
    const file = path === '' ? page : posix.join(posix.dirname(page), path);
    if (!existsSync(join(root, file))) problems.push(`${page}: links to ${target}, which is not there`);
    else if (anchor && file.endsWith('.md') && !anchorsOf(file).has(anchor))
      problems.push(`${page}: links to ${target}, where there is no such heading`);
  }
}

const { charts, tables, withTable } = await import('./figures/draw.mjs');
for (const table of isWriting ? [] : tables()) {
  const page = read(table.path);
  check(
    withTable(page, table) === page,
    `${table.path}: the table ${table.name} is not what docs/figures/draw.mjs makes`,
  );
}
for (const { path, svg } of isWriting ? [] : charts()) {
  check(existsSync(join(root, path)) && read(path) === svg, `${path} is not what node docs/figures/draw.mjs draws`);
}

let ran = 0;
if (process.argv.includes('--run') || isWriting) {
  const only = process.argv.filter((argument) => argument.endsWith('.md'));
  const queue = only.length > 0 ? only : pages.filter((page) => page !== 'docs/benchmarks.md');
  const walk = async () => {
    for (let page = queue.shift(); page !== undefined; page = queue.shift()) {
      const count = await runPage(page);
      ran += count;
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, walk));
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
} else {
  const programsText = ran > 0 ? `, ${ran} programs` : '';
  console.log(`docs: ${codes.length} codes${programsText} and all links of ${pages.length} pages agree`);
}
