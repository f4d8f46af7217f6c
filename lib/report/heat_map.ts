// A grid of numbers as an image, with the scale of its colours below.
import { axisTitle } from './axes';
import { linearScale } from './scale';
import { mapSteps } from './style';
import { type ChartText, drawing, element, line, rectangle, round, textAt } from './svg';

export interface Grid {
  readonly rows: number;
  readonly columns: number;
  /** rows * columns, row-major. */
  readonly values: ArrayLike<number>;
}

export interface HeatMap extends ChartText {
  readonly width: number;
  readonly grid: Grid;
  /** What has the first colour. */
  readonly least: number;
  /** What has the last colour. */
  readonly most: number;
  /** What the colours are, and in what unit. */
  readonly colour: { readonly label: string; readonly unit: string };
  readonly across: { readonly label: string; readonly unit: string };
  readonly down: { readonly label: string; readonly unit: string };
  /** What a cell counts for along both axes. Default 1. */
  readonly cellSize?: number;
}

/** Images with more cells along a side are drawn in blocks. */
export const mostCells = 96;

/** Means over square blocks, so that neither side has more than `most` cells. */
export function blocks({ rows, columns, values }: Grid, most: number = mostCells): { grid: Grid; size: number } {
  const size = Math.max(1, Math.ceil(Math.max(rows, columns) / most));
  if (size === 1) return { grid: { rows, columns, values }, size };
  const [down, across] = [Math.ceil(rows / size), Math.ceil(columns / size)];
  const sums = new Float64Array(down * across);
  const cells = new Float64Array(down * across);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const cell = Math.floor(row / size) * across + Math.floor(column / size);
      sums[cell] = (sums[cell] as number) + (values[row * columns + column] as number);
      cells[cell] = (cells[cell] as number) + 1;
    }
  }
  return { grid: { rows: down, columns: across, values: sums.map((sum, i) => sum / (cells[i] as number)) }, size };
}

/** Number of a value's colour on the scale from `least` to `most`. */
export function colourOf(value: number, least: number, most: number): number {
  if (!(most > least) || !(value > least)) return 0;
  return Math.min(mapSteps - 1, Math.floor(((value - least) / (most - least)) * mapSteps));
}

/** The cells of each colour as one path. */
function cellPaths(
  { rows, columns, values }: Grid,
  { least, most }: HeatMap,
  left: number,
  top: number,
  cell: number,
): string {
  const paths = new Array<string>(mapSteps).fill('');
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; ) {
      const colour = colourOf(values[row * columns + column] as number, least, most);
      let end = column + 1;
      while (end < columns && colourOf(values[row * columns + end] as number, least, most) === colour) end++;
      paths[colour] += `M${column} ${row}h${end - column}v1H${column}z`;
      column = end;
    }
  }
  const drawn = paths.map((d, i) => (d === '' ? '' : element('path', { d, class: `m${i}` })));
  const transform = `translate(${round(left)} ${round(top)}) scale(${Math.round(cell * 1e4) / 1e4})`;
  return element('g', { transform, 'shape-rendering': 'crispEdges' }, ...drawn);
}

/** The scale of the colours, `size` wide, with its name above it. */
function colourScale(left: number, top: number, size: number, { least, most, colour }: HeatMap): string {
  const step = size / mapSteps;
  const boxes = Array.from({ length: mapSteps }, (_, i) => rectangle(left + i * step, top + 6, step, 9, `m${i}`));
  const scale = linearScale([least, most], { count: 4, nice: false });
  const ticks = scale.ticks.map(({ value, label }) => {
    const at = left + scale.place(value) * size;
    const anchor = at > left + size - 12 ? 'end' : at < left + 6 ? 'start' : 'middle';
    return line(at, top + 15, at, top + 19, 'base') + textAt(at, top + 31, label, { class: 'tick', anchor });
  });
  return [axisTitle(left, top, colour, 'colour', 'start'), ...boxes, ...ticks].join('');
}

export function heatMap(chart: HeatMap): string {
  const { width, grid, across, down, cellSize = 1 } = chart;
  const left = 30;
  const top = 20;
  const cell = Math.min((width - left - 2) / grid.columns, 330 / grid.rows);
  const [wide, high] = [cell * grid.columns, cell * grid.rows];
  const tick = (at: number, isRow: boolean) => {
    const scale = linearScale([0, (isRow ? grid.rows : grid.columns) * cellSize], {
      integer: true,
      nice: false,
      count: 4,
    });
    return scale.ticks.map(({ value, label }) => {
      const place = at + (value / cellSize) * cell;
      return isRow
        ? textAt(left - 6, Math.min(place + 4, top + high), label, { class: 'tick', anchor: 'end' })
        : textAt(Math.min(place, left + wide - 6), top + high + 15, label, { class: 'tick', anchor: 'middle' });
    });
  };
  const bottom = top + high;
  const height = bottom + 84;
  return drawing(
    width,
    height,
    chart,
    axisTitle(0, 11, down, 'y', 'start'),
    cellPaths(grid, chart, left, top, cell),
    ...tick(top, true),
    ...tick(left, false),
    axisTitle(left, bottom + 31, across, 'x', 'start'),
    colourScale(left, bottom + 52, Math.min(wide, width - left - 2, 300), chart),
  );
}
