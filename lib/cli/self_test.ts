// A process of doctor's: trains a small network, sparse and masked, with the instruction set that SETNET_FORCE_ISA names, and
// prints what came out. It is a process of its own because a processor that lacks an instruction ends the process.
import { createHash } from 'node:crypto';
import { buildInfo } from '../build_info';
import { dense } from '../layers/dense';
import { masked } from '../layers/masked';
import { sparse } from '../layers/sparse';
import { Network } from '../network';

/** What the process prints, as JSON. */
export interface SelfTest {
  readonly instructionSet: string;
  /** Of wiring, weights and biases after training: equal on all instruction sets with fused multiply-add. */
  readonly digest: string;
  /** Whether masked layers came to the same bits as sparse ones. */
  readonly isMaskedEqual: boolean;
  /** Of the training data after training: all of them are easy. */
  readonly accuracy: number;
}

const [rows, inputs, classes] = [256, 24, 4];

/** Classes that are told apart by which quarter of the inputs is large. */
function makeData(): { x: Float32Array; y: Int32Array } {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const y = Int32Array.from({ length: rows }, (_, row) => row % classes);
  const x = Float32Array.from({ length: rows * inputs }, (_, i) => {
    const isLarge = Math.floor((i % inputs) / (inputs / classes)) === y[Math.floor(i / inputs)];
    return random() + (isLarge ? 0.5 : 0);
  });
  return { x, y };
}

async function train(kind: typeof sparse | typeof masked): Promise<{ digest: string; accuracy: number }> {
  const hidden = { units: 48, density: 0.3, dropout: 0.1 } as const;
  const layers = [kind({ ...hidden, activation: 'srelu' }), kind(hidden), dense({ units: classes })];
  const net = await Network.create({ inputs, layers, scaling: 'perFeature', seed: 1 });
  const data = makeData();
  await net.fit(data, { epochs: 8, batchSize: 16 }).done;
  const hash = createHash('sha256');
  for (const { weights, bias } of net.layers) {
    for (const array of [weights.rowPointers, weights.columnIndices, weights.values, bias ?? new Float32Array(0)])
      hash.update(array);
  }
  const { accuracy } = await net.evaluate(data);
  return { digest: hash.digest('hex'), accuracy: accuracy ?? 0 };
}

async function main(): Promise<void> {
  const first = await train(sparse);
  const second = await train(masked);
  const answer: SelfTest = {
    instructionSet: buildInfo().instructionSet,
    digest: first.digest,
    isMaskedEqual: first.digest === second.digest,
    accuracy: first.accuracy,
  };
  process.stdout.write(JSON.stringify(answer));
}

main().catch((error: unknown) => {
  process.stderr.write(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
