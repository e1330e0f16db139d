/*
 * J over the rows, eq. (2), written with tensor operations for B groups of at most n rows each, to be differentiated by tfjs.
 *
 *     J₁ = n log|S|                               (3)
 *     J₂ = Σₐ (Xₐ−μ) S⁻¹ (Xₐ−μ)ᵀ                  (4)
 *     J  = C + ½(J₁ + J₂),  C = (n·d/2) log 2π    (2)
 *
 * One elimination of S = ΛΛᵀ, unrolled over its d columns and carried along the deviations, gives the pivots p_k and the reduced
 * deviations r_k of both terms: log|S| = Σ log p_k and (x−μ) S⁻¹ (x−μ)ᵀ = Σ r_k²/p_k. Neither statistics nor solves are used, and
 * nothing is shared with the kernels.
 */
import type { Tensor } from "@tensorflow/tfjs";
import { constant } from "./float64.js";
import * as tf from "./tfjs.js";

/** The rows of B groups, padded to n with rows of weight 0. */
export interface Rows {
  /** [B, n, d]: X */
  readonly x: Tensor;
  /** [B, n, 1]: wₐ; 1 for a row that counts once */
  readonly weights: Tensor;
}

/** Σ over the groups of J₁, eq. (3): a scalar. */
export function j1({ weights }: Rows, factor: Tensor): Tensor {
  const logPivots = Array.from(eliminate(covariance(factor)), ({ pivot }) => tf.log(pivot));
  return tf.sum(tf.mul(tf.sum(weights, 1, true), addAll(logPivots)));
}

/** Σ over the groups of J₂, eq. (4): a scalar. */
export function j2({ x, weights }: Rows, mean: Tensor, factor: Tensor): Tensor {
  return tf.sum(tf.mul(weights, distances(x, mean, factor)));
}

/** Σ over the groups of J, eq. (2): a scalar. */
export function objective(rows: Rows, mean: Tensor, factor: Tensor): Tensor {
  const d = mean.shape[1] as number;
  const ofOneRow = constant(Float64Array.of((d / 2) * Math.log(2 * Math.PI)), []);
  const half = constant(Float64Array.of(0.5), []);
  const c = tf.mul(tf.sum(rows.weights), ofOneRow);
  return tf.add(c, tf.mul(half, tf.add(j1(rows, factor), j2(rows, mean, factor))));
}

/** (Xₐ−μ) S⁻¹ (Xₐ−μ)ᵀ of each row: [B, n, 1] */
function distances(x: Tensor, mean: Tensor, factor: Tensor): Tensor {
  const [groups, n, d] = x.shape as [number, number, number];
  let deviations = tf.sub(x, tf.reshape(mean, [groups, 1, d]));
  const terms: Tensor[] = [];
  for (const { pivot, row } of eliminate(covariance(factor))) {
    const first = tf.slice(deviations, [0, 0, 0], [groups, n, 1]);
    terms.push(tf.div(tf.square(first), pivot));
    if (row) deviations = tf.sub(tf.slice(deviations, [0, 0, 1], [groups, n, -1]), tf.mul(first, row));
  }
  return addAll(terms);
}

/** S = ΛΛᵀ: [B, d, d] */
const covariance = (factor: Tensor): Tensor => tf.matMul(factor, factor, false, true);

/** A step of the elimination: its pivot p_k [B, 1, 1], and the rest of its row, divided by p_k; the last column has no rest. */
interface Step {
  readonly pivot: Tensor;
  readonly row: Tensor | undefined;
}

/** Gaussian elimination of S [B, d, d], without pivoting, which S, being positive definite, does not need. */
function* eliminate(s: Tensor): Generator<Step> {
  const [groups, d] = s.shape as [number, number, number];
  let rest = s;
  for (let left = d - 1; left >= 0; left--) {
    const pivot = tf.slice(rest, [0, 0, 0], [groups, 1, 1]);
    if (left === 0) {
      yield { pivot, row: undefined };
      return;
    }
    const row = tf.div(tf.slice(rest, [0, 0, 1], [groups, 1, left]), pivot);
    yield { pivot, row };
    const column = tf.slice(rest, [0, 1, 0], [groups, left, 1]);
    rest = tf.sub(tf.slice(rest, [0, 1, 1], [groups, left, left]), tf.mul(column, row));
  }
}

const addAll = (terms: readonly Tensor[]): Tensor => terms.reduce((sum, term) => tf.add(sum, term));
