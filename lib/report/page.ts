// The page: one HTML document that needs nothing but itself.
import { escapeText } from './escape';
import { styleSheet } from './style';

/** A cell of a table: text, or markup of our own. */
export type Cell = string | { readonly markup: string };

function cellMarkup(cell: Cell): string {
  return typeof cell === 'string' ? escapeText(cell) : cell.markup;
}

export interface Table {
  readonly caption?: string;
  readonly head: readonly string[];
  /** The first cell of a row is its name. */
  readonly rows: readonly (readonly Cell[])[];
  /** Which columns are numbers. Default: all but the first. */
  readonly numbers?: readonly boolean[];
}

/** A table that scrolls in itself where it is too wide. */
export function table({ caption, head, rows, numbers }: Table): string {
  const style = (column: number) => ((numbers?.[column] ?? column > 0) ? ' class="number"' : '');
  const headRow = head.map((name, i) => `<th scope="col"${style(i)}>${escapeText(name)}</th>`).join('');
  const body = rows.map((row) => {
    const [name, ...cells] = row;
    const others = cells.map((cell, i) => `<td${style(i + 1)}>${cellMarkup(cell)}</td>`).join('');
    return `<tr><th scope="row"${style(0)}>${cellMarkup(name ?? '')}</th>${others}</tr>`;
  });
  const label = escapeText(caption ?? head.join(', '));
  return [
    `<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table>`,
    caption === undefined ? '' : `<caption>${escapeText(caption)}</caption>`,
    `<thead><tr>${headRow}</tr></thead><tbody>${body.join('')}</tbody></table></div>`,
  ].join('');
}

/** Names and what they are, below each other. */
export function facts(rows: readonly (readonly [name: string, value: Cell])[]): string {
  const body = rows.map(
    ([name, value]) => `<tr><th scope="row">${escapeText(name)}</th><td>${cellMarkup(value)}</td></tr>`,
  );
  return `<div class="scroll" tabindex="0" role="region" aria-label="Run record"><table class="facts"><tbody>${body.join('')}</tbody></table></div>`;
}

export interface Figure {
  readonly title: string;
  /** A second line: what to see, or what is measured. */
  readonly subtitle?: string;
  /** Markup of the drawing; with `broad`, the one for narrow screens. */
  readonly chart: string;
  /** The same drawn for a broad screen; the figure then takes a row of its own. */
  readonly broad?: string;
  readonly note?: string;
}

export function figure({ title, subtitle, chart, broad, note }: Figure): string {
  const under = subtitle === undefined ? '' : `<span>${escapeText(subtitle)}</span>`;
  const drawn = broad === undefined ? chart : `<div class="narrow">${chart}</div><div class="broad">${broad}</div>`;
  const below = note === undefined ? '' : `<p class="note">${escapeText(note)}</p>`;
  return `<figure${broad === undefined ? '' : ' class="wide"'}><figcaption><b>${escapeText(title)}</b>${under}</figcaption>${drawn}${below}</figure>`;
}

export interface Section {
  readonly title: string;
  readonly intro?: string;
  /** Markup: figures, tables. */
  readonly content: readonly string[];
  /** True: a part of the section before. */
  readonly part?: boolean;
}

/** Figures side by side as the width allows. */
export function charts(figures: readonly string[]): string {
  return figures.length === 0 ? '' : `<div class="charts">${figures.join('')}</div>`;
}

/** Words beside figures, in a place of the same size. */
export function words(title: string, ...paragraphs: readonly string[]): string {
  const texts = paragraphs.map((text) => `<p>${escapeText(text)}</p>`);
  return `<div class="cell"><h4>${escapeText(title)}</h4>${texts.join('')}</div>`;
}

/** A table, or anything else of ours, in the place of a figure. */
export function cell(markup: string): string {
  return `<div class="cell">${markup}</div>`;
}

export function paragraph(text: string): string {
  return `<p class="note">${escapeText(text)}</p>`;
}

export function section({ title, intro, content, part }: Section): string {
  const [open, heading] = part ? ['<section class="part">', 'h3'] : ['<section>', 'h2'];
  return [
    `${open}<${heading}>${escapeText(title)}</${heading}>`,
    intro === undefined ? '' : `<p class="intro">${escapeText(intro)}</p>`,
    ...content,
    '</section>',
  ].join('');
}

export interface Page {
  readonly title: string;
  /** What there is to know first, a sentence or two. */
  readonly lead: string;
  readonly sections: readonly string[];
  readonly footer: string;
}

/** The whole document. The policy forbids it to fetch or run anything, whatever a text in it may have become. */
export function page({ title, lead, sections, footer }: Page): string {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`,
    '<meta name="generator" content="setnet">',
    '<link rel="icon" href="data:,">',
    `<title>${escapeText(title)}</title>`,
    `<style>${styleSheet}</style>`,
    '</head>',
    '<body><div class="page">',
    `<header><h1>${escapeText(title)}</h1><p class="lead">${escapeText(lead)}</p></header>`,
    '<main>',
    ...sections,
    '</main>',
    `<footer>${escapeText(footer)}</footer>`,
    '</div></body>',
    '</html>',
    '',
  ].join('\n');
}
