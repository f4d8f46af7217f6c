// A network of the GraphChallenge and its input as the one file that bench/native/graphchallenge.cc reads.
import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes `path`, all at once. `bits`: images x neurons / 8 bytes, bit k of a row is neuron k; `network`: of each layer
 * { rowPointers, columnIndices, values }, where rows are the layer's neurons and columns those of the layer before.
 */
export function writeChallenge(path, { images, neurons, bits, network, bias, limit }) {
  if (bits.length < (images * neurons) / 8) {
    throw new RangeError(
      `${images} images of ${neurons} neurons want ${(images * neurons) / 8} bytes, not ${bits.length}`,
    );
  }
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(`${path}.new`, 'w');
  const write = (array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  };
  try {
    write(new TextEncoder().encode('SNGRAPH1'));
    write(Uint32Array.of(images, neurons, network.length));
    write(Float32Array.of(bias, limit));
    write(bits.subarray(0, (images * neurons) / 8));
    for (const { rowPointers, columnIndices, values } of network) {
      write(Uint32Array.of(columnIndices.length));
      write(Uint32Array.from(rowPointers));
      write(Uint32Array.from(columnIndices));
      write(Float32Array.from(values));
    }
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
}
