// A network as a table of text.
import type { Definition } from './definition';
import type { NativeNetworkInfo } from './native';
import { bytes as byteText, count, percent, table } from './text';

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
      count(layer.connections),
      percent(layer.connections / (layer.inputs * layer.units), 2),
      activation.name,
      dropout === 0 ? '-' : String(dropout),
      byteText(bytes),
    ];
  });
  rows.push([
    'total',
    '',
    '',
    count(info.connections),
    percent(info.connections / cells, 2),
    '',
    '',
    byteText(totalBytes),
  ]);

  const facts = [
    `${count(spec.inputs)} inputs, ${count(definition.outputs)} outputs${classes === undefined ? '' : ' (named)'}`,
    `scaling ${spec.scaling.kind}`,
    `seed ${spec.seed}`,
    info.loss === null
      ? 'never fitted'
      : `fitted with ${info.loss}, ${info.epoch} ${info.epoch === 1n ? 'epoch' : 'epochs'}`,
  ];
  return [
    `setnet network: ${facts.join(', ')}`,
    ...table([header, ...rows], ['left', 'left', 'left', 'right', 'right', 'left', 'right', 'right']),
    connectionText(info, trainedConnections),
    ...activationText(info),
  ].join('\n');
}

/** Both sizes where they are known: while training, and after the final removal. */
function connectionText(info: NativeNetworkInfo, trained: number | null): string {
  if (info.finalised) {
    const before = trained === null ? '' : `${count(trained)} while training, `;
    return `connections: ${before}${count(info.connections)} after the final removal`;
  }
  return `connections: ${count(info.connections)} while training; the final removal has not run`;
}

/** Where activations learn. */
function activationText({ layers }: NativeNetworkInfo): string[] {
  const parameters = layers.reduce((sum, layer) => sum + layer.activationParameters, 0);
  return parameters === 0 ? [] : [`parameters of activations: ${count(parameters)}`];
}
