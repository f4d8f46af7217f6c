// A headless Chromium, driven over two pipes by its DevTools protocol: no package is needed for that.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure, findProgram } from './util.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The browser's program: `SETNET_CHROMIUM`, or the first that is on the PATH. */
function findBrowser() {
  const wanted = process.env.SETNET_CHROMIUM;
  const found = wanted ? findProgram(wanted) : names.map(findProgram).find((path) => path !== undefined);
  if (found !== undefined) return found;
  throw new Failure(
    wanted
      ? `SETNET_CHROMIUM is '${wanted}', which is not there`
      : 'Chromium is missing: `apt-get install chromium`, or say where it is in SETNET_CHROMIUM',
  );
}

/** A running browser: `send(method, parameters, sessionId)` answers, `onEvent(message)` gets what it says by itself. */
export async function startBrowser(onEvent) {
  const profile = mkdtempSync(join(tmpdir(), 'setnet-browser-'));
  // Without a sandbox: it needs rights that containers do not have, and the pages are our own.
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars'];
  const child = spawn(
    findBrowser(),
    [...flags, '--no-first-run', `--user-data-dir=${profile}`, '--remote-debugging-pipe'],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  const [, , , input, output] = child.stdio;
  const waiting = new Map();
  let last = 0;
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`it ended (${signal ?? `code ${code}`})`));
  });
  ended.then((why) => {
    for (const { reject } of waiting.values()) reject(new Failure(`Chromium does not answer: ${why}`));
    waiting.clear();
  });
  input.on('error', () => {});
  let rest = '';
  output.setEncoding('utf8');
  output.on('data', (text) => {
    const messages = (rest + text).split('\0');
    rest = messages.pop();
    for (const one of messages) {
      const message = JSON.parse(one);
      const request = waiting.get(message.id);
      if (request === undefined) {
        onEvent(message);
        continue;
      }
      waiting.delete(message.id);
      if (message.error) request.reject(new Failure(`Chromium refuses ${request.method}: ${message.error.message}`));
      else request.resolve(message.result);
    }
  });
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      if (child.exitCode !== null || child.signalCode !== null) {
        reject(new Failure('Chromium does not answer: it has ended'));
        return;
      }
      const id = ++last;
      waiting.set(id, { method, resolve, reject });
      input.write(`${JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) })}\0`);
    });
  const close = async () => {
    await send('Browser.close').catch(() => {});
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(timer);
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { send, close };
}
