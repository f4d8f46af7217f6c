// Builds and runs the C++ tests: one executable per native/test/*_test.cc of native/sources.json, linked with every source
// outside native/binding/. Drives the compiler itself (with -MMD files and times), so that no CMake is needed.
//
//   node scripts/build-native-tests.mjs [--run] [--only REGEX] [--sanitize thread|address] [--target arm64]
//                                       [--timeout SECONDS] [--counts FILE]
//
// Without a sanitizer the objects of a fresh native build are linked, if there is one: what ships is what is tested, and
// nothing is compiled twice. For a --target that this machine is not, everything is compiled by a cross compiler and
// runs in an emulator. A test prints `N passed, N failed` last and exits non-zero when something failed.
import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { freshObjects } from './build-native.mjs';
import { findCompiler, findCrossTools } from './lib/requirements.mjs';
import {
  cores,
  Failure,
  findProgram,
  isMain,
  readOption,
  readSources,
  root,
  run,
  runMain,
  stage,
} from './lib/util.mjs';

const sanitizers = {
  address: ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
  thread: ['-fsanitize=thread'],
};

/** A compiler may carry a launcher: "ccache g++". */
function compilerCommand() {
  const words = (process.env.CXX || '').trim().split(/\s+/).filter(Boolean);
  if (words.length > 0) return words;
  const found = findCompiler();
  if (found === undefined) throw new Failure('a C++ compiler (g++) is missing and needed for the C++ tests.');
  return [found];
}

/** The tools for another kind of machine than this, or undefined where the target is this one. */
export function crossTools(target) {
  return target === undefined || target === process.arch ? undefined : findCrossTools(target);
}

function timeOf(path) {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return undefined;
  }
}

/** The prerequisites in a file that -MMD wrote. */
function dependencies(path) {
  const text = readFileSync(path, 'utf8').replace(/\\\n/g, ' ');
  const names = text.slice(text.indexOf(':') + 1).match(/(?:\\ |\S)+/g) || [];
  return names.map((name) => name.replace(/\\ /g, ' '));
}

function isFresh(output, command, inputs) {
  const time = timeOf(output);
  if (time === undefined || !existsSync(`${output}.cmd`) || readFileSync(`${output}.cmd`, 'utf8') !== command)
    return false;
  return inputs.every((input) => {
    const inputTime = timeOf(input);
    return inputTime !== undefined && inputTime <= time;
  });
}

/** Runs the tasks with at most `limit` at once. All run, so that one compile error does not hide another. */
async function pool(tasks, limit) {
  const queue = [...tasks];
  const worker = async () => {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) await task();
  };
  await Promise.all(Array.from({ length: Math.min(limit, queue.length) }, worker));
}

export async function buildNativeTests({ sanitize, only, target } = {}) {
  if (sanitize !== undefined && !(sanitize in sanitizers)) {
    throw new Failure(`--sanitize is '${sanitize}'; it may be 'address' or 'thread'.`);
  }
  const cross = crossTools(target);
  if (cross && sanitize)
    throw new Failure('the sanitizers do not work in an emulator; leave out --sanitize or --target.');
  const list = readSources();
  const folder = join(root, 'build-tests', cross ? target : sanitize || 'plain');
  const compiler = cross ? [cross.compiler] : compilerCommand();
  const common = [
    ...list.defines.map((define) => `-D${define}`),
    ...list.includeDirs.map((path) => `-I${path}`),
    ...list.cflags,
    ...list.warnings,
    ...(process.env.SETNET_WERROR === '1' ? ['-Werror'] : []),
    ...(process.env.CXXFLAGS || '').split(/\s+/).filter(Boolean),
  ];
  // Sanitized objects keep the speed of -O1: at -O3 their compile time triples and line numbers get lost.
  const librarySpeed = sanitize ? [...sanitizers[sanitize], '-O1', '-g1', '-fno-omit-frame-pointer'] : [];
  // Test code itself need not be fast, and -O1 compiles in half the time. Bits do not depend on it (-ffp-contract=off).
  const testSpeed = sanitize ? librarySpeed : ['-O1'];

  const objectOf = (source) => join(folder, `${source.replace(/\.cc$/, '')}.o`);
  const isExecutable = (source) => source.endsWith('_test.cc');
  const librarySources = list.sources.filter((source) => !source.startsWith('native/binding/'));
  const helperSources = list.testSources.filter((source) => !isExecutable(source));
  const tests = list.testSources.filter((source) => isExecutable(source) && (!only || new RegExp(only).test(source)));
  if (tests.length === 0)
    throw new Failure(only ? `no C++ test matches '${only}'.` : 'native/sources.json lists no C++ test.');

  const built = sanitize || cross ? undefined : freshObjects();
  const reuse = built !== undefined && librarySources.every((source) => existsSync(built(source)));
  const failures = [];
  let compiled = 0;

  const compile = (source, speed) => async () => {
    const object = objectOf(source);
    const args = [...compiler, ...common, ...speed, '-MMD', '-MF', `${object}.d`, '-c', source, '-o', object];
    const command = args.join(' ');
    if (
      existsSync(`${object}.d`) &&
      isFresh(
        object,
        command,
        dependencies(`${object}.d`).map((path) => join(root, path)),
      )
    )
      return;
    mkdirSync(dirname(object), { recursive: true });
    const { code, log } = await run(args[0], args.slice(1));
    compiled += 1;
    if (log.trim()) process.stderr.write(`\n${log}`);
    if (code !== 0) failures.push(source);
    else writeFileSync(`${object}.cmd`, command);
  };
  await pool(
    [
      ...(reuse ? [] : librarySources.map((source) => compile(source, librarySpeed))),
      ...[...helperSources, ...tests].map((source) => compile(source, testSpeed)),
    ],
    cores,
  );
  if (failures.length > 0) throw new Failure(`these do not compile: ${failures.join(', ')}`);

  // Objects and not an archive: a linker would drop an object of a table that registers itself and is named by nobody.
  const objects = [
    ...librarySources.map((source) => (reuse ? built(source) : objectOf(source))),
    ...helperSources.map(objectOf),
  ];
  const executables = [];
  const link = (source) => async () => {
    const output = join(folder, basename(source, '.cc'));
    executables.push(output);
    const inputs = [objectOf(source), ...objects];
    const args = [...compiler, ...inputs, ...(sanitize ? sanitizers[sanitize] : []), '-pthread', '-o', output];
    if (isFresh(output, args.join(' '), inputs)) return;
    const { code, log } = await run(args[0], args.slice(1));
    if (log.trim()) process.stderr.write(`\n${log}`);
    if (code !== 0) failures.push(source);
    else writeFileSync(`${output}.cmd`, args.join(' '));
  };
  await pool(tests.map(link), cores);
  if (failures.length > 0) throw new Failure(`these do not link: ${failures.join(', ')}`);
  return { executables: executables.sort(), compiled };
}

