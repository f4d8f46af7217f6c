// What is what, in one row above a plot, where curves lie too close for names of their own.
import { element, textAt, textWidth } from './svg';

export interface KeyItem {
  readonly name: string;
  readonly sign: 'bar' | 'line' | 'dot' | 'ring';
  readonly class: string;
}

const signWidth = 14;
const gap = 12;

function signOf({ sign, class: className }: KeyItem, x: number, y: number): string {
  if (sign === 'bar') return element('rect', { x, y: y - 9, width: 10, height: 9, class: className });
  if (sign === 'line') return element('path', { d: `M${x} ${y - 4}h11`, class: className });
  return element('circle', { cx: x + 5, cy: y - 4, r: sign === 'dot' ? 3 : 3.5, class: className });
}

/** Rows of items, broken where the width ends. Returns the markup and how high it is. */
export function keyRows(items: readonly KeyItem[], width: number, top: number): { markup: string; height: number } {
  let x = 0;
  let y = top + 11;
  let markup = '';
  for (const item of items) {
    const size = signWidth + textWidth(item.name);
    if (x > 0 && x + size > width) {
      x = 0;
      y += 16;
    }
    markup += signOf(item, x, y) + textAt(x + signWidth, y, item.name, { class: 'value' });
    x += size + gap;
  }
  return { markup, height: y - top + 8 };
}
