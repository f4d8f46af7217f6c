// CSV (RFC 4180, and what else is called so): read in pieces by the parser Papa Parse, the numbers into typed arrays.
import type { SetnetError } from '../errors';
import { describe, optionError, suggest } from '../options';
import { FeatureRows } from './blocks';
import { LabelCollector } from './labels';
import { isUnknown, largestFloat, numberAdvice, parseNumber } from './numbers';
import { type ByteReader, type DataFile, dataError, formatError, shapeError } from './source';
import type { ReadTableOptions, Table } from './table';
import { countOf, longestRow, textPieces } from './text';

/** What is used of Papa Parse: its core, which parses a text synchronously up to the last whole row. */
interface Parser {
  parse(
    text: string,
    base: number,
    ignoreLastRow: boolean,
  ): {
    data: string[][];
    errors: { code: string; row: number }[];
    meta: { cursor: number };
  };
}

function newParser(delimiter: string, newline: string): Parser {
  // Only programs that read CSV need it.
  const papa = require('papaparse') as { Parser: new (options: { delimiter: string; newline: string }) => Parser };
  return new papa.Parser({ delimiter, newline });
}

/** Whole rows, one after the other, each with the line that it begins in. */
interface Rows {
  readonly cells: string[][];
  readonly lines: number[];
}

const delimiters = ['\t', ';', '|', ','];
/** The delimiter is looked for in so many characters. */
const sampleLength = 2 ** 16;

function newlineOf(sample: string): string {
  return !sample.includes('\n') && sample.includes('\r') ? '\r' : '\n';
}

/** The lines of a text's beginning without what stands in quotes, blank ones left out. */
function sampleLines(sample: string, newline: string): string[] {
  const lines = sample
    .slice(0, sampleLength)
    .replace(/"[^"]*"/g, '')
    .split(newline);
  if (lines.length > 1) lines.pop();
  return lines.filter((line) => line.trim() !== '').slice(0, 20);
}

/** The delimiter that stands in every line, and equally often; else the one that is most often in the first; else spaces. */
function detectDelimiter(sample: string, newline: string): string {
  const lines = sampleLines(sample, newline);
  const counts = delimiters.map((delimiter) => lines.map((line) => countOf(line, delimiter)));
  const regular = counts.findIndex((each) => (each[0] ?? 0) > 0 && each.every((count) => count === each[0]));
  if (regular >= 0) return delimiters[regular] as string;
  const first = counts.map((each) => each[0] ?? 0);
  const most = Math.max(...first);
  if (most > 0) return delimiters[first.indexOf(most)] as string;
  const words = lines.map((line) => line.trim().split(/ +/).length);
  return (words[0] ?? 0) > 1 && words.every((count) => count === words[0]) ? ' ' : ',';
}

/** Lines of cells with one space between them, as they are aligned in columns by several. */
function squeeze(text: string): string {
  return text
    .replace(/ {2,}/g, ' ')
    .replace(/ (?=\r?\n)/g, '')
    .replace(/(^|\n) /g, '$1');
}

/** Reads the rows of a file. */
class RowReader {
  readonly place: string;
  /** Known with the first rows. */
  delimiter: string | undefined;
  readonly #reader: ByteReader;

  constructor(reader: ByteReader, delimiter: string | undefined) {
    this.place = reader.place;
    this.delimiter = delimiter;
    this.#reader = reader;
  }

  async *rows(): AsyncGenerator<Rows> {
    let parser: Parser | undefined;
    let newline = '\n';
    let text = '';
    let line = 1;
    // Fewer characters than these hold no whole row, or not enough to know the delimiter.
    let wanted = sampleLength;
    const begin = () => {
      newline = newlineOf(text);
      this.delimiter ??= detectDelimiter(text, newline);
      return newParser(this.delimiter, newline);
    };
    for await (const piece of textPieces(this.#reader)) {
      text += piece;
      if (text.length > longestRow) {
        const place = `${this.place}, line ${line}`;
        throw formatError(place, `a row of more than ${longestRow} characters begins here; is a quote (") not closed?`);
      }
      if (text.length < wanted) continue;
      parser ??= begin();
      if (this.delimiter === ' ') text = squeeze(text);
      // Up to the end of a line: what follows a closing quote is known then.
      const whole = text.slice(0, text.lastIndexOf(newline) + 1);
      const { rows, length, nextLine } = this.#parse(parser, whole, newline, line, true);
      text = text.slice(length);
      line = nextLine;
      // A long row is looked at again only when there is twice as much of it.
      wanted = rows.cells.length > 0 ? 0 : 2 * text.length;
      if (rows.cells.length > 0) yield rows;
    }
    if (text === '') return;
    parser ??= begin();
    if (!text.endsWith(newline)) text += newline;
    if (this.delimiter === ' ') text = squeeze(text);
    const { rows } = this.#parse(parser, text, newline, line, false);
    if (rows.cells.length > 0) yield rows;
  }

  #parse(parser: Parser, text: string, newline: string, firstLine: number, ignoreLastRow: boolean) {
    const { data, errors, meta } = parser.parse(text, 0, ignoreLastRow);
    const hasQuotes = text.includes('"');
    const lines: number[] = [];
    let line = firstLine;
    for (const row of data) {
      lines.push(line++);
      if (hasQuotes) for (const cell of row) line += countOf(cell, newline);
    }
    const [error] = errors;
    if (error !== undefined) {
      const what =
        error.code === 'MissingQuotes'
          ? 'a quote (") is not closed'
          : 'a quote (") is followed by more text; a quote within quotes is written twice, ""';
      throw formatError(`${this.place}, line ${lines[error.row] ?? line}`, what);
    }
    return { rows: { cells: data, lines }, length: meta.cursor, nextLine: line };
  }
}

