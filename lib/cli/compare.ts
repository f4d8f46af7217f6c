// `setnet compare`: sparse, masked and dense networks on the same data, each trained in a process of its own.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Network } from '../network';
import { bytes, count, duration, figure, percent, table, wrap } from '../text';
import type { Evaluation } from '../types';
import { writeReport } from '../write_report';
import { checkpointPath } from './checkpoint_file';
import { type Command, type Context, defineCommand } from './command';
import { dataOptions } from './data_file';
import { exitCodes, Failure, Interrupted, UsageError } from './failure';
import { checkWritable } from './files';
import { readHistory } from './history_file';
import { checkNetworkValues, type Kind, kinds, networkOptions } from './network_options';
import { flag, grouped, type Option, text, type Values } from './options';
import { image } from './report';
import type { TrainResult } from './train_result';

const kindList: Option<readonly Kind[]> = {
  value: 'KIND,...',
  help: 'What to compare, of sparse, masked and dense, with commas between. Default: all three.',
  read: (given, where) => {
    const names = given.split(',').map((name) => name.trim());
    const wrong = names.find((name) => !kinds.includes(name as Kind));
    if (wrong !== undefined) throw new UsageError(`${where}: there is no '${wrong}'. There is ${kinds.join(', ')}.`);
    return [...new Set(names)] as Kind[];
  },
};

/** What compare says to train, by name. */
const own = grouped('Output', {
  kinds: kindList,
  out: text('FOLDER', 'Keep the models there, as sparse.safetensors and so on. Default: they are not kept.'),
  report: text('FILE.html', 'Also write a page that shows the networks side by side.'),
  image,
  json: flag('Print one JSON object on stdout, everything else on stderr.'),
  quiet: flag('Print the result only, no progress.'),
});

/** What both take. */
const shared = {
  ...dataOptions,
  ...grouped('Data', {
    test: text('FILE', 'Test data, as DATA. Without it what is compared is the accuracy on the samples held out.'),
    'test-labels': text('FILE', 'The answers of the test data, where DATA has its answers in --labels.'),
  }),
  ...networkOptions,
};

const options = { ...own, ...shared };

type CompareValues = Values<typeof options>;

export const compare: Command = defineCommand({
  name: 'compare',
  summary: 'Train sparse, masked and dense networks on the same data, side by side',
  positionals: [{ name: 'DATA', help: 'As for setnet train.' }],
  notes: [
    'sparse: what setnet train makes. masked: the same network computed as a dense one under a mask, as a library without sparse layers does; it comes to the same bits. dense: the same layers with every connection. Same samples, same seed, same settings, one after the other, each in a process of its own, so that its peak memory is its own.',
  ],
  options,
  examples: ['setnet compare flowers.csv --label species --hidden 100 --epochs 20 --report compared.html'],
  answers: ({ json }) => json === true,
  async run(values, [path = ''], context) {
    checkNetworkValues(values, values.target);
    if (values.report !== undefined) checkWritable(values.report, '--report');
    if (values.out !== undefined) mkdirSync(values.out, { recursive: true });
    const folder = values.out ?? mkdtempSync(join(tmpdir(), 'setnet-'));
    try {
      const results: TrainResult[] = [];
      for (const kind of values.kinds ?? kinds) {
        if (!values.quiet) context.screen.lines([...(results.length > 0 ? [''] : []), context.screen.bold(kind)]);
        results.push(await trainApart(path, kind, join(folder, `${kind}.safetensors`), values, context));
      }
      if (values.report !== undefined) await writePage(values.report, path, results, values);
      if (values.json) await context.write(`${JSON.stringify({ data: path, runs: results, report: values.report })}\n`);
      else printComparison(results, values, context);
    } finally {
      if (values.out === undefined) rmSync(folder, { recursive: true, force: true });
    }
  },
});

/** The arguments of train that say the same. */
function trainArguments(path: string, kind: Kind, model: string, context: Context, values: CompareValues): string[] {
  const given = context.given.filter(([name]) => Object.hasOwn(shared, name));
  return [
    ...['train', `--kind=${kind}`, `--out=${model}`, '--checkpoint-every=0', '--json'],
    ...(values.quiet ? ['--quiet'] : []),
    ...given.map(([name, value]) => (value === '' ? `--${name}` : `--${name}=${value}`)),
    ...['--', path],
  ];
}

