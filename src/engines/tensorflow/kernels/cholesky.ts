// cholesky.ts: A = LLᵀ for B symmetric matrices [B, e, e]; L [B, e, e] lower triangular with a positive diagonal.
//
//     U_kk = √A_kk,   U_kj = A_kj / U_kk,   A_ij ← A_ij − U_ki U_kj  (i, j > k),   L = Uᵀ
//
// Only the upper triangle of A is read. A group whose A is not positive definite gets NaN and harms no other.

import type { Tensor, TensorBackend } from "../backend.js";
import { entry, from, padded, rowsOf } from "./lanes.js";

export function cholesky(on: TensorBackend, a: Tensor): Tensor {
  if (on.has("Cholesky")) return on.run("Cholesky", { input: a });
  const { tf } = on;
  const [groups, e] = a.shape;
  const rest = rowsOf(on, a).map((row, i) => from(on, row, i));
  const rows = rest.map((_, k) => {
    const row = tf.div(rest[k], tf.sqrt(entry(on, rest[k], 0)));
    for (let i = k + 1; i < e; i++) {
      rest[i] = tf.sub(rest[i], tf.mul(entry(on, row, i - k), from(on, row, i - k)));
    }
    return padded(on, k, [row], 0);
  });
  return tf.transpose(tf.reshape(tf.concat(rows, 0), [e, e, groups]), [2, 1, 0]);
}
