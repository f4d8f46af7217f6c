// `setnet train`: a network from a file of data.
import { basename } from 'node:path';
import { checkSameDefinition } from '../checkpoint';
import type { Dataset } from '../data';
import { type NetworkOptions, readNetworkOptions } from '../definition';
import { SetnetError } from '../errors';
import type { FitOptions } from '../fit_options';
import { Network, partsOf } from '../network';
import { count, counted, percent, quoted, wrap } from '../text';
import type { History } from '../types';
import { type CheckpointState, checkpointPath, readCheckpoint, removeCheckpoint } from './checkpoint_file';
import { type Command, type Context, defineCommand } from './command';
import { dataOptions } from './data_file';
import { Failure, Interrupted, UsageError } from './failure';
import { checkWritable } from './files';
import { historyPath, writeHistory } from './history_file';
import { peakBytes, residentBytes, restartPeak } from './memory';
import { checkNetworkValues, fitOf, type Kind, kinds, networkOf, networkOptions } from './network_options';
import { choice, flag, grouped, number, text, type Values } from './options';
import { ProgressTable } from './progress_table';
import { image } from './report';
import { datasetOf, type Prepared, prepare, scaleNote } from './train_data';
import { printResult, resultOf } from './train_result';

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
  // fit removes nothing where it ended early.
  const removesByHand = values['final-removal'] === true && history.final === undefined && fit.evolution !== null;
  if (removesByHand) await net.finalize();
  const training = (performance.now() - began) / 1000;
  const peak = peakBytes();
  const heldOut = parts.validation === undefined ? undefined : await net.evaluate(parts.validation, { metrics: 'all' });
  const test =
    prepared.test === undefined ? undefined : await net.evaluate(datasetOf(prepared.test), { metrics: 'all' });
  await net.save(out);
  await writeHistory(historyPath(out), {
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
  const result = resultOf(out, kind, prepared, net, history, {
    ...(heldOut === undefined ? {} : { heldOut }),
    ...(test === undefined ? {} : { test }),
    ...(values.report === undefined ? {} : { report: values.report }),
    finalRemoval: history.final !== undefined || removesByHand,
    training,
    memory: { peak, aboveData: Math.max(0, peak - before), restarted: isRestarted },
  });
  // The model is whole: nothing is left to go on with.
  removeCheckpoint(checkpointPath(out));
  if (values.json) await context.write(`${JSON.stringify(result)}\n`);
  else printResult(result, history, context.screen);
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
    `Network ${shape}, ${kind}, ${net.layers[0]?.activation}: ${count(net.connections)} of ${count(cells)} possible connections (${percent(net.connections / cells)}), seed ${net.seed}`,
    `Training on ${counted(facts.samples, 'sample')}, ${held === 0 ? 'none' : count(held)} held out: ${counted(epochs, 'epoch')} in batches of ${count(batchSize)}, ${(fit.optimizer as { kind: string }).kind}`,
  ];
  for (const text of texts) screen.lines(wrap(text, screen.width));
  const scale = scaleNote(table);
  if (scale !== undefined) screen.lines(wrap(scale, screen.width));
  if (checkpoint !== undefined && checkpoint.epoch > 0) screen.line(`Going on after epoch ${count(checkpoint.epoch)}`);
  screen.line();
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
