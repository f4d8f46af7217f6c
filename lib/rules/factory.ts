import { describe, typeError } from '../options';

/** The option that a number alone is meant for. */
const mainOption: Readonly<Record<string, string>> = {
  ...{ sgd: 'learningRate', adam: 'learningRate', adamw: 'learningRate', set: 'zeta' },
  ...{ constant: 'value', cosine: 'from', linear: 'from', exponential: 'from', step: 'from' },
};

/** The options of a factory must be an object; what is in it is checked by the tables. */
export function checkOptions<Options extends object>(options: Options, where: string): Options {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return options;
  const name = typeof options === 'number' && Object.hasOwn(mainOption, where) ? mainOption[where] : undefined;
  const advice = name === undefined ? '' : `; ${where}({ ${name}: ${options} }) is meant?`;
  throw typeError(`${where}: the options must be an object, not ${describe(options)}${advice}`);
}
