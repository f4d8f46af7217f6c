// What is needed to do a run again.
import { inspect } from 'node:util';
import { buildInfo } from '../build_info';
import type { NativeRule } from '../native';
import { escapeText } from './escape';
import { count, percent, plural } from './format';
import type { ReportedLayer, ReportedNetwork } from './network_data';
import { type Cell, facts, section, table } from './page';

function code(text: string): Cell {
  return { markup: `<code>${escapeText(text)}</code>` };
}

/** As a program would have it. */
function written(options: object): string {
  return inspect(options, { depth: null, breakLength: Number.POSITIVE_INFINITY, compact: true, maxArrayLength: 50 });
}

function ruleText({ name, parameters }: NativeRule): string {
  const given = Object.entries(parameters);
  return given.length === 0 ? name : `${name} (${given.map(([key, value]) => `${key} ${value}`).join(', ')})`;
}

function drawText({ spec }: ReportedLayer): string {
  if (spec.kind === 'dense') return '\u2013';
  if (spec.connections !== undefined) return 'given';
  return spec.density === undefined ? `epsilon ${spec.epsilon}, ${spec.draw}` : `density ${spec.density}, ${spec.draw}`;
}

function layerTable({ layers, info }: ReportedNetwork): string {
  const head = [
    'Layer',
    'kind',
    'inputs',
    'units',
    'connections',
    'density',
    'topology',
    'evolves',
    'activation',
    'initializer',
    'dropout',
  ];
  const rows = layers.map((layer) => {
    const { spec, inputs, units, connections, evolved } = layer;
    return [
      String(layer.index),
      spec.kind,
      count(inputs),
      count(units),
      count(connections),
      percent(connections / (inputs * units), 2),
      drawText(layer),
      evolved ? 'yes' : 'no',
      ruleText(spec.activation),
      ruleText(spec.initializer),
      spec.dropout === 0 ? '\u2013' : String(spec.dropout),
    ];
  });
  const cells = layers.reduce((sum, { inputs, units }) => sum + inputs * units, 0);
  const total = [
    'total',
    '',
    '',
    '',
    count(info.connections),
    percent(info.connections / cells, 2),
    '',
    '',
    '',
    '',
    '',
  ];
  const numbers = [false, false, true, true, true, true, false, false, false, false, true];
  return table({ caption: 'Layers', head, rows: [...rows, total], numbers });
}

/** Seeds, options and sizes are of the model; the rest is of the process that wrote the report. */
export function recordSection(network: ReportedNetwork, part: boolean): string {
  const { definition, info, record } = network;
  const { spec } = definition;
  const rows: [string, Cell][] = [
    ['Seed', code(String(spec.seed))],
    [
      'Life',
      `${plural(Number(info.epoch), 'epoch')}, ${plural(Number(info.step), 'step')}, ${plural(Number(info.evolution), 'evolution')}`,
    ],
    ['Connections in training', record.trainedConnections === null ? 'never fitted' : count(record.trainedConnections)],
    ['Connections now', `${count(info.connections)}${info.finalised ? ', after the final removal' : ''}`],
    ['Topology digest', code(info.topologyDigest)],
    ['Loss', info.loss ?? 'never fitted'],
    ['Scaling', spec.scaling.kind],
    ...record.fits.map(({ times, options }, i): [string, Cell] => [
      `Fit ${i + 1}${times === 1 ? '' : `, ${times} times`}`,
      code(written(options)),
    ]),
    ...record.byHand.map(({ kind, evolution, options }): [string, Cell] => [
      `${kind}, evolution ${evolution}`,
      code(written(options)),
    ]),
  ];
  return section({
    title: 'Run record',
    intro: 'With this seed and these options, on the same data, the same network comes out to the bit.',
    content: [layerTable(network), facts(rows)],
    part,
  });
}

/** Of the process that writes. */
export function writtenWith(threads: number | undefined): string {
  const { version, node, platform, architecture, instructionSet, compiler } = buildInfo();
  const used = threads === undefined ? '' : `, ${plural(threads, 'thread')}`;
  return `Written with setnet ${version} on Node.js ${node}, ${platform} ${architecture}, ${instructionSet}${used}; native part built with ${compiler}.`;
}
