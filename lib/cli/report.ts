// `setnet report`: a page to look at.
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Dataset } from '../data';
import { Network } from '../network';
import type { ReportOptions } from '../report/options';
import type { Targets } from '../types';
import { type Command, type Context, defineCommand } from './command';
import { factsOf, labelledOptions, readAnswered } from './data_file';
import { Failure, UsageError } from './failure';
import { checkWritable } from './files';
import { historyPath, readHistory } from './history_file';
import { flag, grouped, type Option, text, type Values } from './options';

/** 28x28: columns, then rows. */
export const image: Option<{ readonly width: number; readonly height: number }> = {
  value: 'WxH',
  help: 'Inputs are the pixels of images of this width and height: the map of the inputs is drawn as an image.',
  read: (given, where) => {
    const [, width, height] = /^([1-9]\d{0,8})x([1-9]\d{0,8})$/.exec(given) ?? [];
    if (width === undefined) throw new UsageError(`${where} must be columns and rows, as in 28x28, not '${given}'`);
    return { width: Number(width), height: Number(height) };
  },
};

/** Where inputs lie along chromosomes, from a text with a header and a line for each input. */
export function readPositions(path: string): NonNullable<ReportOptions['positions']> {
  const [head = '', ...lines] = readFileSync(path, 'utf8').trimEnd().split(/\r?\n/);
  const delimiter = head.includes('\t') ? '\t' : ',';
  const names = head.split(delimiter).map((name) => name.trim().toLowerCase());
  const find = (known: readonly string[]) => {
    const found = names.findIndex((name) => known.includes(name));
    if (found < 0) throw new Failure(`${path}: line 1: no column is called ${known.join(' or ')}`);
    return found;
  };
  const chromosome = find(['chr', 'chrom', 'chromosome']);
  const position = find(['pos', 'bp', 'position']);
  const rows = lines.map((line) => line.split(delimiter).map((part) => part.trim()));
  rows.forEach((row, i) => {
    if (row.length !== names.length)
      throw new Failure(`${path}: line ${i + 2} has ${row.length} cells, but the first line has ${names.length}`);
  });
  return {
    chromosomes: rows.map((row) => row[chromosome] as string),
    // What is no number is not drawn.
    positions: rows.map((row) => (row[position] === '' ? Number.NaN : Number(row[position]))),
  };
}

const options = {
  ...grouped('Report', {
    out: text('FILE.html', 'Where the report goes. Default: MODEL with .html after it.'),
    title: text('TEXT', 'Of the page. Default: the name of the model file.'),
    history: text('FILE', 'The history of the training. Default: MODEL.history.json, where it is.'),
    image,
    positions: text(
      'FILE',
      'Where inputs lie along chromosomes: a text with a header and then a line for each input, with columns chr and pos between tabs or commas.',
    ),
    data: text('FILE', 'Test data with answers, for the accuracy and for which classes are taken for which.'),
    json: flag('Print one JSON object.'),
  }),
  ...labelledOptions,
};

type ReportValues = Values<typeof options>;

export const report: Command = defineCommand({
  name: 'report',
  summary: 'Write a page that shows a network: curves, connections, degrees, weights',
  positionals: [{ name: 'MODEL', help: 'A file that setnet train has written.' }],
  notes: ['One HTML file that needs nothing else and can be passed on. The options of data are those of --data.'],
  options,
  examples: [
    'setnet report flowers.safetensors',
    'setnet report flowers.safetensors --data flowers.csv --label species --out flowers.html',
  ],
  answers: ({ json }) => json === true,
  async run(values, [model = ''], context) {
    const out = values.out ?? `${model}.html`;
    checkWritable(out, '--out');
    if (values.data === undefined && (values.label ?? values.labels) !== undefined)
      throw new UsageError('--label and --labels are of --data, which is missing');
    const net = await Network.load(model);
    const path = values.history ?? historyPath(model);
    const hasHistory = values.history !== undefined || existsSync(path);
    await net.report(out, {
      title: values.title ?? basename(model),
      ...(hasHistory ? { history: readHistory(path).history } : {}),
      ...(values.image === undefined ? {} : { image: values.image }),
      ...(values.positions === undefined ? {} : { positions: readPositions(values.positions) }),
      ...(values.data === undefined ? {} : { test: await readTest(net, values.data, values, context) }),
    });
    if (values.json) await context.write(`${JSON.stringify({ report: out, hasHistory })}\n`);
    else context.screen.line(`${out}${hasHistory ? '' : ` (without curves: there is no ${path})`}`);
  },
});

async function readTest(net: Network, path: string, values: ReportValues, context: Context): Promise<Dataset> {
  const facts = factsOf(net);
  const { x, y } = await readAnswered(path, values, facts, context);
  return { x, y: y as Targets };
}
