// The peer of the dense baseline: OpenBLAS's sgemm on the products of one training step (bench/native/sgemm.cc).
import { BenchError } from './errors.mjs';
import { runNative } from './native_programs.mjs';

/**
 * { measure } or { absent: reason }. `sizes`: units of each level of the network, `batch`: rows. measure() resolves with
 * { core, version, products: [{ name, m, n, k, flops, seconds }] }: seconds of one product, the mean over calls.
 * SETNET_OPENBLAS names another library than the system's libopenblas.so.0.
 */
export async function openBlas({ sizes, batch }) {
  const measure = async (seconds = 0.2) => {
    const products = await runNative('sgemm', { seconds, batch, units: sizes });
    const absent = products.find((product) => product.absent)?.absent;
    if (absent) return { absent };
    const { core, version } = products[0];
    return { core, version, products: products.map((product) => ({ ...product, seconds: product.value })) };
  };
  // Once, to see whether the library is there; and to warm it up.
  const { absent } = await measure(0.01);
  if (absent) return { absent };
  return {
    measure: async () => {
      const measured = await measure();
      if (measured.absent) throw new BenchError(`OpenBLAS was there and now is not: ${measured.absent}`, 1);
      return measured;
    },
  };
}
