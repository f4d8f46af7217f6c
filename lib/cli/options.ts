// Options of the command line: a table for each subcommand, from which arguments are read and help is made.
import { parseArgs } from 'node:util';
import { listOf, type Range, suggest } from '../options';
import { UsageError } from './failure';

/** One option of a subcommand. */
export interface Option<Value> {
  /** What stands for the value in the help; absent for a flag. */
  readonly value?: string;
  /** What it does, and its default. */
  readonly help: string;
  /** The heading under which the help lists it. */
  readonly group?: string;
  /** The value from its text; throws UsageError. `where`: '--name'. */
  read(text: string, where: string): Value;
}

/** What stands before or after the options. */
export interface Positional {
  readonly name: string;
  readonly help: string;
  readonly optional?: boolean;
}

/** The options of a subcommand, by name without dashes. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** What is read by a table: undefined where an option was not given. */
export type Values<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<infer Value> ? Value | undefined : never;
};

export function flag(help: string): Option<true> {
  return { help, read: () => true };
}

export function text(value: string, help: string): Option<string> {
  return {
    value,
    help,
    read: (given, where) => {
      if (given === '') throw new UsageError(`${where} needs a value, not an empty text`);
      return given;
    },
  };
}

export function number(value: string, range: Range, help: string): Option<number> {
  return { value, help, read: (given, where) => readNumber(given, where, range) };
}

/** Numbers with commas between. */
export function numbers(value: string, range: Range, help: string): Option<readonly number[]> {
  return {
    value,
    help,
    read: (given, where) => given.split(',').map((part) => readNumber(part.trim(), where, range)),
  };
}

/** One of some names, which are known when it is read. */
export function choice<Name extends string>(value: string, names: () => readonly Name[], help: string): Option<Name> {
  return {
    value,
    help,
    read: (given, where) => {
      const known = names();
      if (known.includes(given as Name)) return given as Name;
      throw new UsageError(`${where}: there is no '${given}'.${suggest(given, known)} There is ${listOf(known)}.`);
    },
  };
}

/** Puts options under a heading of the help. */
export function grouped<Table extends OptionTable>(group: string, table: Table): Table {
  return Object.fromEntries(Object.entries(table).map(([name, option]) => [name, { ...option, group }])) as Table;
}

function readNumber(given: string, where: string, { min, max, integer, open, openMaximum }: Range): number {
  // Number('') is 0, and Number('0x10') is 16.
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(given) ? Number(given) : Number.NaN;
  const isInside = (open ? value > min : value >= min) && (openMaximum ? value < max : value <= max);
  if (isInside && (!integer || Number.isSafeInteger(value))) return value;
  const noun = integer ? 'an integer' : 'a number';
  const excluded = [...(open ? [min] : []), ...(openMaximum ? [max] : [])];
  const ends = excluded.length > 0 ? ` (${excluded.join(' and ')} excluded)` : '';
  throw new UsageError(`${where} must be ${noun} from ${min} to ${max}${ends}, not '${given}'`);
}

/** Every subcommand has these. */
export const common: { readonly help: Option<true> } = {
  help: flag('Show this help.'),
};

/** Arguments read by the table of a subcommand. */
export interface ReadArguments {
  readonly values: Readonly<Record<string, unknown>>;
  /** As they were typed; of a flag an empty text. */
  readonly given: readonly (readonly [name: string, value: string])[];
  readonly positionals: readonly string[];
}

/** Throws UsageError: an unknown option, one without a value, one given twice, too few or too many other arguments. */
export function readArguments(
  args: readonly string[],
  table: OptionTable,
  positionals: readonly Positional[],
): ReadArguments {
  const all: OptionTable = { ...common, ...table };
  const names = Object.keys(all);
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(all).map(([name, { value }]) => [
        name,
        { type: value === undefined ? ('boolean' as const) : ('string' as const) },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, string>();
  const others: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') others.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const option = Object.hasOwn(all, name) ? all[name] : undefined;
    if (option === undefined || !rawName.startsWith('--'))
      throw new UsageError(`unknown option ${rawName}.${suggestOption(name, names)}`);
    const where = `--${name}`;
    if (option.value === undefined && value !== undefined)
      throw new UsageError(`${where} takes no value, but '${value}' was given`);
    if (option.value !== undefined && (value === undefined || (!inlineValue && /^--./.test(value))))
      throw new UsageError(`${where} needs a value: ${where} ${option.value}`);
    if (given.has(name)) throw new UsageError(`${where} is there twice`);
    given.set(name, value ?? '');
  }
  if (given.has('help')) return { values: { help: true }, given: [], positionals: others };
  const values = Object.fromEntries(
    Array.from(given, ([name, value]) => [name, (all[name] as Option<unknown>).read(value, `--${name}`)]),
  );
  checkPositionals(others, positionals);
  return { values, given: [...given], positionals: others };
}

function suggestOption(name: string, names: readonly string[]): string {
  // suggest() quotes the name as it stands; options are written with dashes.
  return suggest(name, names).replace(/'(.*)'/, '--$1');
}

function checkPositionals(given: readonly string[], wanted: readonly Positional[]): void {
  const missing = wanted.filter((positional, i) => !positional.optional && i >= given.length);
  if (missing.length > 0)
    throw new UsageError(
      `${missing.map(({ name }) => name).join(' and ')} ${missing.length > 1 ? 'are' : 'is'} missing`,
    );
  const extra = given[wanted.length];
  if (extra !== undefined) {
    const known = wanted.length === 0 ? 'no argument' : `only ${wanted.map(({ name }) => name).join(' ')}`;
    throw new UsageError(`'${extra}' is one argument too many: there is ${known}`);
  }
}
