// setnet: truly sparse neural networks that rewire themselves while they learn. Named exports only.
export type { Batch, BatchStream } from './batch_stream';
export { type BuildInfo, buildInfo } from './build_info';
export type { CheckpointOptions } from './checkpoint';
export {
  type CooArrays,
  type CsrArrays,
  CsrMatrix,
  type CsrRow,
  type DenseMatrixOptions,
  type IntegerArray,
  type NumberArray,
} from './csr_matrix';
export type { Dataset, Features } from './data';
export type { NetworkOptions } from './definition';
export { type Device, type DeviceName, devices } from './devices';
export { errorCodes, SetnetError, type SetnetErrorCode } from './errors';
export type { FitOptions } from './fit_options';
export { type NpyArray, type NpyNumbers, readNpy, writeNpy } from './formats/npy';
export { readCsrNpz, readNpz } from './formats/npz';
export { readTable } from './formats/read_table';
export type { ReadProgress } from './formats/source';
export type { ReadTableOptions, Table, TableFormat } from './formats/table';
export { type HeldOut, type HoldOutOptions, holdOut } from './hold_out';
export { LayerView } from './layer_view';
export type {
  DenseLayerDefinition,
  DrawnLayerOptions,
  EvolvableOptions,
  GivenLayerOptions,
  LayerDefinition,
  LayerOptions,
  MaskedLayerDefinition,
  SparseLayerDefinition,
  TopologyOptions,
} from './layers/definition';
export { type DenseOptions, dense } from './layers/dense';
export { type MaskedOptions, masked } from './layers/masked';
export { type SparseOptions, sparse } from './layers/sparse';
export type { EvaluateOptions, FinalizeOptions, LoadOptions, SaveOptions } from './method_options';
export { Network } from './network';
export type { Output, PredictOptions } from './prediction';
export { type Preset, type PresetOptions, presets, type SynapsesOptions } from './presets';
export type {
  ReportImage,
  ReportMapOptions,
  ReportOptions,
  ReportPositions,
} from './report/options';
export type { Activation, Activations } from './rules/activation';
export { type Adam, type AdamOptions, adam } from './rules/adam';
export { type Adamw, type AdamwOptions, adamw } from './rules/adamw';
export { type ConstantOptions, constant } from './rules/constant';
export { type CosineOptions, cosine } from './rules/cosine';
export type { Evolution } from './rules/evolution';
export { type ExponentialOptions, exponential } from './rules/exponential';
export type { Grow, GrowRules } from './rules/grow';
export type { Initializer, Initializers } from './rules/initializer';
export { type LinearOptions, linear } from './rules/linear';
export type { Loss, Losses } from './rules/loss';
export type { Metric } from './rules/metric';
export type { NewState, Optimizer } from './rules/optimizer';
export type { Prune, PruneRules } from './rules/prune';
export type { Constant, Cosine, Exponential, Linear, Schedule, Step, WarmupOption } from './rules/schedule';
export { type SetEvolution, type SetOptions, set } from './rules/set';
export { type Sgd, type SgdOptions, sgd } from './rules/sgd';
export { type StepOptions, step } from './rules/step';
export type { Choice, NoParameters } from './rules/table';
export type { Trigger } from './rules/trigger';
export { type SampleOrderOptions, sampleOrder } from './sample_order';
export type { GivenScaling, Scaling } from './scaling';
export { Session, type SessionOptions } from './session';
export {
  type BackwardOptions,
  type ForwardOptions,
  type LayerEvolveOptions,
  type LayerPruneOptions,
  type LayerStepOptions,
  type OptimizerBuffer,
  SparseLayer,
  type SparseLayerOptions,
} from './sparse_layer';
export type { EarlyStopping, Monitor } from './stop_rule';
export { Training } from './training';
export type {
  AbortSignalLike,
  Confusion,
  EpochReport,
  Evaluation,
  EvolutionReport,
  FeatureArray,
  FeatureMatrix,
  FileUrl,
  FinalReport,
  History,
  HistoryData,
  HistoryReportOptions,
  Labels,
  LayerEvolution,
  Progress,
  TargetArray,
  TargetMatrix,
  Targets,
} from './types';
export type { ClassWeights } from './weights';
export { type ReportRun, type RunsReportOptions, writeReport } from './write_report';
