// The most memory that this process has had.
import { readFileSync, writeFileSync } from 'node:fs';

function statusOf(name: string): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return kilobytes === undefined ? undefined : 1024 * Number(kilobytes);
}

/** Bytes that the process has in memory now. */
export function residentBytes(): number {
  return statusOf('VmRSS') ?? process.memoryUsage.rss();
}

/** The most it has had, in bytes: since restartPeak where that is possible, else since the process began. */
export function peakBytes(): number {
  return statusOf('VmHWM') ?? 1024 * process.resourceUsage().maxRSS;
}

/**
 * Frees what nobody needs any more, where the process may (node --expose-gc), and begins the peak anew, so that what comes after is
 * not hidden under the reading of the data. False where the system cannot do that.
 */
export async function restartPeak(): Promise<boolean> {
  const { gc } = globalThis as { gc?: () => void };
  for (let i = 0; i < 2 && gc !== undefined; i++) {
    gc();
    // Buffers are freed by a thread of the engine.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  if (process.platform !== 'linux') return false;
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}
