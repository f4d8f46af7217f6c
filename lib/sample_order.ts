// The order of samples in training, for loops of one's own.
import { readSeed } from './definition';
import { guard } from './errors';
import { native } from './loader';
import { optionError, readNumber, readOptions } from './options';

/** Options of {@link sampleOrder}. */
export interface SampleOrderOptions {
  /** The network's. */
  readonly seed: number | bigint;
  /** Of the network's life, from 1. */
  readonly epoch: number;
}

/**
 * The numbers 0 to samples - 1 in the order in which `fit` takes them in this epoch of a network with this seed: a bijection,
 * the same on every machine. `samples` is from 0 to 2^32 - 1.
 *
 * Errors: `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`, `ERR_SETNET_MEMORY`.
 */
export function sampleOrder(samples: number, options: SampleOrderOptions): Uint32Array {
  const where = 'sampleOrder';
  const count = readNumber(samples, `${where}: samples`, { min: 0, max: 2 ** 32 - 1, integer: true });
  const read = readOptions(options, `${where}: options`, ['seed', 'epoch']);
  if (read.seed === undefined) throw optionError(`${where}: seed is missing`);
  if (read.epoch === undefined) throw optionError(`${where}: epoch is missing`);
  const seed = readSeed(read.seed, `${where}: seed`);
  const limits = { min: 1, max: Number.MAX_SAFE_INTEGER, integer: true };
  const epoch = readNumber(read.epoch, `${where}: epoch`, limits);
  return guard(() => native().sampleOrder(count, seed, epoch));
}
