import type { Tensor, TensorBackend } from "../backend.js";
import { gradientOf, measured, whiten } from "../kernels/objective.js";

/** A point of every running group, and what the objective is there. */
export interface Place {
  /** [B, e, e]: M of kernels/objective.ts */
  readonly x: Tensor;
  /** [B, e, e]: ∂(J/n)/∂M */
  readonly gradient: Tensor;
  /** [B]: J/n; +∞ outside */
  readonly value: Float64Array;
  /** [B]: r */
  readonly residual: Float64Array;
}

export function placeAt(on: TensorBackend, correlation: Tensor, x: Tensor): Place {
  const { inverse, whitened } = whiten(on, correlation, x);
  const { value, residual } = measured(on, whitened, x);
  return { x, gradient: gradientOf(on, whitened, inverse), value, residual };
}

/** a + t·b, t one number a group */
export function along(on: TensorBackend, a: Tensor, t: Float64Array, b: Tensor): Tensor {
  return on.tf.add(a, on.tf.mul(on.perGroup(t, b.shape), b));
}

/** Σ_k c_k·v_k of every group: one BatchMatMul. `coefficients` [B, k]. */
export function combination(
  on: TensorBackend,
  coefficients: Float64Array,
  vectors: readonly Tensor[],
): Tensor {
  const shape = vectors[0].shape;
  const weights = on.tensor(coefficients, [shape[0], 1, vectors.length]);
  return on.tf.reshape(on.tf.matMul(weights, stacked(on, vectors)), shape);
}

/** The inner products of every vector on the left with every one on the right, group by group: [B, l, r], one BatchMatMul. */
export function innerProducts(on: TensorBackend, left: readonly Tensor[], right: readonly Tensor[]) {
  return on.read(on.tf.matMul(stacked(on, left), stacked(on, right), false, true));
}

/** [B]: a·b */
export function dot(on: TensorBackend, a: Tensor, b: Tensor): Float64Array {
  const { tf } = on;
  const products = tf.reshape(tf.mul(a, b), [a.shape[0], a.size / a.shape[0]]);
  return Float64Array.from(on.read(tf.sum(products, 1)));
}

/** Vectors [B, …] side by side: [B, k, N] */
function stacked({ tf }: TensorBackend, vectors: readonly Tensor[]): Tensor {
  const groups = vectors[0].shape[0];
  const rows = vectors.map((vector) => tf.reshape(vector, [groups, 1, vector.size / groups]));
  return rows.length === 1 ? rows[0] : tf.concat(rows, 1);
}
