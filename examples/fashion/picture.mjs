// Draws grey pictures in a terminal: two pixels a character with half blocks in greys, or shades of characters.
import { columns, hasGreys, hasUnicode } from './screen.mjs';

const shades = hasUnicode ? [' ', '\u2591', '\u2592', '\u2593', '\u2588'] : [...' .:-=+*#%@'];

/** The picture of `height` x `width` bytes as size x size numbers 0..255, each the mean over the area it covers. */
export function resample(pixels, height, width, size) {
  const out = new Float64Array(size * size);
  const vertical = weights(height, size);
  const horizontal = weights(width, size);
  for (let y = 0; y < size; ++y) {
    for (let x = 0; x < size; ++x) {
      let sum = 0;
      for (const [row, share] of vertical[y]) {
        for (const [column, part] of horizontal[x]) sum += share * part * pixels[row * width + column];
      }
      out[y * size + x] = sum;
    }
  }
  return out;
}

/** For each of `to` target pixels the source pixels it covers with their shares, which sum to 1. */
function weights(from, to) {
  const ratio = from / to;
  return Array.from({ length: to }, (_, i) => {
    const list = [];
    for (let source = Math.floor(i * ratio); source < Math.min(from, (i + 1) * ratio); ++source) {
      const share = (Math.min((i + 1) * ratio, source + 1) - Math.max(i * ratio, source)) / ratio;
      if (share > 0) list.push([source, share]);
    }
    return list;
  });
}

/** The rows of characters of one picture, each `size` characters wide on the screen; size is even. */
function draw(pixels, height, width, size) {
  const values = resample(pixels, height, width, size);
  const rows = [];
  for (let y = 0; y < size; y += 2) {
    let row = '';
    for (let x = 0; x < size; ++x) {
      const upper = values[y * size + x];
      const lower = values[(y + 1) * size + x];
      row +=
        hasGreys && hasUnicode ? `\x1b[38;5;${grey(upper)};48;5;${grey(lower)}m\u2580` : shade((upper + lower) / 2);
    }
    rows.push(hasGreys && hasUnicode ? `${row}\x1b[39;49m` : row);
  }
  return rows;
}

/** The 24 greys of the 256 colours, from nearly black to nearly white. */
const grey = (value) => 232 + Math.min(23, Math.floor((value / 256) * 24));

// Bright pixels are dense characters; the power lifts the dark ones, which would vanish among so few shades.
const shade = (value) => shades[Math.min(shades.length - 1, Math.floor((value / 256) ** 0.7 * shades.length))];

/**
 * Pictures side by side as the width allows, with captions below. Each of `pictures` is { pixels, captions }, captions
 * being [text, style] pairs. Returns lines.
 */
export function gallery(pictures, height, width) {
  const gap = 2;
  const perRow = [8, 4, 2, 1].find((n) => n === 1 || Math.floor((columns() + gap) / n) - gap >= 18);
  const room = Math.floor((columns() + gap) / perRow) - gap;
  const size = 2 * Math.floor(Math.max(8, Math.min(28, room)) / 2);
  const cell = Math.max(size, Math.min(room, 20));
  const lines = [];
  for (let first = 0; first < pictures.length; first += perRow) {
    const group = pictures.slice(first, first + perRow);
    const drawn = group.map(({ pixels }) => draw(pixels, height, width, size));
    for (let y = 0; y < size / 2; ++y) {
      lines.push(drawn.map((rows) => rows[y] + ' '.repeat(cell - size)).join(' '.repeat(gap)));
    }
    for (let i = 0; i < group[0].captions.length; ++i) {
      const texts = group.map(
        ({
          captions: {
            [i]: [text, style],
          },
        }) => style(text.slice(0, cell).padEnd(cell)),
      );
      lines.push(texts.join(' '.repeat(gap)));
    }
    lines.push('');
  }
  return lines;
}
