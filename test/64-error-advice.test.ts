// What a message says beyond the mistake: where the option is that somebody looked for, and how what was given becomes what
// is wanted.
import {
  CsrMatrix,
  cosine,
  dense,
  type FitOptions,
  Network,
  type NetworkOptions,
  type SetnetErrorCode,
  set,
  sgd,
  sparse,
} from '../lib/index';
import { blobs, smallNetwork, smallOptions, throwsCode } from './helpers/helpers';

describe('64 advice in errors', () => {
  const data = blobs(20, 10, 4, 1);
  const fitting =
    (options: object, given: object = data) =>
    () =>
      smallNetwork(10, 4).fit(given as never, options as FitOptions);
  const create = (change: object) => () => Network.createSync({ ...smallOptions(10, 4), ...change } as NetworkOptions);
  const predict = (x: unknown) => () => smallNetwork(10, 4).predictSync(x as Float32Array);

  // biome-ignore format: one case per line
  const cases: [string, () => unknown, SetnetErrorCode, RegExp][] = [
    ['the learning rate beside the optimizer', fitting({ learningRate: 0.1 }), 'ERR_SETNET_OPTION', /unknown option "learningRate"\. It belongs to the optimizer: sgd\(\{ learningRate/],
    ['zeta beside the evolution', fitting({ zeta: 0.1 }), 'ERR_SETNET_OPTION', /It belongs to the evolution: set\(\{ zeta/],
    ['epsilon beside the layers', create({ epsilon: 20 }), 'ERR_SETNET_OPTION', /It belongs to a layer: sparse\(\{ units: 100, epsilon/],
    ['lr', () => sgd({ lr: 0.1 } as never), 'ERR_SETNET_OPTION', /The learning rate is `learningRate`\./],
    ['labels', fitting({}, { x: data.x, labels: data.y }), 'ERR_SETNET_OPTION', /Labels are `y`\./],
    ['a number for the options of a schedule', () => cosine(0.1 as never), 'ERR_SETNET_TYPE', /must be an object, not 0\.1; cosine\(\{ from: 0\.1 \}\) is meant\?/],
    ['a number for the options of set', () => set(0.3 as never), 'ERR_SETNET_TYPE', /set\(\{ zeta: 0\.3 \}\) is meant\?/],
    ['a text as learning rate', () => sgd({ learningRate: '0.1' } as never), 'ERR_SETNET_OPTION', /learningRate must be a number or a schedule, not the text "0\.1"/],
    ['data and options apart', () => smallNetwork(10, 4).fit(data.x as never, data.y as never), 'ERR_SETNET_TYPE', /^fit: the options must be an object, not an Int32Array/],
    ['validation as a share', fitting({ validation: 0.1 }), 'ERR_SETNET_TYPE', /validation must be \{ x, y \}, not 0\.1/],
    ['a path as checkpoint', fitting({ checkpoint: 'a' }), 'ERR_SETNET_TYPE', /checkpoint must be \{ path, everyEpochs, everySeconds \}, not "a"/],
    ['a controller as signal', fitting({ signal: new AbortController() }), 'ERR_SETNET_TYPE', /not an object; the signal of this controller is its property `signal`/],
    ['no labels', fitting({}, { x: data.x }), 'ERR_SETNET_TYPE', /data\.y is missing: a class number or a class name for each of the 20 samples/],
    ['labels counted from 1', fitting({}, { x: data.x, y: Array.from(data.y, (label) => label + 1) }), 'ERR_SETNET_DATA', /not 4; classes are counted from 0/],
    ['one-hot labels', fitting({}, { x: data.x, y: Array.from(data.y, () => [1, 0, 0, 0]) }), 'ERR_SETNET_TYPE', /of a one-hot row give the position of its 1/],
    ['names without classes', fitting({}, { x: data.x, y: Array.from(data.y, () => 'a') }), 'ERR_SETNET_DATA', /created without `classes`: name them there/],
    ['rows as arrays', predict([[1, 2, 3]]), 'ERR_SETNET_TYPE', /the rows go into one array, one after the other/],
    ['an array of numbers', predict([1, 2, 3]), 'ERR_SETNET_TYPE', /Float32Array\.from\(x\) makes one/],
    ['a typed array of another kind', predict(new Int32Array(10)), 'ERR_SETNET_TYPE', /not an Int32Array of length 10; Float32Array\.from\(x\) copies/],
    ['NaN', predict(new Float32Array(10).fill(Number.NaN)), 'ERR_SETNET_NONFINITE', /^predictSync: the feature in row 0, column 0 is .*mark unknown values with `missing`/],
    ['softmax as activation', () => dense({ units: 3, activation: 'softmax' } as never), 'ERR_SETNET_OPTION', /'softmax' belongs to the loss 'softmaxCrossEntropy'/],
    ['a layer without its function', create({ layers: [{ units: 3 }] }), 'ERR_SETNET_TYPE', /layers\[0\] must be a layer.*not an object without a kind/],
    ['epsilon 0', () => sparse({ units: 3, epsilon: 0 }), 'ERR_SETNET_OPTION', /epsilon must be a finite number greater than 0, not 0/],
    ['a name of which every letter differs', create({ device: 'xyz' }), 'ERR_SETNET_OPTION', /there is no "xyz"\. There is/],
    ['gpu', create({ device: 'gpu' }), 'ERR_SETNET_OPTION', /Did you mean 'cuda'/],
    ['a matrix that is none', () => CsrMatrix.from({ rows: 1, columns: 2, rowPointers: [0, 1], columnIndices: [2], values: [1] }), 'ERR_SETNET_DATA', /^CsrMatrix\.from: column 2 in row 0/],
  ];
  for (const [name, call, code, pattern] of cases) it(name, () => throwsCode(call, code, pattern));
});
