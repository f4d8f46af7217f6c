// A network as other runtimes get it: as dense matrices.
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from '../../scripts/lib/util.mjs';

/** Above this the weights go to a file of their own: a model is one message of at most 2 GiB, and one buffer of Node's. */
const largestInline = 256 * 2 ** 20;

/** The layers of a network as [{ units, inputs, weights: Float32Array of units * inputs, bias or null, activation }]. */
export function denseLayers(net) {
  return net.layers.map((layer) => ({
    units: layer.units,
    inputs: layer.inputs,
    weights: layer.weights.toDense(),
    bias: layer.bias,
    activation: layer.activation,
  }));
}

/**
 * Opens `net` in onnxruntime (what onnxRuntime() of peers.mjs resolves with), written as dense ONNX by setnet itself. Files
 * that this takes are gone when it resolves.
 */
export async function openDense(runtime, net, { threads }) {
  // Not part of the package's interface: taken from its folder.
  const { onnxModel } = createRequire(import.meta.url)(join(root, 'dist/onnx.js'));
  const bytes = net.layers.reduce((sum, layer) => sum + 4 * layer.units * layer.inputs, 0);
  if (bytes <= largestInline) return runtime.open(Buffer.concat([...onnxModel(net).model]), { threads });
  mkdirSync(join(root, 'build-bench'), { recursive: true });
  const folder = mkdtempSync(join(root, 'build-bench/onnx-'));
  try {
    const { model, externalData } = onnxModel(net, { externalData: 'weights.bin' });
    writePieces(join(folder, 'model.onnx'), model);
    writePieces(join(folder, 'weights.bin'), externalData);
    return await runtime.open(join(folder, 'model.onnx'), { threads });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writePieces(path, pieces) {
  const file = openSync(path, 'w');
  try {
    for (const piece of pieces) {
      for (let written = 0; written < piece.length; ) written += writeSync(file, piece, written);
    }
  } finally {
    closeSync(file);
  }
}
