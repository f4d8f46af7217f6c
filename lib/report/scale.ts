// From numbers to places: linear and logarithmic scales with ticks that people like to read.
import { compact, decimal, superscript } from './format';

/** A number on an axis, and how it is written. */
export interface Tick {
  readonly value: number;
  readonly label: string;
}

/** A map of the domain to 0 ... 1. */
export interface Scale {
  readonly domain: readonly [number, number];
  readonly ticks: readonly Tick[];
  /** 0 at the domain's start, 1 at its end; numbers outside go on beyond. */
  place(value: number): number;
}

export interface LinearOptions {
  /** About so many ticks. Default 5. */
  readonly count?: number;
  /** The numbers are whole: no tick between two of them. */
  readonly integer?: boolean;
  /** The domain is widened to the next ticks. Default true. */
  readonly nice?: boolean;
  /** How a tick is written, given the decimals that tell ticks apart. Default: with commas, in short form from 10,000. */
  readonly format?: (value: number, digits: number) => string;
}

/** 1, 2 or 5 times a power of ten: the least one that is at least `least`. */
export function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  // 10 ** floor(log10) may be off by a rounding; each candidate is looked at.
  for (const factor of [0.5, 1, 2, 5, 10, 20]) {
    const step = factor * power;
    if (step >= least * (1 - 1e-9)) return step;
  }
  return 20 * power;
}

/** Decimals that a multiple of this step has. */
function decimalsOf(step: number): number {
  return Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
}

/** A domain that is a point gets room around it. */
function widened([low, high]: readonly [number, number], integer: boolean): [number, number] {
  if (high > low) return [low, high];
  const room = integer ? 1 : Math.max(Math.abs(low) * 0.05, Number.MIN_VALUE * 1e20, 1e-9);
  return low === 0 ? [0, 1] : [low - room, low + room];
}

export function linearScale(domain: readonly [number, number], options: LinearOptions = {}): Scale {
  const { count = 5, integer = false, nice = true } = options;
  const [low, high] = widened(domain, integer);
  const step = Math.max(niceStep((high - low) / Math.max(1, count)), integer ? 1 : 0);
  const first = nice ? Math.floor(low / step + 1e-9) : Math.ceil(low / step - 1e-9);
  const last = nice ? Math.ceil(high / step - 1e-9) : Math.floor(high / step + 1e-9);
  const [start, end] = nice ? [first * step, last * step] : [low, high];
  const digits = decimalsOf(step);
  const largest = Math.max(Math.abs(start), Math.abs(end));
  const format = options.format ?? ((value) => (largest >= 10_000 ? compact(value) : decimal(value, digits)));
  const ticks: Tick[] = [];
  for (let i = first; i <= last; i++) {
    // Rounded, so that 3 * 0.1 is 0.3.
    const value = Number((i * step).toPrecision(12));
    ticks.push({ value, label: format(value, digits) });
  }
  return { domain: [start, end], ticks, place: (value) => (value - start) / (end - start) };
}

function linearTicks(low: number, high: number, count: number): number[] {
  return linearScale([low, high], { count, nice: false }).ticks.map(({ value }) => value);
}

export interface LogOptions {
  /** About so many ticks at most. Default 6. */
  readonly count?: number;
  /** How a tick is written. Default: with commas, as a power of ten outside of 0.001 to 999,999. */
  readonly format?: (value: number) => string;
}

function logLabel(value: number): string {
  const exponent = Math.round(Math.log10(value));
  const isPower = Math.abs(value / 10 ** exponent - 1) < 1e-9;
  if (isPower && (exponent < -3 || exponent > 5)) return `10${superscript(exponent)}`;
  if (value >= 1) return value < 1e5 ? decimal(value, Number.isInteger(value) ? 0 : 1) : compact(value);
  const digits = -Math.floor(Math.log10(value) + 1e-9);
  const isRound = Math.abs(value * 10 ** digits - Math.round(value * 10 ** digits)) < 1e-6;
  return decimal(value, isRound ? digits : digits + 1);
}

/** Both ends above 0. Ticks are as many round numbers as there is room for, at least powers of ten. */
export function logScale(domain: readonly [number, number], options: LogOptions = {}): Scale {
  const { count = 6, format = logLabel } = options;
  const low = domain[0];
  const high = domain[1] > low ? domain[1] : low * 10;
  const [start, end] = [Math.log10(low), Math.log10(high)];
  const within = (value: number) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9);
  const powers: number[] = [];
  for (let exponent = Math.floor(start); exponent <= Math.ceil(end); exponent++) powers.push(exponent);
  const candidates = [
    [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 5, 6, 8],
    [1, 2, 3, 5, 7],
    [1, 2, 5],
    [1, 3],
    [1],
  ].map((factors) =>
    powers.flatMap((exponent) => factors.map((factor) => Number(`${factor}e${exponent}`))).filter(within),
  );
  let values = candidates.find((ticks) => ticks.length <= count + 1) ?? (candidates.at(-1) as number[]);
  // Within a part of a decade round numbers may be too far apart: then as on a linear scale.
  if (values.length < 3 && high < 10 * low) values = linearTicks(low, high, count);
  const every = values.length > count + 1 ? Math.ceil(values.length / (count + 1)) : 1;
  if (every > 1) values = values.filter((value) => Math.round(Math.log10(value)) % every === 0);
  return {
    domain: [low, high],
    ticks: values.map((value) => ({ value, label: format(value) })),
    place: (value) => (Math.log10(value) - start) / (end - start),
  };
}

/** The least and the largest finite number; undefined where there is none. */
export function extent(values: Iterable<number>): [number, number] | undefined {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : undefined;
}
