#!/usr/bin/env node
// The command `setnet`. Here: which subcommand, signals, streams, errors and exit codes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetnetError } from '../errors';
import { systemReason } from '../io_error';
import { suggest } from '../options';
import { definitions } from '../text';
import { type Command, type Context, helpOf, usageOf } from './command';
import { commands } from './commands';
import { exitCodes, Failure, Interrupted, UsageError } from './failure';
import { readArguments } from './options';
import { Screen } from './screen';

const { stdout, stderr, env } = process;

/** One Ctrl-C may arrive twice, from the terminal and passed on by npm. Milliseconds. */
const echo = 300;

/** Nobody reads what is written any more: `setnet ... | head`. */
let isClosed = false;
/** Writing to stdout failed otherwise: disk full. */
let writeError: Error | undefined;

function version(): string {
  const { version } = JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

function watchStreams(): void {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') isClosed = true;
    else writeError ??= error;
  });
  // There is nobody left to tell.
  stderr.on('error', () => {});
}

function write(data: string | Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    if (isClosed) resolve(false);
    else
      stdout.write(data, (error) => {
        if (error === null || error === undefined) resolve(!isClosed);
        else if ((error as NodeJS.ErrnoException).code === 'EPIPE') resolve(false);
        else reject(cannotWrite(error));
      });
  });
}

function cannotWrite(error: Error): Failure {
  return new Failure(`the output cannot be written: ${systemReason(error)}`);
}

/** The first signal asks the work to stop, the second one ends the process. */
function watchSignals(controller: AbortController): void {
  let first: number | undefined;
  const onSignal = () => {
    if (first === undefined) {
      first = Date.now();
      controller.abort(new Interrupted());
    } else if (Date.now() - first > echo) process.exit(exitCodes.interrupted);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
}

function generalHelp(): string {
  return [
    'setnet: truly sparse neural networks that rewire themselves while they learn',
    '',
    'Usage: setnet COMMAND [OPTIONS]',
    '',
    'Commands:',
    ...definitions(
      commands.map(({ name, summary }) => [name, summary] as const),
      79,
    ),
    '',
    '  setnet COMMAND --help   the options of a command, with examples',
    '  setnet --version        the version',
    '',
    'Exit codes: 0 done; 1 something did not work (data, files, memory); 2 wrong usage;',
    '130 interrupted (Ctrl-C).',
  ].join('\n');
}

function findCommand(name: string): Command {
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const names = commands.map((candidate) => candidate.name);
  if (name.startsWith('-')) {
    const known = ['--help', '--version'];
    throw new UsageError(`unknown option ${name}.${suggest(name, known)} A command comes first: ${names.join(', ')}.`);
  }
  throw new UsageError(`there is no command '${name}'.${suggest(name, names)} There is ${names.join(', ')}.`);
}

async function run(typed: readonly string[], controller: AbortController): Promise<void> {
  const [name, ...rest] = typed;
  if (name === undefined || name === '--help' || name === '-h' || (name === 'help' && rest.length === 0)) {
    await write(`${generalHelp()}\n`);
    if (name === undefined) throw new UsageError('');
    return;
  }
  if (name === '--version' || name === '-v') {
    await write(`${version()}\n`);
    return;
  }
  const command = findCommand(name === 'help' ? (rest[0] as string) : name);
  if (name === 'help' || rest.includes('-h')) {
    await write(`${helpOf(command)}\n`);
    return;
  }
  try {
    const { values, given, positionals } = readArguments(rest, command.options, command.positionals);
    if (values.help) {
      await write(`${helpOf(command)}\n`);
      return;
    }
    const screen = new Screen(command.answers(values) ? stderr : stdout, env);
    const context: Context = {
      screen,
      signal: controller.signal,
      typed,
      given,
      write,
      isTerminal: stdout.isTTY === true,
    };
    try {
      await command.run(values, positionals, context);
    } finally {
      screen.clear();
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    if (error.message === '') throw error;
    throw new UsageError(
      `${error.message}\nUsage: ${usageOf(command)}\nsetnet ${command.name} --help lists the options.`,
    );
  }
}

/** What an error says to a person, and the exit code it means. */
function explain(error: unknown): { text: string; code: number } {
  if (error instanceof UsageError) return { text: error.message, code: exitCodes.usage };
  if (error instanceof Interrupted) return { text: error.message, code: exitCodes.interrupted };
  if (error instanceof Failure) return { text: error.message, code: exitCodes.failed };
  if (error instanceof SetnetError) {
    const text = `${error.message.replace(/^fit: resume: /, '--resume: ')} (${error.code})`;
    return { text, code: error.code === 'ERR_SETNET_OPTION' ? exitCodes.usage : exitCodes.failed };
  }
  const { errno, path, message } = (error ?? {}) as NodeJS.ErrnoException;
  if (typeof errno === 'number') {
    const text = `${path === undefined ? '' : `${path}: `}${systemReason(error as NodeJS.ErrnoException)}`;
    return { text, code: exitCodes.failed };
  }
  if (error instanceof RangeError && /alloc|Invalid (typed )?array (buffer )?length/i.test(error.message))
    return { text: 'there is not enough memory for this', code: exitCodes.failed };
  return {
    text: `${message ?? String(error)} (not foreseen: please report it with the output of setnet doctor; SETNET_DEBUG=1 shows where)`,
    code: exitCodes.failed,
  };
}

function tell(error: unknown): void {
  const { text, code } = explain(error);
  if (text !== '') stderr.write(`setnet: ${text}\n`);
  if (env.SETNET_DEBUG === '1' && error instanceof Error) stderr.write(`${error.stack}\n`);
  process.exitCode = code;
}

async function main(): Promise<void> {
  watchStreams();
  const controller = new AbortController();
  watchSignals(controller);
  try {
    await run(process.argv.slice(2), controller);
    if (writeError !== undefined) throw cannotWrite(writeError);
  } catch (error) {
    tell(error);
  }
}

process.on('uncaughtException', (error) => {
  tell(error);
  process.exit();
});
void main();
