// What must be there before anything can be built, and one sentence for what is missing.
import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { Failure, findProgram, readJson } from './util.mjs';

/** The Node that package.json's engines field asks for, as [major, minor]. */
function neededNode() {
  const [major = 0, minor = 0] = readJson('package.json')
    .engines.node.replace(/[^0-9.]/g, '')
    .split('.')
    .map(Number);
  return [major, minor];
}

export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  const [neededMajor, neededMinor] = neededNode();
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return;
  throw new Failure(
    `Node ${version} is too old, ${neededMajor}.${neededMinor} or newer is needed: install a current LTS release (nodejs.org, nvm or your package manager) and run this again.`,
  );
}

/** The C++ compiler: CXX, or the first of the usual names. */
export function findCompiler() {
  // CXX may carry a launcher or flags ("ccache g++"); its first word is the program.
  const named = (process.env.CXX || '').trim().split(/\s+/)[0];
  if (named) return findProgram(named);
  return findProgram('g++') || findProgram('c++') || findProgram('clang++');
}

/** What builds and runs the C++ tests for a processor that this one is not, per value of Node's process.arch. */
const crossTools = {
  arm64: {
    compilers: [
      'aarch64-linux-gnu-g++',
      'aarch64-linux-gnu-g++-14',
      'aarch64-linux-gnu-g++-13',
      'aarch64-linux-gnu-g++-12',
    ],
    emulators: ['qemu-aarch64-static', 'qemu-aarch64'],
    packages: 'g++-aarch64-linux-gnu qemu-user-static',
  },
};

/** { compiler, emulator, libraries: the folder whose lib/ has them } for `target`, or one sentence that names what is missing. */
export function findCrossTools(target) {
  if (!(target in crossTools)) {
    const known = Object.keys(crossTools).join(', ');
    throw new Failure(`the C++ tests cannot be built for '${target}'; known are ${known} and this machine's own kind.`);
  }
  const { compilers, emulators, packages } = crossTools[target];
  const compiler = compilers.find((name) => findProgram(name));
  const emulator = emulators.find((name) => findProgram(name));
  const missing = [
    ...(compiler === undefined ? [`a C++ compiler for ${target} (${compilers[0]})`] : []),
    ...(emulator === undefined ? [`an emulator of ${target} (${emulators[0]})`] : []),
  ];
  if (missing.length === 0) {
    // The compiler answers with a bare name where it has no such file.
    const libc = execFileSync(compiler, ['-print-file-name=libc.so.6'], { encoding: 'utf8' }).trim();
    if (!isAbsolute(libc))
      throw new Failure(`${compiler} has no C library: run \`apt-get install ${packages}\` (as root).`);
    return { compiler, emulator, libraries: dirname(dirname(resolve(libc))) };
  }
  throw new Failure(
    `${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} missing and needed for the C++ tests of ${target}: on Debian or Ubuntu run \`apt-get install ${packages}\` (as root), then run this again.`,
  );
}

/** CMake, if there is one that knows string(JSON), which came with 3.19. */
export function findCmake() {
  const path = findProgram('cmake');
  if (path === undefined) return undefined;
  try {
    const [, major, minor] = /version (\d+)\.(\d+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' })) || [];
    return Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 19) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Throws one sentence that names everything a build of `kind` ('cmake' or 'gyp') lacks. */
export function checkTools(kind) {
  const missing = [];
  if (findCompiler() === undefined) missing.push('a C++ compiler (g++)');
  if (findProgram('make') === undefined && !(kind === 'cmake' && findProgram('ninja'))) missing.push('make');
  if (kind === 'gyp' && findProgram(process.env.PYTHON || 'python3') === undefined) missing.push('python3');
  if (missing.length === 0) return;
  const list = missing.length > 1 ? `${missing.slice(0, -1).join(', ')} and ${missing.at(-1)}` : missing[0];
  throw new Failure(
    `${list} ${missing.length > 1 ? 'are' : 'is'} missing and needed to build the native part: ${howToGet()}, then run this again.`,
  );
}

function howToGet() {
  if (process.platform === 'darwin') return 'run `xcode-select --install`';
  if (findProgram('apt-get')) return 'run `apt-get install g++ make python3` (as root)';
  if (findProgram('dnf')) return 'run `dnf install gcc-c++ make python3` (as root)';
  if (findProgram('apk')) return 'run `apk add g++ make python3` (as root)';
  return 'install the packages g++ (or gcc-c++), make and python3 of your system';
}

/**
 * The folder above Node's own headers, or undefined. node-gyp, started outside npm or with an empty home folder, would
 * otherwise try to download them.
 */
export function findNodeHeaders() {
  const named = process.env.npm_config_nodedir;
  if (named) return named;
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  return existsSync(join(prefix, 'include/node/node_api.h')) ? prefix : undefined;
}
