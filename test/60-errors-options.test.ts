import {
  adam,
  adamw,
  constant,
  cosine,
  dense,
  exponential,
  type FitOptions,
  masked,
  Network,
  type NetworkOptions,
  type SetnetErrorCode,
  set,
  sgd,
  sparse,
  step,
} from '../lib/index';
import { type Anything, blobs, rejectsCode, smallNetwork, smallOptions, throwsCode } from './helpers/helpers';

const data = blobs(100, 10, 4, 1);

describe('60 errors of options', () => {
  describe('Network.create', () => {
    const create = (change: object) => () =>
      Network.createSync({ ...smallOptions(10, 4), ...change } as NetworkOptions);
    // biome-ignore format: one case per line
    const cases: [string, object, SetnetErrorCode, RegExp][] = [
      ['an unknown option', { scalin: 'none' }, 'ERR_SETNET_OPTION', /unknown option "scalin"\. Did you mean 'scaling'\? There are: inputs, layers/],
      ['no inputs', { inputs: undefined }, 'ERR_SETNET_OPTION', /inputs is missing/],
      ['inputs 0', { inputs: 0 }, 'ERR_SETNET_OPTION', /inputs must be an integer from 1 to 4294967295, not 0/],
      ['a fraction of inputs', { inputs: 2.5 }, 'ERR_SETNET_OPTION', /inputs must be an integer.*not 2\.5/],
      ['inputs NaN', { inputs: Number.NaN }, 'ERR_SETNET_OPTION', /inputs.*not NaN/],
      ['inputs text', { inputs: '784' }, 'ERR_SETNET_TYPE', /inputs.*not "784"/],
      ['no layers', { layers: [] }, 'ERR_SETNET_OPTION', /layers must have 1 to 1000 layers, not 0/],
      ['layers no array', { layers: dense({ units: 3 }) }, 'ERR_SETNET_TYPE', /layers must be an array of layers, not an object/],
      ['a number as layer', { layers: [10] }, 'ERR_SETNET_TYPE', /layers\[0\] must be a layer.*not 10/],
      ['an unknown kind', { layers: [{ kind: 'conv', units: 3 }] }, 'ERR_SETNET_OPTION', /layers\[0\]\.kind: there is no "conv"\. There is 'sparse', 'masked' or 'dense'/],
      ['dropout in the last layer', { layers: [dense({ units: 3, dropout: 0.5 })] }, 'ERR_SETNET_OPTION', /layers\[0\]\.dropout/],
      ['a negative seed', { seed: -1 }, 'ERR_SETNET_OPTION', /seed must be.*not -1/],
      ['a fraction as seed', { seed: 0.5 }, 'ERR_SETNET_OPTION', /seed/],
      ['a large seed', { seed: 2n ** 64n }, 'ERR_SETNET_OPTION', /seed.*18446744073709551616n/],
      ['an inexact seed', { seed: 2 ** 60 }, 'ERR_SETNET_OPTION', /seed/],
      ['a text as seed', { seed: 'x' }, 'ERR_SETNET_TYPE', /seed/],
      ['too few classes', { classes: ['a'] }, 'ERR_SETNET_SHAPE', /classes has 1 names, but the last layer's units are 4/],
      ['doubled classes', { classes: ['a', 'b', 'a', 'c'] }, 'ERR_SETNET_OPTION', /classes\[2\]: the name "a" is there twice/],
      ['numbers as classes', { classes: [0, 1, 2, 3] }, 'ERR_SETNET_TYPE', /classes\[0\]/],
      ['classes of one output', { layers: [dense({ units: 1 })], classes: ['a'] }, 'ERR_SETNET_SHAPE', /classes has 1 names, but the classes of the last layer's single unit are 2/],
      ['features of another length', { features: ['a'] }, 'ERR_SETNET_SHAPE', /features has 1 names, but the inputs are 10/],
      ['an unknown scaling', { scaling: 'perfeature' }, 'ERR_SETNET_OPTION', /scaling.*Did you mean 'perFeature'/],
      ['scaling without scale', { scaling: { mean: 0 } }, 'ERR_SETNET_OPTION', /scaling\.scale is missing/],
      ['scaling of another length', { scaling: { mean: [1, 2], scale: 1 } }, 'ERR_SETNET_SHAPE', /scaling\.mean has 2 numbers; it must have 1 or 10/],
      ['scaling NaN', { scaling: { mean: Number.NaN, scale: 1 } }, 'ERR_SETNET_NONFINITE', /scaling\.mean\[0\]/],
      ['scaling beyond f32', { scaling: { mean: 0, scale: 1e39 } }, 'ERR_SETNET_NONFINITE', /scaling\.scale\[0\]/],
      ['a text as missing', { missing: 'NA' }, 'ERR_SETNET_TYPE', /missing must be a number/],
      ['no threads', { threads: 0 }, 'ERR_SETNET_OPTION', /threads must be an integer from 1 to 1024, not 0/],
      ['cuda', { device: 'cuda' }, 'ERR_SETNET_DEVICE', /'cuda' cannot be used: .*CUDA/],
      ['an unknown device', { device: 'gpu' }, 'ERR_SETNET_OPTION', /device.*'cpu', 'cuda' or 'auto'/],
      ['more than memory holds', { inputs: 2 ** 31, layers: [dense({ units: 2 ** 31 })] }, 'ERR_SETNET_MEMORY', /memory|too large|hold/i],
    ];
    for (const [name, change, code, pattern] of cases) it(name, () => throwsCode(create(change), code, pattern));

    it('no options at all, or no object', () => {
      throwsCode(() => (Network.createSync as Anything)(), 'ERR_SETNET_TYPE', /needs \{ inputs, layers \}/);
      throwsCode(() => (Network.createSync as Anything)(3), 'ERR_SETNET_TYPE', /must be an object, not 3/);
      throwsCode(() => (Network.createSync as Anything)([]), 'ERR_SETNET_TYPE', /not an array/);
    });

    it('create rejects with what createSync throws', async () => {
      await rejectsCode(Network.create({ inputs: 0, layers: [] }), 'ERR_SETNET_OPTION', /Network\.create: inputs/);
      await rejectsCode(
        Network.create({ inputs: 2 ** 31, layers: [dense({ units: 2 ** 31 })] }),
        'ERR_SETNET_MEMORY',
        /./,
      );
    });
  });

  describe('layers and rules', () => {
    // biome-ignore format: one case per line
    const cases: [string, () => unknown, SetnetErrorCode, RegExp][] = [
      ['no units', () => sparse({} as Anything), 'ERR_SETNET_OPTION', /sparse\.units is missing/],
      ['an unknown option', () => sparse({ units: 3, epsylon: 4 } as Anything), 'ERR_SETNET_OPTION', /sparse: unknown option "epsylon"\. Did you mean 'epsilon'\?/],
      ['an option of another kind', () => dense({ units: 3, epsilon: 4 } as Anything), 'ERR_SETNET_OPTION', /dense: unknown option "epsilon"/],
      ['weights that are no CsrMatrix', () => sparse({ weights: {} } as Anything), 'ERR_SETNET_TYPE', /sparse\.weights must be a CsrMatrix, as CsrMatrix\.from makes it, not an object/],
      ['no options', () => (masked as Anything)(), 'ERR_SETNET_TYPE', /masked: the options/],
      ['epsilon 0', () => sparse({ units: 3, epsilon: 0 }), 'ERR_SETNET_OPTION', /sparse\.epsilon/],
      ['density 0', () => sparse({ units: 3, density: 0 }), 'ERR_SETNET_OPTION', /sparse\.density must be a finite number from 0 to 1 \(0 excluded\), not 0/],
      ['density above 1', () => sparse({ units: 3, density: 1.01 }), 'ERR_SETNET_OPTION', /sparse\.density/],
      ['epsilon and density', () => masked({ units: 3, density: 0.5, epsilon: 3 }), 'ERR_SETNET_OPTION', /both epsilon and density/],
      ['dropout 1', () => sparse({ units: 3, dropout: 1 }), 'ERR_SETNET_OPTION', /sparse\.dropout must be below 1/],
      ['an unknown draw', () => sparse({ units: 3, draw: 'exakt' } as Anything), 'ERR_SETNET_OPTION', /Did you mean 'exact'/],
      ['an unknown activation', () => sparse({ units: 3, activation: 'rellu' } as Anything), 'ERR_SETNET_OPTION', /sparse\.activation: there is no activation "rellu"\. Did you mean 'relu'\? There is 'linear', 'relu'.* or 'gelu'/],
      ['a parameter that is learned, not given', () => sparse({ units: 3, activation: { kind: 'srelu', gap: 3 } } as Anything), 'ERR_SETNET_OPTION', /sparse\.activation: unknown option "gap"/],
      ['a parameter that an activation has not', () => sparse({ units: 3, activation: { kind: 'relu', max: 3 } } as Anything), 'ERR_SETNET_OPTION', /sparse\.activation: unknown option "max"/],
      ['an activation without kind', () => sparse({ units: 3, activation: {} } as Anything), 'ERR_SETNET_TYPE', /activation\.kind must be the name of an activation/],
      ['an unknown initializer', () => sparse({ units: 3, initializer: 'he' } as Anything), 'ERR_SETNET_OPTION', /there is no initializer "he"/],
      ['sigma 0', () => sparse({ units: 3, initializer: { kind: 'normal', sigma: 0 } }), 'ERR_SETNET_OPTION', /sparse\.initializer\.sigma/],
      ['bias of another type', () => sparse({ units: 3, bias: 1 } as Anything), 'ERR_SETNET_TYPE', /sparse\.bias must be true or false, not 1/],
      ['momentum 2', () => sgd({ momentum: 2 }), 'ERR_SETNET_OPTION', /sgd\.momentum must be a finite number from 0 to 1, not 2/],
      ['an unknown option of sgd', () => sgd({ lr: 1 } as Anything), 'ERR_SETNET_OPTION', /sgd: unknown option "lr"/],
      ['a negative learning rate', () => sgd({ learningRate: -1 }), 'ERR_SETNET_OPTION', /sgd\.learningRate must be a finite number of at least 0, not -1/],
      ['a learning rate of another type', () => sgd({ learningRate: '0.1' } as Anything), 'ERR_SETNET_OPTION', /learningRate must be a number or a schedule, not the text "0\.1"/],
      ['an unknown decay of sgd', () => sgd({ decay: 'scaled' } as Anything), 'ERR_SETNET_OPTION', /sgd\.decay: there is no "scaled"\. Did you mean 'unscaled'\? There is 'gradient' or 'unscaled'/],
      ['a decay of another type', () => sgd({ decay: 1 } as Anything), 'ERR_SETNET_TYPE', /sgd\.decay must be 'gradient' or 'unscaled', not 1/],
      ['beta1 of 1', () => adam({ beta1: 1 }), 'ERR_SETNET_OPTION', /adam\.beta1 must be a finite number from 0 to 1 \(1 excluded\), not 1/],
      ['beta2 below 0', () => adamw({ beta2: -0.1 }), 'ERR_SETNET_OPTION', /adamw\.beta2 must be a finite number from 0 to 1 \(1 excluded\), not -0\.1/],
      ['an epsilon of 0', () => adam({ epsilon: 0 }), 'ERR_SETNET_OPTION', /adam\.epsilon must be a finite number of at least 1e-15, not 0/],
      ['a negative weight decay', () => adamw({ weightDecay: -1 }), 'ERR_SETNET_OPTION', /adamw\.weightDecay must be a finite number of at least 0, not -1/],
      ['a weight decay of another type', () => adam({ weightDecay: '0' } as Anything), 'ERR_SETNET_TYPE', /adam\.weightDecay must be a finite number/],
      ['an option of another optimizer', () => adam({ momentum: 0.9 } as Anything), 'ERR_SETNET_OPTION', /adam: unknown option "momentum"\. There are: kind, beta1, beta2, epsilon, weightDecay, decayBias, learningRate/],
      ['options that are no object', () => (adamw as Anything)(0.1), 'ERR_SETNET_TYPE', /adamw: the options must be an object, not 0\.1/],
      ['a schedule without from', () => cosine({} as Anything), 'ERR_SETNET_OPTION', /cosine\.from is missing/],
      ['a schedule without options', () => (cosine as Anything)(0.1), 'ERR_SETNET_TYPE', /cosine: the options must be an object, not 0\.1/],
      ['warmup below 0', () => constant({ value: 1, warmup: -1 }), 'ERR_SETNET_OPTION', /constant\.warmup/],
      ['factor 0', () => exponential({ from: 1, factor: 0 }), 'ERR_SETNET_OPTION', /exponential\.factor must be a finite number greater than 0, not 0/],
      ['every missing', () => step({ from: 1, factor: 0.5 } as Anything), 'ERR_SETNET_OPTION', /step\.every is missing/],
      ['zeta 0', () => set({ zeta: 0 }), 'ERR_SETNET_OPTION', /set\.zeta must be a finite number from 0 to 1 \(0 excluded\), not 0/],
      ['zeta above 1', () => set({ zeta: constant({ value: 1.5 }) }), 'ERR_SETNET_OPTION', /set\.zeta\.value/],
      ['zeta that grows beyond 1', () => set({ zeta: exponential({ from: 0.3, factor: 2 }) }), 'ERR_SETNET_OPTION', /set\.zeta\.factor/],
      ['zeta that warms up', () => set({ zeta: cosine({ from: 0.3, warmup: 2 }) }), 'ERR_SETNET_OPTION', /only a learning rate warms up/],
      ['an unknown prune rule', () => set({ prune: 'magnitude' } as Anything), 'ERR_SETNET_OPTION', /there is no prune rule "magnitude".*'signMagnitude', 'random', 'largest', 'thresholdOfMatrix' or 'thresholdOfStored'/],
      ['an unknown grow rule', () => set({ grow: 'gradient' } as Anything), 'ERR_SETNET_OPTION', /there is no grow rule "gradient"/],
      ['unknown new weights', () => set({ newWeights: 'zeros' } as Anything), 'ERR_SETNET_OPTION', /Did you mean 'zero'\? There is 'initializer'/],
      ['an unknown option of set', () => set({ evry: 3 } as Anything), 'ERR_SETNET_OPTION', /set: unknown option "evry"\. Did you mean 'every'/],
      ['a trigger that is a number', () => set({ every: 3 } as Anything), 'ERR_SETNET_TYPE', /set\.every must be 'epoch', \{ steps: number \} or \{ probability: number \}, not 3/],
      ['an unknown trigger', () => set({ every: 'step' } as Anything), 'ERR_SETNET_OPTION', /set\.every must be 'epoch'/],
      ['a trigger of two kinds', () => set({ every: { steps: 3, probability: 0.1 } } as Anything), 'ERR_SETNET_OPTION', /not an object with 'steps' or 'probability'/],
      ['half a step', () => set({ every: { steps: 2.5 } }), 'ERR_SETNET_OPTION', /set\.every\.steps must be an integer/],
      ['a probability above 1', () => set({ every: { probability: 1.5 } }), 'ERR_SETNET_OPTION', /set\.every\.probability must be/],
      ['two ends', () => set({ finalEvolution: true, finalPrune: true }), 'ERR_SETNET_OPTION', /finalEvolution and finalPrune cannot both be true/],
      ['an unknown budget', () => set({ budget: 'first' } as Anything), 'ERR_SETNET_OPTION', /set\.budget: there is no "first"/],
      ['an unknown state', () => set({ state: 'forget' } as Anything), 'ERR_SETNET_OPTION', /set\.state: there is no "forget"/],
    ];
    for (const [name, call, code, pattern] of cases) it(name, () => throwsCode(call, code, pattern));
  });

  describe('options of fit', () => {
    const net = smallNetwork(10, 4);
    // biome-ignore format: one case per line
    const cases: [string, object, SetnetErrorCode, RegExp][] = [
      ['an unknown option', { epoch: 3 }, 'ERR_SETNET_OPTION', /unknown option "epoch"\. Did you mean 'epochs'\?/],
      ['what is not there yet', { batches: [] }, 'ERR_SETNET_OPTION', /unknown option "batches".*There are: epochs, batchSize/],
      ['a checkpoint without a path', { checkpoint: {} }, 'ERR_SETNET_TYPE', /checkpoint\.path is missing/],
      ['a checkpoint every half epoch', { checkpoint: { path: 'x', everyEpochs: 0.5 } }, 'ERR_SETNET_OPTION', /everyEpochs must be an integer from 1/],
      ['resume without anything to go on with', { resume: true }, 'ERR_SETNET_STATE', /no training that could go on/],
      ['resume: a text', { resume: 'yes' }, 'ERR_SETNET_TYPE', /resume must be true or false/],
      ['epochs 0', { epochs: 0 }, 'ERR_SETNET_OPTION', /epochs must be an integer from 1/],
      ['batchSize 1.5', { batchSize: 1.5 }, 'ERR_SETNET_OPTION', /batchSize must be an integer/],
      ['an unknown loss', { loss: 'mse' }, 'ERR_SETNET_OPTION', /there is no loss "mse"\. There is 'softmaxCrossEntropy', 'binaryCrossEntropy' or 'meanSquaredError'/],
      ['an unknown optimizer', { optimizer: { kind: 'adan' } }, 'ERR_SETNET_OPTION', /there is no optimizer "adan"\. Did you mean 'adam'\? There is 'sgd', 'adam' or 'adamw'/],
      ['an optimizer that is a number', { optimizer: 0.1 }, 'ERR_SETNET_TYPE', /optimizer/],
      ['evolution true', { evolution: true }, 'ERR_SETNET_TYPE', /evolution must be set\(\{ \.\.\. \}\), or null/],
      ['a variant of an optimizer by its inner name', { optimizer: { kind: 'adam.birthStep' } }, 'ERR_SETNET_OPTION', /there is no optimizer "adam.birthStep"\. There is 'sgd', 'adam' or 'adamw'|Did you mean 'adam'/],
      ['newState of sgd', { optimizer: { kind: 'sgd', newState: 'zero' } }, 'ERR_SETNET_OPTION', /newState: 'sgd' has nothing that counts steps/],
      ['an unknown newState', { optimizer: { kind: 'adam', newState: 'birth' } }, 'ERR_SETNET_OPTION', /newState: there is no "birth"/],
      ['a clipNorm of 0', { clipNorm: 0 }, 'ERR_SETNET_OPTION', /fit: clipNorm must be/],
      ['a clipNorm of NaN', { clipNorm: Number.NaN }, 'ERR_SETNET_OPTION', /clipNorm/],
      ['early stopping without validation', { earlyStopping: true }, 'ERR_SETNET_OPTION', /earlyStopping needs validation data/],
      ['restoreBest without validation', { restoreBest: true }, 'ERR_SETNET_OPTION', /restoreBest needs validation data/],
      ['a patience of 0', { earlyStopping: { patience: 0 }, validation: data }, 'ERR_SETNET_OPTION', /earlyStopping\.patience must be an integer from 1/],
      ['an unknown monitor', { earlyStopping: { monitor: 'auc' }, validation: data }, 'ERR_SETNET_OPTION', /earlyStopping\.monitor: there is no "auc"/],
      ['two monitors', { earlyStopping: { monitor: 'loss' }, restoreBest: 'accuracy', validation: data }, 'ERR_SETNET_OPTION', /both must look at the same/],
      ['another evolution', { evolution: { kind: 'rigl' } }, 'ERR_SETNET_OPTION', /evolution\.kind/],
      ['evolution options without set()', { evolution: { zeta: 0.3 } }, 'ERR_SETNET_TYPE', /evolution must be set\(\{ \.\.\. \}\), or null.*not an object that set\(\) did not make/],
      ['onProgress no function', { onProgress: 1 }, 'ERR_SETNET_TYPE', /onProgress must be a function/],
      ['a controller as signal', { signal: new AbortController() }, 'ERR_SETNET_TYPE', /signal must be an AbortSignal/],
      ['threads', { threads: 5000 }, 'ERR_SETNET_OPTION', /threads must be an integer from 1 to 1024/],
      ['copy', { copy: 'yes' }, 'ERR_SETNET_TYPE', /copy must be true or false/],
    ];
    for (const [name, options, code, pattern] of cases)
      it(name, () => throwsCode(() => net.fit(data, options as FitOptions), code, pattern));

    it('a classifier needs two outputs', async () => {
      const one = Network.createSync({ inputs: 10, layers: [dense({ units: 1 })] });
      throwsCode(
        () => one.fit({ x: data.x, y: new Uint8Array(100) }),
        'ERR_SETNET_SHAPE',
        /at least 2 outputs.*'binaryCrossEntropy'.*'meanSquaredError'/,
      );
      await rejectsCode(one.evaluate({ x: data.x, y: new Uint8Array(100) }), 'ERR_SETNET_SHAPE', /at least 2 outputs/);
    });
  });
});
