// Reports: of a history, of a network, of several runs. What is read comes in, one HTML file goes out.
import { readOptions, readPath } from '../options';
import type { Evaluation, FileUrl, HistoryData } from '../types';
import { writeWhole } from '../whole_file';
import { type ColouredRun, comparisonSection, quantityOf } from './comparison_section';
import { confusionSection } from './confusion_section';
import { degreesSection } from './degrees_section';
import { evolutionSection } from './evolution_section';
import { count, duration, percent, plural, significant } from './format';
import { readHistory } from './history_data';
import { inputsSection } from './inputs_section';
import { learningSection } from './learning_section';
import { type ReportedNetwork, type ReportSource, readNetwork, shapeText } from './network_data';
import { type ReadMap, type ReadReportOptions, readTitle } from './options';
import { page, paragraph, section } from './page';
import { recordSection, writtenWith } from './record_section';
import { type ReportedRun, type Result, resultOf, secondsOf, sizesOf } from './run_data';
import { seriesColours } from './style';
import { weightsSection } from './weights_section';

function coloured(runs: readonly ReportedRun[]): ColouredRun[] {
  return runs.map((run, i) => ({ ...run, colour: (i % seriesColours) + 1 }));
}

function resultText(result: Result | undefined): string {
  if (result === undefined) return '';
  const data = { test: 'test', removal: 'validation', validation: 'validation', training: 'training' }[result.source];
  if (Number.isFinite(result.accuracy)) return `${percent(result.accuracy)} of the ${data} samples right`;
  return Number.isFinite(result.loss) ? `a loss of ${significant(result.loss)} on the ${data} data` : '';
}

