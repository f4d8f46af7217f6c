// A matrix of arrays that are its own already: nothing is copied before native code does.
import { type CsrMatrix, wrapMatrix } from '../csr_matrix';
import { guard } from '../errors';
import { native } from '../loader';
import type { NativeMatrixData } from '../native';

/** Validated in native code. */
export function matrixFromArrays(arrays: NativeMatrixData): CsrMatrix {
  return wrapMatrix(guard(() => native().createCsrMatrix(arrays)));
}
