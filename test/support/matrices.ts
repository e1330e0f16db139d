import { invert, multiply, transpose } from "../../src/engines/reference/matrix.js";
import { expectClose, norm } from "./close.js";

/** Expects |A − B|_ij ≤ tolerance·√(B_ii B_jj): the same in every choice of units. */
export function expectScatter(
  got: Float64Array,
  want: Float64Array,
  d: number,
  tolerance: number,
  what: string,
): void {
  const unit = Float64Array.from({ length: d }, (_, j) => 1 / Math.sqrt(want[j * d + j] || 1));
  const scaled = (a: Float64Array) => a.map((entry, e) => entry * unit[Math.floor(e / d)] * unit[e % d]);
  expectClose(scaled(got), scaled(want), tolerance, what);
}

/** cond(ΛΛᵀ) in the Frobenius norm, after scaling the rows of Λ to length 1: what no choice of units can mend. */
export function conditionOf(factor: Float64Array, d: number): number {
  const scaled = factor.slice();
  for (let i = 0; i < d; i++) {
    const length = norm(factor.subarray(i * d, (i + 1) * d));
    for (let j = 0; j < d; j++) scaled[i * d + j] /= length;
  }
  const inverse = invert(scaled, d)?.inverse;
  return inverse ? (norm(scaled) * norm(inverse)) ** 2 : Infinity;
}

/** MᵀSM */
export const congruent = (s: Float64Array, m: Float64Array, d: number): Float64Array =>
  multiply(transpose(m, d), multiply(s, m, d), d);

/** Group g of an array of d-vectors, and of d×d matrices. */
export const vectorOf = (values: Float64Array, g: number, d: number) => values.subarray(g * d, (g + 1) * d);
export const matrixOf = (values: Float64Array, g: number, d: number) =>
  values.subarray(g * d * d, (g + 1) * d * d);
