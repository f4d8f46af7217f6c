// Numbers as every page of a report writes them: 1,250, 87.6 %, a true minus sign, and no unit torn off its number.

/** A space that does not break. */
export const nbsp = '\u00a0';
const minus = '\u2212';

function signed(text: string): string {
  return text.replace(/^-/, minus);
}

/** With a comma between thousands and so many decimals. */
export function decimal(value: number, digits: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'not a number' : signed(`${value < 0 ? '-' : ''}\u221e`);
  const [whole, fraction] = Math.abs(value).toFixed(digits).split('.') as [string, string | undefined];
  // Above 1e21 toFixed answers in another form.
  const grouped = whole.includes('e') ? whole : whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const text = fraction === undefined ? grouped : `${grouped}.${fraction}`;
  return value < 0 && /[1-9]/.test(text) ? `${minus}${text}` : text;
}

/** A whole number. */
export function count(value: number): string {
  return decimal(value, 0);
}

/** A fraction of 1 as a percentage; the decimals are those of the percentage. */
export function percent(fraction: number, digits = 1): string {
  return `${decimal(100 * fraction, digits)}${nbsp}%`;
}

/** So many significant digits, without an exponent where that can be read. */
export function significant(value: number, digits = 3): string {
  if (value === 0 || !Number.isFinite(value)) return decimal(value, 0);
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  if (magnitude >= -4 && magnitude < 7) return decimal(value, Math.max(0, digits - 1 - magnitude));
  const [mantissa, exponent] = value.toExponential(digits - 1).split('e') as [string, string];
  return `${signed(mantissa)}${nbsp}\u00d7${nbsp}10${superscript(Number(exponent))}`;
}

/** 1.25M, 34k, 980. */
export function compact(value: number): string {
  const size = Math.abs(value);
  for (const [unit, name] of [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (size < unit) continue;
    const scaled = value / unit;
    return `${trimmed(decimal(scaled, Math.abs(scaled) >= 100 ? 0 : Math.abs(scaled) >= 10 ? 1 : 2))}${name}`;
  }
  return trimmed(decimal(value, Number.isInteger(value) ? 0 : 2));
}

function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Seconds, minutes or hours: 4.2 s, 3.5 min, 2.1 h. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${decimal(1000 * seconds, seconds < 0.01 ? 1 : 0)}${nbsp}ms`;
  if (seconds < 120) return `${decimal(seconds, seconds < 10 ? 2 : 1)}${nbsp}s`;
  if (seconds < 7200) return `${decimal(seconds / 60, 1)}${nbsp}min`;
  return `${decimal(seconds / 3600, 1)}${nbsp}h`;
}

/** Bytes in decimal units. */
export function bytes(value: number): string {
  if (value < 1000) return `${count(value)}${nbsp}B`;
  for (const [unit, name] of [
    [1e3, 'kB'],
    [1e6, 'MB'],
    [1e9, 'GB'],
  ] as const) {
    const scaled = value / unit;
    if (scaled < 999.5 || name === 'GB')
      return `${decimal(scaled, scaled < 10 ? 2 : scaled < 100 ? 1 : 0)}${nbsp}${name}`;
  }
  return '';
}

const superscripts = '\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079';

/** 10 to this power: the exponent, raised. */
export function superscript(exponent: number): string {
  const digits = Array.from(String(Math.abs(exponent)), (digit) => superscripts[Number(digit)]).join('');
  return exponent < 0 ? `\u207b${digits}` : digits;
}

/** '1 epoch', '3 epochs'. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)}${nbsp}${value === 1 ? one : many}`;
}
