// What the example trains: plain numbers, so that a process that only loads the data needs nothing else.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const settings = {
  hidden: [1000, 1000, 1000],
  epsilon: 20,
  batchSize: 100,
  learningRate: 0.1, // falls along a cosine
  momentum: 0.9,
  weightDecay: 1e-4,
  dropout: 0.1,
  zeta: 0.3, // falls along a cosine
  seed: 1,
  threads: 1,
  pictures: 8,
};

export const outDir = join(dirname(fileURLToPath(import.meta.url)), 'out');

/** Where the report on both networks is written. */
export const reportPath = join(outDir, 'report.html');

/** Where a network is saved; an interrupted one does not take the place of a finished one. */
export function modelPath(kind, interrupted = false) {
  return join(outDir, `${kind}${interrupted ? '-interrupted' : ''}.safetensors`);
}

/** The number of epochs: 15, or SETNET_EPOCHS. */
export function readEpochs(text = process.env.SETNET_EPOCHS) {
  if (text === undefined || text === '') return 15;
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new RangeError(`SETNET_EPOCHS is '${text}', expected an integer from 1 to 999999`);
  return Number(text);
}
