// `setnet inspect`: what a model file holds.
import { statSync } from 'node:fs';
import type { LayerView } from '../layer_view';
import { lastZeta } from '../metadata';
import { Network, type NetworkParts, partsOf } from '../network';
import { bytes, count, figure, shorten, table, wrap } from '../text';
import { type Command, defineCommand } from './command';
import { choice, flag, number } from './options';
import type { Screen } from './screen';

/** Fewest, median and most of some counts, and how many are none. */
interface DegreeSummary {
  readonly fewest: number;
  readonly median: number;
  readonly most: number;
  readonly zeros: number;
}

/** One input of the network. */
interface InputReport {
  readonly input: number;
  readonly name?: string;
  readonly connections: number;
  /** The sum of |w| over its connections. */
  readonly strength: number;
}

const orders = ['connections', 'strength'] as const;

export const inspect: Command = defineCommand({
  name: 'inspect',
  summary: 'Show what a model file holds: layers, connections, degrees, how it was trained',
  positionals: [{ name: 'MODEL', help: 'A file that setnet train, or save() of the library, has written.' }],
  notes: [],
  options: {
    top: number('N', { min: 0, max: 1e6, integer: true }, 'How many inputs to list. Default 10.'),
    by: choice('ORDER', () => orders, 'Order of the inputs: connections (default), or strength, the sum of |weight|.'),
    json: flag('Print one JSON object.'),
  },
  examples: ['setnet inspect flowers.safetensors --top 4'],
  answers: ({ json }) => json === true,
  async run({ top = 10, by = 'connections', json }, [path = ''], { screen, write }) {
    const net = await Network.load(path);
    const size = statSync(path).size;
    const parts = partsOf(net, 'inspect');
    const { classes, features } = net;
    const inputs = inputsOf(parts, by).slice(0, top);
    if (json) {
      const { loss, finalised, epoch, step, evolution, topologyDigest } = parts.info;
      const answer = {
        ...{ file: path, bytes: size, inputs: net.inputs, outputs: net.outputs, seed: String(net.seed) },
        ...{
          loss,
          finalised,
          epochs: String(epoch),
          steps: String(step),
          evolutions: String(evolution),
          topologyDigest,
        },
        ...{ connections: net.connections, trainedConnections: parts.record.trainedConnections },
        ...(classes === undefined ? {} : { classes }),
        ...(features === undefined ? {} : { features }),
        layers: parts.layers.map(layerObject),
        mostConnectedInputs: inputs,
        fits: parts.record.fits,
        byHand: parts.record.byHand,
      };
      await write(`${JSON.stringify(answer, null, 2)}\n`);
      return;
    }
    screen.line(`${path}: ${bytes(size)}`);
    const [facts = '', ...layers] = net.summary().split('\n');
    screen.lines([...wrap(facts, screen.width), ...layers]);
    if (classes !== undefined) screen.line(listing('classes', classes, screen.width));
    printDegrees(parts.layers, screen);
    if (inputs.length > 0) printInputs(inputs, net.inputs, by, screen);
    printRecord(parts, screen);
  },
});

function layerObject(layer: LayerView): object {
  const { index, kind, inputs, units, activation, dropout, connections, density, evolved } = layer;
  return {
    ...{ index, kind, inputs, units, activation, dropout, connections, density, evolved },
    inDegree: summaryOf(layer.inDegree()),
    outDegree: summaryOf(layer.outDegree()),
  };
}

function summaryOf(degrees: Uint32Array): DegreeSummary {
  const sorted = Uint32Array.from(degrees).sort();
  const at = (position: number) => sorted[position] ?? 0;
  const half = sorted.length / 2;
  return {
    fewest: at(0),
    median: (at(Math.ceil(half) - 1) + at(Math.floor(half))) / 2,
    most: at(sorted.length - 1),
    zeros: sorted.reduce((zeros, degree) => zeros + (degree === 0 ? 1 : 0), 0),
  };
}

function inputsOf({ layers, definition }: NetworkParts, by: (typeof orders)[number]): InputReport[] {
  const { weights } = layers[0] as LayerView;
  const connections = weights.columnCounts();
  const strength = new Float64Array(connections.length);
  const { columnIndices, values } = weights;
  for (let i = 0; i < values.length; i++) {
    const input = columnIndices[i] as number;
    strength[input] = (strength[input] as number) + Math.abs(values[i] as number);
  }
  const { features } = definition;
  const all = Array.from(connections, (degree, input) => ({
    input,
    ...(features === undefined ? {} : { name: features[input] as string }),
    connections: degree,
    strength: strength[input] as number,
  }));
  const [first, second] =
    by === 'connections' ? (['connections', 'strength'] as const) : (['strength', 'connections'] as const);
  return all.sort((a, b) => b[first] - a[first] || b[second] - a[second] || a.input - b.input);
}

