// The peer of the dense baseline: OpenBLAS's sgemm on the products of one training step. A small C++ program loads the
// library at run time, so that nothing here depends on it; it is compiled when it is first needed.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findCompiler } from '../../scripts/lib/requirements.mjs';
import { root, run } from '../../scripts/lib/util.mjs';
import { BenchError } from './errors.mjs';

const source = 'bench/native/sgemm.cc';
const program = join(root, 'build-bench/sgemm');

/**
 * { measure } or { absent: reason }. `sizes`: units of each level of the network, `batch`: rows. measure() resolves with
 * { core, version, products: [{ name, m, n, k, flops, seconds }] }: seconds of one product, the mean over calls.
 * SETNET_OPENBLAS names another library than the system's libopenblas.so.0.
 */
export async function openBlas({ sizes, batch }) {
  const reason = await compile();
  if (reason) return { absent: reason };
  const library =
    process.env.SETNET_OPENBLAS || (process.platform === 'darwin' ? 'libopenblas.dylib' : 'libopenblas.so.0');
  const measure = async (seconds = 0.2) => {
    try {
      const { stdout } = await promisify(execFile)(program, [library, seconds, batch, ...sizes].map(String));
      return JSON.parse(stdout);
    } catch (error) {
      if (error.code === 3) return { absent: error.stderr.trim() };
      throw new BenchError(`the sgemm program failed: ${error.message}`, 1);
    }
  };
  // Once, to see whether the library is there; and to warm it up.
  const { absent } = await measure(0.01);
  return absent ? { absent } : { measure };
}

/** undefined, or why the program cannot be had. */
async function compile() {
  if (existsSync(program) && statSync(program).mtimeMs >= statSync(join(root, source)).mtimeMs) return undefined;
  const compiler = findCompiler();
  if (compiler === undefined) return 'no C++ compiler was found to build bench/native/sgemm.cc';
  mkdirSync(join(root, 'build-bench'), { recursive: true });
  const { code, log } = await run(compiler, ['-std=c++17', '-O2', '-Wall', '-Wextra', source, '-o', program, '-ldl']);
  if (code !== 0) throw new BenchError(`${source} does not compile:\n${log}`, 1);
  return undefined;
}
