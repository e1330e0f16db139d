// moments.ts: W, the sums and the products of many chunks of rows at once, from which mean and scatter follow.
//
//     Xʰ = [1, X − shift]   [C, n, d+1], of every row after a one
//     Xʰᵀ diag(w) Xʰ = ⎡ Σ w      Σ w x  ⎤   [C, d+1, d+1]
//                      ⎣ Σ w xᵀ   Σ w xᵀx ⎦
//
// One BatchMatMul gives all of it. A row of zeros, its one included, adds exactly nothing: chunks of different lengths are
// brought to one length by such rows.

import type { Tensor, TensorBackend } from "../backend.js";

/** @param weighted w·Xʰ, or Xʰ itself where there are no weights */
export function products({ tf }: TensorBackend, weighted: Tensor, rows: Tensor): Tensor {
  return tf.matMul(weighted, rows, true, false);
}
