// What the linker and the loader of a stranger's machine will see, read from the built objects with nm, objdump and readelf:
//
//  - kernel objects of one instruction set hold no weak symbol: the linker keeps one copy of such a function for the whole
//    library, and a std::vector method compiled for AVX-512 kills an older processor far away from any kernel;
//  - numbers come from our own exp, log and tanh: a libm's last bit differs between versions, and equal seeds give equal bits;
//  - setnet.node asks for no newer glibc and libstdc++ than RHEL 8 has, and stays loaded when the last worker exits.
//
//   node scripts/check-symbols.mjs [--cmake | --gyp] [--self-test]
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freshObjects, isNativeFresh } from './build-native.mjs';
import { Failure, findProgram, isMain, readSources, root, runMain } from './lib/util.mjs';

/** Folders whose objects compute: the ones where libm is not welcome. */
const computing = /^native\/(base|rules|core|kernels|cpu|reference|train)\//;

/** Functions of libm that IEEE 754 defines to the last bit, and those that round to an integer. */
const exact = [
  'sqrt',
  'fma',
  'floor',
  'ceil',
  'trunc',
  'round',
  'roundeven',
  'rint',
  'nearbyint',
  'lrint',
  'llrint',
  'lround',
  'llround',
];

const libm = (
  'acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp10 exp2 expm1 fabs fdim floor fma fmax fmin ' +
  'fmod frexp hypot ilogb j0 j1 jn ldexp lgamma llrint llround log log10 log1p log2 logb lrint lround modf nan nearbyint ' +
  'nextafter nexttoward pow remainder remquo rint round roundeven scalbln scalbn sin sincos sinh sqrt tan tanh tgamma trunc y0 y1 yn'
).split(' ');

/** setnet.node may ask for these and older ones. GLIBCXX 3.4.25 and CXXABI 1.3.11 came with GCC 8. */
const newest = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11' };

/** The libm function that a symbol stands for, or undefined: expf, __expf_finite, sincosl and vector variants (_ZGVbN4v_expf). */
export function libmName(symbol) {
  const bare = symbol
    .replace(/@.*$/, '')
    .replace(/^_ZGV[a-zA-Z0-9]+_/, '')
    .replace(/^_+/, '')
    .replace(/_finite$/, '')
    .replace(/_r$/, '');
  for (const name of [bare, bare.replace(/(f|l|f32|f64|f128|f32x|f64x)$/, '')]) if (libm.includes(name)) return name;
  return undefined;
}

/** Is version `a` newer than `b`, number by number? */
export function isNewer(a, b) {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    if ((left[i] || 0) !== (right[i] || 0)) return (left[i] || 0) > (right[i] || 0);
  }
  return false;
}

/** Lines of `nm -P` as [name, type]. */
function parseNm(text) {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' ').slice(0, 2));
}

export function checkObject(source, nmText) {
  const problems = [];
  for (const [name, type] of parseNm(nmText)) {
    // V, W, u: defined here and merged with others' copies. A lower-case v or w is only asked for.
    if (/^native\/kernels\/isa_/.test(source) && /^[VWu]$/.test(type))
      problems.push(`${source}: weak symbol ${name} in a kernel object`);
    if (computing.test(source) && type === 'U') {
      const called = libmName(name);
      if (called !== undefined && !exact.includes(called))
        problems.push(`${source}: calls ${name} of libm, whose bits differ between systems`);
    }
  }
  return problems;
}

export function checkLibrary(symbolText, dynamicText) {
  const problems = [];
  for (const [, family, version] of symbolText.matchAll(/\b(GLIBC|GLIBCXX|CXXABI)_([0-9.]+)/g)) {
    if (isNewer(version, newest[family]))
      problems.push(`setnet.node needs ${family}_${version}; at most ${family}_${newest[family]} is wanted`);
  }
  if (!/\bNODELETE\b/.test(dynamicText)) problems.push('setnet.node is not marked NODELETE');
  return [...new Set(problems)];
}

/** The checks are seen failing. */
function selfTest() {
  const bad = [
    checkObject('native/kernels/isa_avx512.cc', '_ZNSt6vectorIiSaIiEED1Ev W 0 1f'),
    checkObject('native/cpu/a.cc', 'expf U'),
    checkObject('native/core/a.cc', '__log_finite U'),
    checkObject('native/kernels/isa_avx2.cc', '_ZGVdN8v_expf U'),
    checkLibrary('0000 DF *UND* 0000 (GLIBCXX_3.4.30) x', ' NODELETE'),
    checkLibrary('0000 DF *UND* 0000 GLIBC_2.32 x', ' NODELETE'),
    checkLibrary('0000 DF *UND* 0000 GLIBC_2.14 x', 'Flags: NOW'),
  ];
  const good = [
    checkObject('native/kernels/isa_avx512.cc', 'sqrtf U\nfloor U\nmemcpy U\nk T 0 9'),
    checkObject('native/cpu/a.cc', '_ZNSt6vectorIiSaIiEED1Ev W 0 1f\nlrintf U\nfma U'),
    checkObject('native/binding/a.cc', 'exp U'),
    checkLibrary('GLIBC_2.28 GLIBCXX_3.4.9 CXXABI_1.3', 'Flags: NODELETE'),
  ];
  const unseen = bad.flatMap((problems, index) => (problems.length === 0 ? [`bad ${index}`] : []));
  if (unseen.length + good.flat().length > 0)
    throw new Failure(`check-symbols: self-test failed: ${[...unseen, ...good.flat()].join('; ')}`);
}

export function checkSymbols(kind) {
  selfTest();
  for (const tool of ['nm', 'objdump', 'readelf']) {
    if (findProgram(tool) === undefined) throw new Failure(`${tool} is missing: it comes with binutils.`);
  }
  const objectOf = freshObjects(kind);
  if (objectOf === undefined)
    throw new Failure('there is no fresh native build to look at: `npm run build:native` makes one.');
  const library =
    kind !== 'gyp' && isNativeFresh('cmake') ? 'build-cmake/Release/setnet.node' : 'build/Release/setnet.node';
  const output = (program, args) => execFileSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
  const problems = [];
  const { sources } = readSources();
  for (const source of sources) {
    const object = objectOf(source);
    if (!existsSync(object)) problems.push(`${source}: no object ${object}`);
    else problems.push(...checkObject(source, output('nm', ['-P', object])));
  }
  problems.push(
    ...checkLibrary(output('objdump', ['-T', join(root, library)]), output('readelf', ['-d', join(root, library)])),
  );
  if (problems.length > 0) throw new Failure(`symbols of ${library}:\n  ${problems.join('\n  ')}`);
  return `${sources.length} objects, ${library}`;
}

if (isMain(import.meta.url)) {
  runMain(() => {
    selfTest();
    const kind = ['cmake', 'gyp'].find((name) => process.argv.includes(`--${name}`));
    if (!process.argv.includes('--self-test')) console.log(`symbols: ${checkSymbols(kind)}`);
  });
}
