// Finds and loads the native binary, at the first use of it and not at import: a program can import setnet, and ask
// buildInfo() or catch an error, on a machine where the binary does not load.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { guard, SetnetError } from './errors';
import type { NativeModule } from './native';

const root = join(__dirname, '..');

/** Where a checkout's own builds lie, in order: a build removes the other one's binary when that is older. */
const developmentBuilds = ['build-cmake/Release/setnet.node', 'build/Release/setnet.node'];

interface Attempt {
  path: string;
  problem: string;
}

interface Loaded {
  native: NativeModule;
  path: string;
  threads: number;
}

function messageOf(error: unknown): string {
  return error instanceof Error || typeof (error as Error)?.message === 'string'
    ? (error as Error).message
    : String(error);
}

function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const report = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return report.header.glibcVersionRuntime === undefined;
}

/** What to do about it, by the causes that the failed attempts show. */
function advice(attempts: readonly Attempt[], forced: boolean): string[] {
  const problems = attempts.map((attempt) => attempt.problem).join('\n');
  const tools =
    'a C++17 compiler, make and python3 (Debian, Ubuntu: apt-get install g++ make python3; Fedora: dnf install gcc-c++ ' +
    'make python3; Alpine: apk add g++ make python3; macOS: xcode-select --install)';
  const lines: string[] = [];
  if (forced) lines.push('SETNET_BINARY is set, so nothing else was tried: correct it or unset it.');
  if (/GLIBC(XX)?_[0-9]/.test(problems)) {
    lines.push(
      `This system's C or C++ library is older than the binary: build from source with ${tools}, then npm rebuild setnet.`,
    );
  }
  if (
    /invalid ELF header|wrong ELF class|Exec format error|incompatible architecture|not a valid Win32/.test(problems)
  ) {
    lines.push(
      'The binary is for another platform; was node_modules copied from another machine or image? Install again on this one.',
    );
  }
  if (/self-register|NODE_MODULE_VERSION|napi_|undefined symbol/.test(problems)) {
    lines.push(
      `The binary does not fit this Node.js (${process.version}); setnet needs 20.19 or newer. Build it again: npm rebuild setnet.`,
    );
  }
  if (lines.length === 0) {
    if (isMusl()) lines.push('This system has musl instead of glibc, for which the package has no prebuilt binary.');
    if (existsSync(join(root, 'scripts', 'setup.mjs'))) lines.push(`In a checkout: npm run build. It needs ${tools}.`);
    else
      lines.push(
        `There is no usable binary for ${process.platform} ${process.arch}: npm rebuild setnet builds it from source. It needs ${tools}.`,
      );
  }
  return lines;
}

function loadError(attempts: readonly Attempt[], forced: boolean): SetnetError {
  const tried = attempts.map(({ path, problem }) => `  ${path}: ${problem}`);
  return new SetnetError(
    'ERR_SETNET_LOAD',
    `the native binary of setnet could not be loaded on ${process.platform} ${process.arch}, Node.js ${process.version}.\n` +
      `Tried:\n${tried.join('\n')}\nWhat to do:\n${advice(attempts, forced)
        .map((line) => `  ${line}`)
        .join('\n')}`,
  );
}

/** The file that node-gyp-build chooses among the prebuilds, or why there is none. */
function prebuiltPath(): string {
  const nodeGypBuild = require('node-gyp-build') as { path(folder: string): string };
  return nodeGypBuild.path(root);
}

function load(): Loaded {
  const forced = process.env.SETNET_BINARY;
  const attempts: Attempt[] = [];
  const attempt = (path: string): { native: NativeModule; path: string } | undefined => {
    try {
      return { native: require(path) as NativeModule, path };
    } catch (error) {
      // Node adds who asked for the file, which is always this module.
      attempts.push({ path, problem: messageOf(error).replace(/\nRequire stack:[\s\S]*/, '') });
      return undefined;
    }
  };

  let found: { native: NativeModule; path: string } | undefined;
  if (forced) {
    found = attempt(resolve(forced));
  } else {
    const builds = process.env.PREBUILDS_ONLY ? [] : developmentBuilds;
    for (const build of builds) {
      const path = join(root, build);
      if (found !== undefined) break;
      if (existsSync(path)) found = attempt(path);
      else attempts.push({ path, problem: 'no such file' });
    }
    if (found === undefined) {
      try {
        found = attempt(prebuiltPath());
      } catch (error) {
        attempts.push({ path: join(root, 'prebuilds'), problem: messageOf(error) });
      }
    }
  }
  if (found === undefined) throw loadError(attempts, Boolean(forced));

  const { native, path } = found;
  const threads = threadsOfEnvironment() ?? availableParallelism();
  guard(() => native.configure({ parallelism: threads }));
  return { native, path, threads };
}

/** The limit of every `threads` option. */
export const maxThreads = 1024;

function threadsOfEnvironment(): number | undefined {
  const text = process.env.SETNET_THREADS;
  if (text === undefined || text === '') return undefined;
  const threads = Number(text);
  if (/^[0-9]+$/.test(text) && threads >= 1 && threads <= maxThreads) return threads;
  throw new SetnetError(
    'ERR_SETNET_OPTION',
    `the environment variable SETNET_THREADS must be an integer from 1 to ${maxThreads}, not '${text}'`,
  );
}

let loaded: Loaded | undefined;

function get(): Loaded {
  loaded ??= load();
  return loaded;
}

/** The native module; ERR_SETNET_LOAD where it cannot be loaded. */
export function native(): NativeModule {
  return get().native;
}

/** The file that was loaded. */
export function binaryPath(): string {
  return get().path;
}

/** How many threads are used where nobody says otherwise: SETNET_THREADS, else what the system offers this process. */
export function defaultThreads(): number {
  return get().threads;
}
