// Checks of options and arguments. Messages name the culprit (`where`), what was wrong and what was expected.
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { SetnetError } from './errors';

/** The limits of a number, both inclusive unless `open` excludes the minimum or `openMaximum` the maximum. */
export interface Range {
  min: number;
  max: number;
  integer?: boolean;
  open?: boolean;
  openMaximum?: boolean;
}

/** A value in few words, for messages. Never throws, whatever the value is. */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    return value.length > 60
      ? `${JSON.stringify(value.slice(0, 60))}... (${value.length} characters)`
      : JSON.stringify(value);
  }
  if (typeof value === 'bigint') return `${value}n`;
  if (value === null || typeof value === 'number' || typeof value === 'boolean' || value === undefined)
    return String(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (types.isProxy(value)) return 'a Proxy';
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  if (types.isTypedArray(value)) {
    const name = value[Symbol.toStringTag];
    return `${/^[AIU]/.test(name) ? 'an' : 'a'} ${name} of length ${value.length}`.replace('an Uint', 'a Uint');
  }
  if (types.isPromise(value)) return 'a Promise (is an await missing?)';
  if (types.isAnyArrayBuffer(value)) return 'an ArrayBuffer';
  return 'an object';
}

/** Edit distance with transpositions, for suggestions. */
function distance(a: string, b: string): number {
  const rows: number[][] = [];
  for (let i = 0; i <= a.length; i++) {
    const row: number[] = [];
    for (let j = 0; j <= b.length; j++) {
      if (i === 0 || j === 0) {
        row.push(i + j);
        continue;
      }
      const cell = (di: number, dj: number) => (di === 0 ? row : (rows[i - di] as number[]))[j - dj] as number;
      let best = Math.min(cell(1, 0) + 1, cell(0, 1) + 1, cell(1, 1) + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, cell(2, 2) + 1);
      row.push(best);
    }
    rows.push(row);
  }
  return (rows[a.length] as number[])[b.length] as number;
}

