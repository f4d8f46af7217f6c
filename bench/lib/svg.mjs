// Charts as SVG, without a library: lines over a continuous axis, and horizontal bars. Colours are variables that the page
// sets for light and dark; sizes are chosen so that text stays legible when a chart is scaled down to a phone's width.

const width = 460;
const font = 12.5;
const charWidth = 0.56 * font;
const plot = { left: 58, right: 14, top: 34, height: 216 };
const legendRow = 19;

/** One chart of these is { kind: 'lines' | 'bars', title, ... } as lineChart and barChart take it. */
export function drawChart({ kind, ...chart }) {
  if (kind === 'lines') return lineChart(chart);
  if (kind === 'bars') return barChart(chart);
  throw new TypeError(`there is no kind of chart '${kind}'`);
}

/** What the page's style sheet needs for the charts. Series have the classes s0 to s7, in this order of colours. */
export const chartStyle = `
:root { --ink: #1f2937; --faint: #6b7280; --grid: #e5e7eb; --page: #ffffff; --card: #f9fafb;
  --s0: #1d4ed8; --s1: #c2410c; --s2: #7e22ce; --s3: #15803d; --s4: #be123c; --s5: #0e7490; --s6: #a16207; --s7: #475569; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e5e7eb; --faint: #9ca3af; --grid: #374151; --page: #0b1120; --card: #111827;
    --s0: #60a5fa; --s1: #fb923c; --s2: #c084fc; --s3: #4ade80; --s4: #fb7185; --s5: #22d3ee; --s6: #facc15; --s7: #94a3b8; }
}
svg.chart { display: block; width: 100%; height: auto; font: ${font}px system-ui, -apple-system, "Segoe UI", sans-serif; }
svg.chart text { fill: var(--ink); }
svg.chart .faint { fill: var(--faint); }
svg.chart .title { font-weight: 600; font-size: ${font + 1}px; }
svg.chart .grid { stroke: var(--grid); stroke-width: 1; }
svg.chart .axis { stroke: var(--faint); stroke-width: 1; }
svg.chart .bound { stroke: var(--faint); stroke-width: 1.5; stroke-dasharray: 6 4; }
svg.chart .aim { stroke: var(--ink); stroke-width: 2; }
svg.chart polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
${Array.from({ length: 8 }, (_, i) => `svg.chart .s${i} { stroke: var(--s${i}); } svg.chart .f${i} { fill: var(--s${i}); stroke: none; }`).join('\n')}
`;

/**
 * `x`, `y`: { label (with its unit), scale: 'log' | 'linear' (default), ticks: [values] (default: chosen) }.
 * `series`: [{ name, color: 0..7 (default: its place), dashed, points: [{ x, y, note }] }]; points that are not finite, or not
 * above 0 on a log scale, are left out and break nothing. `bounds`: [{ y, label }], horizontal lines.
 */
