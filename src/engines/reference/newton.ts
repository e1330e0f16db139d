import { likelihoodAt, type Point } from "./likelihood.js";
import { invert, multiply, transpose } from "./matrix.js";
import type { Ending, Minimiser } from "./search.js";

/** Below this residual the convergence is quadratic: a step that does not halve the residual then shows rounding. */
const QUADRATIC = 0.1;

/**
 * Newton's iteration for the polar factor of L⁻¹Λ, Ŝ = LLᵀ, which never needs L:
 *
 *     μ = x̄,   Λ ← ½ (Λ + Ŝ Λ⁻ᵀ)
 *
 * In the paper's terms a step along −S·G/(2n), G = ∂J/∂Λ. Converges from every invertible Λ, quadratically in the end.
 *
 * Source: Higham (1986).
 */
export const newton: Minimiser = (correlation, start, limits) => {
  const d = start.mean.length;
  let point: Point = start;
  let likelihood = likelihoodAt(correlation, point);
  const ended = (iterations: number, status: Ending["status"]): Ending => ({
    point,
    likelihood,
    iterations,
    status,
  });
  for (let iterations = 0; ; iterations++) {
    if (likelihood.residual <= limits.tolerance) return ended(iterations, "converged");
    if (iterations === limits.maxIterations) return ended(iterations, "max-iterations");
    const inverted = invert(point.factor, d);
    if (!inverted) return ended(iterations, "stalled");
    const reflected = multiply(correlation, transpose(inverted.inverse, d), d);
    const next: Point = {
      mean: new Float64Array(d),
      factor: point.factor.map((value, e) => (value + reflected[e]) / 2),
    };
    const improved = likelihoodAt(correlation, next);
    const stalled = likelihood.residual < QUADRATIC && !(improved.residual < likelihood.residual / 2);
    if (stalled) return ended(iterations, "stalled");
    point = next;
    likelihood = improved;
  }
};
