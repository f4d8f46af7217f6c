// The charts and tables of the guide, from what docs/figures/measure.mjs has measured: `node docs/figures/draw.mjs` writes them into
// docs/images/ and the pages. docs/check.mjs compares them with what this file draws.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const root = resolve(folder, '../..');

// As docs/images/house.svg: readable on light and on dark pages, whichever the reader's system asks for.
const style = `
    .card { fill: #ffffff; stroke: #d0d7de; }
    .text { fill: #59636e; }
    .name { fill: #1f2328; font-weight: 600; }
    .grid { stroke: #d8dee4; fill: none; }
    .s0 { --c: #2f6fb3; } .s1 { --c: #b26a00; } .s2 { --c: #6e7781; } .s3 { --c: #2c7a41; }
    .curve { stroke: var(--c); fill: none; stroke-width: 2; }
    .level { stroke: var(--c); fill: none; stroke-width: 1.5; stroke-dasharray: 6 4; }
    .dot { fill: var(--c); } .label { fill: var(--c); font-weight: 600; }
    @media (prefers-color-scheme: dark) {
      .card { fill: #12161c; stroke: #3d444d; }
      .text { fill: #a5aeb8; }
      .name { fill: #f0f6fc; }
      .grid { stroke: #2d333b; }
      .s0 { --c: #6ea8e0; } .s1 { --c: #e0a64b; } .s2 { --c: #9198a1; } .s3 { --c: #6cc083; }
    }`;

const escapeText = (text) => String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const round = (value) => Number(value.toFixed(1));

/**
 * One set of axes. `series`: { name, points: [[x, y], ...], kind } in the order of the colours; of kind 'level' a horizontal line
 * at `y`. x is logarithmic where `logX` says so. Text of an SVG, placed at (left, top) of the whole.
 */
function axes({ left, top, width, height, title, xLabel, yLabel, xTicks, yTicks, logX = false, series, keyAt }) {
  const scaleX = (x) => {
    const [a, b, v] = [xTicks[0], xTicks.at(-1), x].map((value) => (logX ? Math.log(value) : value));
    return round(left + (width * (v - a)) / (b - a));
  };
  const scaleY = (y) => round(top + height - (height * (y - yTicks[0])) / (yTicks.at(-1) - yTicks[0]));
  const parts = [`<text class="name" x="${left}" y="${top - 14}">${escapeText(title)}</text>`];
  for (const tick of yTicks) {
    parts.push(`<path class="grid" d="M${left} ${scaleY(tick)} H${left + width}"/>`);
    parts.push(`<text class="text" x="${left - 8}" y="${scaleY(tick) + 4}" text-anchor="end">${tick}</text>`);
  }
  for (const tick of xTicks) {
    parts.push(`<text class="text" x="${scaleX(tick)}" y="${top + height + 18}" text-anchor="middle">${tick}</text>`);
  }
  const middle = left + width / 2;
  parts.push(
    `<text class="text" x="${middle}" y="${top + height + 38}" text-anchor="middle">${escapeText(xLabel)}</text>`,
  );
  const turned = `translate(${left - 40} ${top + height / 2}) rotate(-90)`;
  parts.push(`<text class="text" transform="${turned}" text-anchor="middle">${escapeText(yLabel)}</text>`);
  for (const [i, { name, points, level }] of series.entries()) {
    const colour = `s${i}`;
    if (level !== undefined) {
      if (level >= yTicks[0])
        parts.push(`<path class="level ${colour}" d="M${left} ${scaleY(level)} H${left + width}"/>`);
    } else {
      // What lies below the axis is said in the text, not drawn at a wrong place.
      const shown = points.filter(([, y]) => y >= yTicks[0]);
      const path = shown.map(([x, y], k) => `${k === 0 ? 'M' : 'L'}${scaleX(x)} ${scaleY(y)}`).join(' ');
      parts.push(`<path class="curve ${colour}" d="${path}"/>`);
      for (const [x, y] of shown)
        parts.push(`<circle class="dot ${colour}" cx="${scaleX(x)}" cy="${scaleY(y)}" r="3.5"/>`);
    }
    if (keyAt) {
      const y = keyAt[1] + 20 * i;
      const line = level === undefined ? 'curve' : 'level';
      parts.push(`<path class="${line} ${colour}" d="M${keyAt[0]} ${y - 4} h26"/>`);
      parts.push(`<text class="label ${colour}" x="${keyAt[0] + 34}" y="${y}">${escapeText(name)}</text>`);
    }
  }
  return parts.join('\n  ');
}

