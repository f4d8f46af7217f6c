// The style sheet of every report. Colours are told apart with every kind of colour vision: blue, vermilion, green, purple, ochre
// of different lightness; light on paper, dark on a dark screen, light again in print.

/** Steps of the scale of maps, from nothing to the most. */
export const mapSteps = 10;

type Colour = readonly [red: number, green: number, blue: number];

function parse(hex: string): Colour {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** So many colours evenly along a line through the given ones. */
function ramp(stops: readonly string[], steps: number): string[] {
  const colours = stops.map(parse);
  return Array.from({ length: steps }, (_, i) => {
    const at = (i * (colours.length - 1)) / (steps - 1);
    const from = Math.min(Math.floor(at), colours.length - 2);
    const mixed = (colours[from] as Colour).map((a, k) =>
      Math.round(a + (at - from) * ((colours[from + 1] as Colour)[k] as number) - (at - from) * a),
    );
    return `#${mixed.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
  });
}

interface Theme {
  readonly paper: string;
  readonly ink: string;
  readonly soft: string;
  readonly rule: string;
  readonly base: string;
  readonly panel: string;
  /** Of what was at the beginning. */
  readonly grey: string;
  readonly series: readonly string[];
  readonly map: readonly string[];
}

const light: Theme = {
  paper: '#fdfcf9',
  ink: '#1c1c1a',
  soft: '#5d5b55',
  rule: '#e3e0d8',
  base: '#8d8a82',
  panel: '#f4f2ec',
  grey: '#86837b',
  series: ['#1b62a5', '#c04a12', '#1f7a5c', '#8450a3', '#8a6a00', '#46535e'],
  map: ['#eeeee9', '#c9daea', '#86b4da', '#4185c2', '#135495', '#07264f'],
};

const dark: Theme = {
  paper: '#15181b',
  ink: '#ebe8e2',
  soft: '#a8a59d',
  rule: '#2d3237',
  base: '#747a80',
  panel: '#1d2125',
  grey: '#969a9d',
  series: ['#6db2ec', '#f2915a', '#57c7a0', '#c79fe4', '#dcb545', '#b9c4cd'],
  map: ['#22272c', '#23425f', '#2a699c', '#4a9ad4', '#94c7ee', '#f0f8ff'],
};

function variables(theme: Theme): string {
  const { series, map, ...single } = theme;
  const named = Object.entries(single).map(([name, colour]) => `--${name}:${colour}`);
  const numbered = [theme.grey, ...series].map((colour, i) => `--c${i}:${colour}`);
  const steps = ramp(map, mapSteps).map((colour, i) => `--m${i}:${colour}`);
  return [...named, ...numbered, ...steps].join(';');
}

/** How many colours there are for series, grey not counted. */
export const seriesColours: number = light.series.length;

function seriesRules(): string {
  return Array.from(
    { length: seriesColours + 1 },
    (_, i) => `.line${i}{stroke:var(--c${i})}.fill${i}{fill:var(--c${i})}.ink${i}{fill:var(--c${i})}`,
  ).join('');
}

function mapRules(): string {
  return Array.from({ length: mapSteps }, (_, i) => `.m${i}{fill:var(--m${i})}`).join('');
}

/** For the element `style`. Nothing in it refers to anything outside of the page. */
export const styleSheet: string = `
:root{color-scheme:light dark;${variables(light)}}
@media (prefers-color-scheme:dark){:root{${variables(dark)}}}
@media print{:root{color-scheme:light;${variables({ ...light, paper: '#ffffff', panel: '#ffffff' })}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"Liberation Sans",sans-serif;-webkit-print-color-adjust:exact;print-color-adjust:exact}
.page{max-width:1184px;margin:0 auto;padding:0 16px 48px}
@media (min-width:700px){.page{padding:0 32px 64px}}
h1,h2,h3{font-family:Georgia,"Times New Roman","Liberation Serif",serif;line-height:1.2;font-weight:700;margin:0;overflow-wrap:anywhere}
header{padding:40px 0 8px}
h1{font-size:clamp(26px,4.6vw,40px);letter-spacing:-.01em}
.lead{font-size:18px;line-height:1.45;max-width:42em;margin:12px 0 0;color:var(--ink);overflow-wrap:anywhere}
section{margin-top:40px;padding-top:14px;border-top:2px solid var(--ink)}
section.part{border-top-width:1px;border-color:var(--base);margin-top:32px}
h2{font-size:24px}
h3{font-size:19px}
.cell{min-width:0}
.cell .scroll{margin-top:0}
.cell h4{font-size:15px;font-weight:650;line-height:1.35;margin:0 0 6px}
.cell p{margin:0 0 8px;font-size:14px;line-height:1.5;color:var(--soft)}
.charts+.charts{border-top:1px solid var(--rule);padding-top:22px}
.intro{max-width:44em;margin:8px 0 0;color:var(--soft)}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,336px),1fr));gap:28px 36px;margin-top:22px}
figure{margin:0;min-width:0;break-inside:avoid}
figure.wide{grid-column:1/-1}
figcaption{margin:0 0 8px;font-size:15px;line-height:1.35;overflow-wrap:anywhere}
figcaption b{display:block;font-weight:650}
figcaption span{color:var(--soft);font-size:14px}
.note{margin:6px 0 0;font-size:13px;line-height:1.45;color:var(--soft);max-width:60em;overflow-wrap:anywhere}
.chart{display:block;width:100%;height:auto;font-family:inherit}
.broad{display:none}
@media (min-width:700px){.narrow{display:none}.broad{display:block}}
.chart text{font-size:11px;fill:var(--soft)}
.chart .axis{font-size:11.5px;fill:var(--soft)}
.chart .name{font-size:12px;font-weight:600;fill:var(--ink)}
.chart .value{font-size:11px;fill:var(--ink)}
.chart .light{fill:var(--paper)}
.rule{stroke:var(--rule);stroke-width:1;fill:none}
.base{stroke:var(--base);stroke-width:1;fill:none}
.leader{stroke:var(--base);stroke-width:.75;fill:none}
.curve{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.thin{stroke-width:1.25}
.dash{stroke-dasharray:4 3;stroke-linecap:butt}
.ring{fill:var(--paper);stroke-width:2}
.pale{fill-opacity:.3}
.band{fill:var(--panel)}
.law{fill:none;stroke:var(--ink);stroke-width:1.25;stroke-dasharray:2 2.5}
.fitted{fill:none;stroke:var(--c2);stroke-width:2}
${seriesRules()}.chart .ink0{fill:var(--soft)}${Array.from({ length: seriesColours }, (_, i) => `.chart .ink${i + 1}{fill:var(--c${i + 1})}`).join('')}${mapRules()}
.scroll{overflow-x:auto;margin-top:18px}
table{border-collapse:collapse;font-size:14px;line-height:1.4;font-variant-numeric:tabular-nums}
caption{text-align:left;font-size:15px;font-weight:650;line-height:1.35;padding-bottom:6px}
th,td{padding:6px 14px 6px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
thead th{font-weight:600;color:var(--soft);border-bottom:1px solid var(--base);vertical-align:bottom}
thead .number{white-space:normal;max-width:9.5em}
tbody th{white-space:nowrap}
tbody th{font-weight:600}
.number{text-align:right;white-space:nowrap}
th:last-child,td:last-child{padding-right:0}
.facts td{overflow-wrap:anywhere}
.facts th{white-space:nowrap;color:var(--soft);font-weight:400}
code{font:13px/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;overflow-wrap:anywhere}
.key{display:inline-block;width:10px;height:10px;border-radius:5px;margin-right:7px}
${Array.from({ length: seriesColours + 1 }, (_, i) => `.key${i}{background:var(--c${i})}`).join('')}
footer{margin-top:48px;padding-top:12px;border-top:1px solid var(--rule);font-size:13px;color:var(--soft)}
@page{margin:14mm}
@media print{body{font-size:11pt}.page{padding:0;max-width:none}header{padding-top:0}section{break-inside:auto}h2,h3{break-after:avoid}.charts{grid-template-columns:1fr 1fr;gap:18px 24px}}
`;
