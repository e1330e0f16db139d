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
  const elsewhere = constant(on, e, (i, j) => (i === j ? 0 : 1));
  const flat = [groups, e * e];
  const logarithms = tf.log(tf.add(tf.mul(point, identity), elsewhere));
  const departure = tf.reshape(tf.sub(identity, whitened), flat);
  // Columns: the entries of W_μ, the entries of z.
  const selector = on.array(e * e * 2);
  for (let i = 1; i < e; i++) {
    selector[i * e * 2 + 1] = 1;
    for (let j = 1; j < e; j++) selector[(i * e + j) * 2] = 1;
  }
  const squares = on.read(tf.matMul(tf.mul(departure, departure), on.tensor(selector, [e * e, 2])));
  const deficits = on.read(tf.sum(tf.reshape(tf.mul(tf.sub(identity, whitened), identity), flat), 1));
  const logDeterminant = Float64Array.from(on.read(tf.sum(tf.reshape(logarithms, flat), 1)));
  const trace = Float64Array.from(deficits, (deficit) => e - 1 - deficit);
  const value = logDeterminant.map((log, g) => log + trace[g] / 2);
  const residual = value.map((_, g) => Math.sqrt(Math.max(squares[2 * g], squares[2 * g + 1])));
  for (let g = 0; g < groups; g++) {
    if (Number.isFinite(value[g]) && Number.isFinite(residual[g])) continue;
    value[g] = residual[g] = Infinity;
  }
  return { value, residual, logDeterminant, trace };
}

/** One matrix [e, e], the same for every group. */
export function constant(on: TensorBackend, e: number, entry: (i: number, j: number) => number): Tensor {
  const values = on.array(e * e);
  for (let i = 0; i < e; i++) for (let j = 0; j < e; j++) values[i * e + j] = entry(i, j);
  return on.tensor(values, [e, e]);
}
