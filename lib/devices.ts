// Which devices there are, and the choice of one.
import { SetnetError } from './errors';
import { defaultThreads, native } from './loader';
import { listOf, optionError, readName } from './options';

/** Where a network can live. */
export interface Device {
  /** 'cpu', or the name of another device. */
  readonly id: 'cpu' | 'cuda';
  /** Whether it can be used here. */
  readonly available: boolean;
  /** Why it cannot be used. */
  readonly reason?: string;
  /** Of the CPU: threads used where nobody says otherwise. */
  readonly threads?: number;
  /** Of the CPU: the instruction set whose kernels are in use. */
  readonly instructionSet?: string;
}

/** 'auto' is the best device that is available. */
export type DeviceName = 'cpu' | 'cuda' | 'auto';

const names: readonly DeviceName[] = ['cpu', 'cuda', 'auto'];

/**
 * All devices that setnet knows, with the reason where one cannot be used.
 *
 * Errors: `ERR_SETNET_LOAD`.
 */
export function devices(): Device[] {
  return [
    { id: 'cpu', available: true, threads: defaultThreads(), instructionSet: native().buildInfo().instructionSet },
    { id: 'cuda', available: false, reason: `setnet ${native().buildInfo().version} has no CUDA backend` },
  ];
}

/** The device of a `device` option, available for sure. */
export function readDevice(value: unknown, where: string): Device['id'] {
  // The nearest name by its letters would be 'cpu'.
  if (value === 'gpu')
    throw optionError(`${where}: there is no "gpu". Did you mean 'cuda'? There is ${listOf(names)}.`);
  const name = value === undefined ? 'cpu' : readName(value, where, names);
  const all = devices();
  const device = name === 'auto' ? all.find(({ available }) => available) : all.find(({ id }) => id === name);
  if (device?.available) return device.id;
  throw new SetnetError(
    'ERR_SETNET_DEVICE',
    `${where}: '${name}' cannot be used: ${device?.reason ?? 'no device is available'}`,
  );
}
