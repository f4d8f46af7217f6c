// The sparse text format of SVMlight and LIBSVM: LABEL [qid:N] INDEX:VALUE ... [# comment], a row a line, indices from 1.
import { describe } from '../options';
import { Blocks } from './blocks';
import { LabelCollector } from './labels';
import { matrixFromArrays } from './matrix';
import { sortRow } from './npz';
import { largestFloat, numberAdvice, parseIndex, parseNumber } from './numbers';
import { type ByteReader, type DataFile, dataError, formatError, inStretches, shapeError } from './source';
import type { ReadTableOptions, Table } from './table';
import { longestRow } from './text';

/** Whether a line may be one of these; of a CSV none is. */
export function isSvmlightLine(line: string): boolean {
  return /^\s*[^\s,:;]+(\s+qid:\d+)?(\s+\d+:[^\s:]+)+\s*(#.*)?$/.test(line);
}

/** Where an index stood that matters. */
interface Occurrence {
  index: number;
  line: number;
}

/** The rows of a file, in the making. */
class SparseRows {
  readonly #place: string;
  /** Undefined where labels are not wanted: they may then be anything. */
  readonly #labels: LabelCollector | undefined;
  readonly #columns: Blocks<Uint32Array> = new Blocks(Uint32Array);
  readonly #values: Blocks<Float32Array> = new Blocks(Float32Array);
  readonly #rowEnds: Blocks<Float64Array> = new Blocks(Float64Array);
  readonly #largest: Occurrence = { index: -1, line: 0 };
  readonly #smallest: Occurrence = { index: Number.POSITIVE_INFINITY, line: 0 };
  /** Of the row that is read. */
  #rowColumns = new Uint32Array(64);
  #rowValues = new Float32Array(64);

  constructor(place: string, labels: LabelCollector | undefined) {
    this.#place = place;
    this.#labels = labels;
  }

  get rows(): number {
    return this.#rowEnds.length;
  }

  add(line: string, number: number): void {
    const comment = line.indexOf('#');
    const text = (comment < 0 ? line : line.slice(0, comment)).replace(/\t|\r/g, ' ');
    const words = text.split(' ');
    let count = -1;
    for (const word of words) {
      if (word === '') continue;
      if (count < 0) {
        this.#addLabel(word, number);
        count = 0;
      } else if (count > 0 || !/^qid:\d+$/.test(word)) {
        this.#addElement(word, count++, number);
      }
    }
    // A blank line, or one with a comment only.
    if (count < 0) return;
    sortRow(this.#rowColumns, this.#rowValues, 0, count, `${this.#place}, line ${number}`);
    for (let i = 0; i < count; i++) {
      this.#columns.push(this.#rowColumns[i] as number);
      this.#values.push(this.#rowValues[i] as number);
    }
    if (count > 0) this.#note(number, this.#rowColumns[0] as number, this.#rowColumns[count - 1] as number);
    this.#rowEnds.push(this.#columns.length);
  }

  #addLabel(word: string, line: number): void {
    const place = `${this.#place}, line ${line}`;
    if (word.includes(':'))
      throw formatError(place, `the line begins with ${describe(word)}; LABEL INDEX:VALUE ... is expected`);
    if (this.#labels === undefined) return;
    if (word.includes(',')) throw dataError(place, `several labels, ${describe(word)}; one for each row is expected`);
    // The line was decoded as Latin-1, which is right for everything but names.
    this.#labels.add(Buffer.from(word, 'latin1').toString('utf8'), () => place);
  }

  #addElement(word: string, i: number, line: number): void {
    const colon = word.indexOf(':');
    const index = parseIndex(word, colon);
    if (Number.isNaN(index)) {
      throw formatError(`${this.#place}, line ${line}`, `${describe(word)} is not INDEX:VALUE, as in 7:1.5`);
    }
    const text = word.slice(colon + 1);
    const value = parseNumber(text);
    if (index >= 2 ** 32 - 1)
      throw dataError(
        `${this.#place}, line ${line}`,
        `the index ${index} is too large; indices go up to ${2 ** 32 - 2}`,
      );
    if (!(value <= largestFloat && value >= -largestFloat)) {
      const what = Number.isNaN(value) ? 'no number' : 'too large for a 32-bit float';
      throw dataError(
        `${this.#place}, line ${line}, index ${index}`,
        `${describe(text)} is ${what}${numberAdvice(text)}`,
      );
    }
    if (i === this.#rowColumns.length) {
      this.#rowColumns = grown(this.#rowColumns, new Uint32Array(2 * i));
      this.#rowValues = grown(this.#rowValues, new Float32Array(2 * i));
    }
    this.#rowColumns[i] = index;
    this.#rowValues[i] = value;
  }

  #note(line: number, first: number, last: number): void {
    if (first < this.#smallest.index) Object.assign(this.#smallest, { index: first, line });
    if (last > this.#largest.index) Object.assign(this.#largest, { index: last, line });
  }

  async finish({ firstIndex, inputs, features }: ReadTableOptions): Promise<Table> {
    const { rows } = this;
    if (rows === 0) throw dataError(this.#place, 'the file has no rows; LABEL INDEX:VALUE ... is expected');
    const base = firstIndex ?? (this.#smallest.index === 0 ? 0 : 1);
    if (this.#smallest.index < base) {
      throw dataError(
        `${this.#place}, line ${this.#smallest.line}`,
        'the index 0, but the first feature is called 1 (firstIndex: 0 where it is 0)',
      );
    }
    const found = Math.max(0, this.#largest.index + 1 - base);
    const columns = inputs ?? features?.length ?? found;
    if (found > columns) {
      throw shapeError(
        `${this.#place}, line ${this.#largest.line}`,
        `the index ${this.#largest.index}, but there are ${columns} features, called ${base} to ${columns - 1 + base}`,
      );
    }
    if (columns === 0) throw dataError(this.#place, 'no row has an element; give the number of features as inputs');
    const columnIndices = await this.#columns.finish();
    await inStretches(base * columnIndices.length, (start, end) => {
      for (let i = start; i < end; i++) columnIndices[i] = (columnIndices[i] as number) - 1;
    });
    const rowPointers = new Float64Array(rows + 1);
    rowPointers.set(await this.#rowEnds.finish(), 1);
    const values = await this.#values.finish();
    return {
      x: matrixFromArrays({ rows, columns, rowPointers, columnIndices, values }),
      ...{ rows, inputs: columns },
      ...(await this.#labels?.finish()),
      ...(features === undefined ? {} : { features: Object.freeze([...features]) }),
      format: 'svmlight',
    };
  }
}

function grown<Kind extends Uint32Array | Float32Array>(before: Kind, after: Kind): Kind {
  after.set(before);
  return after;
}

/** A table of the rest of the reader. */
export async function readSvmlightFrom(reader: ByteReader, file: DataFile, options: ReadTableOptions): Promise<Table> {
  const { place } = reader;
  const { target = 'class', classes, label } = options;
  const hasLabels = label !== false && options.labels === undefined;
  const rows = new SparseRows(place, hasLabels ? new LabelCollector({ target, classes }) : undefined);
  let text = '';
  let line = 1;
  for await (const piece of reader.rest()) {
    // Comments may be in any encoding, and all that counts is ASCII.
    const more = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString('latin1');
    text += more;
    let start = 0;
    // A long line is not searched again with every piece.
    let end = more.includes('\n') ? text.indexOf('\n') : -1;
    for (; end >= 0; end = text.indexOf('\n', start)) {
      rows.add(text.slice(start, end), line++);
      start = end + 1;
    }
    text = text.slice(start);
    if (text.length > longestRow)
      throw formatError(`${place}, line ${line}`, `a line of more than ${longestRow} characters begins here`);
    file.rows = rows.rows;
  }
  if (text !== '') rows.add(text, line);
  return rows.finish(options);
}
