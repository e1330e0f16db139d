import type { RealArray } from "../layout.js";
import { conditionOf, norm } from "./linear.js";
import type { UnitFree } from "./unit-free.js";

/** How large one group's terms are and how far rounding reaches into them: what its gradients are judged by. See docs/verification.md. */
export interface Measure {
  /** [d]: sᵢ, by which row i of a gradient is multiplied before it is compared */
  readonly units: Float64Array;
  /** κ(S), free of units */
  readonly condition: number;
  /** J₂, eq. (4) */
  readonly j2: number;
  /** ‖(7)‖ = 2n‖Λ⁻ᵀ‖ */
  readonly size7: number;
  /** 2 Σₐ ‖(Xₐ−μ) S⁻¹‖: the norms of the rows' terms of (9), which itself vanishes at μ = x̄ */
  readonly size9: number;
  /** ‖(14)‖ = 2 ‖S⁻¹ [X−μ]ᵀ[X−μ] S⁻¹Λ‖ */
  readonly size14: number;
  /** How many times larger (9) would be with Xₐ and μ themselves in place of their difference: what that subtraction costs. */
  readonly cancellation: number;
}

/**
 * Measures a group.
 *
 * @param x    [N, d]: all rows
 * @param rows numbers of the group's rows of positive weight
 */
export function measure(group: UnitFree, x: RealArray, rows: readonly number[], mean: Float64Array): Measure {
  const { units, factor, inverse, deviations, weights } = group;
  const d = units.length;
  const reach = reachOf(inverse, d);
  const whitened = new Float64Array(d);
  const solved = new Float64Array(d);
  const whitenedScatter = new Float64Array(d * d);
  let [weight, j2, size9, uncancelled] = [0, 0, 0, 0];
  weights.forEach((w, a) => {
    multiply(inverse, deviations.subarray(a * d, (a + 1) * d), whitened);
    multiplyTransposed(inverse, whitened, solved);
    weight += w;
    size9 += 2 * w * norm(solved);
    for (let i = 0, e = 0; i < d; i++) {
      j2 += w * whitened[i] ** 2;
      uncancelled += (2 * w * reach[i] * (Math.abs(x[rows[a] * d + i]) + Math.abs(mean[i]))) / units[i];
      for (let j = 0; j < d; j++, e++) whitenedScatter[e] += w * whitened[i] * whitened[j];
    }
  });
  return {
    units,
    condition: conditionOf(factor, d) ** 2,
    j2,
    size7: 2 * weight * norm(inverse),
    size9,
    size14: 2 * norm(transposedProduct(inverse, whitenedScatter, d)),
    cancellation: uncancelled / size9,
  };
}

/** [d]: the norms of the rows of S⁻¹ = Λ⁻ᵀΛ⁻¹ */
function reachOf(inverse: Float64Array, d: number): Float64Array {
  const inverseCovariance = transposedProduct(inverse, inverse, d);
  return Float64Array.from({ length: d }, (_, i) => norm(inverseCovariance.subarray(i * d, (i + 1) * d)));
}

/** Mv */
function multiply(m: Float64Array, v: Float64Array, into: Float64Array): void {
  const d = v.length;
  for (let i = 0; i < d; i++) {
    into[i] = 0;
    for (let j = 0; j < d; j++) into[i] += m[i * d + j] * v[j];
  }
}

/** Mᵀv */
function multiplyTransposed(m: Float64Array, v: Float64Array, into: Float64Array): void {
  const d = v.length;
  into.fill(0);
  for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) into[j] += m[i * d + j] * v[i];
}

/** AᵀB */
function transposedProduct(a: Float64Array, b: Float64Array, d: number): Float64Array {
  const product = new Float64Array(d * d);
  for (let k = 0; k < d; k++) {
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) product[i * d + j] += a[k * d + i] * b[k * d + j];
    }
  }
  return product;
}
