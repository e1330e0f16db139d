// certificate.ts: how good the points of B groups are.
//
//     gap (J − J*)/n = ½ (tr W_μ − log|W₀| − d) = ½ [ Σ_{i>0} (c_ii² − 1 − log c_ii²) + Σ_{i>k} c_ik² ],   Wʰ = CCᵀ
//
// In homogeneous coordinates (objective.ts) the first column of C is −z and the rest of it a Cholesky factor of W₀, so that the mean's
// share is among the squares. The gap is exact, not a bound. Every term is ≥ 0: nothing cancels near the optimum.

import type { Tensor, TensorBackend } from "../backend.js";
import { cholesky } from "./cholesky.js";
import { constant } from "./constant.js";
import { diagonalOf } from "./diagonal.js";
import { measured, type Value, whiten } from "./objective.js";

export interface Certificate extends Value {
  /** [B] (J − J*)/n ≥ 0 */
  readonly gap: Float64Array;
}

/**
 * @param correlation [B, e, e]: Rʰ
 * @param point       [B, e, e]: M
 */
export function certify(on: TensorBackend, correlation: Tensor, point: Tensor): Certificate {
  const { tf } = on;
  const [groups, e] = point.shape;
  const { whitened } = whiten(on, correlation, point);
  const factor = cholesky(on, whitened);
  const below = tf.mul(
    factor,
    constant(on, e, (i, j) => (i > j ? 1 : 0)),
  );
  const diagonal = on.read(diagonalOf(on, factor));
  const squares = on.read(tf.sum(tf.reshape(tf.mul(below, below), [groups, e * e]), 1));
  const gap = Float64Array.from(squares, (sum, g) => {
    for (let i = 1; i < e; i++) {
      const c = diagonal[g * e + i];
      sum += excess((c - 1) * (c + 1));
    }
    return Number.isNaN(sum) ? Infinity : sum / 2;
  });
  return { ...measured(on, whitened, point), gap };
}

/** δ − log(1 + δ) for δ > −1. Below the bound seven terms of the series leave less than 2⁻⁵³ relative to the first. */
function excess(delta: number): number {
  const seriesBound = 0.005;
  if (Math.abs(delta) > seriesBound) return delta - Math.log1p(delta);
  let sum = 0;
  for (let k = 8; k >= 2; k--) sum = (k % 2 === 0 ? 1 : -1) / k + delta * sum;
  return delta * delta * sum;
}