export function lineChart({ title, x, y, series, bounds = [] }) {
  const usable = (value, axis) => Number.isFinite(value) && (axis.scale !== 'log' || value > 0);
  const shown = series
    .map((one, i) => ({
      color: i % 8,
      ...one,
      points: one.points.filter((point) => usable(point.x, x) && usable(point.y, y)).sort((a, b) => a.x - b.x),
    }))
    .filter(({ points }) => points.length > 0);
  const lines = bounds.filter((bound) => usable(bound.y, y));
  const xs = shown.flatMap(({ points }) => points.map((point) => point.x));
  const ys = [...shown.flatMap(({ points }) => points.map((point) => point.y)), ...lines.map((bound) => bound.y)];
  const titleLines = wrap(title, Math.floor((width - 12) / (charWidth * 1.12)));
  const top = plot.top + (titleLines.length - 1) * 17;
  if (xs.length === 0)
    return frame(top + 60, [titleText(titleLines), text(12, top + 24, 'nothing was measured', 'faint')], title);

  const xAxis = makeAxis(xs, x, [plot.left, width - plot.right]);
  const yAxis = makeAxis(ys, y, [top + plot.height, top]);
  const bottom = top + plot.height;
  const parts = [titleText(titleLines)];
  for (const tick of yAxis.ticks) {
    const at = yAxis.place(tick);
    parts.push(line(plot.left, at, width - plot.right, at, 'grid'));
    parts.push(text(plot.left - 6, at + 4, formatTick(tick), 'faint', 'end'));
  }
  let free = Number.NEGATIVE_INFINITY;
  for (const tick of xAxis.ticks) {
    const at = xAxis.place(tick);
    const label = formatTick(tick);
    parts.push(line(at, bottom, at, bottom + 4, 'axis'));
    // A label that would touch the one before it is left out; its mark stays.
    const half = (label.length * charWidth) / 2;
    if (at - half < free) continue;
    parts.push(text(at, bottom + 17, label, 'faint', 'middle'));
    free = at + half + 6;
  }
  parts.push(line(plot.left, bottom, width - plot.right, bottom, 'axis'));
  parts.push(text((plot.left + width - plot.right) / 2, bottom + 35, axisLabel(x), '', 'middle'));
  const middle = top + plot.height / 2;
  parts.push(text(0, 0, axisLabel(y), '', 'middle', `translate(13 ${round(middle)}) rotate(-90)`));
  for (const bound of lines) {
    const at = yAxis.place(bound.y);
    parts.push(line(plot.left, at, width - plot.right, at, 'bound'));
    parts.push(text(width - plot.right, at - 4, bound.label, 'faint', 'end'));
  }
  for (const { name, points, color, dashed } of shown) {
    const places = points.map((point) => [xAxis.place(point.x), yAxis.place(point.y), point]);
    const path = places.map(([px, py]) => `${round(px)},${round(py)}`).join(' ');
    parts.push(`<polyline class="s${color}"${dashed ? ' stroke-dasharray="5 4"' : ''} points="${path}"/>`);
    for (const [px, py, point] of places) {
      const tip = `${name}: ${formatValue(point.y)} at ${formatValue(point.x)}${point.note ? ` (${point.note})` : ''}`;
      parts.push(`<g class="f${color}"><title>${escapeXml(tip)}</title>${marker(color, px, py)}</g>`);
    }
  }
  const { parts: legend, height } = drawLegend(shown, bottom + 54);
  return frame(height, [...parts, ...legend], title);
}

/**
 * Horizontal bars. `bars`: [{ name, value, color, floor, aim, note }]; floor (dashed) and aim (solid) are marks on the bar.
 * `x`: { label, scale: 'linear' (default) | 'log' }. A bar without a finite value says `note`.
 */
