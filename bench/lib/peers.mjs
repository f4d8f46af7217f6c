// The JavaScript peers: packages of bench/peers, with a lock file of their own, installed there when they are first needed
// and never with setnet. What cannot be had is { absent: reason }.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { root, run } from '../../scripts/lib/util.mjs';

const folder = join(root, 'bench/peers');
const require = createRequire(join(folder, 'package.json'));

// These slow OpenBLAS down where they are set, for processors that it does not need them on: no peer shall run with them.
for (const name of ['OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE']) delete process.env[name];

let installing;

/** undefined, or why the packages cannot be had. Asked once per process. */
export function installPeers() {
  installing ??= install();
  return installing;
}

async function install() {
  if (process.env.SETNET_BENCH_PEERS === 'none') return 'SETNET_BENCH_PEERS=none';
  if (isInstalled()) return undefined;
  process.stderr.write('installing the peers into bench/peers ...\n');
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  // npm tells its scripts where it is; outside npm the one on PATH has to do.
  const npm = process.env.npm_execpath && /npm-cli\.js$/.test(process.env.npm_execpath);
  const result = npm
    ? await run(process.execPath, [process.env.npm_execpath, ...args], { cwd: folder, timeout: 300_000 })
    : await run('npm', args, { cwd: folder, timeout: 300_000 });
  if (result.code === 0 && isInstalled()) return undefined;
  const lines = result.log.trim().split('\n');
  const said = lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? '';
  return `npm ci in bench/peers failed (exit code ${result.code}): ${said.trim()}`;
}

function isInstalled() {
  const wanted = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).dependencies;
  return Object.entries(wanted).every(([name, version]) => installedVersion(name) === version);
}

function installedVersion(name) {
  const path = join(folder, 'node_modules', name, 'package.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).version : undefined;
}

/**
 * onnxruntime-node: { version, open(model, { threads }) } or { absent }. `model`: the bytes of an ONNX model or its path.
 * open resolves with { call(x, rows, columns), close() }; call(...) makes a function that runs one inference on a tensor made
 * once, as a user would write it, and resolves with the output's Float32Array.
 */
export async function onnxRuntime() {
  const absent = await installPeers();
  if (absent !== undefined) return { absent };
  let ort;
  try {
    ort = require('onnxruntime-node');
  } catch (error) {
    return { absent: `onnxruntime-node does not load: ${error.message.split('\n')[0]}` };
  }
  return {
    version: installedVersion('onnxruntime-node'),
    async open(model, { threads }) {
      const session = await ort.InferenceSession.create(model, {
        executionProviders: ['cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        graphOptimizationLevel: 'all',
      });
      return {
        call(x, rows, columns) {
          const feeds = { x: new ort.Tensor('float32', x, [rows, columns]) };
          const [name] = session.outputNames;
          return async () => (await session.run(feeds))[name].data;
        },
        close: () => session.release(),
      };
    },
  };
}

/**
 * TensorFlow.js on its WebAssembly backend: { version, open(layers) } or { absent }. It has one thread in Node. `layers` as
 * denseLayers gives them; open returns { call(x, rows, columns), close() } as above, but calls are synchronous.
 */
export async function tensorFlow() {
  const absent = await installPeers();
  if (absent !== undefined) return { absent };
  let tf;
  try {
    tf = require('@tensorflow/tfjs-core');
    const wasm = require('@tensorflow/tfjs-backend-wasm');
    wasm.setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
    if (!(await tf.setBackend('wasm'))) throw new Error('the backend does not start');
  } catch (error) {
    return { absent: `tfjs-backend-wasm does not load: ${error.message.split('\n')[0]}` };
  }
  return {
    version: installedVersion('@tensorflow/tfjs-backend-wasm'),
    simd: tf.env().get('WASM_HAS_SIMD_SUPPORT'),
    open(layers) {
      const weights = layers.map(({ units, inputs, weights: dense }) =>
        tf.tidy(() => tf.transpose(tf.tensor2d(dense, [units, inputs]))),
      );
      const biases = layers.map(({ bias }) => (bias?.length > 0 ? tf.tensor1d(bias) : undefined));
      const forward = (x, rows, columns) =>
        layers.reduce(
          (a, { activation }, i) => tf.fused.matMul({ a, b: weights[i], bias: biases[i], activation }),
          tf.tensor2d(x, [rows, columns]),
        );
      return {
        call: (x, rows, columns) => () => tf.tidy(() => forward(x, rows, columns).dataSync()),
        close: () => tf.dispose([...weights, ...biases.filter(Boolean)]),
      };
    },
  };
}
