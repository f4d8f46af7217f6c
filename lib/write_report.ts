// Several runs in one report.
import { SetnetError } from './errors';
import { type Network, partsOf } from './network';
import { describe, readNumber, readOptions, readPath, typeError } from './options';
import { readHistory } from './report/history_data';
import { type ReportMapOptions, readMap, readTitle } from './report/options';
import type { RunSource } from './report/report';
import { checkDistinct, readEvaluation } from './report/run_data';
import type { Evaluation, FileUrl, HistoryData } from './types';

/** One of the runs that a report compares. What is absent is not shown. */
export interface ReportRun {
  /** Of the run, as tables and charts have it: 'sparse', 'masked'. */
  readonly name: string;
  /** As it is now; while it trains, as at the end of the last finished epoch. */
  readonly network?: Network;
  /** Of its fit, also as JSON has it. */
  readonly history?: HistoryData;
  /** On test data, as `evaluate` answers it, with the metric 'confusion' for the confusion matrix. */
  readonly evaluation?: Evaluation;
  /** Of the training. Default: the sum of the history's epochs and evolutions. */
  readonly seconds?: number;
  /** The most memory that the training took, in bytes. */
  readonly memoryBytes?: number;
}

/** Options of {@link writeReport}. */
export interface RunsReportOptions extends ReportMapOptions {
  /** Default: the names of the runs. */
  readonly title?: string;
  /** At least one. */
  readonly runs: readonly ReportRun[];
}

const runFields = ['name', 'network', 'history', 'evaluation', 'seconds', 'memoryBytes'] as const;

type Parts = ReturnType<typeof partsOf>;

function readRun(value: unknown, where: string, open: (parts: Parts) => Parts): RunSource {
  const run = readOptions(value, where, runFields);
  const limits = { min: 0, max: Number.MAX_VALUE };
  const name = readTitle(run.name, `${where}.name`);
  if (name === undefined) throw typeError(`${where}.name is missing`);
  return {
    name,
    history: run.history === undefined ? undefined : readHistory(run.history, `${where}.history`),
    evaluation: readEvaluation(run.evaluation, `${where}.evaluation`),
    seconds: run.seconds === undefined ? undefined : readNumber(run.seconds, `${where}.seconds`, limits),
    memoryBytes:
      run.memoryBytes === undefined ? undefined : readNumber(run.memoryBytes, `${where}.memoryBytes`, limits),
    source: run.network === undefined ? undefined : open(partsOf(run.network as Network, `${where}.network`)),
  };
}

/**
 * Writes one HTML file that compares runs: a table and charts of accuracy against connections, time and memory, the learning
 * curves of all, then inputs, degrees, weights and record of each network. It needs nothing else, and is written atomically,
 * through symbolic links. Networks are read as they are at the call.
 *
 * Errors (rejections): `ERR_SETNET_IO`; `ERR_SETNET_STATE` where a network was disposed; `ERR_SETNET_OPTION`, `ERR_SETNET_TYPE`;
 * `ERR_SETNET_SHAPE` where `image` or `positions` do not fit the inputs; `ERR_SETNET_MEMORY`.
 */
export async function writeReport(path: string | FileUrl, options: RunsReportOptions): Promise<void> {
  const where = 'writeReport';
  const file = readPath(path, `${where}: path`);
  if (options === undefined) throw typeError(`${where} needs { runs }`);
  const read = readOptions(options, `${where}: options`, ['title', 'runs', 'image', 'positions']);
  const title = readTitle(read.title, `${where}: title`);
  if (!Array.isArray(read.runs)) throw typeError(`${where}: runs must be an array of runs, not ${describe(read.runs)}`);
  if (read.runs.length === 0) throw new SetnetError('ERR_SETNET_OPTION', `${where}: runs must have at least one run`);
  const opened: Parts[] = [];
  const open = (parts: Parts) => {
    opened.push(parts);
    return parts;
  };
  try {
    const runs = read.runs.map((run: unknown, i) => readRun(run, `${where}: runs[${i}]`, open));
    checkDistinct(
      runs.map(({ name }) => name),
      `${where}: runs`,
    );
    const { reportRuns } = require('./report/report') as typeof import('./report/report');
    await reportRuns(runs, file, title, readMapOfAll(read, opened, where));
  } finally {
    for (const parts of opened) parts.dispose();
  }
}

/** The map must fit the inputs of every network. */
function readMapOfAll(options: { image?: unknown; positions?: unknown }, networks: readonly Parts[], where: string) {
  const inputs = networks.map(({ definition }) => definition.spec.inputs);
  let map = readMap(options, inputs[0], where);
  for (const one of inputs.slice(1)) map = readMap(options, one, where);
  return map;
}