export function barChart({ title, x, bars }) {
  const finite = bars.filter(({ value }) => Number.isFinite(value));
  const titleLines = wrap(title, Math.floor((width - 12) / (charWidth * 1.12)));
  const top = plot.top - 6 + (titleLines.length - 1) * 17;
  const row = 38;
  const bottom = top + bars.length * row;
  const values = finite.flatMap(({ value, floor, aim }) => [value, floor, aim].filter((one) => one > 0));
  if (values.length === 0 && finite.length === 0) {
    const said = bars.map(({ name, note }, i) =>
      text(12, top + 24 + i * 18, `${name}: ${note ?? 'not measured'}`, 'faint'),
    );
    return frame(top + 40 + bars.length * 18, [titleText(titleLines), ...said], title);
  }
  const isLog = x.scale === 'log';
  const axis = makeAxis(isLog ? values : [0, ...values], x, [12, width - 62]);
  const parts = [titleText(titleLines)];
  for (const tick of axis.ticks) {
    const at = axis.place(tick);
    parts.push(line(at, top, at, bottom, 'grid'));
    parts.push(text(at, bottom + 16, formatTick(tick), 'faint', 'middle'));
  }
  bars.forEach(({ name, value, color = 0, floor, aim, note }, i) => {
    const y = top + i * row;
    const label = clip(name, Math.floor((width - 24) / charWidth));
    parts.push(text(12, y + 14, label));
    if (!Number.isFinite(value)) {
      parts.push(text(12, y + 30, clip(note ?? 'not measured', 60), 'faint'));
      return;
    }
    const end = Math.max(axis.place(isLog ? Math.max(value, axis.min) : value), 13);
    const tip = `${name}: ${formatValue(value)}${floor ? `, floor ${formatValue(floor)}` : ''}${aim ? `, aim ${formatValue(aim)}` : ''}`;
    parts.push(`<g class="f${color}"><title>${escapeXml(tip)}</title>`);
    parts.push(`<rect x="12" y="${y + 19}" width="${round(end - 12)}" height="13" rx="2"/></g>`);
    if (floor > 0) parts.push(line(axis.place(floor), y + 16, axis.place(floor), y + 35, 'bound'));
    if (aim > 0) parts.push(line(axis.place(aim), y + 16, axis.place(aim), y + 35, 'aim'));
    parts.push(
      text(
        Math.max(end, floor > 0 ? axis.place(floor) : 0, aim > 0 ? axis.place(aim) : 0) + 5,
        y + 30,
        formatValue(value),
      ),
    );
  });
  parts.push(text((width - 50) / 2, bottom + 34, axisLabel(x), '', 'middle'));
  let height = bottom + 44;
  if (bars.some(({ floor, aim }) => floor > 0 || aim > 0)) {
    parts.push(line(12, height + 4, 34, height + 4, 'bound'), text(40, height + 8, 'floor', 'faint'));
    parts.push(line(100, height - 5, 100, height + 13, 'aim'), text(108, height + 8, 'aim', 'faint'));
    height += 20;
  }
  return frame(height, parts, title);
}

/** A scale that holds all values: { place(value), ticks, min, max }; a log scale ends at 1, 2 or 5 times a power of ten. */
export function makeAxis(values, { scale = 'linear', ticks }, [from, to]) {
  let [min, max] = [Math.min(...values), Math.max(...values)];
  if (scale === 'log') {
    if (ticks === undefined) {
      [min, max] = [roundDown(min), roundUp(max)];
      if (min === max) max = roundUp(max * 1.01);
    } else if (min === max) {
      [min, max] = [min / 2, max * 2];
    }
    const [a, b] = [Math.log(min), Math.log(max)];
    const inset = ticks === undefined ? 0 : 10 * Math.sign(to - from);
    const place = (value) => from + inset + ((Math.log(value) - a) / (b - a)) * (to - from - 2 * inset);
    return { place, min, max, ticks: ticks?.filter((tick) => tick >= min && tick <= max) ?? logTicks(min, max) };
  }
  min = Math.min(0, min);
  if (max === min) max = min + 1;
  const step = niceStep((max - min) / 5);
  max = Math.ceil(max / step - 1e-9) * step;
  min = Math.floor(min / step + 1e-9) * step;
  const place = (value) => from + ((value - min) / (max - min)) * (to - from);
  const count = Math.round((max - min) / step);
  return { place, min, max, ticks: ticks ?? Array.from({ length: count + 1 }, (_, i) => min + i * step) };
}

/** 1, 2 and 5 times the powers of ten from min to max; the powers alone where that were too many. */
export function logTicks(min, max) {
  const all = [];
  for (let power = Math.floor(Math.log10(min) + 1e-9); power <= Math.ceil(Math.log10(max)); power++) {
    for (const factor of [1, 2, 5]) all.push(Number((factor * 10 ** power).toPrecision(6)));
  }
  const inside = all.filter((tick) => tick >= min * 0.999 && tick <= max * 1.001);
  return inside.length <= 8 ? inside : inside.filter((tick) => /^[1.0]*(e|$)/.test(String(tick)));
}