function joined(parts: readonly string[]): string {
  const text = parts.filter((part) => part !== '').join(', ');
  return text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function sizeText(network: ReportedNetwork): string {
  const { info, layers } = network;
  const cells = layers.reduce((sum, { inputs, units }) => sum + inputs * units, 0);
  const possible = `${count(info.connections)} of ${count(cells)} possible connections (${percent(info.connections / cells)})`;
  return `A network ${shapeText(network.definition)} with ${possible}.`;
}

function leadOf(run: ReportedRun): string {
  const { network, history } = run;
  const sizes = sizesOf(run);
  const trained =
    sizes === undefined || sizes.trained === sizes.deployed ? '' : `${count(sizes.trained)} connections in training`;
  const seconds = secondsOf(run);
  const epochs = history === undefined || history.epochs.length === 0 ? '' : plural(history.epochs.length, 'epoch');
  const time = seconds === undefined ? '' : `${duration(seconds)} of training`;
  return [network === undefined ? '' : sizeText(network), joined([resultText(resultOf(run)), epochs, time, trained])]
    .filter((text) => text !== '')
    .join(' ');
}

/** The sections that are about one network; `hasWiring`: with those that tell of its connections. */
async function networkSections(run: ReportedRun, map: ReadMap, part: boolean, hasWiring = true): Promise<string[]> {
  const { network, history, evaluation } = run;
  const confusion = evaluation?.confusion ?? history?.confusion;
  const of = evaluation?.confusion === undefined ? 'On the validation data' : 'On the test data';
  const answers = confusion === undefined ? '' : confusionSection(confusion, of, part);
  if (network === undefined) return [answers];
  return [
    hasWiring ? inputsSection(network, map, part) : '',
    hasWiring ? await degreesSection(network, part) : '',
    weightsSection(network, part),
    answers,
    recordSection(network, part),
  ];
}

/** Learning curves alone. Errors (rejections): as `History.report`. */
export async function reportHistory(history: HistoryData, path: string | FileUrl, options: unknown): Promise<void> {
  const where = 'history.report';
  const file = readPath(path, `${where}: path`);
  const { title } = readOptions(options, `${where}: options`, ['title']);
  const named = readTitle(title, `${where}: title`) ?? 'Learning curves';
  const read = readHistory(history, where);
  const run: ReportedRun = {
    name: 'run',
    network: undefined,
    history: read,
    evaluation: undefined,
    seconds: undefined,
    memoryBytes: undefined,
  };
  const runs = coloured([run]);
  const sections = [
    learningSection(runs),
    evolutionSection(runs),
    ...(await networkSections(run, { image: undefined, positions: undefined }, false)),
  ];
  const nothing = section({
    title: 'Learning',
    content: [paragraph('No epoch was finished: there is nothing to show.')],
  });
  const shown = sections.filter((markup) => markup !== '');
  const html = page({
    title: named,
    lead: leadOf(run),
    sections: shown.length === 0 ? [nothing] : shown,
    footer: writtenWith(undefined),
  });
  await writeWhole(file, html);
}

/** One network. `evaluation` is of the test data, where there are any. */
export async function reportNetwork(
  source: ReportSource,
  file: string,
  options: ReadReportOptions,
  evaluation: Evaluation | undefined,
): Promise<void> {
  const network = await readNetwork(source);
  const { history } = options;
  const title = options.title ?? `Network ${shapeText(source.definition)}`;
  const run: ReportedRun = { name: title, network, history, evaluation, seconds: undefined, memoryBytes: undefined };
  const runs = coloured([run]);
  const sections = [learningSection(runs), evolutionSection(runs), ...(await networkSections(run, options, false))];
  const html = page({
    title,
    lead: leadOf(run),
    sections: sections.filter((markup) => markup !== ''),
    footer: writtenWith(source.definition.spec.threads),
  });
  await writeWhole(file, html);
}

/** A run, its network still to be read. */
export interface RunSource extends Omit<ReportedRun, 'network'> {
  readonly source: ReportSource | undefined;
}

function runsLead(runs: readonly ColouredRun[]): string {
  const quantity = quantityOf(runs);
  const parts = runs.flatMap((run) => {
    const result = resultOf(run);
    const value = result?.[quantity];
    if (value === undefined || !Number.isFinite(value)) return [];
    const sizes = sizesOf(run);
    const size = sizes === undefined ? '' : ` with ${plural(sizes.deployed, 'connection')}`;
    return [`${run.name} ${quantity === 'accuracy' ? percent(value) : significant(value)}${size}`];
  });
  return parts.length === 0
    ? `${plural(runs.length, 'run')}.`
    : `${quantity === 'accuracy' ? 'Accuracy' : 'Loss'}: ${parts.join('; ')}.`;
}

/** Several runs side by side, then each network by itself. Networks that are wired alike are drawn once. */
export async function reportRuns(
  sources: readonly RunSource[],
  file: string,
  title: string | undefined,
  map: ReadMap,
): Promise<void> {
  const read: ReportedRun[] = [];
  for (const { source, ...run } of sources)
    read.push({ ...run, network: source === undefined ? undefined : await readNetwork(source) });
  const runs = coloured(read);
  const sections = [comparisonSection(runs), learningSection(runs), evolutionSection(runs)];
  const drawn = new Map<string, string>();
  for (const run of runs) {
    const { network, name } = run;
    const digest = network?.info.topologyDigest;
    const same = digest === undefined ? undefined : drawn.get(digest);
    if (digest !== undefined && same === undefined) drawn.set(digest, name);
    const content = await networkSections(run, map, true, same === undefined);
    const shown = content.filter((markup) => markup !== '');
    if (shown.length === 0) continue;
    const intro = network === undefined ? undefined : sizeText(network);
    const wired =
      same === undefined
        ? []
        : [paragraph(`Wired exactly as ${same} (the same topology digest): see its inputs and degrees there.`)];
    sections.push(section({ title: name, ...(intro === undefined ? {} : { intro }), content: [...wired, ...shown] }));
  }
  const html = page({
    title: title ?? runs.map(({ name }) => name).join(', '),
    lead: runsLead(runs),
    sections: sections.filter((markup) => markup !== ''),
    footer: writtenWith(runs.find(({ network }) => network !== undefined)?.network?.definition.spec.threads),
  });
  await writeWhole(file, html);
}
