// Does what docs/extending.md says, in a copy of the tree, with the code of the page:
//
//   node docs/try-extending.mjs          applies the steps, compiles and runs the C++ test
//   node docs/try-extending.mjs --full   then builds the package in the copy and trains with the new rule
//
// A block after <!-- new: PATH --> is a new file; a diff after <!-- change: PATH --> is applied where its old lines stand,
// which must be at exactly one place.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** The steps of the page: { kind: 'new' | 'change', path, code } in their order. */
function readSteps(page) {
  const marked = /<!-- (new|change): (\S+) -->\n```\w+\n([\s\S]*?)^```$/gm;
  const steps = Array.from(page.matchAll(marked), ([, kind, path, code]) => ({ kind, path, code }));
  if (steps.length === 0 || steps.length !== page.match(/<!-- (new|change):/g)?.length) {
    throw new Error('docs/extending.md: a marker without a code block, or no marker at all');
  }
  return steps;
}

function applyStep(folder, { kind, path, code }) {
  const target = join(folder, path);
  if (kind === 'new') {
    if (existsSync(target)) throw new Error(`${path} is there already, the page says it is new`);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, code);
    return;
  }
  const lines = code.split('\n').slice(0, -1);
  const side = (drop) =>
    lines
      .filter((text) => !text.startsWith(drop))
      .map((text) => `${text.slice(1)}\n`)
      .join('');
  const text = readFileSync(target, 'utf8');
  const places = text.split(side('+')).length - 1;
  if (places !== 1)
    throw new Error(`${path}: the old lines of a change stand at ${places} places, expected one:\n${code}`);
  writeFileSync(
    target,
    text.replace(side('+'), () => side('-')),
  );
}

function run(folder, program, args) {
  console.log(`  ${program} ${args.join(' ')}`);
  const result = spawnSync(program, args, { cwd: folder, stdio: 'inherit' });
  if (result.status !== 0)
    throw new Error(`${program} failed (${result.error?.message ?? `exit code ${result.status ?? result.signal}`})`);
}

/** The rule through the public API: one epoch and the final removal of a layer of 6 x 10, all weights known before. */
const program = `
import { Network, set, sgd, sparse, dense } from 'setnet';
const net = await Network.create({ inputs: 10, seed: 3, layers: [sparse({ units: 6, density: 0.5 }), dense({ units: 2 })] });
const before = net.layers[0].weights.values;
const training = net.fit(
  { x: Float32Array.from({ length: 40 }, (_, i) => Math.sin(i)), y: [0, 1, 0, 1] },
  { epochs: 1, batchSize: 4, optimizer: sgd({ learningRate: 1e-30, momentum: 0 }), evolution: set({ zeta: 0.3, prune: 'magnitude' }) },
);
await training.done;
const after = net.layers[0].weights.values;
const expected = [...before].sort((a, b) => Math.abs(b) - Math.abs(a)).slice(0, before.length - Math.floor(0.3 * before.length));
const sorted = [...after].sort((a, b) => Math.abs(b) - Math.abs(a));
if (after.length !== 21 || sorted.join() !== expected.join()) throw new Error('not the largest magnitudes are left: ' + after);
console.log("  set({ prune: 'magnitude' }) leaves the 21 largest of 30 weights");
`;

function main() {
  const folder = mkdtempSync(join(tmpdir(), 'setnet-extending-'));
  try {
    const left = new Set(['.git', 'node_modules', 'dist', 'examples', 'prebuilds']);
    for (const name of readdirSync(root)) {
      if (!left.has(name) && !name.startsWith('build'))
        cpSync(join(root, name), join(folder, name), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const steps = readSteps(readFileSync(join(root, 'docs/extending.md'), 'utf8'));
    for (const step of steps) {
      applyStep(folder, step);
      console.log(`  ${step.kind} ${step.path}`);
    }
    // The rule sees base/ and rules/ only, so its test needs no more than the sources of base/.
    const [test] = steps.filter(({ path }) => path.endsWith('_test.cc'));
    const base = readdirSync(join(folder, 'native/base')).filter((name) => name.endsWith('.cc'));
    const sources = [test.path, ...base.map((name) => `native/base/${name}`)];
    const flags = ['-std=c++17', '-O1', '-ffp-contract=off', '-Wall', '-Wextra', '-Werror', '-pthread', '-Inative'];
    run(folder, process.env.CXX || 'g++', [...flags, ...sources, '-o', 'rule-test']);
    run(folder, './rule-test', []);
    if (process.argv.includes('--full')) {
      run(folder, process.execPath, ['scripts/check-sources.mjs', '--write']);
      run(folder, process.execPath, ['scripts/check-includes.mjs']);
      run(folder, process.execPath, ['scripts/build-native.mjs']);
      run(folder, process.execPath, ['scripts/build-ts.mjs']);
      writeFileSync(join(folder, 'use-rule.mjs'), program);
      run(folder, process.execPath, ['use-rule.mjs']);
    }
    console.log('docs/extending.md: every step works');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main();
