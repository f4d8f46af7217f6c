// The command line of the benchmarks: --name VALUE or --name=VALUE, and --json.
import { BenchError } from './errors.mjs';

/**
 * The options of all benchmarks that will run, with their fallbacks; a fallback tells the type: a number wants an integer
 * of at least 1, an array a list of them.
 */
export function readOptions(flags, specs) {
  const known = Object.assign({}, ...specs);
  const options = { json: false };
  for (const [name, { fallback }] of Object.entries(known)) options[name] = fallback;
  for (let i = 0; i < flags.length; i++) {
    if (flags[i] === '--json') {
      options.json = true;
      continue;
    }
    const [, name, inline] = /^--([^=]+)(?:=(.*))?$/.exec(flags[i]) ?? [];
    if (name === undefined || !Object.hasOwn(known, name)) {
      const names = ['json', ...Object.keys(known)].map((key) => `--${key}`).join(', ');
      throw new BenchError(`unknown option ${flags[i]}; there are: ${names}`);
    }
    options[name] = readValue(inline ?? flags[++i], name, Array.isArray(known[name].fallback));
  }
  return options;
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