function page(width, height, title, parts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeText(title)}" font-family="system-ui, sans-serif" font-size="13">
  <title>${escapeText(title)}</title>
  <style>${style}
  </style>
  <rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10"/>
  ${parts.join('\n  ')}
</svg>
`;
}

function epsilonChart({ epsilon: { rows, dense } }) {
  const points = (side, value) => rows.map((row) => [row.epsilon, row[side][value]]);
  const common = {
    logX: true,
    xTicks: [0.5, 1, 2, 5, 10, 20, 40, 80],
    xLabel: 'epsilon',
    width: 330,
    height: 250,
    top: 60,
  };
  const yTicks = [74, 76, 78, 80, 82, 84, 86, 88];
  const yLabel = 'test images right, %';
  const side = (value, title, left, keyAt) =>
    axes({
      ...{ ...common, left, title, yLabel, yTicks, keyAt },
      series: [
        { name: 'SET', points: points('set', value) },
        { name: 'static', points: points('static', value) },
        { name: 'dense', level: dense.trained },
      ],
    });
  return page(860, 380, 'Accuracy against epsilon on 10,000 images of Fashion-MNIST', [
    side('trained', 'when training ends', 70, [280, 240]),
    side('deployed', 'after the weakest 30 % are removed', 500),
  ]);
}

function zetaChart({ zeta: { rows } }) {
  const side = (kind, title, left, keyAt) =>
    axes({
      ...{ left, title, keyAt, top: 60, width: 330, height: 250, xLabel: 'zeta', yLabel: 'test images right, %' },
      ...{ xTicks: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], yTicks: [84, 85, 86, 87, 88] },
      series: [
        { name: 'when training ends', points: rows.map((row) => [row.zeta, row[kind].trained]) },
        { name: 'after the final removal', points: rows.map((row) => [row.zeta, row[kind].deployed]) },
      ],
    });
  return page(860, 380, 'Accuracy against zeta on 10,000 images of Fashion-MNIST', [
    side('falling', 'zeta falls along a cosine (a number)', 70, [120, 250]),
    side('constant', 'zeta is the same in all epochs', 500),
  ]);
}

/** Round numbers around the values, a step of 1, 2, 5 or 10. */
function ticks(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const step = [1, 2, 5, 10].find((size) => (high - low) / size <= 5) ?? 20;
  const first = Math.floor(low / step) * step;
  return Array.from({ length: Math.ceil((high - first) / step) + 1 }, (_, i) => first + i * step);
}

function setsChart(data) {
  const sets = [
    ['tumours', 'gene expression: 2,308 genes, 63 samples'],
    ['words', 'texts: 3,289 words, 1,943 samples'],
    ['mice', 'genotypes: 10,346 SNPs, 1,814 samples'],
    ['madelon', 'Madelon: 500 features, 20 of them useful'],
  ];
  const parts = sets.map(([name, title], i) => {
    const { rows, dense, linear } = data[name];
    const of = (side) => rows.map((row) => [row.epsilon, row[side].deployed]);
    const values = [...of('set'), ...of('static')].map(([, y]) => y);
    return axes({
      ...{ left: 70 + 430 * (i % 2), top: 60 + 330 * Math.floor(i / 2), width: 330, height: 210, title, logX: true },
      ...{ xTicks: rows.map((row) => row.epsilon), xLabel: 'epsilon', yLabel: 'right, %' },
      yTicks: ticks([...values, dense.deployed, linear.deployed]),
      series: [
        { name: 'SET', points: of('set') },
        { name: 'static', points: of('static') },
        { name: 'dense', level: dense.deployed },
        { name: 'linear', level: linear.deployed },
      ],
      ...(i === 0 ? { keyAt: [300, 180] } : {}),
    });
  });
  return page(860, 700, 'Accuracy against epsilon on four data sets', parts);
}

/** Every chart: { path, svg }. */
export function charts() {
  const data = JSON.parse(readFileSync(join(folder, 'choices.json'), 'utf8'));
  return [
    { path: 'docs/images/epsilon.svg', svg: epsilonChart(data) },
    { path: 'docs/images/zeta.svg', svg: zetaChart(data) },
    { path: 'docs/images/epsilon-of-four.svg', svg: setsChart(data) },
  ];
}

const percent = (value) => (value === undefined ? '' : value.toFixed(2));
const count = (value) => value.toLocaleString('en-US');

function markdown(header, rows) {
  const widths = header.map((name, i) => Math.max(3, name.length, ...rows.map((row) => row[i].length)));
  const line = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [line(header), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}

function epsilonTable({ epsilon: { rows, dense } }) {
  const header = ['epsilon', 'connections', 'SET, %', 'static, %', 'deployed', 'SET, %', 'static, %', 'seconds'];
  return markdown(header, [
    ...rows.map(({ epsilon, set, static: fixed }) => [
      ...[String(epsilon), count(set.connections), percent(set.trained), percent(fixed.trained)],
      ...[count(set.left), percent(set.deployed), percent(fixed.deployed), set.seconds.toFixed(2)],
    ]),
    [
      'dense',
      count(dense.connections),
      '',
      percent(dense.trained),
      count(dense.left),
      '',
      '',
      dense.seconds.toFixed(2),
    ],
  ]);
}

function zetaTable({ zeta: { rows } }) {
  const header = ['zeta', 'falling, %', 'deployed, %', 'constant, %', 'deployed, %', 'connections deployed'];
  return markdown(
    header,
    rows.map(({ zeta, falling, constant }) => [
      ...[String(zeta), percent(falling.trained), percent(falling.deployed)],
      ...[percent(constant.trained), percent(constant.deployed), count(constant.left)],
    ]),
  );
}

/** Of each data set the smallest epsilon whose SET network is within a spread of the best one, beside what it is compared with. */
function setsTable(data) {
  const header = [
    'data',
    'epsilon',
    'connections',
    'share of the cells',
    'SET, %',
    'static, %',
    'dense, %',
    'linear, %',
  ];
  const names = { tumours: 'gene expression', words: 'texts', mice: 'genotypes', madelon: 'Madelon' };
  const rows = Object.entries(names).map(([name, title]) => {
    const { rows, dense, linear } = data[name];
    const best = rows.reduce((a, b) => (b.set.deployed > a.set.deployed ? b : a)).set;
    const row = rows.find(({ set }) => set.deployed >= best.deployed - best.spread);
    const share = `${((100 * row.set.connections) / dense.connections).toFixed(2)} %`;
    const values = [row.set, row.static, dense, linear].map(({ deployed }) => deployed.toFixed(1));
    return [title, String(row.epsilon), count(row.set.connections), share, ...values];
  });
  const { set, static: fixed, dense } = data.all;
  const share = `${((100 * set.connections) / dense.connections).toFixed(2)} %`;
  const values = [set.deployed, fixed.trained, dense.trained].map((value) => value.toFixed(1));
  return markdown(header, [['60,000 images', '20', count(set.connections), share, ...values, ''], ...rows]);
}

/** Every table: { path, name, text }; it stands after the comment `table: NAME` of the page. */
export function tables() {
  const data = JSON.parse(readFileSync(join(folder, 'choices.json'), 'utf8'));
  return [
    { path: 'docs/guide/epsilon-and-zeta.md', name: 'epsilon', text: epsilonTable(data) },
    { path: 'docs/guide/epsilon-and-zeta.md', name: 'zeta', text: zetaTable(data) },
    { path: 'docs/guide/sparse-or-dense.md', name: 'sets', text: setsTable(data) },
  ];
}

/** A page with its table in place. */
export function withTable(page, { name, text }) {
  const [before, after] = page.split(`<!-- table: ${name} -->\n`);
  if (after === undefined) throw new Error(`there is no place for the table ${name}`);
  return `${before}<!-- table: ${name} -->\n\n${text}\n\n${after.replace(/^\n*(?:\|.*\n)*\n*/, '')}`;
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  for (const { path, svg } of charts()) writeFileSync(join(root, path), svg);
  for (const table of tables()) {
    const path = join(root, table.path);
    writeFileSync(path, withTable(readFileSync(path, 'utf8'), table));
  }
}
