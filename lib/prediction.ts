// What Network and Session share in answering. A synchronous call with an `out` allocates nothing: no objects for its parts,
// no text before there is an error, and native code decides what a network without `output` answers.
import { readFeatures, rowsOf } from './data';
import { guardAsync, SetnetError, toSetnetError } from './errors';
import { checkBuffer, lengthOf, typedArrayName } from './memory';
import { NativeOutput, type NativePredictor, type NativeSyncPredictor } from './native';
import { describe, readName, readOption, typeError } from './options';

/**
 * What `predict` answers: 'logits' are the last layer's outputs; 'probabilities' what the loss makes of them (softmax,
 * sigmoid); 'classes' the number of the largest output, ties to the lower one, and of a single output fitted with
 * 'binaryCrossEntropy' 1 where its probability is above 1/2. `ERR_SETNET_STATE` where the loss makes no such answer.
 */
export type Output = 'logits' | 'probabilities' | 'classes';

/** Options of `predict` and `predictSync`. */
export interface PredictOptions {
  /** Default: 'probabilities', or 'logits' where the network was never fitted or the loss makes none. */
  readonly output?: Output;
}

const outputs: readonly Output[] = ['logits', 'probabilities', 'classes'];

/** The names of a call's parts in messages. */
interface Places {
  readonly name: string;
  readonly x: string;
  readonly options: string;
  readonly output: string;
}

const sync: Places = {
  name: 'predictSync',
  x: 'predictSync: x',
  options: 'predictSync: options',
  output: 'predictSync: output',
};
const async: Places = { name: 'predict', x: 'predict: x', options: 'predict: options', output: 'predict: output' };

function readOutput(options: unknown, places: Places): NativeOutput {
  const output = readOption(options, places.options, 'output');
  if (output === undefined) return NativeOutput.default;
  const name = readName(output, places.output, outputs);
  return NativeOutput[name];
}

function readOut(out: unknown, output: NativeOutput, length: number): Float32Array | Int32Array {
  const name = output === NativeOutput.classes ? 'Int32Array' : 'Float32Array';
  if (typedArrayName(out) !== name)
    throw typeError(`predictSync: out must be ${name === 'Int32Array' ? 'an' : 'a'} ${name}, not ${describe(out)}`);
  const array = out as Float32Array | Int32Array;
  checkBuffer(array, 'predictSync: out');
  if (lengthOf(array) === length) return array;
  throw new SetnetError(
    'ERR_SETNET_SHAPE',
    `predictSync: out has ${lengthOf(array)} elements, but the answer has ${length}`,
  );
}

function newOut(output: NativeOutput, length: number): Float32Array | Int32Array {
  try {
    return output === NativeOutput.classes ? new Int32Array(length) : new Float32Array(length);
  } catch (cause) {
    throw new SetnetError('ERR_SETNET_MEMORY', `predictSync: no array of ${length} elements can be had`, { cause });
  }
}

/** The predictions of one native object. Whether it can answer at all is the owner's to check first. */
export class Predictions {
  readonly #native: NativePredictor;
  readonly #inputs: number;
  readonly #outputs: number;
  #predictSync: NativeSyncPredictor | undefined;

  constructor(native: NativePredictor, inputs: number, outputs: number) {
    this.#native = native;
    this.#inputs = inputs;
    this.#outputs = outputs;
  }

  async predict(x: unknown, options: unknown): Promise<Float32Array | Int32Array> {
    // Options first: reading them may run code of the caller's, which must not come after the check of x.
    const output = readOutput(options, async);
    const features = readFeatures(x, this.#inputs, async.x);
    return guardAsync(() => this.#native.predict(features, output), async.name);
  }

  /** (x, options) is understood beside (x, out, options). */
  predictSync(x: unknown, out: unknown, options: unknown): Float32Array | Int32Array {
    const isSecondOptions =
      options === undefined && typeof out === 'object' && out !== null && typedArrayName(out) === undefined;
    const output = readOutput(isSecondOptions ? out : options, sync);
    const features = readFeatures(x, this.#inputs, sync.x);
    const rows = rowsOf(features, this.#inputs);
    const length = output === NativeOutput.classes ? rows : rows * this.#outputs;
    const answers = isSecondOptions || out === undefined ? newOut(output, length) : readOut(out, output, length);
    try {
      this.#predictSync ??= this.#native.syncPredictor();
      const predict = this.#predictSync;
      predict(features, output, answers);
    } catch (error) {
      throw toSetnetError(error, sync.name);
    }
    return answers;
  }
}
