// `setnet train`: a network from a file of data.
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { checkSameDefinition } from '../checkpoint';
import type { Dataset } from '../data';
import { type NetworkOptions, readNetworkOptions } from '../definition';
import { SetnetError } from '../errors';
import type { FitOptions } from '../fit_options';
import { type HeldOut, holdOut } from '../hold_out';
import { Network, partsOf } from '../network';
import type { Evaluation, History } from '../types';
import { type CheckpointState, checkpointPath, quoted, readCheckpoint, removeCheckpoint } from './checkpoint_file';
import { type Command, type Context, defineCommand } from './command';
import {
  type DataTable,
  dataOptions,
  describeTable,
  missingOf,
  readAnswered,
  readData,
  unknownCells,
} from './data_file';
import { printEvaluations } from './evaluation_table';
import { Failure, Interrupted, UsageError } from './failure';
import { checkWritable } from './files';
import { historyPath, writeHistory } from './history_file';
import { peakBytes, residentBytes, restartPeak } from './memory';
import {
  checkNetworkValues,
  type DataFacts,
  fitOf,
  type Kind,
  kinds,
  networkOf,
  networkOptions,
} from './network_options';
import { choice, flag, grouped, number, text, type Values } from './options';
import { ProgressTable } from './progress_table';
import { image } from './report';
import { bytes, count, counted, duration, figure, percent, wrap } from './text';

const options = {
  ...dataOptions,
  ...grouped('Output', {
    out: text(
      'MODEL',
      'The file to write, such as model.safetensors. MODEL.history.json beside it keeps the history for reports.',
    ),
    test: text('FILE', 'Test data, as DATA: looked at only when training is done.'),
    'test-labels': text('FILE', 'The answers of the test data, where DATA has its answers in --labels.'),
    report: text('FILE.html', 'Also write a report to look at: see setnet report.'),
    image,
    json: flag('Print the result as one JSON object on stdout, everything else on stderr.'),
    quiet: flag('Print the result only, no progress.'),
  }),
  kind: choice(
    'KIND',
    () => kinds,
    'Of the hidden layers: sparse (default); masked, the same network computed as a dense one under a mask; dense.',
  ),
  ...networkOptions,
  ...grouped('Interrupting', {
    'checkpoint-every': number(
      'N',
      { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true },
      'Epochs between checkpoints, which are kept in MODEL.checkpoint until training is done; written every 5 seconds at most. 0: none. Default 1.',
    ),
    resume: flag(
      'Go on with the training that was interrupted, given the same command line otherwise: the model will be the same, to the bit.',
    ),
    restart: flag('Begin anew although a checkpoint is there.'),
  }),
};
options.kind = { ...options.kind, group: 'Network' };

type TrainValues = Values<typeof options>;

/**
 * Writing a checkpoint waits for the disk, some hundredths of a second: not after every epoch that takes no longer itself. Where
 * the process is killed, and not interrupted, as much work is lost.
 */
const checkpointSeconds = 5;

export const train: Command = defineCommand({
  name: 'train',
  summary: 'Train a network on a file of data and save it',
  positionals: [{ name: 'DATA', help: 'CSV (or with tabs or semicolons), NPY, NPZ, IDX or SVMlight; also gzipped.' }],
  notes: [
    'Without further options: a sparse hidden layer of 1,000 units that rewires itself after every epoch, inputs standardised, a tenth of the samples held out, and the network of the best epoch by them saved.',
    'Ctrl-C stops after the running step and keeps the checkpoint of the last finished epoch; the same command line with --resume goes on there. A second Ctrl-C ends at once.',
  ],
  options,
  examples: [
    'setnet train flowers.csv --label species --out flowers.safetensors',
    'setnet train flowers.csv --label species --out small.safetensors --hidden 100 --epochs 20',
  ],
  answers: ({ json }) => json === true,
  run: (values, [path = ''], context) => runTrain(values, path, context),
});

/** What came of a training, as --json prints it. */
export interface TrainResult {
  readonly model: string;
  readonly bytes: number;
  readonly kind: Kind;
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly classes?: readonly string[];
  readonly samples: { readonly training: number; readonly heldOut: number; readonly test: number };
  /** Of the network as it was made, and as it was saved. */
  readonly connections: { readonly trained: number; readonly saved: number };
  readonly epochs: number;
  readonly bestEpoch?: number;
  /** Which epoch's network was saved. */
  readonly savedEpoch: number;
  readonly finalRemoval: boolean;
  readonly heldOut?: Evaluation;
  readonly test?: Evaluation;
  readonly seconds: { readonly reading: number; readonly training: number; readonly perEpoch: number };
  /**
   * The most memory of the process while it trained: as a whole, and above what it had when training began (with the data).
   * `restarted`: whether reading the data is left out.
   */
  readonly memory: { readonly peak: number; readonly aboveData: number; readonly restarted: boolean };
  readonly history: string;
  readonly report?: string;
}

