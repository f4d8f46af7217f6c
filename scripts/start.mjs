// `npm start`: set-up, then the Fashion-MNIST example. Arguments are passed on to it.
import { spawn } from 'node:child_process';
import { root, runMain } from './lib/util.mjs';
import { setup } from './setup.mjs';

runMain(async () => {
  await setup();
  const child = spawn(process.execPath, ['examples/fashion/run.mjs', ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  });
  // Ctrl-C goes to the whole group: the example stops cleanly and says what it kept; this process waits for it.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('close', (code, signal) => {
    process.exitCode = signal ? 1 : code;
  });
});