/** Trains one of them in a process of its own; what that shows goes to the same terminal. */
function trainApart(
  path: string,
  kind: Kind,
  model: string,
  values: CompareValues,
  context: Context,
): Promise<TrainResult> {
  const { signal } = context;
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const program = [join(__dirname, 'main.js'), ...trainArguments(path, kind, model, context, values)];
    const child = spawn(process.execPath, ['--expose-gc', ...program], { stdio: ['ignore', 'pipe', 'inherit'] });
    // Ctrl-C reaches it by itself; a signal that was sent to this process alone does not.
    const stop = () => child.kill('SIGTERM');
    signal.addEventListener('abort', stop);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      output += part;
    });
    child.on('error', (error) => reject(new Failure(`node cannot be started: ${error.message}`)));
    child.on('close', (code, killedBy) => {
      signal.removeEventListener('abort', stop);
      rmSync(checkpointPath(model), { force: true });
      if (signal.aborted || code === exitCodes.interrupted) reject(new Interrupted(''));
      else if (code === 0) resolve(JSON.parse(output) as TrainResult);
      // What was wrong has been said by the process itself; so has an interruption.
      else if (code === exitCodes.usage) reject(new UsageError(''));
      else if (killedBy === null) reject(new Failure(''));
      else reject(new Failure(`the training of the ${kind} network was ended by ${killedBy}; is there enough memory?`));
    });
  });
}

/** Of the test data where there are some. */
function measured({ test, heldOut }: TrainResult): Evaluation | undefined {
  return test ?? heldOut;
}

function printComparison(results: readonly TrainResult[], values: CompareValues, { screen }: Context): void {
  const where = values.test === undefined ? 'held out' : 'test';
  const isRegression = results.every((result) => measured(result)?.accuracy === undefined);
  const header = [
    '',
    isRegression ? `loss, ${where}` : `accuracy, ${where}`,
    'connections',
    's/epoch',
    'memory',
    'file',
  ];
  const rows = results.map((result) => {
    const evaluation = measured(result);
    const score =
      evaluation === undefined
        ? '-'
        : evaluation.accuracy === undefined
          ? figure(evaluation.loss)
          : percent(evaluation.accuracy, 2);
    return [
      result.kind,
      score,
      count(result.connections.saved),
      duration(result.seconds.perEpoch).replace(/ s$/, ''),
      bytes(result.memory.aboveData),
      bytes(result.bytes),
    ];
  });
  const [head = '', ...lines] = table([header, ...rows]);
  screen.lines(['', screen.bold(head), ...lines, '']);
  const loading = results.every(({ memory }) => memory.restarted)
    ? 'what each process had at most while it trained, above what it had with the data loaded'
    : 'what each process had at most, above what it had with the data loaded; this system cannot leave the loading itself out';
  const note = `Seconds are the median over the epochs, evolution included, validation not. Memory: ${loading} (${results.map(({ memory }) => bytes(memory.peak - memory.aboveData)).join(', ')}).`;
  screen.lines(wrap(note, screen.width).map((line) => screen.dim(line)));
  if (values.report !== undefined) screen.lines(['', `Page: ${values.report}`]);
  if (values.out !== undefined) screen.line(`Models: ${values.out}`);
}

async function writePage(
  page: string,
  path: string,
  results: readonly TrainResult[],
  values: CompareValues,
): Promise<void> {
  const runs = [];
  for (const result of results) {
    const evaluation = measured(result);
    runs.push({
      name: result.kind,
      network: await Network.load(result.model),
      history: readHistory(result.history).history,
      ...(evaluation === undefined ? {} : { evaluation }),
      seconds: result.seconds.training,
      memoryBytes: result.memory.aboveData,
    });
  }
  await writeReport(page, {
    title: `${basename(path)}: ${results.map(({ kind }) => kind).join(', ')}`,
    runs,
    ...(values.image === undefined ? {} : { image: values.image }),
  });
  for (const { network } of runs) network.dispose();
}
