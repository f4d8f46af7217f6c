import { describe, typeError } from '../options';

/** The options of a factory must be an object; what is in it is checked by the tables. */
export function checkOptions<Options extends object>(options: Options, where: string): Options {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return options;
  throw typeError(`${where}: the options must be an object, not ${describe(options)}`);
}
