// What is known of every figure: its common fields, whether it met its targets, and how a person reads it.

/** The fields that every figure has; the others are the benchmark's own. */
export const commonFields = [
  'bench',
  'name',
  'value',
  'unit',
  'threads',
  'repeats',
  'isa',
  'processor',
  'caches',
  'node',
  'setnet',
];

// Fields that charts need and that the name says already.
const chartFields = ['side', 'batch', 'density', 'width', 'input', 'peer', 'layer', 'group', 'size', 'state', 'phase'];

/** Units of which less is better; of all others more is. */
const lessIsBetter = new Set([
  's',
  'ms',
  'us',
  'ns',
  'MB',
  'bytes',
  'ns per connection',
  'bytes per connection',
  'times the cost',
  'times the file',
]);

/**
 * `extra` with `met` where it has a floor or an aim: 'aim', 'floor' or 'no'. `tolerance` (a fraction) widens both, where the
 * target is "not worse than" and equal sides differ by noise.
 */
export function judge(value, unit, extra) {
  const { floor, aim, tolerance = 0 } = extra;
  if (typeof value !== 'number' || (floor === undefined && aim === undefined)) return extra;
  const isLess = lessIsBetter.has(unit);
  const reaches = (bar) =>
    bar !== undefined && (isLess ? value <= bar * (1 + tolerance) : value >= bar * (1 - tolerance));
  return { ...extra, met: reaches(aim) ? 'aim' : reaches(floor) ? 'floor' : 'no' };
}

/** [name, value, unit, how, everything else] as text. */
export function formatFigure(figure) {
  const { name, value, unit, threads, repeats } = figure;
  const others = Object.entries(figure).filter(([key]) => !commonFields.includes(key) && !chartFields.includes(key));
  return [
    name,
    value === null ? 'absent' : formatNumber(value),
    unit,
    `${threads} thread${threads === 1 ? '' : 's'}, ${repeats} repeat${repeats === 1 ? '' : 's'}`,
    others.map(([key, detail]) => `${key}: ${formatDetail(detail)}`).join('; '),
  ];
}

function formatDetail(detail) {
  if (Array.isArray(detail)) return detail.map(formatDetail).join(' ');
  return typeof detail === 'object' && detail !== null ? JSON.stringify(detail) : formatNumber(detail);
}

export function formatNumber(value) {
  if (typeof value !== 'number' || Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(1) : value.toPrecision(4);
}
