// `setnet doctor`: what a bug report needs. Works as far as it can where the native binary does not load.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, freemem, release, type as systemType, totalmem } from 'node:os';
import { join } from 'node:path';
import { type BuildInfo, buildInfo } from '../build_info';
import { type Device, devices } from '../devices';
import { bytes, counted, percent, wrap } from '../text';
import { type Command, type Context, defineCommand } from './command';
import { Failure } from './failure';
import { flag } from './options';
import type { Screen } from './screen';
import type { SelfTest } from './self_test';

/** One instruction set and what became of a small training with it. */
interface KernelReport {
  readonly name: string;
  readonly isAvailable: boolean;
  readonly isInUse: boolean;
  readonly result?: SelfTest;
  /** Why the training did not end well. */
  readonly problem?: string;
}

/** All that doctor found out. */
interface Diagnosis {
  readonly system: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly build?: BuildInfo;
  readonly devices?: readonly Device[];
  readonly kernels: readonly KernelReport[];
  readonly problems: readonly string[];
}

/** Without fused multiply-add sums round otherwise. */
const otherBits = 'baseline';

/** A training this long means that something hangs. Milliseconds. */
const limit = 60_000;

export const doctor: Command = defineCommand({
  name: 'doctor',
  summary: 'Show all that a bug report needs: versions, processor, kernels, devices',
  positionals: [],
  notes: [
    'Trains a small network with every instruction set that this processor has, each in a process of its own, and compares the results bit by bit. Says why where the native binary cannot be loaded or a device cannot be used. Exit code 1 where a problem was found.',
  ],
  options: {
    json: flag('Print one JSON object.'),
  },
  examples: ['setnet doctor'],
  answers: ({ json }) => json === true,
  async run({ json }, _, context) {
    const diagnosis = await diagnose(context);
    if (json) await context.write(`${JSON.stringify(diagnosis, null, 2)}\n`);
    else print(diagnosis, context.screen);
    if (diagnosis.problems.length > 0) throw new Failure(`${counted(diagnosis.problems.length, 'problem')} found`);
  },
});

async function diagnose({ signal }: Context): Promise<Diagnosis> {
  const found = { system: system(), environment: environment() };
  let build: BuildInfo;
  let known: Device[];
  try {
    build = buildInfo();
    known = devices();
  } catch (error) {
    return { ...found, kernels: [], problems: [(error as Error).message] };
  }
  const kernels: KernelReport[] = [];
  for (const { name, available } of build.instructionSets) {
    const isInUse = name === build.instructionSet;
    kernels.push({
      ...{ name, isAvailable: available, isInUse },
      ...(available ? await selfTest(name, signal) : {}),
    });
  }
  return { ...found, build, devices: known, kernels, problems: problemsOf(kernels) };
}

function problemsOf(kernels: readonly KernelReport[]): string[] {
  const problems = kernels.flatMap(({ name, problem }) => (problem === undefined ? [] : [`${name}: ${problem}`]));
  const fused = kernels.filter(({ name, result }) => name !== otherBits && result !== undefined);
  const [first] = fused;
  for (const { name, result } of fused) {
    if (result?.digest !== first?.result?.digest)
      problems.push(`${name}: a network trained with it has other bits than with ${first?.name}`);
    if (result?.isMaskedEqual === false) problems.push(`${name}: masked layers came to other bits than sparse layers`);
  }
  for (const { name, result } of kernels) {
    if (result !== undefined && result.accuracy < 0.9)
      problems.push(`${name}: a training that is easy came to ${percent(result.accuracy)} only`);
  }
  return problems;
}

