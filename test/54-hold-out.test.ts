import { strict as assert } from 'node:assert';
import { CsrMatrix, type FeatureMatrix, type HeldOut, holdOut, type Labels } from '../lib/index';
import { type Anything, throwsCode } from './helpers/helpers';

const [rows, columns] = [203, 3];
/** Row i has the numbers 10 i, 10 i + 1, 10 i + 2. */
const numbers = Array.from({ length: rows * columns }, (_, i) => 10 * Math.floor(i / columns) + (i % columns));
const labels = Int32Array.from({ length: rows }, (_, i) => (i % 10 === 0 ? 2 : i % 2));

function table(): FeatureMatrix {
  return { data: Float32Array.from(numbers), shape: [rows, columns] };
}

/** The samples of a part, by their first number, whose other numbers and label must be theirs. */
function samplesOf({ x, y }: HeldOut['training']): number[] {
  const [count, data] =
    x instanceof CsrMatrix ? [x.rows, x.toDense()] : [(x as FeatureMatrix).shape[0], (x as FeatureMatrix).data];
  assert.equal(data.length, count * columns);
  assert.equal((y as Labels).length, count);
  return Array.from({ length: count }, (_, row) => {
    const sample = (data[row * columns] as number) / 10;
    const expected = [10 * sample, 10 * sample + 1, 10 * sample + 2];
    assert.deepEqual([...data.subarray(row * columns, (row + 1) * columns)], expected);
    assert.equal((y as Int32Array)[row], labels[sample]);
    return sample;
  });
}

function assertParts({ training, validation }: HeldOut, held: number): void {
  const parts = [samplesOf(training), samplesOf(validation)];
  for (const part of parts)
    assert.deepEqual(
      part,
      [...part].sort((a, b) => a - b),
    );
  assert.deepEqual(
    parts.flat().sort((a, b) => a - b),
    Array.from({ length: rows }, (_, i) => i),
  );
  assert.equal(parts[1]?.length, held);
}

describe('54 hold-out: samples kept away from training', () => {
  it('every sample is in one of the parts, with its own features and label', () => {
    for (const reuse of [false, true]) {
      const x = table();
      const parts = holdOut({ x, y: labels }, { fraction: 0.2, seed: 3, reuse });
      assertParts(parts, 41);
      const isSame = ((parts.training.x as FeatureMatrix).data as Float32Array).buffer === x.data.buffer;
      assert.equal(isSame, reuse);
      if (!reuse) assert.deepEqual([...x.data], numbers);
    }
  });

  it('of a sparse matrix rows are taken as of a dense one', () => {
    const x = CsrMatrix.fromDense(Float32Array.from(numbers), { rows, columns });
    const sparse = holdOut({ x, y: labels }, { seed: 3 });
    assertParts(sparse, 20);
    assert.deepEqual(
      samplesOf(sparse.validation),
      samplesOf(holdOut({ x: table(), y: labels }, { seed: 3 }).validation),
    );
  });

  it('every class gives the same fraction, as near as whole samples allow', () => {
    for (const seed of [0, 1, 2]) {
      const { validation } = holdOut({ x: table(), y: labels }, { fraction: 0.25, seed });
      const held = samplesOf(validation);
      for (const label of [0, 1, 2]) {
        const all = labels.filter((other) => other === label).length;
        const part = held.filter((sample) => labels[sample] === label).length;
        assert.ok(Math.abs(part - 0.25 * all) < 1, `class ${label}: ${part} of ${all}`);
      }
    }
  });

  it('a class that one sample has stays in training', () => {
    const y = Array.from({ length: rows }, (_, i) => (i === 17 ? 'rare' : 'common'));
    const { training, validation } = holdOut({ x: table(), y }, { fraction: 0.9 });
    assert.ok((training.y as string[]).includes('rare'));
    assert.ok(!(validation.y as string[]).includes('rare'));
    assert.equal((validation.y as string[]).length, 182);
  });

  it('the seed decides, and nothing else', () => {
    const held = (seed: number) => samplesOf(holdOut({ x: table(), y: labels }, { seed }).validation);
    assert.deepEqual(held(1), held(1));
    assert.notDeepEqual(held(1), held(2));
  });

  it('targets that are numbers go with their samples, whatever their form', () => {
    const pairs = Float32Array.from({ length: 2 * rows }, (_, i) => 10 * Math.floor(i / 2) + (i % 2));
    for (const y of [pairs, { data: pairs, shape: [rows, 2] as [number, number] }]) {
      const { training, validation } = holdOut({ x: table(), y }, { fraction: 0.5 });
      for (const part of [training, validation]) {
        const data = (part.x as FeatureMatrix).data;
        const targets =
          'shape' in (part.y as object) ? (part.y as { data: Float32Array }).data : (part.y as Float32Array);
        assert.equal(targets.length / 2, data.length / columns);
        for (let row = 0; row < targets.length / 2; row++) {
          assert.equal(targets[2 * row], data[row * columns]);
          assert.equal(targets[2 * row + 1], data[row * columns + 1]);
        }
      }
    }
  });

  it('what cannot be divided is refused', () => {
    const x = table();
    throwsCode(() => holdOut({ x, y: labels }, { fraction: 0.001 }), 'ERR_SETNET_DATA', /leaves none to hold out/);
    throwsCode(
      () => holdOut({ x, y: labels }, { fraction: 0.999, stratify: false }),
      'ERR_SETNET_DATA',
      /none to train on/,
    );
    for (const fraction of [0, 1, -1, Number.NaN])
      throwsCode(() => holdOut({ x, y: labels }, { fraction }), 'ERR_SETNET_OPTION', /fraction/);
    throwsCode(
      () => holdOut({ x, y: labels.subarray(1) }),
      'ERR_SETNET_SHAPE',
      /202 elements, but there are 203 samples/,
    );
    throwsCode(() => holdOut({ x: x.data, y: labels }), 'ERR_SETNET_TYPE', /shape: \[rows, columns\]/);
    throwsCode(() => holdOut({ x } as Anything), 'ERR_SETNET_TYPE', /y is missing/);
    throwsCode(() => holdOut({ x, y: labels }, { part: 0.1 } as Anything), 'ERR_SETNET_OPTION', /part/);
  });
});
