// Where the connections of the inputs are: as an image, along positions, or by number; at the beginning and now.
import { count, decimal, plural, significant } from './format';
import { blocks, type Grid, heatMap } from './heat_map';
import type { KeyItem } from './key';
import { chartSize } from './learning_section';
import { lineChart, type Series } from './line_chart';
import type { ReportedLayer, ReportedNetwork } from './network_data';
import type { ReadMap, ReadPositions, ReportImage } from './options';
import { charts, figure, paragraph, section, table } from './page';
import { extent, linearScale } from './scale';
import { type Stretch, type StripBin, stripChart } from './strip_chart';
import type { Point } from './svg';

/** Degrees of the inputs, at the beginning where that is known, and now. */
interface InputDegrees {
  readonly before: Uint32Array | undefined;
  readonly now: Uint32Array;
}

export function beforeOf(layer: ReportedLayer): Uint32Array | undefined {
  return typeof layer.initial === 'object' ? layer.initial.outgoing : undefined;
}

/** Why the beginning is not shown; undefined where it is. */
export function unknownText({ initial }: ReportedLayer): string | undefined {
  if (initial === 'given')
    return 'The layer was made from connections that were given, so that its seed does not tell how it began.';
  if (initial === 'differs')
    return 'The layer was never rewired, yet is not what this version of setnet draws from the seed: how it began is not known.';
  return undefined;
}

function mostOf({ before, now }: InputDegrees): number {
  let most = 0;
  for (const degrees of [before ?? [], now]) for (const degree of degrees) if (degree > most) most = degree;
  return most;
}

/** Degrees as multiples of their mean, so that networks of different sizes can be compared. */
function relative(degrees: Uint32Array): { values: Float64Array; mean: number } {
  const mean = degrees.reduce((sum, degree) => sum + degree, 0) / degrees.length;
  return { values: Float64Array.from(degrees, (degree) => (mean === 0 ? 0 : degree / mean)), mean };
}

/** Means of a map over rings around its centre, one pixel wide. */
function fromCentre(values: Float64Array, { width, height }: ReportImage): Point[] {
  const sums: number[] = [];
  const pixels: number[] = [];
  values.forEach((value, i) => {
    const [x, y] = [(i % width) - (width - 1) / 2, Math.floor(i / width) - (height - 1) / 2];
    const ring = Math.round(Math.hypot(x, y));
    sums[ring] = (sums[ring] ?? 0) + value;
    pixels[ring] = (pixels[ring] ?? 0) + 1;
  });
  // Beyond the shorter side rings are corners.
  const last = Math.floor(Math.min(width, height) / 2);
  return Array.from({ length: last + 1 }, (_, ring): Point => [ring, (sums[ring] ?? Number.NaN) / (pixels[ring] ?? 1)]);
}

const ofTheMean = 'times the mean';

function centreFigure(
  maps: readonly { name: string; values: Float64Array; colour: number }[],
  image: ReportImage,
): string {
  const series = maps.map(({ name, values, colour }): Series => ({ name, points: fromCentre(values, image), colour }));
  const [, high] = extent(series.flatMap(({ points }) => points.map(([, y]) => y))) ?? [0, 1];
  const last = series[0]?.points.at(-1)?.[0] ?? 1;
  if (last < 3) return '';
  const title = 'From the centre outwards';
  const ends = series.map(
    ({ name, points }) =>
      `${name}: ${decimal(points[0]?.[1] ?? 0, 2)} in the centre, ${decimal(points.at(-1)?.[1] ?? 0, 2)} at the edge`,
  );
  return figure({
    title,
    subtitle: 'Mean over rings around the centre',
    chart: lineChart({
      ...chartSize,
      title: `Connections of the inputs ${title.toLowerCase()}`,
      description: `${ends.join('; ')}.`,
      x: {
        scale: linearScale([0, last], { nice: false, integer: true }),
        label: 'Distance from the centre',
        unit: 'pixels',
      },
      y: { scale: linearScale([0, high]), label: 'Connections of an input', unit: ofTheMean },
      series,
    }),
  });
}

function imageFigures(degrees: InputDegrees, image: ReportImage): string[] {
  const { width, height } = image;
  const times = [
    ...(degrees.before === undefined
      ? []
      : [{ name: 'epoch 0', title: 'At epoch 0', colour: 0, ...relative(degrees.before) }]),
    { name: 'now', title: 'Now', colour: 1, ...relative(degrees.now) },
  ];
  const reduced = times.map(({ values }) => blocks({ rows: height, columns: width, values }));
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (const { grid } of reduced) {
    for (let i = 0; i < grid.values.length; i++) {
      least = Math.min(least, grid.values[i] as number);
      most = Math.max(most, grid.values[i] as number);
    }
  }
  if (!(most > least)) [least, most] = [0, Math.max(1, most)];
  const size = reduced[0]?.size ?? 1;
  const colour = {
    label: size === 1 ? 'Connections of an input' : `Connections, ${size} x ${size} pixels`,
    unit: ofTheMean,
  };
  const maps = times.map(({ title, mean }, i) =>
    figure({
      title,
      subtitle: `${decimal(mean, 1)} connections of an input in the mean`,
      chart: heatMap({
        ...{ width: 360, grid: (reduced[i] as { grid: Grid }).grid, least, most, colour, cellSize: size },
        title: `Input degrees: ${title}`,
        description: `Connections of each of ${width} x ${height} pixels, from ${decimal(least, 2)} to ${decimal(most, 2)} times the mean of ${decimal(mean, 1)}.`,
        across: { label: 'Column', unit: 'pixels' },
        down: { label: 'Row', unit: 'pixels' },
      }),
    }),
  );
  const centre = centreFigure(times, image);
  return centre === '' ? maps : [...maps, centre];
}

