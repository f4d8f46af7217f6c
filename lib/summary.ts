// A network as a table of text.
import type { Definition } from './definition';
import type { NativeNetworkInfo } from './native';

function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

function byteText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  while (value >= 999.95 && units.length > 1) {
    value /= 1000;
    units.shift();
  }
  return `${value.toFixed(1)} ${units[0]}`;
}

/** Bytes of the canonical form, as a file holds it. */
function storedBytes(
  { connections, units, activationParameters }: NativeNetworkInfo['layers'][number],
  isDense: boolean,
  hasBias: boolean,
): number {
  const weights = isDense ? 4 * connections : 8 * connections + 8 * (units + 1);
  return weights + (hasBias ? 4 * units : 0) + 4 * activationParameters;
}

export function summarize(definition: Definition, info: NativeNetworkInfo, trainedConnections: number | null): string {
  const { spec, classes } = definition;
  const header = ['layer', 'kind', 'shape', 'connections', 'density', 'activation', 'dropout', 'bytes'];
  let totalBytes = 0;
  let cells = 0;
  const rows = info.layers.map((layer, index) => {
    const { kind, activation, dropout, bias } = spec.layers[index] as (typeof spec.layers)[number];
    const bytes = storedBytes(layer, kind === 'dense', bias);
    totalBytes += bytes;
    cells += layer.inputs * layer.units;
    return [
      String(index),
      kind,
      `${layer.inputs} x ${layer.units}`,
      grouped(layer.connections),
      percent(layer.connections / (layer.inputs * layer.units)),
      activation.name,
      dropout === 0 ? '-' : String(dropout),
      byteText(bytes),
    ];
  });
  rows.push([
    'total',
    '',
    '',
    grouped(info.connections),
    percent(info.connections / cells),
    '',
    '',
    byteText(totalBytes),
  ]);

  const isRight = [false, false, false, true, true, false, true, true];
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] as string).length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        isRight[column] ? cell.padStart(widths[column] as number) : cell.padEnd(widths[column] as number),
      )
      .join('  ')
      .trimEnd();

  const facts = [
    `${grouped(spec.inputs)} inputs, ${grouped(definition.outputs)} outputs${classes === undefined ? '' : ' (named)'}`,
    `scaling ${spec.scaling.kind}`,
    `seed ${spec.seed}`,
    info.loss === null
      ? 'never fitted'
      : `fitted with ${info.loss}, ${info.epoch} ${info.epoch === 1n ? 'epoch' : 'epochs'}`,
  ];
  return [
    `setnet network: ${facts.join(', ')}`,
    line(header),
    ...rows.map(line),
    connectionText(info, trainedConnections),
    ...activationText(info),
  ].join('\n');
}

/** Both sizes where they are known: while training, and after the final removal. */
function connectionText(info: NativeNetworkInfo, trained: number | null): string {
  if (info.finalised) {
    const before = trained === null ? '' : `${grouped(trained)} while training, `;
    return `connections: ${before}${grouped(info.connections)} after the final removal`;
  }
  return `connections: ${grouped(info.connections)} while training; the final removal has not run`;
}

/** Where activations learn. */
function activationText({ layers }: NativeNetworkInfo): string[] {
  const count = layers.reduce((sum, layer) => sum + layer.activationParameters, 0);
  return count === 0 ? [] : [`parameters of activations: ${grouped(count)}`];
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}
