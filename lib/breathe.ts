// Long work is done in pieces, so that a server goes on answering.

/** Taken at import: fake timers of a test runner must not hold a report up. */
const afterThisTurn: (callback: () => void) => void = setImmediate;

/** Lets the event loop run. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => afterThisTurn(resolve));
}
