// lq.ts: the lower triangular L of S = ΛΛᵀ = LLᵀ for B general square Λ [B, d, d], without forming S.
//
//     Λ = LQ by modified Gram & Schmidt on the rows of Λ:
//     L_ik = q_k · v,  v ← v − L_ik q_k  (k < i, v at first row i of Λ),   L_ii = ‖v‖,  q_i = v / L_ii
//
// The condition number of Λ limits the digits of L, not that of S, its square. (Q is less exact than L, and not used.)
// Source: Björck (1967). Where the backend has a QR factorisation of its own, by Householder's reflections, L comes from that. A group whose Λ is singular has an L_ii of about 0, or NaN after an exact one.

import type { Tensor, TensorBackend } from "../backend.js";
import { diagonalOf } from "./diagonal.js";
import { dot, matricesOf, padded, rowsOf } from "./lanes.js";

export function lowerFactor(on: TensorBackend, factor: Tensor): Tensor {
  if (on.has("Qr")) return byHouseholder(on, factor);
  const { tf } = on;
  const directions: Tensor[] = [];
  const lower = rowsOf(on, factor).map((row, i, rows) => {
    let rest = row;
    const entries = directions.map((direction) => {
      const share = dot(on, direction, rest);
      rest = tf.sub(rest, tf.mul(share, direction));
      return share;
    });
    const length = tf.sqrt(dot(on, rest, rest));
    directions.push(tf.div(rest, length));
    return padded(on, 0, [...entries, length], rows.length - 1 - i);
  });
  return matricesOf(on, lower);
}

/** Λᵀ = QR, L = Rᵀ with its columns turned so that the diagonal is not negative. */
function byHouseholder(on: TensorBackend, factor: Tensor): Tensor {
  const { tf } = on;
  const [groups, d] = factor.shape;
  const upper = on.run("Qr", { input: tf.transpose(factor, [0, 2, 1]) });
  const signs = tf.reshape(tf.sign(diagonalOf(on, upper)), [groups, 1, d]);
  return tf.mul(tf.transpose(upper, [0, 2, 1]), signs);
}
