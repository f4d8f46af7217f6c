// Numbers as texts write them: decimal, with a point, finite. What JavaScript reads besides is refused.

const decimal = /^[ \t\r]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[ \t\r]*$/;

/** The largest finite f32. */
export const largestFloat = 3.4028234663852886e38;

/**
 * The number that a text writes, or NaN: '', ' ', '0x10', 'Infinity', '1_000' and '1,5' are none. Spaces around it do not
 * count. '1e999' is Infinity: a number, but too large.
 */
export function parseNumber(text: string): number {
  const number = +text;
  const first = text.charCodeAt(0);
  // Nearly all numbers of a file are seen to be in order by their first two characters. The others: nothing, '0x10',
  // ' 1', 'Infinity', which Number() takes too.
  const isPlain = (first >= 48 && first <= 57) || first === 45 || first === 46;
  if (isPlain && (text.length === 1 || text.charCodeAt(1) <= 57)) return number;
  return decimal.test(text) ? number : Number.NaN;
}

/** The index that the first `end` characters write, which are digits and nothing else, at most 15; else NaN. */
export function parseIndex(text: string, end: number): number {
  if (end < 1 || end > 15) return Number.NaN;
  let index = 0;
  for (let i = 0; i < end; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    index = 10 * index + digit;
  }
  return index;
}

const unknowns = new Set(['', '?', 'na', 'n/a', 'nan', 'null']);

/** Whether a cell says that its value is not known: it is empty, or NA, N/A, NaN, null or ?. */
export function isUnknown(text: string): boolean {
  return text.length < 20 && unknowns.has(text.trim().toLowerCase());
}

/** What is wrong with a text that parseNumber does not take; starts with a space or is empty. */
export function numberAdvice(text: string): string {
  const trimmed = text.trim();
  if (/^[+-]?\d{1,3}(\.\d{3})+,\d+$/.test(trimmed) || /^[+-]?\d*,\d+$/.test(trimmed))
    return '; decimals are written with a point, as in 1.5';
  if (/^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$/.test(trimmed)) return '; numbers are written without separators of thousands';
  if (/^[+-]?0x[\da-f]+$/i.test(trimmed)) return '; numbers are decimal';
  if (/^[+-]?inf(inity)?$/i.test(trimmed)) return '; numbers are finite';
  return '';
}
