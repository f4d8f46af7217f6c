// How the command ends.

/** The exit codes of the command. */
export const exitCodes = {
  /** All was done. */
  ok: 0,
  /** Something did not work: data, a file, memory. */
  failed: 1,
  /** The command was called wrongly; nothing was done. */
  usage: 2,
  /** Ctrl-C, or a signal that means the same. */
  interrupted: 130,
} as const;

/** The command was called wrongly: exit code 2. */
export class UsageError extends Error {}

/** Something did not work, said in a sentence: exit code 1. */
export class Failure extends Error {}

/** Ended by a signal: exit code 130. The message says what is left. */
export class Interrupted extends Error {
  constructor(message = 'interrupted') {
    super(message);
  }
}