/** " Did you mean 'x'?" where one of the names is near, else "". */
export function suggest(name: string, names: readonly string[]): string {
  if (name.length > 40) return '';
  const near = names
    .map((candidate) => ({ candidate, edits: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)[0];
  // Where every letter differs, nothing is near.
  if (near === undefined || near.edits >= near.candidate.length) return '';
  if (near.edits > Math.max(2, Math.floor(name.length / 3))) return '';
  return ` Did you mean '${near.candidate}'?`;
}

export function optionError(message: string): SetnetError {
  return new SetnetError('ERR_SETNET_OPTION', message);
}

export function typeError(message: string): SetnetError {
  return new SetnetError('ERR_SETNET_TYPE', message);
}

/**
 * The named options of an object, each read once. Unknown ones are refused with the nearest name; `undefined` counts as
 * absent.
 */
export function readOptions<Name extends string>(
  value: unknown,
  where: string,
  names: readonly Name[],
): { [Key in Name]?: unknown } {
  if (value === undefined) return {};
  checkObject(value, where, names);
  for (const key of Object.keys(value)) {
    if (!names.includes(key as Name)) {
      const known = names.length === 0 ? 'There are none.' : `There are: ${names.join(', ')}.`;
      const advice = suggest(key, names) || adviceOn(key, names);
      throw optionError(`${where}: unknown option ${describe(key)}.${advice} ${known}`);
    }
  }
  const options: { [Key in Name]?: unknown } = {};
  for (const name of names) {
    const option = (value as Record<string, unknown>)[name];
    if (option !== undefined) options[name] = option;
  }
  return options;
}

/** Where an option stands that people look for elsewhere, or what its name is here. */
const places: Readonly<Record<string, readonly [string, string]>> = {
  lr: ['learningRate', 'The learning rate is `learningRate`.'],
  learningRate: ['optimizer', 'It belongs to the optimizer: sgd({ learningRate: 0.05 }).'],
  momentum: ['optimizer', 'It belongs to the optimizer: sgd({ momentum: 0.9 }).'],
  weightDecay: ['optimizer', 'It belongs to the optimizer: sgd({ weightDecay: 1e-4 }).'],
  zeta: ['evolution', 'It belongs to the evolution: set({ zeta: 0.3 }).'],
  epsilon: ['layers', 'It belongs to a layer: sparse({ units: 100, epsilon: 20 }).'],
  units: ['layers', 'It belongs to a layer: sparse({ units: 100 }).'],
  labels: ['y', 'Labels are `y`.'],
};

/** " ..." where the option has a place among or under `names`, else "". */
function adviceOn(key: string, names: readonly string[]): string {
  const place = Object.hasOwn(places, key) ? places[key] : undefined;
  return place !== undefined && names.includes(place[0]) ? ` ${place[1]}` : '';
}

/** As readOptions, of an object that can have one option only; allocates nothing. */
export function readOption<Name extends string>(value: unknown, where: string, name: Name): unknown {
  if (value === undefined) return undefined;
  checkObject(value, where, name);
  // Inherited names come here too, which readOptions does not mind.
  for (const key in value) if (key !== name) return readOptions(value, where, [name])[name];
  return (value as Record<string, unknown>)[name];
}

/** `names`: one name or several; no array is made of one, because some calls must allocate nothing. */
function checkObject(value: unknown, where: string, names: string | readonly string[]): asserts value is object {
  if (
    typeof value !== 'object' ||
    value === null ||
    Array.isArray(value) ||
    types.isTypedArray(value) ||
    types.isPromise(value)
  ) {
    const shown = typeof names === 'string' ? [names] : names;
    const shape = shown.length > 0 && shown.length <= 6 ? `{ ${shown.join(', ')} }` : 'an object';
    // The name of a function alone does not say which of its arguments is meant.
    const what = /^[\w.]+$/.test(where) ? `${where}: the options` : where;
    throw typeError(`${what} must be ${shape}, not ${describe(value)}`);
  }
}

function rangeText({ min, max, integer, open, openMaximum }: Range): string {
  const noun = integer ? 'an integer' : 'a finite number';
  const ends = [...(open ? [min] : []), ...(openMaximum ? [max] : [])];
  const excluded = ends.length > 0 ? ` (${ends.join(' and ')} excluded)` : '';
  if (max < Number.MAX_VALUE && min !== Number.NEGATIVE_INFINITY) return `${noun} from ${min} to ${max}${excluded}`;
  if (min !== Number.NEGATIVE_INFINITY) return open ? `${noun} greater than ${min}` : `${noun} of at least ${min}`;
  return noun;
}

/** A finite number within its range. */
export function readNumber(value: unknown, where: string, range: Range): number {
  if (typeof value !== 'number') throw typeError(`${where} must be ${rangeText(range)}, not ${describe(value)}`);
  const isInside =
    Number.isFinite(value) &&
    (range.openMaximum ? value < range.max : value <= range.max) &&
    (range.open ? value > range.min : value >= range.min);
  if (!isInside || (range.integer && !Number.isInteger(value))) {
    throw optionError(`${where} must be ${rangeText(range)}, not ${value}`);
  }
  return value;
}

export function readBoolean(value: unknown, where: string): boolean {
  if (typeof value !== 'boolean') throw typeError(`${where} must be true or false, not ${describe(value)}`);
  return value;
}

/** One of the given names. */
export function readName<Name extends string>(value: unknown, where: string, names: readonly Name[]): Name {
  if (typeof value !== 'string') throw typeError(`${where} must be ${listOf(names)}, not ${describe(value)}`);
  if (!names.includes(value as Name)) {
    throw optionError(`${where}: there is no ${describe(value)}.${suggest(value, names)} There is ${listOf(names)}.`);
  }
  return value as Name;
}

/** 'a', 'b' or 'c' */
export function listOf(names: readonly string[]): string {
  return listOfTypes(names.map((name) => `'${name}'`));
}

/** a, b or c: for types, which are no texts. */
export function listOfTypes(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

/** A list of distinct names that are not empty, copied. */
export function readNames(value: unknown, where: string, count: number, what: string): readonly string[] {
  if (!Array.isArray(value)) throw typeError(`${where} must be an array of ${count} names, not ${describe(value)}`);
  if (value.length !== count) {
    throw new SetnetError('ERR_SETNET_SHAPE', `${where} has ${value.length} names, but ${what} ${count}`);
  }
  const seen = new Set<string>();
  const names: string[] = [];
  for (let i = 0; i < count; i++) {
    const name: unknown = value[i];
    if (typeof name !== 'string' || name === '') {
      throw typeError(`${where}[${i}] must be a string that is not empty, not ${describe(name)}`);
    }
    if (seen.has(name)) throw optionError(`${where}[${i}]: the name ${describe(name)} is there twice`);
    seen.add(name);
    names.push(name);
  }
  return Object.freeze(names);
}

/** A readable path from a string or a file: URL. */
export function readPath(value: unknown, where: string): string {
  let path = value;
  if (Object.prototype.toString.call(value) === '[object URL]') {
    try {
      path = fileURLToPath(String(value));
    } catch {
      throw optionError(`${where} must be a file: URL that is a path here, not ${describe(String(value))}`);
    }
  }
  if (typeof path !== 'string')
    throw typeError(`${where} must be a path (a string or a file: URL), not ${describe(value)}`);
  if (path === '' || path.includes('\0')) throw optionError(`${where} is not a path: ${describe(path)}`);
  return path;
}
