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
  return process.platform === 'darwin' ? cachesOfMac() : cachesOfLinux();
}

function cachesOfLinux() {
  const folder = '/sys/devices/system/cpu/cpu0/cache';
  const read = (index, name) => readFileSync(`${folder}/${index}/${name}`, 'utf8').trim();
  try {
    const found = readdirSync(folder)
      .filter((name) => /^index\d+$/.test(name))
      .sort()
      .filter((index) => read(index, 'type') !== 'Instruction')
      .map((index) => `L${read(index, 'level')}${read(index, 'type') === 'Data' ? 'd' : ''} ${read(index, 'size')}`);
    return found.length > 0 ? found.join(', ') : null;
  } catch {
    return null;
  }
}

function cachesOfMac() {
  const found = [];
  for (const [label, name] of [
    ['L1d', 'hw.l1dcachesize'],
    ['L2', 'hw.l2cachesize'],
    ['L3', 'hw.l3cachesize'],
  ]) {
    try {
      const bytes = Number(
        execFileSync('sysctl', ['-n', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
      );
      if (bytes > 0) found.push(`${label} ${bytes / 1024}K`);
    } catch {
      // A level that this processor does not have.
    }
  }
  return found.length > 0 ? found.join(', ') : null;
}