/** What is trained on. */
interface Prepared {
  readonly table: DataTable;
  readonly test: DataTable | undefined;
  readonly parts: { readonly training: Dataset; readonly validation?: Dataset };
  readonly facts: DataFacts;
  readonly seconds: number;
}

async function runTrain(values: TrainValues, path: string, context: Context): Promise<void> {
  const out = checkValues(values);
  const checkpoint = await openCheckpoint(values, out);
  const prepared = await prepare(values, path, context);
  const kind = values.kind ?? 'sparse';
  const { facts, parts } = prepared;
  const network = networkOf(values, kind, facts);
  const net = checkpoint === undefined ? await Network.create(network) : await loadCheckpoint(out, network);
  const fit: FitOptions = {
    ...fitOf(values, kind, facts),
    ...(parts.validation === undefined ? {} : { validation: parts.validation }),
    ...(values['checkpoint-every'] === 0
      ? {}
      : {
          checkpoint: {
            path: checkpointPath(out),
            everyEpochs: values['checkpoint-every'] ?? 1,
            everySeconds: checkpointSeconds,
          },
        }),
    resume: checkpoint !== undefined,
    signal: context.signal,
  };
  if (!values.quiet) describePlan(net, kind, fit, prepared, checkpoint, context);
  const isRestarted = await restartPeak();
  const before = residentBytes();
  const began = performance.now();
  const history = await follow(net, fit, parts.training, values, checkpoint, out, context);
  if (values['final-removal'] && history.final === undefined && fit.evolution !== null) await net.finalize();
  const training = (performance.now() - began) / 1000;
  const peak = peakBytes();
  const heldOut = parts.validation === undefined ? undefined : await net.evaluate(parts.validation, { metrics: 'all' });
  const test =
    prepared.test === undefined ? undefined : await net.evaluate(datasetOf(prepared.test), { metrics: 'all' });
  await net.save(out);
  writeHistory(historyPath(out), {
    format: 1,
    history,
    ...(heldOut === undefined ? {} : { heldOut }),
    ...(test === undefined ? {} : { test }),
  });
  if (values.report !== undefined) {
    const measured = prepared.test === undefined ? parts.validation : datasetOf(prepared.test);
    await net.report(values.report, {
      title: basename(out),
      history,
      ...(measured === undefined ? {} : { test: measured }),
      ...(values.image === undefined ? {} : { image: values.image }),
    });
  }
  const epochs = history.epochs.length;
  const timed = history.epochs.filter(({ seconds }) => seconds > 0);
  const result: TrainResult = {
    ...{ model: out, bytes: statSync(out).size, kind, rows: prepared.table.rows },
    ...{ inputs: net.inputs, outputs: net.outputs },
    ...(net.classes === undefined ? {} : { classes: net.classes }),
    samples: {
      training: facts.samples,
      heldOut: heldOut?.samples ?? 0,
      test: test?.samples ?? 0,
    },
    connections: { trained: history.connections.trained, saved: net.connections },
    epochs,
    ...(history.best === undefined ? {} : { bestEpoch: history.best.epoch }),
    savedEpoch: history.best?.restored ? history.best.epoch : epochs,
    finalRemoval: history.final !== undefined || values['final-removal'] === true,
    ...(heldOut === undefined ? {} : { heldOut }),
    ...(test === undefined ? {} : { test }),
    seconds: {
      reading: prepared.seconds,
      training,
      perEpoch: median(timed.map((epoch) => epoch.seconds + epoch.evolutionSeconds)),
    },
    memory: { peak, aboveData: Math.max(0, peak - before), restarted: isRestarted },
    history: historyPath(out),
    ...(values.report === undefined ? {} : { report: values.report }),
  };
  // The model is whole: nothing is left to go on with.
  removeCheckpoint(checkpointPath(out));
  if (values.json) await context.write(`${JSON.stringify(result)}\n`);
  else printResult(result, history, context);
}

/** The path of the model; throws UsageError or Failure. */
function checkValues(values: TrainValues): string {
  const { out } = values;
  if (out === undefined) throw new UsageError('--out is missing: --out model.safetensors, say');
  checkNetworkValues(values, values.target);
  if (values.image !== undefined && values.report === undefined)
    throw new UsageError('--image is of --report, which is missing');
  if (values['test-labels'] !== undefined && values.test === undefined)
    throw new UsageError('--test-labels is of --test, which is missing');
  if (values.resume && values.restart) throw new UsageError('--resume and --restart exclude each other');
  if (values.resume && values['checkpoint-every'] === 0)
    throw new UsageError('--resume goes on with checkpoints, but --checkpoint-every 0 keeps none');
  checkWritable(out, '--out');
  if (values.report !== undefined) checkWritable(values.report, '--report');
  return out;
}

