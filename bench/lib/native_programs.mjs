// The measuring programs of bench/native: each is compiled into build-bench/ when it is first needed or its sources have
// changed, and prints its figures as lines of JSON. What is missing (a compiler, a library, a processor's feature) makes
// figures without a value and with the reason, so that no peer is skipped silently and no benchmark fails for it.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freshObjects } from '../../scripts/build-native.mjs';
import { findCompiler } from '../../scripts/lib/requirements.mjs';
import { cores, digest, listFiles, readSources, readStamp, root, run, writeStamp } from '../../scripts/lib/util.mjs';

const folder = 'build-bench';

/**
 * NAME: { title, debian?, flags?, libraries?, engine?, peer?, dense? }. `debian`: the package that has what it includes and links;
 * `flags`, `libraries`: for the compiler, before and after the sources; `engine`: the project's own kernels are linked;
 * `peer`: it takes `batches` and gives a figure for each; `dense`: of a product that computes the zeros too.
 */
const programs = {
  ceilings: { title: 'ceilings of the machine', libraries: ['-ldl', '-pthread'] },
  kernels: { title: 'kernels', libraries: ['-ldl', '-pthread'], engine: true },
  evolution: { title: 'evolution', libraries: ['-pthread'], engine: true },
  sgemm: { title: 'OpenBLAS sgemm', libraries: ['-ldl'] },
  graphchallenge: { title: 'SuiteSparse:GraphBLAS', debian: 'libgraphblas-dev', libraries: ['-lgraphblas'] },
  layer_eigen: {
    title: 'Eigen',
    debian: 'libeigen3-dev',
    // All of Eigen is in its headers, so that our compiler has to know the processor.
    flags: ['-march=native', '-fopenmp', '-isystem', '/usr/include/eigen3'],
    peer: true,
  },
  layer_graphblas: {
    title: 'SuiteSparse:GraphBLAS',
    debian: 'libgraphblas-dev',
    libraries: ['-lgraphblas'],
    peer: true,
  },
  layer_libxsmm: {
    title: 'libxsmm',
    debian: 'libxsmm-dev',
    libraries: ['-lxsmm', '-lxsmmnoblas', '-ldl', '-lrt', '-pthread'],
    peer: true,
  },
  layer_mkl: { title: 'MKL', libraries: ['-ldl'], peer: true },
  layer_openblas: { title: 'OpenBLAS dense', libraries: ['-ldl'], peer: true, dense: true },
};

/** The programs that measure one sparse layer with a peer, each with the same options. */
const layerPrograms = Object.keys(programs).filter((name) => programs[name].peer);

/**
 * Runs bench/native/NAME.cc and resolves with its figures, { name, value, unit, ... } each; rejects for an unknown NAME
 * alone. `options` become
 * its command line: { batches: [1, 16], threads: 1 } is --batches 1,16 --threads 1. `timeout`: seconds.
 *
 * NAME 'libraries': all programs layer_LIBRARY.cc, one after the other, with the same options.
 */
export async function runNative(name, options = {}, { timeout = 600 } = {}) {
  if (name === 'libraries') {
    const lists = [];
    for (const program of layerPrograms) lists.push(await runNative(program, options, { timeout }));
    return lists.flat();
  }
  const spec = programs[name];
  if (spec === undefined) throw new TypeError(`there is no native program ${name}`);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const compiled = await compileOnce(name);
  if (compiled.absent) return absentFigures(spec, options, compiled.absent);
  const { figures, problem } = await execute(
    compiled.program,
    given.flatMap(([key, value]) => [`--${key}`, String(value)]),
    { threads: Math.max(...[options.threads ?? 1].flat()), timeout },
  );
  if (problem) figures.push(...absentFigures(spec, options, `${name} ${problem}`, figures));
  else if (figures.length === 0) figures.push(...absentFigures(spec, options, `${name} printed no figure`));
  return figures;
}

/**
 * Installs the Debian packages that the programs want (root and a network are needed); resolves with undefined, or with
 * why not. `mkl`: also Intel's MKL, under Intel's licence.
 */
export async function installLibraries({ mkl = false } = {}) {
  const { code, log } = await run('sh', ['bench/native/packages.sh', ...(mkl ? ['--with-mkl'] : [])]);
  return code === 0 ? undefined : log.trim();
}

/** A figure of a peer for each batch that it gave none for; else one figure. */
function absentFigures({ title, peer, dense }, options, absent, there = []) {
  const missing = { value: null, unit: null, absent };
  if (!peer) return [{ name: title, ...missing }];
  const { batches = [], threads = 1, rows, columns, density } = options;
  return [batches]
    .flat()
    .filter((size) => !there.some((figure) => figure.batch === size))
    .map((size) => ({
      name: `${title}, batch ${size}`,
      ...missing,
      unit: 'us',
      library: title,
      threads,
      batch: size,
      rows,
      columns,
      density,
      ...(dense && { dense }),
    }));
}

