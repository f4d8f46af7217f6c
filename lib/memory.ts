// Typed arrays and the memory below them. Arrays are recognised by util.types and by the getters of the language itself,
// never by instanceof (jest and vm have realms of their own) and never by what an object says about itself.
import { types } from 'node:util';
import { markAsUntransferable } from 'node:worker_threads';
import { SetnetError } from './errors';
import type { FeatureArray } from './types';

type Getter<Value> = ((this: unknown) => Value) | undefined;

function getter<Value>(prototype: object, name: PropertyKey): Getter<Value> {
  return Object.getOwnPropertyDescriptor(prototype, name)?.get as Getter<Value>;
}

const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
const nameGetter = getter<string | undefined>(typedArrayPrototype, Symbol.toStringTag);
const bufferGetter = getter<ArrayBufferLike>(typedArrayPrototype, 'buffer');
const lengthGetter = getter<number>(typedArrayPrototype, 'length');
const resizableGetter = getter<boolean>(ArrayBuffer.prototype, 'resizable');
const growableGetter = getter<boolean>(SharedArrayBuffer.prototype, 'growable');
const detachedGetter = getter<boolean>(ArrayBuffer.prototype, 'detached');

/** 'Float32Array', ... or undefined where the value is no typed array. */
export function typedArrayName(value: unknown): string | undefined {
  return nameGetter?.call(value);
}

export function lengthOf(array: ArrayBufferView): number {
  return lengthGetter?.call(array) as number;
}

function isDetached(buffer: ArrayBuffer): boolean {
  if (detachedGetter !== undefined) return detachedGetter.call(buffer);
  if (buffer.byteLength !== 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

/** ERR_SETNET_BUFFER where the memory of a typed array can go away or change its size. */
export function checkBuffer(array: ArrayBufferView, where: string): void {
  const buffer = bufferGetter?.call(array) as ArrayBufferLike;
  if (types.isSharedArrayBuffer(buffer)) {
    if (growableGetter?.call(buffer)) {
      throw new SetnetError(
        'ERR_SETNET_BUFFER',
        `${where} lies in a growable SharedArrayBuffer; give one of fixed length, or a copy`,
      );
    }
    return;
  }
  if (resizableGetter?.call(buffer)) {
    throw new SetnetError(
      'ERR_SETNET_BUFFER',
      `${where} lies in a resizable ArrayBuffer; give one of fixed length, or a copy`,
    );
  }
  // A detached array has no elements, whatever it had.
  if (lengthOf(array) === 0 && isDetached(buffer as ArrayBuffer)) {
    throw new SetnetError('ERR_SETNET_BUFFER', `${where} is detached: its buffer was transferred away`);
  }
}

const featureArrays = { Float32Array, Float64Array, Uint8Array, Int8Array, Uint16Array, Int16Array };

export type FeatureArrayName =
  | 'Float32Array'
  | 'Float64Array'
  | 'Uint8Array'
  | 'Int8Array'
  | 'Uint16Array'
  | 'Int16Array';

export const featureArrayNames: readonly FeatureArrayName[] = Object.keys(featureArrays) as FeatureArrayName[];

/** Not array.slice(): a Buffer's shares its memory, and a subclass's is whatever it is. */
export function copyOf(array: FeatureArray): FeatureArray {
  const copy = new featureArrays[typedArrayName(array) as FeatureArrayName](lengthOf(array));
  copy.set(array);
  return copy;
}

/**
 * Does markAsUntransferable keep a buffer from being detached by ArrayBuffer.prototype.transfer? Node 20 has no such
 * method; Node 22 has it and it ignores the mark (tried on 22.23); from Node 24 on marked buffers cannot be detached.
 */
function isMarkKept(): boolean {
  const probe = new ArrayBuffer(8) as ArrayBuffer & { transfer?: () => ArrayBuffer };
  markAsUntransferable(probe);
  try {
    probe.transfer?.();
  } catch {
    // Refused: that is what is wanted.
  }
  return probe.byteLength === 8;
}

let markIsKept: boolean | undefined;

/**
 * May a buffer belong to a WebAssembly.Memory? Growing that moves its memory away under a reader, whatever is marked, and
 * nothing tells its buffer from another one, but that its size is in whole pages of 64 KiB.
 */
function mayBeWasmMemory(buffer: ArrayBufferLike): boolean {
  return buffer.byteLength % 65536 === 0;
}

/**
 * The array that native code may read from other threads until it says that it has finished. Memory of a SharedArrayBuffer
 * cannot go away. An ArrayBuffer is marked untransferable for good, because a transfer would free the memory under the
 * reading thread; where this Node does not keep the mark, or a copy is asked for, a copy is made.
 */
export function pin(array: FeatureArray, copy: boolean): FeatureArray {
  if (copy) return copyOf(array);
  const buffer = bufferGetter?.call(array) as ArrayBufferLike;
  if (types.isSharedArrayBuffer(buffer)) return array;
  markIsKept ??= isMarkKept();
  if (!markIsKept || mayBeWasmMemory(buffer)) return copyOf(array);
  markAsUntransferable(buffer);
  return array;
}