/** The checkpoint to go on with. Throws where one is wanted and there is none, or the other way round. */
async function openCheckpoint({ resume, restart }: TrainValues, out: string): Promise<CheckpointState | undefined> {
  const path = checkpointPath(out);
  if (restart) return undefined;
  const state = await readCheckpoint(path);
  if (resume) {
    if (state !== undefined) return state;
    throw new Failure(`there is nothing to resume: ${path} is not there. Leave --resume out to begin`);
  }
  if (state === undefined || state.epoch === 0) return undefined;
  throw new Failure(
    `${path} is of a training that was interrupted after ${count(state.epoch)} of ${counted(state.epochs, 'epoch')}. --resume goes on with it; --restart begins anew and replaces it`,
  );
}

async function prepare(values: TrainValues, path: string, context: Context): Promise<Prepared> {
  const { screen } = context;
  const missing = missingOf(values);
  const timed = async (file: string, reading: () => Promise<DataTable>): Promise<[DataTable, number]> => {
    const began = performance.now();
    const read = await reading();
    const taken = (performance.now() - began) / 1000;
    if (!values.quiet) {
      screen.lines(wrap(describeTable(file, read, taken), screen.width));
      const unknown = unknownCells(read, missing);
      if (unknown > 0)
        screen.line(`${counted(unknown, 'number')} ${unknown === 1 ? 'is' : 'are'} unknown and count as the mean`);
    }
    return [read, taken];
  };
  const [table, seconds] = await timed(path, () => readData(path, values, context));
  const model = { ...table, missing, isRegression: table.classes === undefined };
  const { test: testPath } = values;
  const testValues = { ...values, labels: values['test-labels'] };
  const test =
    testPath === undefined
      ? undefined
      : (await timed(testPath, () => readAnswered(testPath, testValues, model, context)))[0];
  const fraction = values['hold-out'] ?? 0.1;
  const parts: HeldOut | { training: Dataset } =
    fraction === 0
      ? { training: datasetOf(table) }
      : holdOut(datasetOf(table), { fraction, seed: values.seed ?? 1n, reuse: true });
  const training = rowsOf(parts.training);
  return {
    table,
    test,
    parts,
    seconds,
    facts: {
      inputs: table.inputs,
      outputs: table.classes?.length ?? 1,
      isRegression: table.classes === undefined,
      ...(table.classes === undefined ? {} : { classes: table.classes }),
      ...(table.features === undefined ? {} : { features: table.features }),
      samples: training,
      heldOut: 'validation' in parts ? rowsOf(parts.validation) : 0,
      missing,
    },
  };
}

function datasetOf({ x, y }: DataTable): Dataset {
  if (y === undefined) throw new Failure('there are no answers to learn from');
  return { x, y };
}

function rowsOf({ x }: Dataset): number {
  const { shape, rows } = x as { shape?: readonly [number, number]; rows?: number };
  return shape?.[0] ?? rows ?? 0;
}

/** The network of the checkpoint, which must be the one that these options ask for. */
async function loadCheckpoint(out: string, wanted: NetworkOptions): Promise<Network> {
  const { definition } = readNetworkOptions(wanted, 'train');
  const net = await Network.load(checkpointPath(out), { threads: definition.spec.threads });
  const parts = partsOf(net, 'train');
  parts.dispose();
  checkSameDefinition(parts.definition, definition);
  return net;
}

/** Prints what will be done. */
function describePlan(
  net: Network,
  kind: Kind,
  fit: FitOptions,
  { facts, table }: Prepared,
  checkpoint: CheckpointState | undefined,
  { screen }: Context,
): void {
  const shape = [net.inputs, ...net.layers.map(({ units }) => units)].map(String).join('-');
  const cells = net.layers.reduce((sum, { inputs, units }) => sum + inputs * units, 0);
  const held = facts.heldOut;
  const { epochs = 0, batchSize = 0 } = fit;
  const texts = [
    `Network ${shape}, ${kind}: ${count(net.connections)} of ${count(cells)} possible connections (${percent(net.connections / cells)}), seed ${net.seed}`,
    `Training on ${counted(facts.samples, 'sample')}, ${held === 0 ? 'none' : count(held)} held out: ${counted(epochs, 'epoch')} in batches of ${count(batchSize)}, ${(fit.optimizer as { kind: string }).kind}`,
  ];
  for (const text of texts) screen.lines(wrap(text, screen.width));
  const scale = scaleNote(table);
  if (scale !== undefined) screen.lines(wrap(scale, screen.width));
  if (checkpoint !== undefined && checkpoint.epoch > 0) screen.line(`Going on after epoch ${count(checkpoint.epoch)}`);
  screen.line();
}