/** Bins of inputs that lie side by side. */
interface Line {
  readonly bins: readonly StripBin[];
  readonly stretches: readonly Stretch[];
  readonly from: number;
  readonly to: number;
  readonly isBinned: boolean;
  /** Inputs without a place. */
  readonly left: number;
}

/** How many connections an input has in the mean. */
function meanText({ before, now }: InputDegrees): string {
  const text = `${decimal(relative(now).mean, 1)} connections of an input in the mean`;
  return before === undefined ? text : `${text}, ${decimal(relative(before).mean, 1)} at epoch 0`;
}

/** Two maps of the same inputs, as multiples of their means. */
interface RelativeDegrees {
  readonly before: Float64Array | undefined;
  readonly now: Float64Array;
}

class BinMaker {
  readonly #degrees: RelativeDegrees;
  #count = 0;
  #sum = 0;
  #sumBefore = 0;
  #most = 0;

  constructor(degrees: RelativeDegrees) {
    this.#degrees = degrees;
  }

  add(input: number): void {
    const degree = this.#degrees.now[input] as number;
    this.#count++;
    this.#sum += degree;
    this.#sumBefore += this.#degrees.before?.[input] ?? 0;
    if (degree > this.#most) this.#most = degree;
  }

  /** The bin of what was added since the last one; undefined where nothing was. */
  take(from: number, to: number): StripBin | undefined {
    const size = this.#count;
    if (size === 0) return undefined;
    const bin: StripBin = {
      from,
      to,
      mean: this.#sum / size,
      ...(size > 1 ? { most: this.#most } : {}),
      ...(this.#degrees.before === undefined ? {} : { before: this.#sumBefore / size }),
    };
    this.#count = this.#sum = this.#sumBefore = this.#most = 0;
    return bin;
  }
}

function lineByNumber(degrees: RelativeDegrees, most: number): Line {
  const inputs = degrees.now.length;
  const number = Math.min(inputs, most);
  const maker = new BinMaker(degrees);
  const bins: StripBin[] = [];
  for (let i = 0; i < number; i++) {
    const [from, to] = [Math.floor((i * inputs) / number), Math.floor(((i + 1) * inputs) / number)];
    for (let input = from; input < to; input++) maker.add(input);
    bins.push(maker.take(from, to) as StripBin);
  }
  return { bins, stretches: [], from: 0, to: inputs, isBinned: number < inputs, left: 0 };
}

/** Chromosomes one after the other, each as long as its positions reach. */
function lineByPosition(degrees: RelativeDegrees, { chromosomes, positions }: ReadPositions, most: number): Line {
  const members = new Map<string, number[]>();
  let left = 0;
  for (let input = 0; input < chromosomes.length; input++) {
    const name = chromosomes[input] as string;
    if (!Number.isFinite(positions[input])) {
      left++;
      continue;
    }
    const known = members.get(name);
    if (known === undefined) members.set(name, [input]);
    else known.push(input);
  }
  const parts = [...members].map(([name, inputs]) => {
    inputs.sort((a, b) => (positions[a] as number) - (positions[b] as number));
    const low = positions[inputs[0] as number] as number;
    const high = positions[inputs.at(-1) as number] as number;
    return { name, inputs, low, length: high - low };
  });
  const whole = parts.reduce((sum, { length }) => sum + length, 0);
  // A chromosome is never too thin to be seen, whatever its unit.
  const least = Math.max(whole / 80, whole === 0 ? 1 : 0);
  const total = parts.reduce((sum, { length }) => sum + Math.max(length, least), 0);
  const bins: StripBin[] = [];
  const stretches: Stretch[] = [];
  const maker = new BinMaker(degrees);
  let start = 0;
  for (const { name, inputs, low, length } of parts) {
    const size = Math.max(length, least);
    const number = Math.max(1, Math.round((most * size) / total));
    const step = size / number;
    let next = 0;
    for (let i = 0; i < number; i++) {
      const end = low + ((i + 1) * length) / number;
      while (next < inputs.length && (i === number - 1 || (positions[inputs[next] as number] as number) < end))
        maker.add(inputs[next++] as number);
      const bin = maker.take(start + i * step, start + (i + 1) * step);
      if (bin !== undefined) bins.push(bin);
    }
    stretches.push({ name, from: start, to: start + size });
    start += size;
  }
  return { bins, stretches, from: 0, to: start, isBinned: bins.some((bin) => bin.most !== undefined), left };
}

function strip(inputs: InputDegrees, map: ReadMap, width: number): { chart: string; line: Line } {
  const most = Math.max(40, Math.floor((width - 40) / 3));
  const degrees: RelativeDegrees = {
    before: inputs.before === undefined ? undefined : relative(inputs.before).values,
    now: relative(inputs.now).values,
  };
  const line = map.positions === undefined ? lineByNumber(degrees, most) : lineByPosition(degrees, map.positions, most);
  const high = Math.max(1, ...line.bins.map((bin) => Math.max(bin.most ?? bin.mean, bin.before ?? 0)));
  const keys: KeyItem[] = [
    { name: line.isBinned ? 'now, mean' : 'now', sign: 'bar', class: 'fill1' },
    ...(line.isBinned ? [{ name: 'now, the most connected', sign: 'bar', class: 'fill1 pale' } as const] : []),
    ...(degrees.before === undefined ? [] : [{ name: 'epoch 0', sign: 'line', class: 'curve thin line0' } as const]),
  ];
  const chart = stripChart({
    width,
    height: 240,
    title: 'Connections of the inputs',
    description: `Connections of each of ${count(degrees.now.length)} inputs, from 0 to ${count(mostOf(inputs))}${line.isBinned ? ', in bins of neighbours' : ''}.`,
    x: {
      scale: linearScale([line.from, Math.max(line.to, line.from + 1)], {
        integer: map.positions === undefined,
        nice: false,
      }),
      label: map.positions === undefined ? 'Input' : 'Position',
      unit: map.positions === undefined ? 'number' : 'by chromosome',
    },
    y: { scale: linearScale([0, high]), label: 'Connections of an input', unit: ofTheMean },
    bins: line.bins,
    stretches: line.stretches,
    keys,
  });
  return { chart, line };
}

function positionText(position: number): string {
  return Number.isInteger(position) ? count(position) : significant(position, 6);
}

/** The inputs with the most connections, by name. */
function mostConnected(network: ReportedNetwork, degrees: InputDegrees, map: ReadMap): string {
  const { features } = network.definition;
  if (features === undefined && map.positions === undefined) return '';
  const shown = 12;
  const order: number[] = [];
  // A list of the best so far: inputs may be a million.
  for (let input = 0; input < degrees.now.length; input++) {
    const degree = degrees.now[input] as number;
    if (order.length === shown && degree <= (degrees.now[order.at(-1) as number] as number)) continue;
    let at = order.length;
    while (at > 0 && degree > (degrees.now[order[at - 1] as number] as number)) at--;
    order.splice(at, 0, input);
    if (order.length > shown) order.pop();
  }
  const head = ['Input', ...(map.positions === undefined ? [] : ['Chromosome', 'Position']), 'Connections now'];
  const rows = order.map((input) => [
    features?.[input] ?? count(input),
    ...(map.positions === undefined
      ? []
      : [map.positions.chromosomes[input] as string, positionText(map.positions.positions[input] as number)]),
    count(degrees.now[input] as number),
    ...(degrees.before === undefined ? [] : [count(degrees.before[input] as number)]),
  ]);
  if (degrees.before !== undefined) head.push('at epoch 0');
  const numbers = head.map((name, i) => i > 0 && name !== 'Chromosome');
  return table({ caption: 'The inputs with the most connections', head, rows, numbers });
}

export function inputsSection(network: ReportedNetwork, map: ReadMap, part: boolean): string {
  const layer = network.layers[0] as ReportedLayer;
  const title = 'Connections of the inputs';
  if (layer.degrees === undefined) {
    const intro = `The first layer is dense: every input has ${plural(layer.units, 'connection')}.`;
    return section({ title, intro, content: [], part });
  }
  const degrees: InputDegrees = { before: beforeOf(layer), now: layer.degrees.outgoing };
  const unknown = unknownText(layer);
  const none = degrees.now.reduce((sum, degree) => sum + (degree === 0 ? 1 : 0), 0);
  const notes = [
    none === 0
      ? ''
      : `${plural(none, 'input')} of ${count(degrees.now.length)} ${none === 1 ? 'has' : 'have'} no connection now.`,
    unknown ?? '',
  ];
  let drawn: string;
  if (map.image !== undefined) drawn = charts(imageFigures(degrees, map.image));
  else {
    const narrow = strip(degrees, map, 360);
    const broad = strip(degrees, map, 1120);
    if (narrow.line.left > 0)
      notes.push(
        `${plural(narrow.line.left, 'input')} without a position ${narrow.line.left === 1 ? 'is' : 'are'} not drawn.`,
      );
    const where = map.positions === undefined ? 'By the number of the input' : 'Along the chromosomes';
    const subtitle = meanText(degrees);
    drawn = charts([figure({ title: where, subtitle, chart: narrow.chart, broad: broad.chart })]);
  }
  const text = notes.filter((note) => note !== '').join(' ');
  return section({
    title,
    intro:
      'How many units of the first layer each input leads to. Where evolution finds some inputs more useful than others, it shows here.',
    content: [drawn, text === '' ? '' : paragraph(text), mostConnected(network, degrees, map)],
    part,
  });
}
