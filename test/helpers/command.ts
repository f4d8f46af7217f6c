// The command as users run it, and small data files for it.
import { strict as assert } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChildResult, randomSource, resultOf, root } from './helpers';

/** The program of the package. */
export const program: string = join(root, 'dist', 'cli', 'main.js');

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: Record<string, string | undefined>;
  /** Called with the process when it has started. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs the command; whatever becomes of it is the result. */
export function setnet(args: readonly string[], { cwd, env = {}, onStart }: CommandOptions): Promise<ChildResult> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: { ...process.env, SETNET_DEBUG: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  onStart?.(child);
  return resultOf(child);
}

/** What the command prints; anything but exit code 0 fails. */
export async function outputOf(args: readonly string[], options: CommandOptions): Promise<string> {
  const { code, signal, stdout, stderr } = await setnet(args, options);
  assert.equal(code, 0, `setnet ${args.join(' ')} ended with ${signal ?? code}:\n${stdout}${stderr}`);
  return stdout;
}

/** Works through a list, a few at once. */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>, limit = 3): Promise<void> {
  const left = [...items];
  await Promise.all(
    Array.from({ length: limit }, async () => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
    }),
  );
}

const species = ['setosa', 'versicolor', 'virginica'] as const;

export interface Flowers {
  /** A row for each flower: three measures and the species. */
  readonly rows: readonly (readonly [length: string, width: string, petal: string, species: string])[];
}

/** Flowers that are easy to tell apart. */
export function makeFlowers(count: number, seed: number): Flowers {
  const random = randomSource(seed);
  const noise = () => 0.4 * (random() + random() - 1);
  return {
    rows: Array.from({ length: count }, (_, i) => {
      const kind = i % 3;
      const measures = [5 + kind, 3, 1.5 + 2 * kind].map((mean) => (mean + noise()).toFixed(2));
      return [...measures, species[kind]] as unknown as Flowers['rows'][number];
    }),
  };
}

/** As a CSV with a header, or of other lines. */
export function flowersText({ rows }: Flowers): string {
  return ['length,width,"petal length",species', ...rows.map((row) => row.join(',')), ''].join('\n');
}

/** flowers.csv with 120 rows, and new.csv with 9 others. */
export function writeFlowers(folder: string): void {
  writeFileSync(join(folder, 'flowers.csv'), flowersText(makeFlowers(120, 1)));
  writeFileSync(join(folder, 'new.csv'), flowersText(makeFlowers(9, 2)));
}
