import { CsrMatrix } from 'setnet';

// A 3 x 4 matrix from its elements, in any order.
const a = CsrMatrix.fromCoo({
  rows: 3,
  columns: 4,
  rowIndices: [2, 0, 0, 1],
  columnIndices: [3, 2, 0, 1],
  values: [5, 2, 1, -1],
});
console.log(`${a.count} of ${a.rows * a.columns} elements`);

// Two vectors at once, one behind the other: A x for each. Off the event loop with `await a.multiply(x)`.
const x = Float32Array.of(1, 1, 1, 1, 1, 2, 3, 4);
const y = a.multiplySync(x);
console.log(`A x: ${y.join(' ')}`);

// And back, A^T y.
console.log(`A^T y: ${a.transposeMultiplySync(y).join(' ')}`);

// The gradient of sum(y^2) / 2 with respect to the elements of A that exist.
const gradient = await a.sampledProduct(y, x);
console.log(`gradient: ${gradient.values.join(' ')}`);
