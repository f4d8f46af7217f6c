// What came of `setnet train`, as an object and in words.
import { statSync } from 'node:fs';
import type { Network } from '../network';
import { bytes, count, counted, duration, wrap } from '../text';
import type { Evaluation, History } from '../types';
import { printEvaluations } from './evaluation_table';
import { historyPath } from './history_file';
import type { Kind } from './network_options';
import type { Screen } from './screen';
import type { Prepared } from './train_data';

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

/** What was measured. */
export interface Measured extends Pick<TrainResult, 'heldOut' | 'test' | 'report' | 'finalRemoval' | 'memory'> {
  /** Seconds of training. */
  readonly training: number;
}

/** `model`: the file, which is there. */
export function resultOf(
  model: string,
  kind: Kind,
  { table, facts, seconds }: Prepared,
  net: Network,
  history: History,
  { training, ...measured }: Measured,
): TrainResult {
  const { inputs, outputs, classes } = net;
  const epochs = history.epochs.length;
  // Of epochs before an interruption nobody knows the times.
  const timed = history.epochs.filter((epoch) => epoch.seconds > 0);
  return {
    ...{ model, bytes: statSync(model).size, kind, rows: table.rows, inputs, outputs },
    ...(classes === undefined ? {} : { classes }),
    samples: { training: facts.samples, heldOut: facts.heldOut, test: measured.test?.samples ?? 0 },
    connections: { trained: history.connections.trained, saved: net.connections },
    epochs,
    ...(history.best === undefined ? {} : { bestEpoch: history.best.epoch }),
    savedEpoch: history.best?.restored ? history.best.epoch : epochs,
    seconds: {
      reading: seconds,
      training,
      perEpoch: median(timed.map((epoch) => epoch.seconds + epoch.evolutionSeconds)),
    },
    history: historyPath(model),
    ...measured,
  };
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2;
}

/** The result in words. */
export function printResult(result: TrainResult, history: History, screen: Screen): void {
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
