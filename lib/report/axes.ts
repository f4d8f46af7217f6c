// The frame of a chart: horizontal rules, ticks, and what the axes are, in words with units.
import type { Scale } from './scale';
import { line, textAt, textWidth } from './svg';

export interface Axis {
  readonly scale: Scale;
  /** What is measured: 'Loss'. */
  readonly label: string;
  /** In what: 'nats per sample', 'number'. */
  readonly unit: string;
}

export interface FrameOptions {
  readonly width: number;
  readonly height: number;
  readonly x: Axis;
  readonly y: Axis;
  /** Room on the right for labels. Default: what the last tick needs. */
  readonly right?: number;
  /** Room above the plot beside the name of the y axis. Default 0. */
  readonly top?: number;
}

export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** Places on the drawing. */
  px(value: number): number;
  py(value: number): number;
  /** Rules, ticks and names of axes: drawn first. */
  readonly marks: string;
}

export function axisText({ label, unit }: Pick<Axis, 'label' | 'unit'>): string {
  return `${label} (${unit})`;
}

export function axisTitle(
  x: number,
  y: number,
  axis: Pick<Axis, 'label' | 'unit'>,
  which: 'x' | 'y' | 'colour',
  anchor: 'start' | 'end',
): string {
  return textAt(x, y, axisText(axis), { class: 'axis', anchor, more: { 'data-axis': which, 'data-unit': axis.unit } });
}

interface Label {
  readonly at: number;
  readonly text: string;
}

/** Labels along the x axis, moved inside the drawing; where two would touch, every second one is left out. */
function spread(labels: readonly Label[], width: number): Label[] {
  const inside = labels.map(({ at, text }) => {
    const half = textWidth(text) / 2;
    return { text, half, at: Math.min(Math.max(at, half), width - half) };
  });
  const touches = inside.some((label, i) => {
    const next = inside[i + 1];
    return next !== undefined && next.at - next.half < label.at + label.half + 4;
  });
  if (!touches || labels.length < 2) return inside;
  return spread(
    labels.filter((_, i) => i % 2 === 0),
    width,
  );
}

export function frame({ width, height, x, y, right: wanted, top: extra = 0 }: FrameOptions): Frame {
  const tickWidth = Math.max(0, ...y.scale.ticks.map(({ label }) => textWidth(label)));
  const lastTick = x.scale.ticks.at(-1);
  const left = Math.ceil(tickWidth) + 8;
  const right = width - Math.max(wanted ?? 0, lastTick === undefined ? 4 : textWidth(lastTick.label) / 2);
  const top = 26 + extra;
  const bottom = height - 36;
  const px = (value: number) => left + x.scale.place(value) * (right - left);
  const py = (value: number) => bottom - y.scale.place(value) * (bottom - top);
  const rules = y.scale.ticks.map(({ value, label }) => {
    const at = py(value);
    return line(left, at, right, at, 'rule') + textAt(left - 6, at + 4, label, { class: 'tick', anchor: 'end' });
  });
  const labels = spread(
    x.scale.ticks.map(({ value, label }) => ({ at: px(value), text: label })),
    width,
  );
  const ticks = [
    ...x.scale.ticks.map(({ value }) => line(px(value), bottom, px(value), bottom + 4, 'base')),
    ...labels.map(({ at, text }) => textAt(at, bottom + 17, text, { class: 'tick', anchor: 'middle' })),
  ];
  const marks = [
    ...rules,
    line(left, bottom, right, bottom, 'base'),
    ...ticks,
    axisTitle(0, 11, y, 'y', 'start'),
    axisTitle(right, height - 3, x, 'x', 'end'),
  ].join('');
  return { left, right, top, bottom, px, py, marks };
}