function system(): Record<string, string> {
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  const { version } = JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const libc = header.glibcVersionRuntime === undefined ? 'not glibc (musl?)' : `glibc ${header.glibcVersionRuntime}`;
  const models = [...new Set(cpus().map(({ model }) => model.trim()))];
  const allowed = process.constrainedMemory?.() ?? 0;
  const isLimited = allowed > 0 && allowed < totalmem();
  return {
    setnet: version,
    'Node.js': `${process.version}, Node-API ${process.versions.napi ?? '?'}, ${process.execPath}`,
    system: `${systemType()} ${release()}, ${process.platform} ${arch()}`,
    ...(process.platform === 'linux' ? { 'C library': libc } : {}),
    processor: `${counted(cpus().length, 'processor')}, ${models.join('; ') || 'unknown'}`,
    'for this process': `${counted(availableParallelism(), 'processor')}${isLimited ? `, ${bytes(allowed)} of memory` : ''}`,
    memory: `${bytes(totalmem())}, ${bytes(freemem())} free`,
  };
}

/** What changes how setnet runs. */
function environment(): Record<string, string> {
  const names = ['SETNET_BINARY', 'SETNET_FORCE_ISA', 'SETNET_THREADS', 'NODE_OPTIONS', 'PREBUILDS_ONLY'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** A small training with one instruction set, in a process of its own. */
function selfTest(name: string, signal: AbortSignal): Promise<{ result: SelfTest } | { problem: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(__dirname, 'self_test.js')], {
      env: { ...process.env, SETNET_FORCE_ISA: name },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limit,
      killSignal: 'SIGKILL',
    });
    const stop = () => child.kill('SIGKILL');
    signal.addEventListener('abort', stop);
    let [output, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    child.on('error', (error) => resolve({ problem: `the process cannot be started: ${error.message}` }));
    child.on('close', (code, killedBy) => {
      signal.removeEventListener('abort', stop);
      if (signal.aborted) reject(signal.reason);
      else if (code === 0) resolve({ result: JSON.parse(output) as SelfTest });
      else if (killedBy !== null) resolve({ problem: `the process was ended by ${killedBy}` });
      else resolve({ problem: errors.trim() || `the process ended with exit code ${code}` });
    });
  });
}

function print({ system, environment, build, devices, kernels, problems }: Diagnosis, screen: Screen): void {
  const entries: [string, string][] = [...Object.entries(system)];
  if (build !== undefined) {
    entries.push(['binary', build.binary]);
    entries.push(['compiled', `${build.compiler}, Node-API ${build.napi}, ${build.platform} ${build.architecture}`]);
    entries.push(['threads', String(build.threads)]);
  }
  for (const [name, value] of Object.entries(environment)) entries.push([name, value]);
  section(screen, undefined, entries);
  if (kernels.length > 0) {
    section(
      screen,
      'Kernels',
      kernels.map((kernel) => [kernel.name, kernelText(kernel, kernels)]),
    );
  }
  if (devices !== undefined) {
    section(
      screen,
      'Devices',
      devices.map(({ id, available, reason }) => [id, available ? 'can be used' : `cannot be used: ${reason}`]),
    );
  }
  screen.line();
  if (problems.length === 0) screen.line(screen.green('No problem found.'));
  else screen.line(screen.bold('Problems'));
  for (const problem of problems) screen.lines(problem.split('\n').map((line) => `  ${line}`));
}

function kernelText(
  { name, isAvailable, isInUse, result, problem }: KernelReport,
  all: readonly KernelReport[],
): string {
  if (!isAvailable) return 'this processor does not have it';
  const use = isInUse ? ', in use' : '';
  if (result === undefined) return `${problem}${use}`;
  const others = all.filter((other) => other.name !== name && other.result?.digest === result.digest);
  if (name === otherBits) return `runs${use}; rounds otherwise (no fused multiply-add)`;
  return `runs${use}${others.length === 0 ? '' : `; the same bits as ${others.map((other) => other.name).join(', ')}`}`;
}

function section(screen: Screen, title: string | undefined, entries: readonly (readonly [string, string])[]): void {
  if (title !== undefined) screen.lines(['', screen.bold(title)]);
  const column = Math.max(...entries.map(([name]) => name.length)) + 2;
  const indent = title === undefined ? 0 : 2;
  for (const [name, value] of entries) {
    const [first = '', ...rest] = wrap(value, Math.max(20, screen.width - indent - column));
    screen.line(`${' '.repeat(indent)}${name.padEnd(column)}${first}`);
    for (const line of rest) screen.line(' '.repeat(indent + column) + line);
  }
}
