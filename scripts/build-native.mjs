// Builds setnet.node: with cmake-js into build-cmake/ where CMake is present, else with node-gyp into build/.
//
//   node scripts/build-native.mjs [--cmake | --gyp] [--sanitize address|thread] [--out FOLDER]
//
// SETNET_BUILD=cmake|gyp chooses as the flags do. Warnings are errors with SETNET_WERROR=1 (CI), never with
// SETNET_WERROR=0. Without the variable they are errors first; a compiler that knows warnings ours does not may then build
// without, and the warnings are shown: the first command somebody types must not fail for that.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkTools, findCmake, findNodeHeaders } from './lib/requirements.mjs';
import {
  cores,
  digest,
  Failure,
  isMain,
  listFiles,
  readOption,
  readStamp,
  root,
  run,
  runMain,
  stage,
  writeStamp,
} from './lib/util.mjs';

const folders = { cmake: 'build-cmake', gyp: 'build' };

export function chooseBuild() {
  const wish = process.env.SETNET_BUILD;
  if (wish === 'cmake' || wish === 'gyp') return wish;
  if (wish) throw new Failure(`SETNET_BUILD is '${wish}'; it may be 'cmake' or 'gyp'.`);
  return findCmake() === undefined ? 'gyp' : 'cmake';
}

/** Everything the binary is made from. Warnings are not part of it: they do not change the bits. */
export function nativeDigest() {
  const files = listFiles('native').filter((file) => !file.startsWith('native/test/'));
  const packages = ['node_modules/node-addon-api/package.json', 'node_modules/node-api-headers/package.json'];
  return digest(
    [...files, 'CMakeLists.txt', 'binding.gyp', ...packages.filter((file) => existsSync(join(root, file)))],
    process.env.CXX || '',
    process.env.CXXFLAGS || '',
    process.arch,
  );
}

export function isNativeFresh(kind, hash = nativeDigest()) {
  const folder = folders[kind];
  return existsSync(join(root, folder, 'Release/setnet.node')) && readStamp(`${folder}/setnet.stamp`) === hash;
}

/** The folder with the object files of a fresh build and how a source's object is called there, or undefined. */
export function freshObjects(kind) {
  const hash = nativeDigest();
  if (kind !== 'gyp' && isNativeFresh('cmake', hash)) {
    return (source) => join(root, 'build-cmake/CMakeFiles/setnet.dir', `${source}.o`);
  }
  if (kind !== 'cmake' && isNativeFresh('gyp', hash)) {
    return (source) => join(root, 'build/Release/obj.target/setnet', source.replace(/\.cc$/, '.o'));
  }
  return undefined;
}

/**
 * The loader prefers build-cmake/ to build/. A binary there that is older than the sources would hide the one that was just
 * built by node-gyp, so it goes.
 */
function removeStale(hash) {
  for (const kind of ['cmake', 'gyp']) {
    if (!isNativeFresh(kind, hash)) rmSync(join(root, folders[kind], 'Release/setnet.node'), { force: true });
  }
}

async function runAll(commands, env) {
  let log = '';
  for (const args of commands) {
    const result = await run(process.execPath, args, { env });
    log += result.log;
    if (result.code !== 0) return { code: result.code, log };
  }
  return { code: 0, log };
}

function cmakeCommands({ out, sanitize, werror }) {
  const tool = join(root, 'node_modules/cmake-js/bin/cmake-js');
  const options = ['-O', out, `--CDSETNET_WERROR=${werror ? 'ON' : 'OFF'}`, `--CDSETNET_SANITIZE=${sanitize || ''}`];
  // "build" alone would not see changed options, and "compile" answers a compile error with a second, full build.
  return [
    [tool, 'configure', ...options],
    [tool, 'build', ...options, '--parallel', String(cores)],
  ];
}

function gypCommands() {
  const tool = join(root, 'node_modules/node-gyp/bin/node-gyp.js');
  const headers = findNodeHeaders();
  const options = headers === undefined ? [] : [`--nodedir=${headers}`];
  return [
    [tool, 'configure', ...options],
    [tool, 'build', ...options, '-j', String(cores)],
  ];
}

async function attempt(kind, options, werror) {
  if (kind === 'gyp') return runAll(gypCommands(), { SETNET_WERROR: werror ? '1' : '0' });
  const { out } = options;
  const result = await runAll(cmakeCommands({ ...options, werror }), {});
  // A folder configured by another CMake, generator or place of the checkout cannot be configured again: start afresh.
  if (result.code !== 0 && /CMakeCache|generator.*does not match/i.test(result.log)) {
    rmSync(out, { recursive: true, force: true });
    return runAll(cmakeCommands({ ...options, werror }), {});
  }
  return result;
}

/** Builds and returns the path of the binary, relative to the root. */
export async function buildNative({ kind = chooseBuild(), sanitize, out } = {}) {
  if (sanitize && kind !== 'cmake') throw new Failure('the sanitizer builds need CMake 3.19 or newer.');
  checkTools(kind);
  const folder = out || (sanitize ? `build-${sanitize}` : folders[kind]);
  const hash = nativeDigest();
  const options = { sanitize, out: join(root, folder) };
  // A failing build leaves objects of two states behind; without the stamp nobody takes them for those of an older state.
  rmSync(join(root, folder, 'setnet.stamp'), { force: true });
  const wish = process.env.SETNET_WERROR;
  let result = await attempt(kind, options, wish !== '0');
  if (result.code !== 0 && wish === undefined && /\[-Werror/.test(result.log)) {
    const warnings = result.log.split('\n').filter((line) => /\[-Werror/.test(line));
    process.stdout.write(
      `\n${warnings.slice(0, 20).join('\n')}\n  warnings of this compiler; building without -Werror ... `,
    );
    result = await attempt(kind, options, false);
  }
  if (result.code !== 0) {
    process.stderr.write(`\n${result.log.replace(/^gyp info.*\n/gm, '')}\n`);
    throw new Failure(`the native build (${kind === 'cmake' ? 'cmake-js' : 'node-gyp'}) failed; its output is above.`);
  }
  writeStamp(`${folder}/setnet.stamp`, hash);
  if (!sanitize && !out) removeStale(hash);
  return `${folder}/Release/setnet.node`;
}

if (isMain(import.meta.url)) {
  runMain(async () => {
    const args = process.argv.slice(2);
    const kind = args.includes('--gyp') ? 'gyp' : args.includes('--cmake') ? 'cmake' : chooseBuild();
    const sanitize = readOption('--sanitize');
    const name = `native build, ${kind === 'cmake' ? 'cmake-js' : 'node-gyp'}${sanitize ? `, ${sanitize} sanitizer` : ''}`;
    const path = await stage(name, () => buildNative({ kind, sanitize, out: readOption('--out') }));
    console.log(`  ${path}`);
  });
}