/** "classes: a, b, c", cut to the width with their number. */
function listing(what: string, names: readonly string[], width: number): string {
  const text = `${what}: ${names.join(', ')}`;
  if (text.length <= width) return text;
  const end = ` (${count(names.length)})`;
  return shorten(text, width - end.length) + end;
}

function printDegrees(layers: readonly LayerView[], screen: Screen): void {
  const header = ['layer', 'fewest', 'median', 'most', 'none', 'fewest', 'median', 'most', 'none'];
  const cells = ({ fewest, median, most, zeros }: DegreeSummary) => [fewest, median, most, zeros].map(count);
  const rows = layers.map((layer) => [
    String(layer.index),
    ...cells(summaryOf(layer.inDegree())),
    ...cells(summaryOf(layer.outDegree())),
  ]);
  const [head = '', ...lines] = table([header, ...rows]);
  const [left = 0] = [table([header.slice(0, 5), ...rows.map((row) => row.slice(0, 5))])[0]?.length];
  screen.line();
  screen.line(
    screen.bold(`${'connections of units'.padStart(left)}${'of inputs'.padStart(Math.max(9, head.length - left))}`),
  );
  screen.line(head);
  screen.lines(lines);
}

function printInputs(inputs: readonly InputReport[], all: number, by: string, screen: Screen): void {
  screen.line();
  screen.line(
    screen.bold(`Inputs with the most ${by === 'connections' ? 'connections' : 'strength'}, of ${count(all)}`),
  );
  const isNamed = inputs.some(({ name }) => name !== undefined);
  const rows = inputs.map(({ input, name, connections, strength }) => [
    ...(isNamed ? [shorten(name ?? '', 40)] : []),
    String(input),
    count(connections),
    figure(strength),
  ]);
  screen.lines(table([[...(isNamed ? ['name'] : []), 'input', 'connections', 'strength'], ...rows]));
}

function printRecord({ record, info }: NetworkParts, screen: Screen): void {
  screen.line();
  screen.line(screen.bold('Run record'));
  if (record.fits.length === 0) screen.line('  never fitted');
  for (const { times, options } of record.fits) {
    const { samples, epochs, batchSize, stepsPerEpoch, loss, optimizer, evolution, ...others } = options;
    const entries: [string, string][] = [
      ['fit', `${times === 1 ? '' : `${times} times, each with `}${count(epochs)} epochs`],
      samples === undefined
        ? ['data', `a stream${stepsPerEpoch ? ` of ${count(stepsPerEpoch)} batches` : ''}`]
        : ['data', `${count(samples)} samples in batches of ${count(batchSize ?? 0)}`],
      ['loss', ruleText(loss)],
      ['optimizer', ruleText(optimizer)],
      ['evolution', evolution === null ? 'none' : ruleText(evolution)],
      ...Object.entries(others).map(([name, value]): [string, string] => [name, ruleText(value)]),
    ];
    const lines = entries.flatMap(([name, text]) => hanging(name.padEnd(14), text, screen.width));
    screen.lines(lines);
  }
  for (const { kind, evolution } of record.byHand) screen.line(`  ${kind} by hand, as evolution ${evolution}`);
  const zeta = lastZeta(record);
  const removal = info.finalised ? `has run${zeta === undefined ? '' : ` (zeta ${zeta})`}` : 'has not run';
  screen.line(`  ${'final removal'.padEnd(14)}${removal}`);
  screen.line(`  ${'topology'.padEnd(14)}${info.topologyDigest}`);
}

function hanging(head: string, text: string, width: number): string[] {
  const column = head.length + 2;
  // A comma follows.
  const room = Math.max(20, width - column - 1);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(', ')) {
    const next = line === '' ? word : `${line}, ${word}`;
    if (next.length > room && line !== '') {
      lines.push(`${line},`);
      line = word;
    } else line = next;
  }
  lines.push(line);
  return lines.map((part, i) => (i === 0 ? `  ${head}${part}` : ' '.repeat(column) + part));
}

/** "adam, learningRate cosine (from 0.001, to 0, warmup 0), beta1 0.9" of a rule as a record has it. */
function ruleText(rule: unknown): string {
  if (Array.isArray(rule)) return rule.join(', ');
  if (typeof rule !== 'object' || rule === null) return String(rule);
  const { kind, ...parameters } = rule as Record<string, unknown>;
  const parts = Object.entries(parameters).map(([name, value]) => {
    if (typeof value !== 'object' || value === null) return `${name} ${String(value)}`;
    const [head, ...rest] = ruleText(value).split(', ');
    return `${name} ${head}${rest.length === 0 ? '' : ` (${rest.join(', ')})`}`;
  });
  return [...(kind === undefined ? [] : [String(kind)]), ...parts].join(', ');
}
