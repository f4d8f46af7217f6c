// Brings the help texts in docs/command.md up to date: each stands in a block of text after a comment that names its subcommand.
// A test compares them. Needs a build.
//
//   node docs/make-command.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const { commands } = require(join(root, 'dist/cli/commands.js'));
const { helpOf } = require(join(root, 'dist/cli/command.js'));

const path = join(root, 'docs/command.md');
let page = readFileSync(path, 'utf8');
for (const command of commands) {
  const block = new RegExp(`(<!-- help: ${command.name} -->\n\n\`\`\`text\n)[^]*?(\n\`\`\`\n)`);
  if (!block.test(page)) throw new Error(`docs/command.md has no block after <!-- help: ${command.name} -->`);
  page = page.replace(block, (_, begin, end) => begin + helpOf(command) + end);
}
writeFileSync(path, page);
