// The options of reports, checked.
import type { Dataset } from '../data';
import { SetnetError } from '../errors';
import { lengthOf, typedArrayName } from '../memory';
import { describe, readNumber, readOptions, typeError } from '../options';
import type { HistoryData } from '../types';
import { type ReportedHistory, readHistory } from './history_data';

/** How inputs lie in an image, row by row: input i is in row floor(i / width), column i mod width. */
export interface ReportImage {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows; width * height = inputs. */
  readonly height: number;
}

/** Where inputs lie along chromosomes, or anything else that has parts with positions. */
export interface ReportPositions {
  /** The name of each input's chromosome. Chromosomes are drawn in the order in which they come first. */
  readonly chromosomes: readonly (string | number)[];
  /** A number for each input, in any unit; where it is not finite the input is not drawn. */
  readonly positions: ArrayLike<number>;
}

/** How the map of the inputs is drawn. Without both a strip by the number of the input. */
export interface ReportMapOptions {
  /** Inputs are pixels: their connections are drawn as an image. Not together with `positions`. */
  readonly image?: ReportImage;
  /** Inputs lie along chromosomes: a strip. */
  readonly positions?: ReportPositions;
}

/** Options of `net.report`. */
export interface ReportOptions extends ReportMapOptions {
  /** Default: the network's shape. */
  readonly title?: string;
  /** Of the fit, also as JSON has it: learning curves, connections pruned and grown per epoch. */
  readonly history?: HistoryData;
  /** Evaluated, for the accuracy and the confusion matrix. */
  readonly test?: Dataset;
}

export interface ReadPositions {
  readonly chromosomes: readonly string[];
  readonly positions: Float64Array;
}

/** How inputs lie. */
export interface ReadMap {
  readonly image: ReportImage | undefined;
  readonly positions: ReadPositions | undefined;
}

export interface ReadReportOptions extends ReadMap {
  readonly title: string | undefined;
  readonly history: ReportedHistory | undefined;
  readonly test: Dataset | undefined;
}

export function readTitle(value: unknown, where: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.trim() === '')
    throw typeError(`${where} must be a string that is not empty, not ${describe(value)}`);
  return value;
}

function readImage(value: unknown, inputs: number | undefined, where: string): ReportImage | undefined {
  if (value === undefined) return undefined;
  const read = readOptions(value, where, ['width', 'height']);
  const limits = { min: 1, max: 2 ** 32 - 1, integer: true };
  const width = readNumber(read.width, `${where}.width`, limits);
  const height = readNumber(read.height, `${where}.height`, limits);
  if (inputs !== undefined && width * height !== inputs) {
    throw new SetnetError(
      'ERR_SETNET_SHAPE',
      `${where} is ${width} x ${height} = ${width * height} pixels, but the network has ${inputs} inputs`,
    );
  }
  return { width, height };
}

function checkLength(length: number, inputs: number | undefined, where: string): void {
  if (inputs === undefined || length === inputs) return;
  throw new SetnetError('ERR_SETNET_SHAPE', `${where} has ${length} elements, but the network has ${inputs} inputs`);
}

function readPositionsOption(value: unknown, inputs: number | undefined, where: string): ReadPositions | undefined {
  if (value === undefined) return undefined;
  const read = readOptions(value, where, ['chromosomes', 'positions']);
  if (!Array.isArray(read.chromosomes)) {
    throw typeError(
      `${where}.chromosomes must be an array of a name for each input, not ${describe(read.chromosomes)}`,
    );
  }
  const names: readonly unknown[] = read.chromosomes;
  const chromosomes = Array.from(names, (name, i) => {
    if (typeof name === 'string' || typeof name === 'number') return String(name);
    throw typeError(`${where}.chromosomes[${i}] must be a string or a number, not ${describe(name)}`);
  });
  const given = read.positions;
  const isTyped = typedArrayName(given) !== undefined && !/^Big/.test(typedArrayName(given) as string);
  if (!isTyped && !Array.isArray(given)) {
    throw typeError(`${where}.positions must be an array of a number for each input, not ${describe(given)}`);
  }
  const length = isTyped ? lengthOf(given as ArrayBufferView) : (given as unknown[]).length;
  checkLength(chromosomes.length, inputs, `${where}.chromosomes`);
  checkLength(length, chromosomes.length, `${where}.positions`);
  const positions = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const position: unknown = (given as ArrayLike<unknown>)[i];
    if (typeof position !== 'number')
      throw typeError(`${where}.positions[${i}] must be a number, not ${describe(position)}`);
    positions[i] = position;
  }
  return { chromosomes, positions };
}

/** `inputs`: of the network that the map is of; undefined where there is none. */
export function readMap(
  options: { readonly image?: unknown; readonly positions?: unknown },
  inputs: number | undefined,
  where: string,
): ReadMap {
  if (options.image !== undefined && options.positions !== undefined) {
    throw new SetnetError(
      'ERR_SETNET_OPTION',
      `${where} has both image and positions; inputs lie in one of the two ways`,
    );
  }
  return {
    image: readImage(options.image, inputs, `${where}: image`),
    positions: readPositionsOption(options.positions, inputs, `${where}: positions`),
  };
}

export function readReportOptions(value: unknown, inputs: number, where: string): ReadReportOptions {
  const read = readOptions(value, `${where}: options`, ['title', 'history', 'test', 'image', 'positions']);
  return {
    title: readTitle(read.title, `${where}: title`),
    history: read.history === undefined ? undefined : readHistory(read.history, `${where}: history`),
    test: read.test as Dataset | undefined,
    ...readMap(read, inputs, where),
  };
}