function isBlank(row: readonly string[]): boolean {
  return row.length === 1 && (row[0] as string).trim() === '';
}

function isNumber(cell: string | undefined): boolean {
  return cell !== undefined && !Number.isNaN(parseNumber(cell));
}

/** Whether a cell can name a column: neither a number, nor what is meant as one ('3,5', '0x10', 'Infinity'). */
function isName(cell: string): boolean {
  return !isUnknown(cell) && !/^[+-]?([.,]?\d|inf(inity)?$)/i.test(cell);
}

/** The names of the columns where the first row has them: see {@link ReadTableOptions.header}. */
function isHeader(first: readonly string[], second: readonly string[] | undefined, options: ReadTableOptions): boolean {
  const cells = first.map((cell) => cell.trim());
  const said = new Set([options.label, ...(options.features ?? []), ...(options.ignore ?? [])]);
  if (cells.some((cell) => said.has(cell))) return true;
  // As pandas names columns that have no names.
  if (cells.length > 3 && cells.every((cell, i) => cell === String(i))) return true;
  return second === undefined ? cells.every(isName) : cells.some((cell, i) => isName(cell) && isNumber(second[i]));
}

/** What is in which column. */
class Columns {
  /** As many as a row must have. */
  readonly count: number;
  readonly names: readonly string[] | undefined;
  /** Of the label, or -1. */
  readonly label: number;
  /** Of each feature, in order. */
  readonly features: readonly number[];
  readonly #place: string;
  readonly #header: string;
  readonly #columnOf: ReadonlyMap<string, number>;

  constructor(
    first: readonly string[],
    names: readonly string[] | undefined,
    options: ReadTableOptions,
    { place, firstLine }: { place: string; firstLine: number },
  ) {
    this.#place = place;
    this.#header = `${place}, line ${firstLine}`;
    this.count = first.length;
    this.names = names;
    this.#columnOf = this.#numberNames(names ?? []);
    const { label, ignore = [] } = options;
    this.label = label === undefined || label === false ? -1 : this.#find(label, 'label');
    const ignored = new Set(ignore.map((column, i) => this.#find(column, `ignore[${i}]`)));
    if (ignored.has(this.label)) throw optionError('readTable: the column of the label is among those to ignore');
    this.features = this.#chooseFeatures(options, ignored);
  }

  /** For messages; lines are counted from 1 as editors do, columns from 0 as in options. */
  nameOf(column: number): string {
    return this.names === undefined ? `column ${column} (from 0)` : `column ${describe(this.names[column])}`;
  }

  /** The number of every column, by its name. */
  #numberNames(names: readonly string[]): ReadonlyMap<string, number> {
    const columnOf = new Map<string, number>();
    for (const [column, name] of names.entries()) {
      const before = columnOf.get(name);
      if (before !== undefined && name !== '') {
        throw dataError(
          this.#header,
          `columns ${before} and ${column} (from 0) are both named ${describe(name)}; every column needs a name of its own`,
        );
      }
      columnOf.set(name, column);
    }
    return columnOf;
  }

  #find(column: string | number, option: string): number {
    const { names, count } = this;
    if (typeof column === 'number') {
      const index = column < 0 ? count + column : column;
      if (index >= 0 && index < count) return index;
      throw optionError(
        `readTable: ${option}: there is no column ${column}; ${this.#place} has ${count} columns, 0 to ${count - 1}, or -${count} to -1 from the end`,
      );
    }
    if (names === undefined) {
      throw optionError(
        `readTable: ${option}: ${this.#place} has no header, so that no column is named ${describe(column)}; give its number from 0, or header: true where the first row has the names`,
      );
    }
    const index = this.#columnOf.get(column);
    if (index !== undefined) return index;
    const known = count <= 20 ? ` There are: ${names.map((name) => describe(name)).join(', ')}.` : '';
    throw optionError(
      `readTable: ${option}: ${this.#place} has no column ${describe(column)}.${suggest(column, names)}${known}`,
    );
  }

