// What a subcommand is, and its help.

import { definitions, wrap } from '../text';
import type { OptionTable, Positional, Values } from './options';
import { common } from './options';
import type { Screen } from './screen';

/** What a subcommand works with beside its arguments. */
export interface Context {
  /** Words for people: stdout, or stderr where stdout is for an answer that programs read. */
  readonly screen: Screen;
  /** Aborted by the first Ctrl-C, with an Interrupted as its reason. */
  readonly signal: AbortSignal;
  /** The arguments as they were typed, the subcommand included. */
  readonly typed: readonly string[];
  /** The options as they were typed, by name; of a flag an empty text. */
  readonly given: readonly (readonly [name: string, value: string])[];
  /** Writes to stdout and waits until there is room for more. False where nobody reads any more. */
  write(data: string | Uint8Array): Promise<boolean>;
  /** Whether stdout is a terminal. */
  readonly isTerminal: boolean;
}

/** A subcommand. */
export interface Command<Table extends OptionTable = OptionTable> {
  readonly name: string;
  /** One line, for the list. */
  readonly summary: string;
  readonly positionals: readonly Positional[];
  readonly options: Table;
  /** What to know, a paragraph each. */
  readonly notes: readonly string[];
  /** Command lines that work, in this order, with the data that the tests have. */
  readonly examples: readonly string[];
  /** Whether stdout is for an answer that programs read, so that words for people go to stderr. */
  answers(values: Values<Table>): boolean;
  /** Throws UsageError, Failure, SetnetError, or the reason of the signal. */
  run(values: Values<Table>, positionals: readonly string[], context: Context): Promise<void>;
}

/** A subcommand for the table, where nobody knows its options any more. */
export function defineCommand<Table extends OptionTable>(command: Command<Table>): Command {
  return command as unknown as Command;
}

/** Columns of the help where nobody says how wide the terminal is. */
const helpWidth = 79;

/** The line that says how to call it. */
export function usageOf({ name, positionals }: Command): string {
  const places = positionals.map((positional) => (positional.optional ? `[${positional.name}]` : positional.name));
  return ['setnet', name, ...places, '[OPTIONS]'].join(' ');
}

/** The help of a subcommand, from its table. */
export function helpOf(command: Command): string {
  const options = Object.entries({ ...command.options, ...common });
  const groups = [...new Set(options.map(([, { group }]) => group ?? 'Options'))];
  const isLast = (group: string) => group === 'Options';
  const ordered = [...groups.filter((group) => !isLast(group)), ...groups.filter(isLast)];
  const sections = ordered.map((group) => [
    `${group}:`,
    ...definitions(
      options
        .filter(([, option]) => (option.group ?? 'Options') === group)
        .map(([name, { value, help }]) => [`--${name}${value === undefined ? '' : ` ${value}`}`, help] as const),
      helpWidth,
    ),
  ]);
  return [
    ...wrap(command.summary, helpWidth),
    '',
    `Usage: ${usageOf(command)}`,
    ...command.notes.flatMap((note) => ['', ...wrap(note, helpWidth)]),
    ...(command.positionals.length === 0 ? [] : ['', 'Arguments:']),
    ...definitions(
      command.positionals.map(({ name, help }) => [name, help] as const),
      helpWidth,
    ),
    ...sections.flatMap((lines) => ['', ...lines]),
    '',
    command.examples.length === 1 ? 'Example:' : 'Examples:',
    ...command.examples.map((line) => `  ${line}`),
  ].join('\n');
}
