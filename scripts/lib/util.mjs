// Small things every script needs. No dependencies: this runs before node_modules exists.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

export const cores = typeof availableParallelism === 'function' ? availableParallelism() : cpus().length;

/** An error whose message is all that a person needs: the scripts print it without a stack. */
export class Failure extends Error {}

/** Runs `main` and turns a Failure into one line and exit code 1. */
export function runMain(main) {
  Promise.resolve()
    .then(main)
    .catch((error) => {
      console.error(error instanceof Failure ? `setnet: ${error.message}` : error);
      process.exitCode = 1;
    });
}

/** True where the script of `importMetaUrl` is what node was started with, not an import of another script. */
export function isMain(importMetaUrl) {
  return process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(importMetaUrl);
}

/** The word after `name` on the command line, or undefined. */
export function readOption(name) {
  const index = process.argv.indexOf(name);
  return index < 0 ? undefined : process.argv[index + 1];
}

/** The full path of a program on PATH, or undefined. */
export function findProgram(name) {
  if (name.includes('/')) return existsSync(name) ? name : undefined;
  for (const folder of (process.env.PATH || '').split(delimiter)) {
    if (folder === '') continue;
    for (const suffix of process.platform === 'win32' ? ['.exe', '.cmd', ''] : ['']) {
      const path = join(folder, name + suffix);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not here; the next folder.
      }
    }
  }
  return undefined;
}

/** All files under `folder` (relative to the root, sorted) whose name matches; folders called node_modules are not entered. */
export function listFiles(folder, matches = /./) {
  const found = [];
  const walk = (path) => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.name === 'node_modules' || entry.name === '.git') continue;
      const child = join(path, entry.name);
      if (entry.isDirectory()) walk(child);
      else if (matches.test(entry.name)) found.push(relative(root, child));
    }
  };
  if (existsSync(join(root, folder))) walk(join(root, folder));
  return found.sort();
}

/** A digest over names and contents of files (relative to the root) and any extra strings. */
export function digest(files, ...extra) {
  const hash = createHash('sha256');
  for (const file of files) {
    const bytes = readFileSync(join(root, file));
    hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  }
  for (const text of extra) hash.update(`${text}\0`);
  return hash.digest('hex');
}

export function readStamp(path) {
  try {
    return readFileSync(join(root, path), 'utf8').trim();
  } catch {
    return undefined;
  }
}

export function writeStamp(path, text) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), `${text}\n`);
}

export function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

/** The list of native sources: what both build systems, the C++ tests and the checks read. */
export function readSources() {
  return readJson('native/sources.json');
}

/**
 * Runs a program in the root and resolves with { code, log }. The output is collected, not shown, unless `show` is set.
 * Never rejects for a failing program: a program that cannot be started gives code 127.
 */
export function run(program, args, { env = {}, show = false, cwd = root, timeout = 0 } = {}) {
  return new Promise((done) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    let timer;
    if (timeout > 0) {
      timer = setTimeout(() => {
        log += `\nstopped after ${timeout / 1000} s\n`;
        child.kill('SIGKILL');
      }, timeout);
    }
    if (!show) {
      child.stdout.setEncoding('utf8').on('data', (text) => (log += text));
      child.stderr.setEncoding('utf8').on('data', (text) => (log += text));
    }
    child.on('error', (error) => {
      clearTimeout(timer);
      done({ code: 127, log: `${log}${program}: ${error.message}\n` });
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      done({ code: code ?? 128, signal, log: signal ? `${log}\nended by ${signal}\n` : log });
    });
  });
}

/** Runs a command that must succeed; on failure its whole log is printed. */
export async function runOrFail(what, program, args, options) {
  const result = await run(program, args, options);
  if (result.code !== 0) {
    process.stderr.write(`\n${result.log}\n`);
    throw new Failure(`${what} failed (exit code ${result.code}); its output is above.`);
  }
  return result;
}

/** Shows `  name ...` at once and the seconds when the work is done, so that a long stage is seen to be running. */
export async function stage(name, work) {
  const start = process.hrtime.bigint();
  process.stdout.write(`  ${name} ... `);
  let outcome = 'failed after ';
  try {
    const result = await work();
    outcome = '';
    return result;
  } finally {
    process.stdout.write(`${outcome}${(Number(process.hrtime.bigint() - start) / 1e9).toFixed(1)} s\n`);
  }
}

/**
 * One set-up at a time per checkout: a folder is made atomically and holds the owner's process id, so that the lock of a
 * process that was killed is taken over instead of waited for.
 */
export async function withLock(work) {
  const folder = join(root, '.setup-lock');
  let said = false;
  for (;;) {
    try {
      mkdirSync(folder);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const owner = Number(readStamp('.setup-lock/pid') || 0);
    // Between mkdir and the writing of the pid the file is missing for a moment: wait, and look again.
    if (owner > 0 && !isAlive(owner)) {
      rmSync(folder, { recursive: true, force: true });
      continue;
    }
    if (!said) console.log('  waiting for another set-up in this folder (if none runs, remove .setup-lock)');
    said = true;
    await new Promise((wake) => setTimeout(wake, 250));
  }
  const release = () => rmSync(folder, { recursive: true, force: true });
  const onSignal = (signal) => {
    release();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    writeFileSync(join(folder, 'pid'), String(process.pid));
    return await work();
  } finally {
    release();
    process.removeListener('SIGINT', onSignal).removeListener('SIGTERM', onSignal);
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
