// The other side of jobs.mjs.
import * as list from './job_list.mjs';

const jobs = new Map(Object.entries(list));

// A job nobody waits for any more ends.
process.on('disconnect', () => process.exit(1));

process.once('message', async ({ name, args }) => {
  let answer;
  try {
    answer = { result: await jobs.get(name)(args) };
  } catch (error) {
    answer = { error: `${error.code ? `${error.code}: ` : ''}${error.stack}` };
  }
  process.send(answer, () => process.exit());
});