/** Runs the executables one after the other (they bring threads of their own) and sums what they print. */
export async function runNativeTests(executables, { sanitize, target, timeout = 300 } = {}) {
  const { emulator, libraries } = crossTools(target) || {};
  // TSan wants the memory layout that older kernels had; without address randomisation it starts everywhere.
  const prefix =
    sanitize === 'thread' && findProgram('setarch')
      ? ['setarch', process.arch === 'arm64' ? 'aarch64' : 'x86_64', '-R']
      : emulator
        ? [emulator]
        : [];
  const env = {
    ASAN_OPTIONS: 'detect_leaks=1:abort_on_error=0',
    UBSAN_OPTIONS: 'print_stacktrace=1',
    TSAN_OPTIONS: 'halt_on_error=1:second_deadlock_stack=1',
    // The second one is for a test that starts itself once more.
    ...(emulator ? { QEMU_LD_PREFIX: libraries, SETNET_TEST_LAUNCHER: emulator } : {}),
  };
  const sum = { passed: 0, failed: 0 };
  for (const executable of executables) {
    const start = Date.now();
    const command = [...prefix, executable];
    const { code, log } = await run(command[0], command.slice(1), { env, timeout: timeout * 1000 });
    const line = [...log.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
    const passed = line ? Number(line[1]) : 0;
    // A crash, a sanitizer's report or a missing closing line is a failure even where every check so far had passed.
    const failed = Math.max(line ? Number(line[2]) : 1, code === 0 ? 0 : 1);
    sum.passed += passed;
    sum.failed += failed;
    if (failed > 0) process.stdout.write(`\n${log}\n`);
    const seconds = ((Date.now() - start) / 1000).toFixed(1);
    console.log(
      `  ${failed > 0 ? 'FAILED' : 'ok    '} ${basename(executable).padEnd(32)} ${String(passed).padStart(6)} checks ${seconds.padStart(7)} s`,
    );
    if (line && code === 0 && passed + failed === 0) {
      console.log('         it checked nothing');
      sum.failed += 1;
    }
  }
  return sum;
}

if (isMain(import.meta.url)) {
  runMain(async () => {
    const args = process.argv.slice(2);
    const sanitize = readOption('--sanitize');
    const target = readOption('--target');
    const kind = sanitize ? ` (${sanitize} sanitizer)` : target ? ` (${target})` : '';
    const { executables } = await stage(`C++ tests, compiling${kind}`, () =>
      buildNativeTests({ sanitize, target, only: readOption('--only') }),
    );
    if (!args.includes('--run')) return;
    const { passed, failed } = await runNativeTests(executables, {
      sanitize,
      target,
      timeout: Number(readOption('--timeout') || 300),
    });
    console.log(`  C++: ${passed} checks passed, ${failed} failed`);
    if (readOption('--counts')) appendFileSync(readOption('--counts'), `${passed} ${failed} 0\n`);
    if (failed > 0) process.exitCode = 1;
  });
}
