// What a model file says beside its tensors: one JSON string with the definition, the counters and the run record. It holds
// nothing that two equal runs could differ in: no time, host, path, thread count or instruction set.
import { isDeepStrictEqual } from 'node:util';
import { type Definition, makeDefinition, readLayers } from './definition';
import { SetnetError } from './errors';
import { maxUnits } from './layers/definition';
import type { NativeFitOptions, NativeLayerSpec, NativeModelState, NativeNetworkInfo, NativeScaling } from './native';
import { describe, readBoolean, readName, readNumber, readOptions } from './options';
import { evolutionObject, readEvolution } from './rules/evolution';
import { readLoss } from './rules/loss';
import { readOptimizer } from './rules/optimizer';
import { ruleObject } from './rules/table';
import { readStopRule, stopOptions } from './stop_rule';

/** The version of this format; a reader refuses others. */
const formatVersion = 1;

/** One fit of a network's life, as users would write it: the options that change results. */
export interface FitRecord {
  readonly samples: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly loss: object;
  readonly optimizer: object;
  readonly evolution: object | null;
  readonly earlyStopping?: object;
  readonly restoreBest?: string;
}

/** Evolutions by hand, between fits. */
export interface HandRecord {
  /** Its number in the network's life, from 1, as decimal digits. */
  readonly evolution: string;
  readonly kind: 'evolve' | 'finalize';
  /** `finalize`: zeta alone. */
  readonly options: object;
}

/** What a network's life so far leaves in its files beside the engine's counters. */
export interface RunRecord {
  /** Fits that began, in order; equal ones in a row are counted once. */
  readonly fits: readonly { readonly times: number; readonly options: FitRecord }[];
  readonly byHand: readonly HandRecord[];
  /** Connections while training; null where the network was never fitted. */
  readonly trainedConnections: number | null;
}

export const emptyRecord: RunRecord = Object.freeze({ fits: [], byHand: [], trainedConnections: null });

export function fitRecord(options: NativeFitOptions, samples: number): FitRecord {
  const { epochs, batchSize, loss, optimizer, learningRate, warmup, evolution, stopRule } = options;
  return {
    samples,
    epochs,
    batchSize,
    loss: ruleObject('losses', loss),
    optimizer: {
      ...ruleObject('optimizers', optimizer),
      learningRate: { ...ruleObject('schedules', learningRate), warmup },
    },
    evolution: evolution === null ? null : evolutionObject(evolution),
    ...stopOptions(stopRule),
  };
}

/** The record with one more fit. */
export function addFit(record: RunRecord, options: FitRecord, trainedConnections: number): RunRecord {
  const fits = [...record.fits];
  const last = fits.at(-1);
  if (last !== undefined && isDeepStrictEqual(last.options, options))
    fits[fits.length - 1] = { ...last, times: last.times + 1 };
  else fits.push({ times: 1, options });
  return { ...record, fits, trainedConnections };
}

/** The record with one more evolution by hand. */
export function addByHand(record: RunRecord, made: HandRecord): RunRecord {
  return { ...record, byHand: [...record.byHand, made] };
}

/** The base zeta of the last fit that evolved. */
export function lastZeta({ fits }: RunRecord): number | undefined {
  const last = fits.filter(({ options }) => options.evolution !== null).at(-1);
  return last === undefined ? undefined : readEvolution(last.options.evolution, 'evolution').zeta;
}

function layerObject(layer: NativeLayerSpec): object {
  const { kind, units, activation, initializer, dropout, bias } = layer;
  const common = {
    kind,
    units,
    activation: ruleObject('activations', activation),
    initializer: ruleObject('initializers', initializer),
    dropout,
    bias,
  };
  if (kind === 'dense') return common;
  const { epsilon, density, connections, draw, evolve, zeta } = layer;
  return {
    ...common,
    // A layer that was made from a matrix was not drawn.
    ...(connections === undefined ? { ...(density === undefined ? { epsilon } : { density }), draw } : { connections }),
    evolve,
    ...(zeta === undefined ? {} : { zeta }),
  };
}

/** `info` and the file's tensors must be of one state: both of the same snapshot. */
export function writeMetadata(definition: Definition, info: NativeNetworkInfo, record: RunRecord): string {
  return JSON.stringify(metadataObject(definition, stateOf(info), record, info.topologyDigest));
}

