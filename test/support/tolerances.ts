/*
 * How far results may be from each other, and why. All are relative to the natural size of the terms that were summed (for a scatter
 * √(A_ii A_jj), for a gradient the norm of its terms), never to what cancellation left of the sum.
 */

/** Rounding unit of float64. */
export const UNIT = 2 ** -53;

/** Means and scatters: 100 roundings; blocked and compensated sums stay well below. */
export const MOMENT_TOLERANCE = 100 * UNIT;

/** The same quantities with rows and sums in float32: 64 of its rounding units (goals: 5e-7 by chunks of 256 rows). */
export const MOMENT_TOLERANCE_FLOAT32 = 64 * 2 ** -24;

/** Likelihood and gradients at cond(S) ≤ 1e3, where S is factored: ε·cond(S) = 1.1e-13, not all of it in one direction. */
export const GRADIENT_TOLERANCE = 1e-13;

/** In float32 arithmetic at cond(S) ≤ 100: ε·cond(S) = 6e-6, times what d ≤ 9 columns add. */
export const GRADIENT_TOLERANCE_FLOAT32 = 1e-4;

/** What a factorisation of a matrix of this condition may lose. */
export const conditioned = (condition: number): number => Math.max(1e-13, 32 * UNIT * condition);
