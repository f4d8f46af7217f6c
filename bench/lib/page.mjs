// The report of a run of everything, as one HTML page that needs nothing else, and as Markdown.
import { commonFields, formatFigure, formatNumber } from './figures.mjs';
import { chartStyle, drawChart, escapeXml } from './svg.mjs';

/**
 * `sections`: [{ name, description, figures, charts, notRun }] in order; `charts` as drawChart takes them, `notRun` the reason
 * why there are no figures. `head`: { title, machine, lines: [what else to say about the run] }.
 */
export function htmlPage({ head, sections }) {
  const body = [
    `<header><h1>${escapeXml(head.title)}</h1>`,
    ...[head.machine, ...head.lines].map((line) => `<p>${escapeXml(line)}</p>`),
    `<nav>${sections.map(({ name }) => `<a href="#${name}">${name}</a>`).join(' ')}</nav></header>`,
    targetsTable(sections),
    ...sections.map(section),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${escapeXml(head.title)}</title><style>${chartStyle}${pageStyle}</style></head>
<body>
${body.join('\n')}
</body></html>
`;
}

const pageStyle = `
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 16px; max-width: 1280px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 24px; margin: 8px 0; } h2 { font-size: 19px; margin: 32px 0 4px; border-top: 1px solid var(--grid); padding-top: 16px; }
p { margin: 4px 0; } .faint, figcaption { color: var(--faint); }
nav { margin: 12px 0; } nav a { display: inline-block; margin-right: 12px; padding: 4px 0; } a { color: var(--s0); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr)); gap: 16px; margin: 12px 0; align-items: start; }
figure { margin: 0; padding: 10px; background: var(--card); border: 1px solid var(--grid); border-radius: 6px; min-width: 0; }
figcaption { font-size: 13px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13.5px; margin: 8px 0; }
th, td { text-align: left; padding: 3px 10px 3px 0; border-bottom: 1px solid var(--grid); vertical-align: top; }
th.number { text-align: right; } td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.detail { color: var(--faint); min-width: 260px; }
.aim, .floor { color: var(--s3); } .no { color: var(--s4); font-weight: 600; }
summary { cursor: pointer; padding: 6px 0; }
`;

function section({ name, description, figures, charts, notRun }) {
  const drawn = charts.map(
    (chart) =>
      `<figure>${drawChart(chart)}${chart.caption ? `<figcaption>${escapeXml(chart.caption)}</figcaption>` : ''}</figure>`,
  );
  const absences = absent(figures).map((line) => `<li>${escapeXml(line)}</li>`);
  return [
    `<section id="${name}"><h2>${name}</h2><p class="faint">${escapeXml(description)}</p>`,
    notRun === undefined ? '' : `<p>Not run: ${escapeXml(notRun)}</p>`,
    absences.length > 0 ? `<p>Absent:</p><ul>${absences.join('')}</ul>` : '',
    drawn.length > 0 ? `<div class="charts">${drawn.join('')}</div>` : '',
    figures.length > 0 ? `<details><summary>${figures.length} figures</summary>${figureTable(figures)}</details>` : '',
    '</section>',
  ].join('');
}

function figureTable(figures) {
  const rows = figures.map((figure) => {
    const [name, value, unit, how, detail] = formatFigure(figure).map(escapeXml);
    return `<tr><td>${name}</td><td class="number">${value}</td><td>${unit}</td><td>${how}</td><td class="detail">${detail}</td></tr>`;
  });
  return `<div class="scroll"><table><tr><th>figure</th><th>value</th><th>unit</th><th>how</th><th>more</th></tr>${rows.join('')}</table></div>`;
}

/** Every figure that has a target, of all sections. */
function targets(sections) {
  return sections.flatMap(({ figures }) =>
    figures.filter(({ floor, aim }) => floor !== undefined || aim !== undefined),
  );
}

const verdict = { aim: 'aim reached', floor: 'floor reached', no: 'below the floor' };

function targetsTable(sections) {
  const wanted = targets(sections);
  if (wanted.length === 0) return '';
  const rows = wanted.map((figure) => {
    const { bench, name, value, unit, floor, aim, met, absent: reason } = figure;
    const said = met === undefined ? `absent: ${reason ?? 'not measured'}` : verdict[met];
    const measured = value === null ? '' : `${formatNumber(value)} ${unit}`;
    const numbers = [measured, bar(floor), bar(aim)].map((cell) => `<td class="number">${escapeXml(cell)}</td>`);
    return `<tr><td>${escapeXml(`${bench}: ${name}`)}</td>${numbers.join('')}<td class="${met ?? ''}">${escapeXml(said)}</td></tr>`;
  });
  const head = `<tr><th>figure</th><th class="number">value</th><th class="number">floor</th><th class="number">aim</th><th></th></tr>`;
  return `<section id="targets"><h2>Targets</h2><p>${escapeXml(summary(wanted))}</p><details><summary>all of them</summary><div class="scroll"><table>${head}${rows.join('')}</table></div></details></section>`;
}

/** How many figures with a target reach what. */
function summary(wanted) {
  const count = (met) => wanted.filter((figure) => figure.met === met).length;
  const parts = [
    `${count('aim')} reach their aim`,
    `${count('floor')} more their floor`,
    `${count('no')} are below it`,
  ];
  return `Of ${wanted.length} figures with a target, ${parts.join(', ')}, ${count(undefined)} have a part that is absent.`;
}

function bar(value) {
  return value === undefined ? '' : formatNumber(value);
}

/** Each reason once, with the figures that it left without a value. */
function absent(figures) {
  const reasons = new Map();
  for (const { name, value, absent: reason } of figures) {
    if (value !== null) continue;
    const text = reason ?? 'not measured';
    reasons.set(text, [...(reasons.get(text) ?? []), name]);
  }
  return [...reasons].map(([reason, names]) =>
    names.length > 3 ? `${names.length} figures (${names[0]}, ...): ${reason}` : `${names.join('; ')}: ${reason}`,
  );
}

/** The same as Markdown, without the charts; `html` is the name of the page with them. */
export function markdownPage({ head, sections, html }) {
  const lines = [`# ${head.title}`, '', head.machine, ''];
  for (const line of head.lines) lines.push(line, '');
  lines.push(`Charts: [${html}](${html}). What each benchmark measures: [bench/README.md](../bench/README.md).`, '');
  const wanted = targets(sections);
  if (wanted.length > 0) {
    const rows = wanted.map(({ bench, name, value, unit, floor, aim, met, absent: reason }) => [
      `${bench}: ${name}`,
      value === null ? '' : formatNumber(value),
      unit,
      bar(floor),
      bar(aim),
      met === undefined ? `absent: ${reason ?? 'not measured'}` : verdict[met],
    ]);
    lines.push(
      '## Targets',
      '',
      summary(wanted),
      '',
      ...markdownTable(['figure', 'value', 'unit', 'floor', 'aim', ''], rows),
      '',
    );
  }
  for (const { name, description, figures, notRun } of sections) {
    lines.push(`## ${name}`, '', description, '');
    if (notRun !== undefined) lines.push(`Not run: ${notRun}`, '');
    for (const reason of absent(figures)) lines.push(`- absent: ${reason}`);
    if (absent(figures).length > 0) lines.push('');
    const present = figures.filter(({ value }) => value !== null).map(formatFigure);
    if (present.length > 0) lines.push(...markdownTable(['figure', 'value', 'unit', 'how', 'more'], present), '');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

/** Cells never end a column or a line. */
export function markdownTable(header, rows) {
  const clean = (cell) => String(cell).replaceAll('|', '\\|').replace(/\s+/g, ' ');
  const row = (cells) => `| ${cells.map(clean).join(' | ')} |`;
  return [row(header), row(header.map(() => '---')), ...rows.map(row)];
}

/** The line of JSON of a figure, read back; undefined where it is none. */
export function parseFigure(line) {
  try {
    const figure = JSON.parse(line);
    return commonFields.slice(0, 4).every((field) => Object.hasOwn(figure, field)) ? figure : undefined;
  } catch {
    return undefined;
  }
}
