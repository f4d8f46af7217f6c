// How summaries and the command write numbers, tables and paragraphs. Reports have typographic signs: report/format.

/** 86,000 */
export function count(value: number | bigint): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** 1 row, 2 rows */
export function counted(value: number, noun: string, plural: string = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`;
}

/** 86.1 % of a fraction. */
export function percent(fraction: number, digits = 1): string {
  return `${(100 * fraction).toFixed(digits)} %`;
}

/** A loss or another figure without a unit, with the digits that are worth reading. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(3);
  return size < 10 ? value.toFixed(4) : size < 1000 ? value.toFixed(2) : value.toFixed(0);
}

/** 0.0123 s, 1.23 s, 12.3 s, 3 m 05 s, 2 h 07 m */
export function duration(seconds: number): string {
  if (seconds < 0.1) return `${seconds.toFixed(4)} s`;
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  return `${count(Math.floor(whole / 3600))} h ${two(Math.floor((whole % 3600) / 60))} m`;
}

/** As duration, for what is only guessed: whole seconds. */
export function roughly(seconds: number): string {
  return seconds < 59.5 ? `${Math.max(0, Math.round(seconds))} s` : duration(seconds);
}

/** 1.2 MB */
export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let size = value / 1000;
  while (size >= 999.95 && units.length > 1) {
    size /= 1000;
    units.shift();
  }
  return `${size.toFixed(1)} ${units[0]}`;
}

/** At most `width` characters; what is cut is marked. */
export function shorten(text: string, width: number): string {
  const characters = Array.from(text);
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 3)).join('')}...`;
}

/** Words broken into lines of at most `width` characters. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}

/** How the cells of a column stand. */
export type Alignment = 'left' | 'right';

/** Rows of cells in columns two spaces apart; the first column to the left, the others to the right, or as said. */
export function table(rows: readonly (readonly string[])[], alignments: readonly Alignment[] = []): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, i) => {
        const width = widths[i] as number;
        return (alignments[i] ?? (i === 0 ? 'left' : 'right')) === 'left' ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Names with what they are, one a line: `name   text`, the text broken to the width. */
export function definitions(entries: readonly (readonly [string, string])[], width: number, indent = 2): string[] {
  const longest = Math.max(0, ...entries.map(([name]) => name.length));
  const column = Math.min(longest, 26) + 2;
  return entries.flatMap(([name, text]) => {
    const lines = wrap(text, Math.max(20, width - indent - column));
    const head = ' '.repeat(indent);
    const rest = ' '.repeat(indent + column);
    if (name.length + 2 > column) return [head + name, ...lines.map((line) => rest + line)];
    return lines.map((line, i) => (i === 0 ? head + name.padEnd(column) + line : rest + line).trimEnd());
  });
}

/** An argument as a shell takes it. */
export function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