/** Numbers to predict that a network learns slowly, for they are far from 0 or from 1. */
function scaleNote({ y, classes }: DataTable): string | undefined {
  if (classes !== undefined || y === undefined) return undefined;
  const mean = sumOf(y, (value) => value) / y.length;
  const deviation = Math.sqrt(sumOf(y, (value) => (value - mean) ** 2) / y.length);
  if (deviation === 0) return 'Note: all numbers to predict are the same.';
  if (deviation > 0.1 && deviation < 10 && Math.abs(mean) < 10) return undefined;
  return `Note: the numbers to predict have the mean ${figure(mean)} and the standard deviation ${figure(deviation)}. A network learns them well only if both are near 0 and 1: subtract and divide before.`;
}

function sumOf(numbers: Iterable<number>, term: (value: number) => number): number {
  let sum = 0;
  for (const value of numbers) sum += term(value);
  return sum;
}

/** Trains and shows it. */
async function follow(
  net: Network,
  fit: FitOptions,
  data: Dataset,
  values: TrainValues,
  checkpoint: CheckpointState | undefined,
  out: string,
  { screen, typed }: Context,
): Promise<History> {
  const table = new ProgressTable(screen, {
    epochs: fit.epochs as number,
    firstEpoch: (checkpoint?.epoch ?? 0) + 1,
    hasAccuracy: fit.loss !== 'meanSquaredError',
    hasValidation: fit.validation !== undefined,
  });
  try {
    const training = net.fit(data, {
      ...fit,
      ...(values.quiet ? {} : { onProgress: (progress) => table.progress(progress) }),
    });
    for await (const epoch of training) if (!values.quiet) table.epoch(epoch);
    return await training.done;
  } catch (error) {
    if (!(error instanceof Interrupted)) {
      await dropUseless(out);
      throw error;
    }
    if (values['checkpoint-every'] === 0) throw new Interrupted('interrupted; without checkpoints nothing is kept');
    throw new Interrupted(await keepInterrupted(net, out, typed));
  } finally {
    screen.clear();
  }
}

/** A training that failed before its first epoch was done leaves nothing to go on with. */
async function dropUseless(out: string): Promise<void> {
  const path = checkpointPath(out);
  const state = await readCheckpoint(path).catch(() => undefined);
  if (state?.epoch === 0) removeCheckpoint(path);
}

/** Writes what an interrupted training can go on with, and says how. */
async function keepInterrupted(net: Network, out: string, typed: readonly string[]): Promise<string> {
  const path = checkpointPath(out);
  try {
    await net.save(path, { training: true });
  } catch (error) {
    if (!(error instanceof SetnetError && error.code === 'ERR_SETNET_STATE')) throw error;
    return 'interrupted before training began; there is nothing to keep';
  }
  const { epoch, epochs } = (await readCheckpoint(path)) as CheckpointState;
  const others = typed.filter((argument) => argument !== '--restart' && argument !== '--resume');
  const command = ['setnet', ...others, '--resume'].map(quoted).join(' ');
  return `interrupted after epoch ${count(epoch)} of ${count(epochs)}, whose checkpoint is kept in ${path}. Go on with\n  ${command}`;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2;
}

function printResult(result: TrainResult, history: History, { screen }: Context): void {
  const { heldOut, test, seconds, memory, connections, savedEpoch, epochs } = result;
  screen.line();
  const which =
    history.best?.restored === true
      ? `that of epoch ${count(savedEpoch)}, the best by the samples held out`
      : `that of the last epoch, ${count(epochs)}`;
  const early = history.stoppedEarly ? `; ended early after ${counted(epochs, 'epoch')}` : '';
  const removal = result.finalRemoval
    ? `, after the final removal: ${count(connections.saved)} of ${count(connections.trained)} connections are left`
    : '';
  screen.lines(wrap(`Saved ${result.model} (${bytes(result.bytes)}): ${which}${early}${removal}.`, screen.width));
  const evaluations = [
    ...(heldOut === undefined ? [] : [{ name: 'held out', evaluation: heldOut }]),
    ...(test === undefined ? [] : [{ name: 'test', evaluation: test }]),
  ];
  if (evaluations.length > 0) {
    screen.line();
    printEvaluations(evaluations, screen);
  }
  screen.line();
  if (result.report !== undefined) screen.line(`Report: ${result.report}`);
  screen.line(
    screen.dim(
      `${duration(seconds.training)} of training, ${duration(seconds.perEpoch)} an epoch; peak memory ${bytes(memory.peak)}`,
    ),
  );
}
