// Counts of words as sparse features.
import { CsrMatrix } from 'setnet';

/** A matrix with some of the rows of another, its values as `weigh(value, column)` makes them. */
function selectRows({ rowPointers, columnIndices, values, columns }, samples, weigh) {
  const picked = { rows: samples.length, columns, rowPointers: [0], columnIndices: [], values: [] };
  for (const sample of samples) {
    for (let i = rowPointers[sample]; i < rowPointers[sample + 1]; ++i) {
      picked.columnIndices.push(columnIndices[i]);
      picked.values.push(weigh(values[i], columnIndices[i]));
    }
    picked.rowPointers.push(picked.values.length);
  }
  return CsrMatrix.from(picked);
}

/** The accessors of a CsrMatrix copy: taken once, for many folds. */
function arraysOf({ columns, rowPointers, columnIndices, values }) {
  return { columns, rowPointers, columnIndices, values };
}

/** Makes the counts of a fold's samples: a function of the fold, { train, test } as CsrMatrix. */
export function countFeatures(matrix) {
  const arrays = arraysOf(matrix);
  const pick = (samples) => selectRows(arrays, samples, (value) => value);
  return ({ train, test }) => ({ train: pick(train), test: pick(test) });
}

/**
 * The same, weighted by tf-idf: log(1 + count) * (1 + log((1 + n) / (1 + n_w))), where n is the number of training texts and
 * n_w the number of them that have the word. Zeros stay zeros, so that the matrix stays sparse.
 */
export function tfIdfFeatures(matrix) {
  const arrays = arraysOf(matrix);
  return ({ train, test }) => {
    const texts = new Uint32Array(arrays.columns);
    for (const sample of train) {
      for (let i = arrays.rowPointers[sample]; i < arrays.rowPointers[sample + 1]; ++i)
        ++texts[arrays.columnIndices[i]];
    }
    const rarity = Array.from(texts, (number) => 1 + Math.log((1 + train.length) / (1 + number)));
    const pick = (samples) => selectRows(arrays, samples, (value, word) => Math.log1p(value) * rarity[word]);
    return { train: pick(train), test: pick(test) };
  };
}
