// The one place where errors are made. Every error of setnet is a SetnetError with one of the codes below; native errors
// are converted to it here.

const codes = {
  ERR_SETNET_OPTION: 'An option is unknown, out of range, or contradicts another one.',
  ERR_SETNET_TYPE: 'An argument has the wrong JavaScript type.',
  ERR_SETNET_SHAPE: 'Lengths or dimensions do not fit together.',
  ERR_SETNET_DATA: 'Data cannot be used: labels out of range, unknown class names, no samples.',
  ERR_SETNET_NONFINITE: 'NaN or infinity where a finite number is needed; row and column are named.',
  ERR_SETNET_BUFFER: 'Memory that cannot be used: detached, resizable, or overlapping with the output.',
  ERR_SETNET_FORMAT: 'A file is not what it claims to be: truncated, changed, or not a model of setnet.',
  ERR_SETNET_IO: 'The operating system refused a file operation.',
  ERR_SETNET_STATE: 'The object cannot do this in its present state: disposed, closed, never fitted, iterated already.',
  ERR_SETNET_BUSY: 'The network is training; this needs it for itself.',
  ERR_SETNET_RESUME: 'Options or data are not those of the training that is to go on.',
  ERR_SETNET_DIVERGED: 'Training left the finite numbers; the network is as after the last finished epoch.',
  ERR_SETNET_MEMORY: 'Memory could not be had.',
  ERR_SETNET_DEVICE: 'The device asked for cannot be used; devices() says why.',
  ERR_SETNET_ABORTED: 'Training was ended by dispose(). (An AbortSignal rejects with its own reason instead.)',
  ERR_SETNET_INTERNAL: 'An invariant of setnet does not hold: a bug of ours, please report it.',
  ERR_SETNET_LOAD: 'The native binary could not be loaded; the message lists what was tried and what to do.',
} as const;

/** The stable codes of {@link SetnetError}. */
export type SetnetErrorCode = keyof typeof codes;

/** Every code with what it means, in English. */
export const errorCodes: Readonly<Record<SetnetErrorCode, string>> = Object.freeze(codes);

/**
 * What setnet throws and rejects with. `code` is stable and meant for programs; `message` says what was wrong, what was
 * expected and where, and is meant for people.
 */
export class SetnetError extends Error {
  /** One of {@link errorCodes}. */
  readonly code: SetnetErrorCode;

  constructor(code: SetnetErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

// On the prototype, so that the name neither shows among the own properties nor is lost in the stack.
Object.defineProperty(SetnetError.prototype, 'name', { value: 'SetnetError', configurable: true, writable: true });

function isCode(code: unknown): code is SetnetErrorCode {
  return typeof code === 'string' && Object.hasOwn(codes, code);
}

/**
 * An error of native code as a SetnetError. What carries none of our codes was not foreseen: a bug of ours. Native code does not
 * know what it was called for: `where` says it.
 */
export function toSetnetError(error: unknown, where?: string): SetnetError {
  if (error instanceof SetnetError) return error;
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message : String(error);
  if (isCode(code)) return new SetnetError(code, where === undefined ? text : `${where}: ${text}`);
  if (text === 'std::bad_alloc')
    return new SetnetError('ERR_SETNET_MEMORY', 'memory could not be had', { cause: error });
  return new SetnetError('ERR_SETNET_INTERNAL', `an error that native code should not raise: ${text}`, {
    cause: error,
  });
}

/** Calls native code and converts what it throws; `where` goes ahead of the message. */
export function guard<T>(call: () => T, where?: string): T {
  try {
    return call();
  } catch (error) {
    throw toSetnetError(error, where);
  }
}

/** As guard, for calls that answer with a promise; the error gets the stack of the awaiting function. */
export async function guardAsync<T>(call: () => Promise<T>, where?: string): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toSetnetError(error, where);
  }
}
