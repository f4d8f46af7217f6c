// The command line of the benchmarks: --name VALUE or --name=VALUE, and switches without a value.
import { BenchError } from './errors.mjs';

/** What every run knows, beside the benchmarks' own options. A fallback of false makes a switch. */
export const commonOptions = {
  json: { fallback: false, about: 'one line of JSON per figure on stdout, everything else on stderr' },
  quick: { fallback: false, about: 'fewer repeats and smaller cases: a look, not a measurement' },
  out: { fallback: '', about: 'where the run of everything writes its report, in place of docs/' },
};

/** The words that name benchmarks, and the options with their values. `specs`: every option there is. */
export function splitArguments(args, specs) {
  const names = [];
  const flags = [];
  for (let i = 0; i < args.length; i++) {
    if (!args[i].startsWith('--')) {
      names.push(args[i]);
      continue;
    }
    flags.push(args[i]);
    const isSwitch = specs[args[i].slice(2)]?.fallback === false;
    if (!isSwitch && !args[i].includes('=') && i + 1 < args.length) flags.push(args[++i]);
  }
  return { names, flags };
}

/**
 * The options that the command line gives, by name. `specs`: those of all benchmarks that will run. A fallback tells the type: a
 * number wants an integer of at least 1, an array a list of them, a text any text, false a switch.
 */
export function readOptions(flags, specs) {
  const known = Object.assign({}, commonOptions, ...specs);
  const given = {};
  for (let i = 0; i < flags.length; i++) {
    const [, name, inline] = /^--([^=]+)(?:=(.*))?$/.exec(flags[i]) ?? [];
    if (name === undefined || !Object.hasOwn(known, name)) {
      const names = Object.keys(known).map((key) => `--${key}`);
      throw new BenchError(`unknown option ${flags[i]}; there are: ${names.join(', ')}`);
    }
    const { fallback } = known[name];
    if (fallback === false) {
      if (inline !== undefined) throw new BenchError(`--${name} takes no value, not '${inline}'`);
      given[name] = true;
      continue;
    }
    const text = inline ?? flags[++i];
    given[name] = typeof fallback === 'string' ? readText(text, name) : readValue(text, name, Array.isArray(fallback));
  }
  return given;
}

/** What one benchmark gets: the options given that it knows, and the fallbacks of the others. */
export function withFallbacks(given, spec) {
  const known = Object.entries({ ...commonOptions, ...spec });
  return Object.fromEntries(known.map(([name, { fallback }]) => [name, given[name] ?? fallback]));
}

function readText(text, name) {
  if (text === undefined || text === '') throw new BenchError(`--${name} wants a value`);
  return text;
}

function readValue(text, name, isList) {
  const numbers = (text ?? '').split(',').map(Number);
  if (text === undefined || numbers.some((number) => !Number.isInteger(number) || number < 1)) {
    throw new BenchError(
      `--${name} wants ${isList ? 'integers from 1, with commas' : 'an integer from 1'}, not '${text ?? ''}'`,
    );
  }
  if (!isList && numbers.length > 1) throw new BenchError(`--${name} wants one integer, not '${text}'`);
  return isList ? numbers : numbers[0];
}
