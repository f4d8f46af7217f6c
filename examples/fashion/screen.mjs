// What the example writes: plain lines, one line that is redrawn where there is a terminal, tables as wide as it allows.

const stream = process.stdout;
const isDumb = process.env.TERM === 'dumb';

/** Whether a line can be redrawn; elsewhere only finished lines are written. */
export const isLive = stream.isTTY === true && !isDumb;
const depth = isLive && !process.env.NO_COLOR ? stream.getColorDepth() : 1;
export const hasColor = depth > 1;
export const hasGreys = depth >= 8;

// A locale that is set decides; where none is, terminals show UTF-8 today.
const locale = process.env.LC_ALL || process.env.LC_CTYPE || process.env.LANG || 'UTF-8';
export const hasUnicode = /utf-?8/i.test(locale) && process.env.TERM !== 'linux';

const paint = (open, close) => (text) => (hasColor ? `\x1b[${open}m${text}\x1b[${close}m` : text);
export const bold = paint(1, 22);
export const dim = paint(2, 22);
export const green = paint(32, 39);
export const red = paint(31, 39);

/** Characters of the terminal's width that may be used: the last one is left free, some terminals wrap there. */
export function columns() {
  return isLive ? Math.max(10, (stream.columns || 80) - 1) : 100;
}

let liveLength = 0;

/** Writes a finished line (in the place of the live one). */
export function line(text = '') {
  clearLive();
  stream.write(`${text}\n`);
}

/** Draws the live line. `text` has no colours and is cut to the width; nothing is written where there is no terminal. */
export function live(text) {
  if (!isLive) return;
  const cut = text.slice(0, columns());
  stream.write(`\r${dim(cut)}\x1b[K`);
  liveLength = cut.length;
}

export function clearLive() {
  if (liveLength === 0) return;
  stream.write('\r\x1b[K');
  liveLength = 0;
}

/** A paragraph, broken between words. */
export function paragraph(text, style = (part) => part) {
  const width = Math.min(columns(), 100);
  let row = '';
  for (const word of text.split(' ')) {
    if (row !== '' && row.length + 1 + word.length > width) {
      line(style(row));
      row = '';
    }
    row += (row === '' ? '' : ' ') + word;
  }
  line(style(row));
}

// The columns of the epochs' table; where the terminal is narrow, those with the highest number go first.
const epochColumns = [
  { name: 'epoch', width: 7, leaves: 0 },
  { name: 'loss', width: 7, leaves: 0 },
  { name: 'train', width: 8, leaves: 3 },
  { name: 'test', width: 8, leaves: 0 },
  { name: 'connections', width: 11, leaves: 1 },
  { name: 'pruned', width: 8, leaves: 2 },
  { name: 'grown', width: 8, leaves: 2 },
  { name: 'seconds', width: 7, leaves: 1 },
];

/** One row of the epochs' table: `cells` has texts by column name. A column that left the table leaves no gap. */
export function epochRow(cells) {
  const gap = 2;
  let shown = epochColumns;
  for (let leaves = 3; leaves > 0; --leaves) {
    if (shown.reduce((sum, column) => sum + column.width + gap, -gap) <= columns()) break;
    shown = shown.filter((column) => column.leaves < leaves);
  }
  return shown.map(({ name, width }) => (cells[name] ?? '').padStart(width)).join(' '.repeat(gap));
}

export function epochHeader() {
  return epochRow(Object.fromEntries(epochColumns.map(({ name }) => [name, name])));
}

/** A table of texts, first column to the left, the others to the right; stacked where the terminal is too narrow. */
export function table(header, rows) {
  const widths = header.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i].length)));
  const total = widths.reduce((sum, width) => sum + width, 3 * (widths.length - 1));
  if (total <= columns()) {
    const format = (row) =>
      row
        .map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i])))
        .join('   ')
        .trimEnd();
    line(bold(format(header)));
    for (const row of rows) line(format(row));
    return;
  }
  for (const [name, ...values] of rows) {
    paragraph(name, bold);
    const named = values.map((value, i) => `${header[i + 1]} ${value}`.trim());
    paragraph(named.filter((text) => text !== '').join(', '));
  }
}

export const count = (value) => Math.round(value).toLocaleString('en-US');
export const percent = (fraction, digits = 1) => `${(100 * fraction).toFixed(digits)} %`;
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`;