  #chooseFeatures({ features: wanted, inputs }: ReadTableOptions, ignored: ReadonlySet<number>): readonly number[] {
    const { names, count } = this;
    if (wanted !== undefined && names !== undefined) {
      const missing = wanted.filter((name) => !this.#columnOf.has(name));
      if (missing.length > 0) {
        const list = missing.slice(0, 10).map((name) => describe(name));
        throw dataError(
          this.#place,
          `there is no column ${list.join(', ')}${missing.length > 10 ? ` and ${missing.length - 10} more` : ''}, which the features are to have.${suggest(missing[0] as string, names)}`,
        );
      }
      const chosen = wanted.map((name) => this.#columnOf.get(name) as number);
      if (chosen.includes(this.label))
        throw optionError(`readTable: features: ${describe(names[this.label])} is the column of the label`);
      return chosen;
    }
    const chosen = Array.from({ length: count }, (_, i) => i).filter((i) => i !== this.label && !ignored.has(i));
    if (chosen.length === 0)
      throw dataError(
        this.#place,
        `no column is left for the features: there ${count === 1 ? 'is 1' : `are ${count}`}`,
      );
    const expected = wanted?.length ?? inputs;
    if (expected !== undefined && chosen.length !== expected) {
      throw shapeError(
        this.#place,
        `${chosen.length} columns of features, but ${expected} are expected${this.label < 0 ? '; is one of them the label?' : ''}`,
      );
    }
    const unnamed = names === undefined ? -1 : chosen.findIndex((column) => names[column] === '');
    if (unnamed >= 0) {
      throw dataError(
        this.#header,
        `column ${chosen[unnamed]} (from 0) has no name; give it one, or leave the column out: ignore: [${chosen[unnamed]}]`,
      );
    }
    return chosen;
  }
}

/** The rows of a CSV as labels and features. */
class TableBuilder {
  readonly #place: string;
  readonly #columns: Columns;
  readonly #missing: number | undefined;
  readonly #delimiter: string;
  readonly #firstLine: number;
  readonly #features: FeatureRows;
  readonly #labels: LabelCollector | undefined;
  /** Of a blank row in a file of one column, where it would be a row without its number. */
  #blankLine = 0;

  constructor(
    columns: Columns,
    options: ReadTableOptions,
    { place, delimiter, firstLine }: { place: string; delimiter: string; firstLine: number },
  ) {
    this.#place = place;
    this.#columns = columns;
    this.#missing = options.missing;
    this.#delimiter = delimiter;
    this.#firstLine = firstLine;
    this.#features = new FeatureRows(columns.features.length);
    const { target = 'class', classes } = options;
    this.#labels = columns.label < 0 ? undefined : new LabelCollector({ target, classes });
  }

  get rows(): number {
    return this.#features.rows;
  }

  #at(line: number, column: number): string {
    return `${this.#place}, line ${line}, ${this.#columns.nameOf(column)}`;
  }

  add(row: string[], line: number): void {
    const columns = this.#columns;
    if (row.length !== columns.count) {
      if (isBlank(row)) return;
      throw this.#ragged(row, line);
    }
    if (columns.count === 1) {
      if (isBlank(row)) {
        this.#blankLine ||= line;
        return;
      }
      if (this.#blankLine > 0) throw formatError(`${this.#place}, line ${this.#blankLine}`, 'the line is empty');
    }
    this.#labels?.add(row[columns.label] as string, () => this.#at(line, columns.label));
    this.#addFeatures(row, line);
  }

  #ragged(row: readonly string[], line: number): SetnetError {
    const { count } = this.#columns;
    const found = `${row.length} ${row.length === 1 ? 'cell' : 'cells'}`;
    const delimiter = this.#delimiter === '\t' ? 'tabs' : `'${this.#delimiter}'`;
    return formatError(
      `${this.#place}, line ${line}`,
      `${found}, but line ${this.#firstLine} has ${count} (they are separated by ${delimiter}; a cell that contains one needs quotes)`,
    );
  }