async function execute(program, args, { threads, timeout }) {
  const env = { ...process.env, OMP_NUM_THREADS: String(threads) };
  // Both make OpenBLAS choose slower kernels than the processor has.
  delete env.OPENBLAS_CORETYPE;
  delete env.OPENBLAS_L2_SIZE;
  const limits = { timeout: timeout * 1000, killSignal: 'SIGKILL', maxBuffer: 1 << 26 };
  let output;
  let problem;
  try {
    output = await promisify(execFile)(program, args, { cwd: root, env, ...limits });
  } catch (error) {
    output = error;
    const last = error.stderr?.trim().split('\n').at(-1);
    const how = error.killed
      ? `was stopped after ${timeout} s`
      : error.signal
        ? `was ended by ${error.signal}`
        : `failed (${error.code})`;
    problem = last ? `${how}: ${last}` : how;
  }
  const figures = [];
  for (const line of (output.stdout ?? '').split('\n')) {
    if (!line.startsWith('{')) continue;
    try {
      figures.push(JSON.parse(line));
    } catch {
      problem ??= `printed a line that is no JSON: ${line.slice(0, 80)}`;
    }
  }
  return { figures, problem };
}

const compilations = new Map();

/** { program } or { absent: reason }; what is asked for twice is compiled once. */
function compileOnce(name) {
  if (!compilations.has(name)) {
    compilations.set(
      name,
      compile(name).catch((error) => ({ absent: `${name} could not be built: ${error.message}` })),
    );
  }
  return compilations.get(name);
}

async function compile(name) {
  const { flags = [], libraries = [], engine = false, debian } = programs[name];
  const source = `bench/native/${name}.cc`;
  const program = join(root, folder, name);
  const compiler = compilerCommand();
  if (compiler === undefined) return { absent: `no C++ compiler was found to build ${source}` };
  const sources = readSources();
  const include = ['-Ibench/native', ...(engine ? sources.includeDirs.map((path) => `-I${path}`) : [])];
  const command = [...compiler, '-std=c++17', '-O3', '-Wall', '-Wextra', ...flags, ...include, source];
  // -march=native means something else on another processor.
  const processor = flags.includes('-march=native') ? (cpus()[0]?.model ?? '') : '';
  const files = [source, ...listFiles('bench/native', /\.(h|inl)$/), ...(engine ? engineFiles() : [])];
  const stamp = digest(files, ...command, ...libraries, processor, ...(engine ? engineFlags(sources) : []));
  if (existsSync(program) && readStamp(`${folder}/${name}.stamp`) === stamp) return { program };

  mkdirSync(join(root, folder), { recursive: true });
  const objects = engine ? await engineObjects(compiler, sources) : [];
  const [first, ...rest] = [...command, ...objects, '-o', program, ...libraries];
  const { code, log } = await run(first, rest);
  if (code !== 0) return { absent: `${source} does not compile: ${firstError(log)}${howToGet(debian)}` };
  writeStamp(`${folder}/${name}.stamp`, stamp);
  return { program };
}

/** A compiler may carry a launcher: "ccache g++". */
function compilerCommand() {
  const words = (process.env.CXX || '').trim().split(/\s+/).filter(Boolean);
  if (words.length > 0) return words;
  const found = findCompiler();
  return found === undefined ? undefined : [found];
}

function firstError(log) {
  const line = log.split('\n').find((text) => /error|cannot find/.test(text)) ?? log.trim().split('\n')[0] ?? '';
  return line.replace(/^.*?error: /, '').trim();
}

function howToGet(debian) {
  return debian ? ` (Debian: ${debian}; bench/native/packages.sh installs it)` : '';
}

/** What of the project's own sources the kernels and the forms that they walk are made of. */
function engineFiles() {
  return ['native/base', 'native/rules', 'native/kernels', 'native/core', 'native/cpu'].flatMap((path) =>
    listFiles(path),
  );
}

function engineFlags({ defines, cflags, includeDirs }) {
  return [...defines.map((define) => `-D${define}`), ...includeDirs.map((path) => `-I${path}`), ...cflags];
}

/** The objects of native/base, native/kernels and the packed forms, compiled as they ship: those of a fresh native build, or our own. */
async function engineObjects(compiler, sources) {
  const wanted = sources.sources.filter((path) =>
    /^native\/(base\/|kernels\/|core\/(evolve|initialize|topology|csr|binomial)\.cc|cpu\/(packed_matrix|column_form)\.cc)/.test(
      path,
    ),
  );
  const built = freshObjects();
  if (built !== undefined && wanted.every((path) => existsSync(built(path)))) return wanted.map(built);

  const flags = engineFlags(sources);
  const stamp = digest(engineFiles(), ...compiler, ...flags);
  const objectOf = (path) => join(root, folder, 'objects', `${path}.o`);
  const isFresh = readStamp(`${folder}/objects.stamp`) === stamp && wanted.every((path) => existsSync(objectOf(path)));
  if (isFresh) return wanted.map(objectOf);
  const queue = [...wanted];
  const failures = [];
  const worker = async () => {
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      mkdirSync(dirname(objectOf(path)), { recursive: true });
      const [first, ...rest] = [...compiler, ...flags, '-c', path, '-o', objectOf(path)];
      const { code, log } = await run(first, rest);
      if (code !== 0) failures.push(`${path}: ${firstError(log)}`);
    }
  };
  await Promise.all(Array.from({ length: cores }, worker));
  if (failures.length > 0) throw new Error(failures.join('; '));
  writeStamp(`${folder}/objects.stamp`, stamp);
  return wanted.map(objectOf);
}
