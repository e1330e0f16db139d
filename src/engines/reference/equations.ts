/*
 * The equations of Rennie (2006) as they are printed, over the rows of one group.
 *
 * X is n×d with a weight for each row that multiplies the row's term in every sum; W = Σ wₐ takes the place of n. Vectors are rows,
 * matrices row-major. `inverse` is S⁻¹ = (ΛΛᵀ)⁻¹ and symmetric.
 */
import { multiply, transpose } from "./matrix.js";
import type { Rows } from "./rows.js";
import { Sums } from "./sum.js";

/**
 * J₁ = n log|S| = 2n log|det Λ|
 *
 * Source: Rennie (2006), eq. (3).
 *
 * @param weight W, or n
 */
export function j1(weight: number, logAbsDeterminant: number): number {
  return weight * 2 * logAbsDeterminant;
}

/**
 * J₂ = Σ_{a,b,c} [Xₐ−μ]_b S⁻¹_bc [Xₐ−μ]_c
 *
 * Source: Rennie (2006), eq. (4).
 *
 * @param mean    length d: μ, in the units of the data
 * @param inverse d×d: S⁻¹, in 1/squared units
 */
export function j2(rows: Rows, mean: Float64Array, inverse: Float64Array): number {
  const d = mean.length;
  const sum = new Sums(1);
  eachDeviation(rows, mean, (deviation, weight) => {
    for (let b = 0; b < d; b++) {
      for (let c = 0; c < d; c++) sum.add(0, weight * deviation[b] * inverse[b * d + c] * deviation[c]);
    }
  });
  return sum.values()[0];
}

/**
 * J = C + ½(J₁ + J₂), with C = (n·d/2) log 2π: the negative log-likelihood in nats.
 *
 * Source: Rennie (2006), eq. (2), which prints P for its negative logarithm.
 */
export function objective(weight: number, d: number, j1: number, j2: number): number {
  return (weight * d * Math.log(2 * Math.PI)) / 2 + (j1 + j2) / 2;
}

/**
 * ∂J₁/∂Λ = 2n S⁻¹Λ
 *
 * Source: Rennie (2006), eq. (7).
 *
 * @returns d×d, in 1/units of the data
 */
export function dJ1dFactor(
  weight: number,
  inverse: Float64Array,
  factor: Float64Array,
  d: number,
): Float64Array {
  return multiply(inverse, factor, d).map((entry) => 2 * weight * entry);
}

/**
 * ∂J₂/∂μ = −2 Σₐ [Xₐ−μ] S⁻¹
 *
 * Source: Rennie (2006), eq. (9).
 *
 * @returns length d, in 1/units of the data
 */
export function dJ2dMean(rows: Rows, mean: Float64Array, inverse: Float64Array): Float64Array {
  const d = mean.length;
  const sums = new Sums(d);
  eachDeviation(rows, mean, (deviation, weight) => {
    for (let b = 0; b < d; b++) {
      for (let j = 0; j < d; j++) sums.add(j, -2 * weight * deviation[b] * inverse[b * d + j]);
    }
  });
  return sums.values();
}

/**
 * ∂J₂/∂Λ = −2 S⁻¹ [X−μ]ᵀ[X−μ] S⁻¹ Λ
 *
 * Source: Rennie (2006), eq. (14).
 *
 * @param factor d×d: Λ, any square matrix with ΛΛᵀ invertible
 * @returns d×d, in 1/units of the data
 */
export function dJ2dFactor(
  rows: Rows,
  mean: Float64Array,
  inverse: Float64Array,
  factor: Float64Array,
): Float64Array {
  return dJ2dFactorOfScatter(scatterAbout(rows, mean), inverse, factor, mean.length);
}

/** Eq. (14) once [X−μ]ᵀ[X−μ] is summed. */
export function dJ2dFactorOfScatter(
  scatter: Float64Array,
  inverse: Float64Array,
  factor: Float64Array,
  d: number,
): Float64Array {
  const whitened = multiply(inverse, factor, d);
  return multiply(inverse, multiply(scatter, whitened, d), d).map((entry) => -2 * entry);
}

/** [X−μ]ᵀ[X−μ], d×d: the scatter about μ */
function scatterAbout(rows: Rows, mean: Float64Array): Float64Array {
  const d = mean.length;
  const sums = new Sums(d * d);
  eachDeviation(rows, mean, (deviation, weight) => {
    for (let b = 0; b < d; b++) {
      for (let c = 0; c < d; c++) sums.add(b * d + c, weight * deviation[b] * deviation[c]);
    }
  });
  return sums.values();
}

/** S⁻¹ = Λ⁻ᵀΛ⁻¹ */
export function inverseCovariance(inverseFactor: Float64Array, d: number): Float64Array {
  return multiply(transpose(inverseFactor, d), inverseFactor, d);
}

/** Calls `visit` with Xₐ−μ and wₐ for each row. The array is used again for the next row. */
function eachDeviation(
  { count, x, weights }: Rows,
  mean: Float64Array,
  visit: (deviation: Float64Array, weight: number) => void,
): void {
  const d = mean.length;
  const deviation = new Float64Array(d);
  for (let a = 0; a < count; a++) {
    for (let j = 0; j < d; j++) deviation[j] = x[a * d + j] - mean[j];
    visit(deviation, weights[a]);
  }
}
