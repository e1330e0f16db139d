// gradient.ts: eqs. (3), (4), (7), (9) and (14) for B groups at once, per row (divided by n), from their sufficient statistics.
//
//     J₁/n      =  2 Σ log L_ii             (3)    S = ΛΛᵀ = LLᵀ
//     J₂/n      =  tr W,  W = L⁻¹ Â_μ L⁻ᵀ   (4)    Â_μ = A_μ/n, the scatter about μ
//     ∂J₁/∂Λ/n  =  2 S⁻¹Λ                   (7)
//     ∂J₂/∂μ/n  = −2 (x̄−μ) S⁻¹              (9)
//     ∂J₂/∂Λ/n  = −2 S⁻¹ Â_μ S⁻¹ Λ          (14)   = −2 L⁻ᵀ W L⁻¹Λ
//
// Λ [B, d, d] is any square matrix. With Z = L⁻¹ each S⁻¹ is ZᵀZ, and every product is one BatchMatMul over the groups.

import type { Tensor, TensorBackend } from "../backend.js";
import { diagonalOf } from "./diagonal.js";
import { lowerFactor } from "./lq.js";
import { inverseOfLower } from "./triangular.js";

/** All per row: the caller multiplies by n. Of a group whose Λ is singular everything but `diagonal` is meaningless. */
export interface Gradient {
  /** [B, d]: L_ii ≥ 0; J₁/n is twice the sum of their logarithms */
  readonly diagonal: Tensor;
  /** [B]: J₂/n */
  readonly j2: Tensor;
  /** [B, d, d] */
  readonly dJ1dFactor: Tensor;
  /** [B, 1, d] */
  readonly dJ2dMean: Tensor;
  /** [B, d, d] */
  readonly dJ2dFactor: Tensor;
}

/**
 * @param factor    [B, d, d]: Λ
 * @param deviation [B, 1, d]: x̄ − μ
 * @param scatter   [B, d, d]: A_μ/n
 */
export function gradient(on: TensorBackend, factor: Tensor, deviation: Tensor, scatter: Tensor): Gradient {
  const { tf } = on;
  const two = on.tensor(on.array(1).fill(2), []);
  const lower = lowerFactor(on, factor);
  const inverse = inverseOfLower(on, lower); // Z
  const orthogonal = tf.matMul(inverse, factor); // ZΛ
  const whitened = tf.matMul(tf.matMul(inverse, scatter), inverse, false, true); // W
  const shift = tf.matMul(deviation, inverse, false, true); // (x̄−μ)Zᵀ
  return {
    diagonal: diagonalOf(on, lower),
    j2: tf.sum(diagonalOf(on, whitened), 1),
    dJ1dFactor: tf.mul(two, tf.matMul(inverse, orthogonal, true)),
    dJ2dMean: tf.neg(tf.mul(two, tf.matMul(shift, inverse))),
    dJ2dFactor: tf.neg(tf.mul(two, tf.matMul(inverse, tf.matMul(whitened, orthogonal), true))),
  };
}
