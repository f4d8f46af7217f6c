// How raw features become a network's inputs: x' = (float(x) - mean) * scale, two f32 roundings.
import { SetnetError } from './errors';
import { checkBuffer, lengthOf, typedArrayName } from './memory';
import type { NativeScaling } from './native';
import { describe, optionError, readName, readOptions, typeError } from './options';

/** Mean and scale that are known: one number each, or one per input. */
export interface GivenScaling {
  /** What is subtracted: a number, or one for each input. */
  readonly mean: number | readonly number[] | Float32Array | Float64Array;
  /** What (x - mean) is multiplied by; 1 / standard deviation, as a rule. */
  readonly scale: number | readonly number[] | Float32Array | Float64Array;
}

/**
 * 'none'; 'perFeature': every input gets mean 0 and standard deviation 1; 'global': one mean and deviation over all inputs.
 * Both are learned by the first fit, from its training data only, and saved with the network; a constant feature becomes 0.
 */
export type Scaling = 'none' | 'perFeature' | 'global' | GivenScaling;

export function readScaling(value: unknown, missing: unknown, inputs: number, where: string): NativeScaling {
  const scaling = readKind(value, inputs, where);
  if (missing === undefined) return scaling;
  if (typeof missing !== 'number')
    throw typeError(`${where.replace(/scaling$/, 'missing')} must be a number (NaN, say), not ${describe(missing)}`);
  return { ...scaling, missing };
}

function readKind(value: unknown, inputs: number, where: string): NativeScaling {
  if (value === undefined) return { kind: 'none' };
  if (typeof value === 'string') return { kind: readName(value, where, ['none', 'perFeature', 'global']) };
  if (typeof value !== 'object' || value === null) {
    throw typeError(`${where} must be 'none', 'perFeature', 'global' or { mean, scale }, not ${describe(value)}`);
  }
  const options = readOptions(value, where, ['mean', 'scale']);
  const mean = readNumbers(options.mean, inputs, `${where}.mean`);
  const scale = readNumbers(options.scale, inputs, `${where}.scale`);
  if (mean.length === scale.length) return { kind: 'given', mean, scale };
  // One of them is a single number: repeated, so that both are per input.
  const full = (numbers: Float32Array) =>
    numbers.length === inputs ? numbers : new Float32Array(inputs).fill(numbers[0] as number);
  return { kind: 'given', mean: full(mean), scale: full(scale) };
}

function readNumbers(value: unknown, inputs: number, where: string): Float32Array {
  if (value === undefined) throw optionError(`${where} is missing`);
  const name = typedArrayName(value);
  let numbers: ArrayLike<unknown>;
  if (typeof value === 'number') numbers = [value];
  else if (Array.isArray(value)) numbers = value;
  else if (name === 'Float32Array' || name === 'Float64Array') {
    checkBuffer(value as ArrayBufferView, where);
    numbers = value as Float32Array;
  } else throw typeError(`${where} must be a number or ${inputs} numbers, not ${describe(value)}`);

  const length = name === undefined ? numbers.length : lengthOf(value as ArrayBufferView);
  if (length !== 1 && length !== inputs) {
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `${where} has ${length} numbers; it must have 1 or ${inputs} (the network's inputs)`,
    );
  }
  const copy = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const number = numbers[i];
    if (typeof number !== 'number') throw typeError(`${where}[${i}] must be a number, not ${describe(number)}`);
    copy[i] = number;
    if (!Number.isFinite(copy[i])) {
      throw new SetnetError(
        'ERR_SETNET_NONFINITE',
        `${where}[${i}] is ${number}, which is no finite number in 32 bits`,
      );
    }
  }
  return copy;
}
