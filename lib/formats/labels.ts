// Labels as files have them, texts or integers, become class numbers; or they are numbers to be predicted.
import { SetnetError } from '../errors';
import { describe, suggest } from '../options';
import { Blocks } from './blocks';
import { isUnknown, numberAdvice, parseNumber } from './numbers';
import { dataError } from './source';

export type TargetKind = 'class' | 'number';

/** What a file's labels are to become. */
export interface LabelOptions {
  readonly target: TargetKind;
  /** The known classes; without them they are those that occur. */
  readonly classes: readonly string[] | undefined;
}

/** Class numbers with the classes, or numbers. */
export interface LabelResult {
  readonly y: Int32Array | Float32Array;
  readonly classes?: readonly string[];
}

/** As many classes as a column can have: one that has more holds something else. */
const mostClasses = 65536;

const integer = /^[+-]?\d{1,15}(\.0*)?$/;

/** '+1', '01' and '1.0' are one class, '1'; undefined where the text is no integer. */
function integerName(text: string): string | undefined {
  return integer.test(text) ? String(Number(text) || 0) : undefined;
}

/** A copy that does not keep the whole piece of the file alive, of which V8 would make it a view. */
function detached(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

/**
 * Collects the labels of a file, one after the other. Classes are ordered by value where all are integers, else as texts by
 * code units, so that the order of rows does not matter.
 */
export class LabelCollector {
  readonly #options: LabelOptions;
  readonly #numbers: Blocks<Int32Array> | Blocks<Float32Array>;
  /** By what the file says: the number of its class, or without known classes the place in `#names`. */
  readonly #known = new Map<string | number, number>();
  readonly #names: string[] = [];
  /** Where each name was first. */
  readonly #places: string[] = [];
  /** Whether integers number the known classes: none of those is named by an integer. */
  readonly #isNumbered: boolean;

  constructor(options: LabelOptions) {
    this.#options = options;
    this.#numbers = options.target === 'number' ? new Blocks(Float32Array) : new Blocks(Int32Array);
    const { classes } = options;
    this.#isNumbered = classes?.every((name) => integerName(name) === undefined) ?? false;
    for (const [index, name] of classes?.entries() ?? []) this.#known.set(name, index);
  }

  get count(): number {
    return this.#numbers.length;
  }

  /** `place` names it in errors: the file, the line, the column. */
  add(label: string | number, place: () => string): void {
    if (this.#options.target === 'number') {
      this.#numbers.push(this.#toNumber(label, place));
      return;
    }
    this.#numbers.push(this.#known.get(label) ?? this.#addClass(label, place));
  }

  #toNumber(label: string | number, place: () => string): number {
    const number = typeof label === 'number' ? label : parseNumber(label);
    if (Number.isFinite(Math.fround(number))) return number;
    const what = describe(label);
    if (Number.isNaN(number))
      throw dataError(place(), `${what} is no number, as target: 'number' asks for${numberAdvice(String(label))}`);
    throw dataError(place(), `${what} is too large for a 32-bit float`);
  }

  /** The number of a label that was not there yet in this form. */
  #addClass(label: string | number, place: () => string): number {
    const text = detached(String(label).trim());
    if (text === '') throw dataError(place(), 'the label is empty; every row needs one');
    const { classes } = this.#options;
    const index = classes === undefined ? this.#addName(text, place) : this.#findClass(text, classes, place);
    this.#known.set(typeof label === 'string' ? detached(label) : label, index);
    return index;
  }

  #addName(text: string, place: () => string): number {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#names.length === mostClasses) {
      throw dataError(
        place(),
        `more than ${mostClasses} different labels, which cannot be classes; give the column that holds them, or for numbers target: 'number'`,
      );
    }
    this.#names.push(text);
    this.#places.push(place());
    return this.#names.length - 1;
  }

  #findClass(text: string, classes: readonly string[], place: () => string): number {
    const name = integerName(text);
    const index = this.#known.get(text) ?? (name === undefined ? undefined : this.#known.get(name));
    if (index !== undefined) return index;
    const number = this.#isNumbered && name !== undefined ? Number(name) : -1;
    if (number >= 0 && number < classes.length) return number;
    const known = classes.length <= 20 ? ` There are: ${classes.map((each) => describe(each)).join(', ')}.` : '';
    throw dataError(place(), `there is no class ${describe(text)}.${suggest(text, classes)}${known}`);
  }

  /** After the last one. */
  async finish(): Promise<LabelResult> {
    const { target, classes } = this.#options;
    const numbers = await this.#numbers.finish();
    if (target === 'number') return { y: numbers };
    return classes === undefined ? this.#sorted(numbers as Int32Array) : { y: numbers, classes };
  }

  #sorted(numbers: Int32Array): LabelResult {
    const integers = this.#names.map(integerName);
    const isInteger = integers.every((name) => name !== undefined);
    if (!isInteger) this.#expectClasses(integers);
    const names = isInteger ? (integers as string[]) : this.#names;
    const classes = [...new Set(names)].sort(
      isInteger ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : a > b ? 1 : 0),
    );
    const numberOf = new Map(classes.map((name, index) => [name, index]));
    const newNumbers = Int32Array.from(names, (name) => numberOf.get(name) as number);
    for (let i = 0; i < numbers.length; i++) numbers[i] = newNumbers[numbers[i] as number] as number;
    return { y: numbers, classes: Object.freeze(classes) };
  }

  /** Numbers with decimals are no classes, nor is 'NA' among integers one. */
  #expectClasses(integers: readonly (string | undefined)[]): void {
    const others = this.#names.filter((_, i) => integers[i] === undefined);
    const first = integers.indexOf(undefined);
    if (others.length < this.#names.length && others.every(isUnknown)) {
      const name = describe(this.#names[first]);
      throw dataError(
        this.#places[first] as string,
        `the label is not known (${name}); leave out rows without a label`,
      );
    }
    if (!this.#names.every((name) => !Number.isNaN(parseNumber(name)))) return;
    throw dataError(
      this.#places[first] as string,
      `the labels are numbers such as ${this.#names[first]}, not classes; to predict numbers: target: 'number'`,
    );
  }
}

/** A row for each label. */
export function checkLabelCount(labels: number, rows: number, path: string, features: string): void {
  if (labels === rows) return;
  throw new SetnetError('ERR_SETNET_SHAPE', `${path}: ${labels} labels, but ${features} has ${rows} rows`);
}