function roundDown(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [5, 2, 1].map((factor) => factor * power).find((one) => one <= value * 1.0001) ?? power;
}

function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value) + 1e-9);
  return [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= value * 0.9999) ?? 10 * power;
}

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((step) => step >= rough * 0.9999);
}

/** 0.5, 20, 1k, 2.5M: short enough for an axis. */
export function formatTick(value) {
  for (const [unit, letter] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e4, 'k'],
  ]) {
    const size = letter === 'k' ? 1e3 : unit;
    if (Math.abs(value) >= unit) return `${Number((value / size).toPrecision(4))}${letter}`;
  }
  return String(Number(value.toPrecision(4)));
}

/** Three digits, or all of an integer. */
export function formatValue(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  if (Math.abs(value) >= 1e6 || (value !== 0 && Math.abs(value) < 1e-3)) return value.toExponential(2);
  return String(Number(value.toPrecision(Math.abs(value) >= 100 ? 4 : 3)));
}

export function escapeXml(value) {
  return String(value).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

function axisLabel({ label, scale }) {
  return scale === 'log' ? `${label}, log scale` : label;
}

/** Marks differ in shape too, for those who do not see the colours. */
function marker(color, x, y) {
  const [a, b] = [round(x), round(y)];
  switch (color % 4) {
    case 0:
      return `<circle cx="${a}" cy="${b}" r="4"/>`;
    case 1:
      return `<rect x="${round(x - 3.6)}" y="${round(y - 3.6)}" width="7.2" height="7.2"/>`;
    case 2:
      return `<path d="M${a} ${round(y - 4.8)}l4.6 8.2h-9.2z"/>`;
    default:
      return `<path d="M${a} ${round(y - 5)}l5 5l-5 5l-5 -5z"/>`;
  }
}

function drawLegend(series, y) {
  const parts = [];
  let [x, row] = [12, y];
  for (const { name, color, dashed } of series) {
    const label = clip(name, Math.floor((width - 50) / charWidth));
    const wide = 26 + label.length * charWidth + 16;
    if (x > 12 && x + wide > width) [x, row] = [12, row + legendRow];
    const dash = dashed ? ' stroke-dasharray="5 4"' : '';
    parts.push(`<polyline class="s${color}"${dash} points="${round(x)},${row - 4} ${round(x + 20)},${row - 4}"/>`);
    parts.push(`<g class="f${color}">${marker(color, x + 10, row - 4)}</g>`, text(x + 26, row, label));
    x += wide;
  }
  return { parts, height: row + 10 };
}

function titleText(lines) {
  return lines.map((words, i) => text(6, 16 + i * 17, words, 'title')).join('');
}

function wrap(words, limit) {
  const lines = [''];
  for (const word of words.split(' ')) {
    const joined = `${lines.at(-1)} ${word}`.trim();
    if (joined.length > limit && lines.at(-1) !== '') lines.push(word);
    else lines[lines.length - 1] = joined;
  }
  return lines;
}

function clip(words, limit) {
  return words.length <= limit ? words : `${words.slice(0, limit - 1)}…`;
}

function frame(height, parts, title) {
  const box = `0 0 ${width} ${Math.ceil(height)}`;
  return `<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="${box}" role="img" aria-label="${escapeXml(title)}">${parts.join('')}</svg>`;
}

function text(x, y, content, kind = '', anchor = 'start', transform = '') {
  const attributes = [
    kind && ` class="${kind}"`,
    anchor !== 'start' && ` text-anchor="${anchor}"`,
    transform && ` transform="${transform}"`,
  ];
  return `<text x="${round(x)}" y="${round(y)}"${attributes.filter(Boolean).join('')}>${escapeXml(content)}</text>`;
}

function line(x1, y1, x2, y2, kind) {
  return `<line class="${kind}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

function round(value) {
  return Math.round(value * 100) / 100;
}
