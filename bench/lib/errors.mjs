/** Something a benchmark needs and does not have: its message is all a person needs, and no stack is printed. */
export class BenchError extends Error {
  constructor(message, exitCode = 2) {
    super(message);
    this.exitCode = exitCode;
  }
}
