// objective.ts: J/n and its gradient for B groups at once, in the unknowns that the iterative methods move.
//
// Mean and factor are one lower triangular matrix in homogeneous coordinates, e = d + 1, in the standardised units of a group
// (columns of variance 1 about x̄, R their correlation matrix):
//
//     M = ⎡ 1   0 ⎤      Rʰ = ⎡ 1  0 ⎤      Wʰ = M⁻¹ Rʰ M⁻ᵀ = ⎡  1   −zᵀ  ⎤      z = L⁻¹m,  m = μ − x̄
//         ⎣ m   L ⎦           ⎣ 0  R ⎦                       ⎣ −z   W_μ  ⎦      W_μ = L⁻¹ R L⁻ᵀ + zzᵀ
//
//     J/n         = Σ log L_ii + ½ tr W_μ + const                         (2), halved (3) + (4)
//     ∂(J/n)/∂M   = M⁻ᵀ (I − Wʰ), its lower triangle but for the corner   (7), (9) and (14): first column ½(9)/n, rest ½((7)+(14))/n
//     r           = max(‖I − W_μ‖_F, ‖z‖)
//
// One inverse and three products give the value, both gradients and the residual.

import type { Tensor, TensorBackend } from "../backend.js";
import { constant } from "./constant.js";
import { diagonalOf } from "./diagonal.js";
import { inverseOfLower } from "./triangular.js";

/** Of each group, [B]. */
export interface Value {
  /** J/n less its constant; +∞ where an L_ii is not positive: the barrier that log|S| puts there */
  readonly value: Float64Array;
  /** r; +∞ there */
  readonly residual: Float64Array;
  /** Σ log L_ii */
  readonly logDeterminant: Float64Array;
  /** tr W_μ */
  readonly trace: Float64Array;
}

/** @returns Wʰ [B, e, e] and M⁻¹ [B, e, e] */
export function whiten(on: TensorBackend, correlation: Tensor, point: Tensor) {
  const inverse = inverseOfLower(on, point);
  const whitened = on.tf.matMul(on.tf.matMul(inverse, correlation), inverse, false, true);
  return { inverse, whitened };
}

/** ∂(J/n)/∂M [B, e, e], zero above the diagonal and in the corner */
export function gradientOf(on: TensorBackend, whitened: Tensor, inverse: Tensor): Tensor {
  const { tf } = on;
  const e = whitened.shape[1] as number;
  const departure = tf.sub(
    constant(on, e, (i, j) => (i === j ? 1 : 0)),
    whitened,
  );
  return tf.mul(
    tf.matMul(inverse, departure, true),
    constant(on, e, (i, j) => (j <= i && i > 0 ? 1 : 0)),
  );
}

export function measured(on: TensorBackend, whitened: Tensor, point: Tensor): Value {
  const { tf } = on;
  const [groups, e] = whitened.shape;
  const identity = constant(on, e, (i, j) => (i === j ? 1 : 0));
  const departure = tf.sub(identity, whitened);
  const diagonal = on.read(diagonalOf(on, point));
  const deficits = on.read(diagonalOf(on, departure));
  // Sums of squares by rows: the first row's is ‖z‖², the others' are ‖I − W_μ‖_F² and once more ‖z‖², by symmetry.
  const squares = on.read(tf.sum(tf.mul(departure, departure), 2));
  const result = {
    value: new Float64Array(groups),
    residual: new Float64Array(groups),
    logDeterminant: new Float64Array(groups),
    trace: new Float64Array(groups),
  };
  for (let g = 0, at = 0; g < groups; g++, at += e) {
    let [log, deficit, sum] = [0, 0, -squares[at]];
    for (let i = at + 1; i < at + e; i++) {
      log += Math.log(diagonal[i]);
      deficit += deficits[i];
      sum += squares[i];
    }
    const trace = e - 1 - deficit;
    const value = log + trace / 2;
    const residual = Math.sqrt(Math.max(sum, squares[at]));
    const inside = Number.isFinite(value) && Number.isFinite(residual);
    result.logDeterminant[g] = log;
    result.trace[g] = trace;
    result.value[g] = inside ? value : Infinity;
    result.residual[g] = inside ? residual : Infinity;
  }
  return result;
}
