// SVG as text. Colours are classes of the page's style sheet, so that light, dark and print need one drawing only.
import { escapeText } from './escape';

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** A coordinate with two decimals at most. */
export function round(value: number): string {
  return String(Math.round(value * 100) / 100 + 0);
}

/** An element. Attributes are escaped, children are markup. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  let text = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    text += ` ${key}="${typeof value === 'number' ? round(value) : escapeText(value)}"`;
  }
  return children.length === 0 ? `${text}/>` : `${text}>${children.join('')}</${name}>`;
}

export interface TextOptions {
  readonly class?: string;
  /** Where x is in the text. Default 'start'. */
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly rotate?: number;
  /** Further attributes. */
  readonly more?: Attributes;
}

/** A line of text; `y` is its base line. */
export function textAt(x: number, y: number, content: string, options: TextOptions = {}): string {
  const { anchor, rotate } = options;
  return element(
    'text',
    {
      x,
      y,
      class: options.class,
      'text-anchor': anchor === 'start' ? undefined : anchor,
      transform: rotate === undefined ? undefined : `rotate(${round(rotate)} ${round(x)} ${round(y)})`,
      ...options.more,
    },
    escapeText(content),
  );
}

export function line(x1: number, y1: number, x2: number, y2: number, className: string): string {
  return element('path', { d: `M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}`, class: className });
}

export function rectangle(x: number, y: number, width: number, height: number, className: string): string {
  return element('rect', { x, y, width, height, class: className });
}

export type Point = readonly [x: number, y: number];

/** A path through points; where a point is not finite, it is torn. */
export function pathThrough(points: readonly Point[]): string {
  let path = '';
  let isDown = false;
  for (const [x, y] of points) {
    const isHere = Number.isFinite(x) && Number.isFinite(y);
    if (isHere) path += `${isDown ? 'L' : 'M'}${round(x)} ${round(y)}`;
    isDown = isHere;
  }
  return path;
}

/** Widths of characters as fractions of the font's size, on the wide side: fonts differ from machine to machine. */
function characterWidth(character: string): number {
  if (/[ijl.,:;'|!\u00a0 \u2009]/.test(character)) return 0.34;
  if (/[ftr()[\]-]/.test(character)) return 0.42;
  if (/[mwMW@%\u2026\u2014]/.test(character)) return 1;
  if (/[<>=+&~#\u2212\u00d7]/.test(character)) return 0.86;
  if (/[A-Z]/.test(character)) return 0.74;
  return character.charCodeAt(0) < 0x2e80 ? 0.63 : 1.05;
}

/** Sizes of text, in units of a drawing. Labels are bold, which is wider. */
const fontSize = { tick: 11, label: 12 } as const;
const boldness = 1.14;

/** About how wide a text is drawn. */
export function textWidth(text: string, kind: 'tick' | 'label' = 'tick'): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width * fontSize[kind] * (kind === 'label' ? boldness : 1);
}

/** A text cut so that it takes about so much room at most. */
export function fitText(text: string, room: number, kind: 'tick' | 'label' = 'tick'): string {
  if (textWidth(text, kind) <= room) return text;
  const characters = Array.from(text);
  while (characters.length > 1 && textWidth(`${characters.join('')}\u2026`, kind) > room) characters.pop();
  return `${characters.join('').trimEnd()}\u2026`;
}

export interface ChartText {
  /** What is shown: a name. */
  readonly title: string;
  /** What a reader who does not see it has to know. */
  readonly description: string;
}

/** A whole drawing that fills the width it is given. */
export function drawing(
  width: number,
  height: number,
  { title, description }: ChartText,
  ...children: readonly string[]
): string {
  return element(
    'svg',
    { viewBox: `0 0 ${round(width)} ${round(height)}`, role: 'img', class: 'chart' },
    element('title', {}, escapeText(title)),
    element('desc', {}, escapeText(description)),
    ...children,
  );
}
