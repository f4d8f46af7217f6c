// What every figure carries, so that it can be judged: the processor, its caches, versions.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** { processor, caches } of this machine; what the system does not tell is null. */
export function machine() {
  return { processor: cpus()[0]?.model.trim() || null, caches: caches() };
}

/** "L1d 48K, L2 1024K, L3 32768K" of the first core. */
function caches() {
  const found = process.platform === 'darwin' ? cachesOfMac() : (cachesOfLinux() ?? cachesOfGetconf());
  return found?.length > 0 ? found.join(', ') : null;
}

function cachesOfLinux() {
  const folder = '/sys/devices/system/cpu/cpu0/cache';
  const read = (index, name) => readFileSync(`${folder}/${index}/${name}`, 'utf8').trim();
  try {
    return readdirSync(folder)
      .filter((name) => /^index\d+$/.test(name))
      .sort()
      .filter((index) => read(index, 'type') !== 'Instruction')
      .map((index) => `L${read(index, 'level')}${read(index, 'type') === 'Data' ? 'd' : ''} ${read(index, 'size')}`);
  } catch {
    return undefined;
  }
}

/** Where the system does not list them (some virtual machines) the C library asks the processor itself. */
function cachesOfGetconf() {
  const names = { L1d: 'LEVEL1_DCACHE_SIZE', L2: 'LEVEL2_CACHE_SIZE', L3: 'LEVEL3_CACHE_SIZE' };
  return sizes(names, (name) => ['getconf', [name]]);
}

function cachesOfMac() {
  const names = { L1d: 'hw.l1dcachesize', L2: 'hw.l2cachesize', L3: 'hw.l3cachesize' };
  return sizes(names, (name) => ['sysctl', ['-n', name]]);
}

function sizes(names, command) {
  const found = [];
  for (const [label, name] of Object.entries(names)) {
    try {
      const text = execFileSync(...command(name), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      if (Number(text) > 0) found.push(`${label} ${Number(text) / 1024}K`);
    } catch {
      // A level that this processor does not have, or no such program.
    }
  }
  return found;
}