  #addFeatures(row: readonly string[], line: number): void {
    const features = this.#features;
    features.nextRow();
    const { block, offset } = features;
    const columns = this.#columns.features;
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i] as number;
      const number = parseNumber(row[column] as string);
      const isKnown = number <= largestFloat && number >= -largestFloat;
      block[offset + i] = isKnown ? number : this.#unusual(row[column] as string, number, line, column);
    }
  }

  /** What a cell becomes that is no finite number. */
  #unusual(cell: string, number: number, line: number, column: number): number {
    const place = this.#at(line, column);
    if (!Number.isNaN(number)) throw dataError(place, `${describe(cell)} is too large for a 32-bit float`);
    const text = cell.trim();
    if (isUnknown(text)) {
      if (this.#missing !== undefined) return this.#missing;
      const what = text === '' ? 'the cell is empty' : `${describe(text)} is no number`;
      throw dataError(
        place,
        `${what}; say what unknown values become, as in missing: NaN, and give the network the same`,
      );
    }
    const isFirst = this.rows === 1 && this.#columns.names === undefined;
    const { names } = this.#columns;
    const name = names === undefined ? String(column) : `'${names[column]}'`;
    const hints = [
      isFirst ? '; where the first row has the names of the columns: header: true' : '',
      this.#labels === undefined ? `; where it is the label: label: ${name}` : '',
      `; where it is no feature: ignore: [${name}]`,
    ];
    throw dataError(place, `${describe(text)} is no number${numberAdvice(text) || hints.join('')}`);
  }

  async finish(): Promise<Table> {
    const { names, features: chosen } = this.#columns;
    const rows = this.rows;
    const inputs = chosen.length;
    return {
      x: { data: await this.#features.finish(), shape: [rows, inputs] },
      ...{ rows, inputs },
      ...(await this.#labels?.finish()),
      ...(names === undefined ? {} : { features: Object.freeze(chosen.map((column) => names[column] as string)) }),
      format: 'csv',
    };
  }
}

/** The first rows: at least two that are not blank, where there are two. */
async function readHead(rows: AsyncGenerator<Rows>): Promise<Rows> {
  const head: Rows = { cells: [], lines: [] };
  while (head.cells.filter((row) => !isBlank(row)).length < 2) {
    const next = await rows.next();
    if (next.done) break;
    for (const [i, row] of next.value.cells.entries()) {
      // Blank lines before the first row say nothing.
      if (head.cells.length === 0 && isBlank(row)) continue;
      head.cells.push(row);
      head.lines.push(next.value.lines[i] as number);
    }
  }
  return head;
}

/** A table of the rest of the reader. */
export async function readCsvFrom(reader: ByteReader, file: DataFile, options: ReadTableOptions): Promise<Table> {
  const { place } = reader;
  const rowReader = new RowReader(reader, options.delimiter ?? (/\.tsv(\.gz)?$/i.test(place) ? '\t' : undefined));
  const rows = rowReader.rows();
  const head = await readHead(rows);
  const [first, ...others] = head.cells;
  if (first === undefined) throw dataError(place, 'the file is empty; rows of numbers are expected');
  const second = others.find((row) => !isBlank(row));
  const hasHeader = options.header ?? isHeader(first, second, options);
  if (hasHeader && second === undefined)
    throw dataError(place, 'the file has a header and no rows; rows of numbers are expected');
  const names = hasHeader ? first.map((cell) => cell.trim()) : undefined;
  const firstLine = head.lines[0] as number;
  const columns = new Columns(first, names, options, { place, firstLine });
  const delimiter = rowReader.delimiter as string;
  const table = new TableBuilder(columns, options, { place, delimiter, firstLine });
  const add = ({ cells, lines }: Rows, start: number) => {
    for (let i = start; i < cells.length; i++) table.add(cells[i] as string[], lines[i] as number);
    file.rows = table.rows;
  };
  add(head, hasHeader ? 1 : 0);
  for await (const batch of rows) add(batch, 0);
  return table.finish();
}

/** Labels of a file with one in each row: a CSV of one column, or of lines of text. */
export async function addLabelsFrom(reader: ByteReader, labels: LabelCollector): Promise<void> {
  const { place } = reader;
  // No label holds a tab, and one may hold a comma.
  const rows = new RowReader(reader, '\t').rows();
  const head = await readHead(rows);
  const [first, second] = head.cells;
  let blankLine = 0;
  const add = ({ cells, lines }: Rows, start: number) => {
    for (let i = start; i < cells.length; i++) {
      const row = cells[i] as string[];
      const line = lines[i] as number;
      if (isBlank(row)) {
        blankLine ||= line;
        continue;
      }
      if (blankLine > 0)
        throw formatError(`${place}, line ${blankLine}`, 'the line is empty; one label a line is expected');
      if (row.length !== 1)
        throw formatError(`${place}, line ${line}`, `${row.length} columns; one label a line is expected`);
      labels.add((row[0] as string).trim(), () => `${place}, line ${line}`);
    }
  };
  if (first === undefined) return;
  add(head, isName((first[0] as string).trim()) && isNumber(second?.[0]) ? 1 : 0);
  for await (const batch of rows) add(batch, 0);
}
