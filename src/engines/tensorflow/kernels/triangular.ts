// triangular.ts: X = L⁻¹ for B lower triangular matrices [B, e, e].
//
//     X_ii = 1 / L_ii,   X_i· = −(Σ_{k<i} L_ik X_k·) / L_ii
//
// The equations need L⁻¹ from both sides several times: inverted once, each use is a product. The inverse of a triangle by substitution
// is as accurate as the substitutions themselves (Higham 2002, section 14.2).

import type { Tensor, TensorBackend } from "../backend.js";
import { constant } from "./constant.js";
import { entry, matricesOf, padded, rowsOf } from "./lanes.js";

export function inverseOfLower(on: TensorBackend, lower: Tensor): Tensor {
  const { tf } = on;
  const [groups, e] = lower.shape;
  if (on.has("MatrixTriangularSolve")) {
    const rhs = constant(on, e, (i, j) => (i === j ? 1 : 0)); // the same for every group
    return on.run("MatrixTriangularSolve", { matrix: lower, rhs }, { lower: true, adjoint: false });
  }
  const inverse: Tensor[] = [];
  rowsOf(on, lower).forEach((row, i) => {
    const pivot = entry(on, row, i);
    const diagonal = tf.div(on.tensor(on.array(groups).fill(1), [groups]), pivot);
    if (i === 0) {
      inverse.push(padded(on, 0, [diagonal], e - 1));
      return;
    }
    let sum = tf.mul(entry(on, row, 0), inverse[0]);
    for (let k = 1; k < i; k++) sum = tf.add(sum, tf.mul(entry(on, row, k), inverse[k]));
    const left = tf.div(tf.slice(sum, [0, 0], [i, groups]), tf.neg(pivot));
    inverse.push(padded(on, 0, [left, diagonal], e - 1 - i));
  });
  return matricesOf(on, inverse);
}