function stateOf({ step, epoch, evolution, loss, finalised, scaling }: NativeNetworkInfo): NativeModelState {
  return { step, epoch, evolution, loss, finalised, scalingKnown: scaling.known };
}

function metadataObject(
  { spec, classes, features }: Definition,
  state: NativeModelState,
  record: RunRecord,
  topologyDigest: string,
): object {
  const { kind, missing } = spec.scaling;
  return {
    format: formatVersion,
    definition: { inputs: spec.inputs, seed: String(spec.seed), layers: spec.layers.map(layerObject) },
    ...(classes === undefined ? {} : { classes }),
    ...(features === undefined ? {} : { features }),
    scaling: { kind, known: state.scalingKnown, ...(missing === undefined ? {} : { missing: numberText(missing) }) },
    counters: { step: String(state.step), epoch: String(state.epoch), evolution: String(state.evolution) },
    loss: state.loss,
    finalised: state.finalised,
    run: { fits: record.fits, byHand: record.byHand, trainedConnections: record.trainedConnections, topologyDigest },
  };
}

/** JSON knows no NaN, no infinity and no -0. */
function numberText(value: number): number | string {
  return Number.isFinite(value) && !Object.is(value, -0) ? value : Object.is(value, -0) ? '-0' : String(value);
}

export interface Metadata {
  definition: Definition;
  state: NativeModelState;
  record: RunRecord;
  topologyDigest: string;
}

function formatError(message: string): SetnetError {
  return new SetnetError('ERR_SETNET_FORMAT', `the model file's metadata: ${message}`);
}

/** What the readers of options refuse is a wrong format here. */
function asFormat<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SetnetError && /OPTION|TYPE|SHAPE|DATA|NONFINITE/.test(error.code))
      throw formatError(error.message);
    throw error;
  }
}

/** Reads what writeMetadata wrote. Trusts nothing: every field is checked, and nothing may be missing or unknown. */
export function readMetadata(json: string, threads: number): Metadata {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw formatError('not JSON');
  }
  const version = (parsed as { format?: unknown } | null)?.format;
  if (version !== formatVersion) {
    throw formatError(`format is ${describe(version)}; this version of setnet reads format ${formatVersion}`);
  }
  const metadata = asFormat(() => readParsed(parsed, threads));
  const { definition, state, record, topologyDigest } = metadata;
  const understood: unknown = JSON.parse(JSON.stringify(metadataObject(definition, state, record, topologyDigest)));
  const difference = firstDifference(parsed, understood, '');
  if (difference !== undefined) throw formatError(difference);
  return metadata;
}

function readParsed(parsed: unknown, threads: number): Metadata {
  const known = [
    'format',
    'definition',
    'classes',
    'features',
    'scaling',
    'counters',
    'loss',
    'finalised',
    'run',
  ] as const;
  const { definition, classes, features, scaling, counters, loss, finalised, run } = readOptions(
    parsed,
    'the object',
    known,
  );
  const { inputs, seed, layers } = readOptions(definition, 'definition', ['inputs', 'seed', 'layers']);
  const { kind, known: isKnown, missing } = readOptions(scaling, 'scaling', ['kind', 'known', 'missing']);
  const nativeScaling: NativeScaling = {
    kind: readName(kind, 'scaling.kind', ['none', 'perFeature', 'global', 'given']),
  };
  if (missing !== undefined) nativeScaling.missing = readMissing(missing);
  const spec = {
    inputs: readNumber(inputs, 'definition.inputs', { min: 1, max: maxUnits, integer: true }),
    seed: readCounter(seed, 'definition.seed'),
    layers: readLayers(layers, 'definition.layers'),
    scaling: nativeScaling,
    threads,
  };
  const count = readOptions(counters, 'counters', ['step', 'epoch', 'evolution']);
  const state: NativeModelState = {
    step: readCounter(count.step, 'counters.step'),
    epoch: readCounter(count.epoch, 'counters.epoch'),
    evolution: readCounter(count.evolution, 'counters.evolution'),
    loss: loss === null ? null : readLoss(loss, 'loss').name,
    finalised: readBoolean(finalised, 'finalised'),
    scalingKnown: readBoolean(isKnown, 'scaling.known'),
  };
  const { fits, byHand, trainedConnections, topologyDigest } = readOptions(run, 'run', [
    'fits',
    'byHand',
    'trainedConnections',
    'topologyDigest',
  ]);
  if (typeof topologyDigest !== 'string' || !/^[0-9a-f]{1,64}$/.test(topologyDigest)) {
    throw formatError(`run.topologyDigest must be hexadecimal digits, not ${describe(topologyDigest)}`);
  }
  const record: RunRecord = {
    fits: readFits(fits),
    byHand: readByHand(byHand),
    trainedConnections: trainedConnections === null ? null : readCount(trainedConnections, 'run.trainedConnections'),
  };
  return { definition: makeDefinition(spec, classes, features, ''), state, record, topologyDigest };
}

