// Runs trainings in child processes, a few at a time.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BenchError } from './errors.mjs';

const child = fileURLToPath(new URL('./train_child.mjs', import.meta.url));

/** The results of the jobs (of train_child.mjs), in order; at most `processes` run at once. */
export async function trainAll(jobs, processes, onResult = () => {}) {
  const results = [];
  const queue = jobs.map((job, index) => ({ job, index }));
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      results[next.index] = await trainOne(next.job);
      onResult(next.job, results[next.index]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(processes, jobs.length) }, worker));
  return results;
}

function trainOne(job) {
  return new Promise((done, failed) => {
    const running = fork(child, { stdio: ['ignore', 2, 2, 'ipc'] });
    let answer;
    running.on('message', (message) => {
      answer = message;
    });
    running.on('error', failed);
    running.on('close', (code, signal) => {
      if (answer?.result) done(answer.result);
      else
        failed(
          new BenchError(
            `training ${JSON.stringify(job)} failed: ${answer?.error ?? signal ?? `exit code ${code}`}`,
            1,
          ),
        );
    });
    running.send(job);
  });
}
