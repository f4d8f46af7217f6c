// What one core of this machine can do at most, measured in this run: what the figures are printed beside.
import { existsSync, readFileSync } from 'node:fs';
import { runNative } from './native_programs.mjs';

/** Every ceiling as the program prints it: [{ name, ceiling, isa, value, unit, absent }]. */
export async function measureCeilings({ quick = false, threads = 1 } = {}) {
  return runNative('ceilings', quick ? { threads, seconds: 0.003, repeats: 5 } : { threads });
}

let measured;

/**
 * { find(name), list }: find gives { value, unit } of a ceiling of the instruction set that setnet uses, or { absent: reason }.
 * Measured once per process, or read where the run of everything measured them.
 */
export async function ceilings({ isa, quick = false }) {
  measured ??= readMeasured() ?? measureCeilings({ quick });
  const list = await measured;
  return { list, find: (name) => findCeiling(list, name, isa) };
}

function readMeasured() {
  const path = process.env.SETNET_BENCH_CEILINGS;
  return path && existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

export function findCeiling(list, name, isa) {
  const named = list.filter((one) => one.ceiling === name);
  const found = named.find((one) => one.isa === isa) ?? named.find((one) => one.isa === undefined) ?? named.at(-1);
  if (found === undefined) {
    const reason = list.find((one) => one.absent)?.absent ?? `the ceiling '${name}' was not measured`;
    return { absent: reason };
  }
  if (found.value === null) return { absent: found.absent };
  // The best of its repeats: a ceiling is what the machine can do, not what it did beside others.
  return { value: found.best ?? found.value, unit: found.unit };
}