function readFits(value: unknown): RunRecord['fits'] {
  if (!Array.isArray(value)) throw formatError(`run.fits must be an array, not ${describe(value)}`);
  return value.map((entry: unknown, index) => {
    const where = `run.fits[${index}]`;
    const { times, options } = readOptions(entry, where, ['times', 'options']);
    const at = `${where}.options`;
    const fit = readOptions(options, at, [
      'samples',
      'epochs',
      'batchSize',
      'loss',
      'optimizer',
      'evolution',
      'earlyStopping',
      'restoreBest',
    ]);
    const { rule: optimizer, learningRate } = readOptimizer(fit.optimizer, `${at}.optimizer`);
    const native: NativeFitOptions = {
      epochs: readCount(fit.epochs, `${at}.epochs`),
      batchSize: readCount(fit.batchSize, `${at}.batchSize`),
      loss: readLoss(fit.loss, `${at}.loss`),
      optimizer,
      learningRate: learningRate.rule,
      warmup: learningRate.warmup,
      evolution: fit.evolution === null ? null : readEvolution(fit.evolution, `${at}.evolution`),
      stopRule: readStopRule(fit.earlyStopping, fit.restoreBest, true, true, at),
      threads: 1,
      progressSeconds: 0,
    };
    return {
      times: readCount(times, `${where}.times`),
      options: fitRecord(native, readCount(fit.samples, `${at}.samples`)),
    };
  });
}

function readByHand(value: unknown): RunRecord['byHand'] {
  if (!Array.isArray(value)) throw formatError(`run.byHand must be an array, not ${describe(value)}`);
  return value.map((entry: unknown, index) => {
    const where = `run.byHand[${index}]`;
    const { evolution, kind, options } = readOptions(entry, where, ['evolution', 'kind', 'options']);
    const read = {
      evolution: String(readCounter(evolution, `${where}.evolution`)),
      kind: readName(kind, `${where}.kind`, ['evolve', 'finalize']),
    };
    const at = `${where}.options`;
    if (read.kind === 'evolve') return { ...read, options: evolutionObject(readEvolution(options, at)) };
    const { zeta } = readOptions(options, at, ['zeta']);
    return { ...read, options: { zeta: readNumber(zeta, `${at}.zeta`, { min: 0, max: 1 }) } };
  });
}

function readCount(value: unknown, where: string): number {
  return readNumber(value, where, { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true });
}

/** 64 bits as decimal digits. */
function readCounter(value: unknown, where: string): bigint {
  if (typeof value === 'string' && /^(0|[1-9][0-9]{0,19})$/.test(value)) {
    const counter = BigInt(value);
    if (counter < 2n ** 64n) return counter;
  }
  throw formatError(`${where} must be a string of decimal digits below 2^64, not ${describe(value)}`);
}

function readMissing(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && ['NaN', 'Infinity', '-Infinity', '-0'].includes(value)) return Number(value);
  throw formatError(`scaling.missing must be a number, not ${describe(value)}`);
}

/** Where two JSON values differ: what is missing, unknown, or would be written otherwise. */
function firstDifference(found: unknown, expected: unknown, path: string): string | undefined {
  const name = path === '' ? 'the object' : path;
  if (typeof found !== 'object' || typeof expected !== 'object' || found === null || expected === null) {
    return Object.is(found, expected)
      ? undefined
      : `${name} is ${describe(found)}, which must be ${describe(expected)}`;
  }
  if (Array.isArray(found) !== Array.isArray(expected))
    return `${name} is ${describe(found)}, which must be ${describe(expected)}`;
  const a = found as Record<string, unknown>;
  const b = expected as Record<string, unknown>;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const at = Array.isArray(found) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    if (!Object.hasOwn(a, key)) return `${at} is missing`;
    if (!Object.hasOwn(b, key)) return `${at} is not known`;
    const difference = firstDifference(a[key], b[key], at);
    if (difference !== undefined) return difference;
  }
  return undefined;
}
