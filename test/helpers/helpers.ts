// What several tests need.
import { strict as assert } from 'node:assert';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import {
  dense,
  type LayerDefinition,
  Network,
  type NetworkOptions,
  SetnetError,
  type SetnetErrorCode,
  sparse,
} from '../../lib/index';

/** The checkout. */
export const root: string = join(__dirname, '..', '..', '..');

/** What a consumer's require('setnet') loads. */
export const entry: string = join(root, 'dist', 'index.js');

/** xorshift32: data of tests are the same on every machine. */
export function randomSource(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export function randomFeatures(rows: number, columns: number, seed: number): Float32Array {
  const random = randomSource(seed);
  return Float32Array.from({ length: rows * columns }, () => 2 * random() - 1);
}

export interface Problem {
  x: Float32Array;
  y: Int32Array;
}

/** Classes that lie around random centres, with noise: easy to learn, impossible to guess. */
export function blobs(rows: number, inputs: number, classes: number, seed: number): Problem {
  const random = randomSource(7919 * classes + inputs);
  const centres = Array.from({ length: classes * inputs }, () => 2 * random() - 1);
  const noise = randomSource(seed);
  const x = new Float32Array(rows * inputs);
  const y = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const label = Math.floor(noise() * classes);
    y[row] = label;
    for (let i = 0; i < inputs; i++) {
      x[row * inputs + i] = (centres[label * inputs + i] as number) + 0.6 * (noise() + noise() - 1);
    }
  }
  return { x, y };
}

/** A small classifier: inputs - 32 sparse - 24 sparse - classes. */
export function smallOptions(inputs: number, classes: number, options: Partial<NetworkOptions> = {}): NetworkOptions {
  const layers: LayerDefinition[] = [
    sparse({ units: 32, density: 0.4, dropout: 0.1 }),
    sparse({ units: 24, density: 0.4 }),
    dense({ units: classes }),
  ];
  return { inputs, seed: 42, threads: 1, layers, ...options };
}

export function smallNetwork(inputs: number, classes: number, options: Partial<NetworkOptions> = {}): Network {
  return Network.createSync(smallOptions(inputs, classes, options));
}

export interface Fashion {
  xTrain: Uint8Array;
  yTrain: Int32Array;
  xTest: Uint8Array;
  yTest: Int32Array;
  classes: string[];
}

/** The real images that are kept in the repository, whatever SETNET_DATA says: golden digests are of these. */
export async function fashion(limitTrain: number, limitTest: number): Promise<Fashion> {
  const module = await import(pathToFileURL(join(root, 'examples/fashion/data.mjs')).href);
  return module.loadFashion({ dir: module.bundledDir, limitTrain, limitTest }) as Fashion;
}

/** All that a network consists of: topologies, weights, biases and learned parameters of every layer, bit by bit. */
export function digestOf(network: Network): string {
  const hash = createHash('sha256');
  for (const layer of network.layers) {
    const { rowPointers, columnIndices, values } = layer.weights;
    const learned = Object.values(layer.activationParameters ?? {});
    for (const array of [rowPointers, columnIndices, values, layer.bias ?? new Float32Array(0), ...learned])
      hash.update(bytesOf(array));
  }
  return hash.digest('hex');
}

export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Equal bit for bit: NaN equals itself, and 0 is not -0. */
export function assertSameBits(actual: ArrayBufferView, expected: ArrayBufferView, what = 'arrays'): void {
  assert.equal(actual.byteLength, expected.byteLength, `${what}: lengths`);
  const a = Buffer.from(bytesOf(actual));
  assert.ok(
    a.equals(bytesOf(expected)),
    `${what} differ, first at byte ${a.findIndex((byte, i) => byte !== bytesOf(expected)[i])}`,
  );
}

function checkError(error: unknown, code: SetnetErrorCode, pattern: RegExp | undefined): true {
  assert.ok(
    error instanceof SetnetError,
    `a SetnetError was expected, not ${(error as Error)?.stack ?? String(error)}`,
  );
  assert.equal(error.code, code, error.message);
  assert.equal(error.name, 'SetnetError');
  if (pattern !== undefined) assert.match(error.message, pattern);
  return true;
}

/** The call throws a SetnetError of this code whose message matches. */
export function throwsCode(call: () => unknown, code: SetnetErrorCode, pattern?: RegExp): void {
  assert.throws(call, (error) => checkError(error, code, pattern));
}

/** The promise rejects with a SetnetError of this code whose message matches. */
export async function rejectsCode(promise: Promise<unknown>, code: SetnetErrorCode, pattern?: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => checkError(error, code, pattern));
}

/** A folder that is gone afterwards. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'setnet-test-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface ChildResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs JavaScript (CommonJS; `setnet` is the package, `helpers` this module) in a process of its own.
 */
export function runChild(
  script: string,
  {
    env = {},
    args = [],
    timeout = 60_000,
  }: { env?: Record<string, string | undefined>; args?: string[]; timeout?: number } = {},
): Promise<ChildResult> {
  const source = `const setnet = require(${JSON.stringify(entry)}); const helpers = require(${JSON.stringify(__filename)}); ${script}`;
  return resultOf(
    spawn(process.execPath, [...args, '-e', source], {
      env: { ...process.env, ...env },
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
    }),
  );
}

/** What a child prints, and how it ends. */
export function resultOf(child: ChildProcessByStdio<Writable | null, Readable, Readable>): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** As runChild, for scripts that print one JSON value; anything but a clean exit fails. */
export async function runChildJson<T>(script: string, options?: Parameters<typeof runChild>[1]): Promise<T> {
  const { code, signal, stdout, stderr } = await runChild(script, options);
  assert.equal(code, 0, `the child ended with ${signal ?? code}:\n${stderr}`);
  return JSON.parse(stdout) as T;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

// biome-ignore lint/suspicious/noExplicitAny: JSON, and the mistakes of people without types, can be anything
export type Anything = any;

/** What the metadata of a model file say, parsed. */
export function metadataOf(path: string): Anything {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString('utf8'));
  return JSON.parse(header.__metadata__.setnet);
}
