// A fit as files have it: the options that change results, as users would write them.
import type { NativeFitOptions } from './native';
import { readNumber, readOptions } from './options';
import { evolutionObject, readEvolution } from './rules/evolution';
import { readLoss } from './rules/loss';
import { optimizerObject, readOptimizer } from './rules/optimizer';
import { ruleObject } from './rules/table';
import { readStopRule, stopOptions } from './stop_rule';
import { type ReadWeights, readWeights } from './weights';

/** One fit of a network's life, as users would write it: the options that change results. */
export interface FitRecord {
  /** Absent with a stream, which has `stepsPerEpoch` instead. */
  readonly samples?: number;
  readonly epochs: number;
  readonly batchSize?: number;
  /** Of a stream; 0: not known. */
  readonly stepsPerEpoch?: number;
  readonly loss: object;
  readonly optimizer: object;
  readonly evolution: object | null;
  /** Where there were any, as ClassWeights; those of samples are data, and it is said only that there were some. */
  readonly classWeights?: 'balanced' | readonly number[];
  readonly sampleWeights?: true;
  readonly clipNorm?: number;
  readonly earlyStopping?: object;
  readonly restoreBest?: string;
}

/** What a record says of the training data. */
export type RecordedData = { readonly samples: number } | { readonly stepsPerEpoch: number };

export function fitRecord(options: NativeFitOptions, data: RecordedData, weights: ReadWeights): FitRecord {
  const { epochs, batchSize, loss, optimizer, learningRate, warmup, evolution, stopRule } = options;
  return {
    ...('samples' in data
      ? { samples: data.samples, epochs, batchSize }
      : { stepsPerEpoch: data.stepsPerEpoch, epochs }),
    loss: ruleObject('losses', loss),
    optimizer: {
      ...optimizerObject(optimizer),
      learningRate: { ...ruleObject('schedules', learningRate), warmup },
    },
    evolution: evolution === null ? null : evolutionObject(evolution),
    ...(options.clipNorm === 0 ? {} : { clipNorm: options.clipNorm }),
    ...stopOptions(stopRule),
    ...(weights.classWeights === undefined ? {} : { classWeights: weights.classWeights }),
    ...(weights.sampleWeights === undefined ? {} : { sampleWeights: true }),
  };
}

function count(value: unknown, where: string): number {
  return readNumber(value, where, { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true });
}

export function readClipNorm(value: unknown, where: string): number {
  return readNumber(value, where, { min: 0, max: Number.MAX_SAFE_INTEGER, open: true });
}

/** Reads what fitRecord made. */
export function readFitRecord(options: unknown, outputs: number, at: string): FitRecord {
  const fit = readOptions(options, at, [
    'samples',
    'epochs',
    'batchSize',
    'stepsPerEpoch',
    'loss',
    'optimizer',
    'evolution',
    'clipNorm',
    'earlyStopping',
    'restoreBest',
    'classWeights',
    'sampleWeights',
  ]);
  const { rule: optimizer, learningRate } = readOptimizer(fit.optimizer, `${at}.optimizer`);
  const isStream = fit.stepsPerEpoch !== undefined;
  const native: NativeFitOptions = {
    epochs: count(fit.epochs, `${at}.epochs`),
    batchSize: isStream ? 0 : count(fit.batchSize, `${at}.batchSize`),
    loss: readLoss(fit.loss, `${at}.loss`),
    optimizer,
    learningRate: learningRate.rule,
    warmup: learningRate.warmup,
    evolution: fit.evolution === null ? null : readEvolution(fit.evolution, `${at}.evolution`),
    clipNorm: fit.clipNorm === undefined ? 0 : readClipNorm(fit.clipNorm, `${at}.clipNorm`),
    checkpointEvery: 0,
    metrics: [],
    resume: false,
    stopRule: readStopRule(fit.earlyStopping, fit.restoreBest, true, true, at),
    threads: 1,
    progressSeconds: 0,
  };
  const data = isStream
    ? { stepsPerEpoch: count(fit.stepsPerEpoch, `${at}.stepsPerEpoch`) }
    : { samples: count(fit.samples, `${at}.samples`) };
  return fitRecord(native, data, readRecordedWeights(fit, outputs, at));
}

/** As a record says them. */
function readRecordedWeights(
  { loss, classWeights, sampleWeights }: { loss?: unknown; classWeights?: unknown; sampleWeights?: unknown },
  outputs: number,
  where: string,
): ReadWeights {
  const shape = { inputs: 1, outputs, classes: undefined };
  const { name } = readLoss(loss, `${where}.loss`);
  return readWeights({ classWeights, sampleWeights }, name, shape, where);
}
