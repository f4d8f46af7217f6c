// Work that needs a process of its own: because its memory is measured, or because it is large.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BenchError } from './errors.mjs';

const child = fileURLToPath(new URL('./job_child.mjs', import.meta.url));

/** The result of the function `name` of lib/job_list.mjs, called with `args` in a new process. */
export function runJob(name, args) {
  return new Promise((done, failed) => {
    const running = fork(child, { stdio: ['ignore', 2, 2, 'ipc'], execArgv: ['--expose-gc'] });
    let answer;
    running.on('message', (message) => {
      answer = message;
    });
    running.on('error', failed);
    running.on('close', (code, signal) => {
      if (answer?.result !== undefined) done(answer.result);
      else
        failed(
          new BenchError(
            `${name} ${JSON.stringify(args)} failed: ${answer?.error ?? signal ?? `exit code ${code}`}`,
            1,
          ),
        );
    });
    running.send({ name, args });
  });
}
