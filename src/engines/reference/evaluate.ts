import { statusCode } from "../../status.js";
import * as eq from "./equations.js";
import { type Inverse, invert } from "./matrix.js";
import type { Moments } from "./moments.js";
import type { Rows } from "./rows.js";

/** The paper's equations at one (μ, Λ), for one group. */
export interface GroupEvaluation {
  readonly j1: number;
  readonly j2: number;
  readonly objective: number;
  /** [d, d] */
  readonly dJ1dFactor: Float64Array;
  /** [d] */
  readonly dJ2dMean: Float64Array;
  /** [d, d] */
  readonly dJ2dFactor: Float64Array;
  readonly statusCode: number;
}

/** Eqs. (2), (3), (4), (7), (9) and (14), summed over the rows as the paper prints them. */
export function evaluateRows(rows: Rows, mean: Float64Array, factor: Float64Array): GroupEvaluation {
  const d = mean.length;
  if (rows.count === 0) return uniform(d, 0, "empty");
  if (!rows.x.every(Number.isFinite)) return uniform(d, Number.NaN, "non-finite");
  const inverted = invert(factor, d);
  if (!inverted) return singular(d);
  const inverse = eq.inverseCovariance(inverted.inverse, d);
  const weight = rows.weights.reduce((sum, w) => sum + w, 0);
  return assemble(weight, d, inverted, inverse, factor, {
    j2: eq.j2(rows, mean, inverse),
    dJ2dMean: eq.dJ2dMean(rows, mean, inverse),
    dJ2dFactor: eq.dJ2dFactor(rows, mean, inverse, factor),
  });
}

/**
 * The same equations where only the statistics of a group are left:
 *
 *     A_μ = A + n (x̄−μ)ᵀ(x̄−μ),   J₂ = tr(S⁻¹ A_μ),   ∂J₂/∂μ = −2n (x̄−μ) S⁻¹,   ∂J₂/∂Λ = −2 S⁻¹ A_μ S⁻¹ Λ
 *
 * Source: docs/math.md.
 */
export function evaluateMoments(group: Moments, mean: Float64Array, factor: Float64Array): GroupEvaluation {
  const d = mean.length;
  const { weight } = group;
  if (group.count === 0) return uniform(d, 0, "empty");
  if (!group.mean.every(Number.isFinite) || !group.scatter.every(Number.isFinite)) {
    return uniform(d, Number.NaN, "non-finite");
  }
  const inverted = invert(factor, d);
  if (!inverted) return singular(d);
  const inverse = eq.inverseCovariance(inverted.inverse, d);
  const deviation = group.mean.map((value, j) => value - mean[j]);
  const scatter = group.scatter.slice();
  const dJ2dMean = new Float64Array(d);
  let j2 = 0;
  for (let b = 0, e = 0; b < d; b++) {
    for (let c = 0; c < d; c++, e++) {
      scatter[e] += weight * deviation[b] * deviation[c];
      j2 += inverse[e] * scatter[e];
      dJ2dMean[c] -= 2 * weight * deviation[b] * inverse[e];
    }
  }
  const dJ2dFactor = eq.dJ2dFactorOfScatter(scatter, inverse, factor, d);
  return assemble(weight, d, inverted, inverse, factor, { j2, dJ2dMean, dJ2dFactor });
}

function assemble(
  weight: number,
  d: number,
  { logAbsDeterminant }: Inverse,
  inverse: Float64Array,
  factor: Float64Array,
  ofJ2: Pick<GroupEvaluation, "j2" | "dJ2dMean" | "dJ2dFactor">,
): GroupEvaluation {
  const j1 = eq.j1(weight, logAbsDeterminant);
  const objective = eq.objective(weight, d, j1, ofJ2.j2);
  const dJ1dFactor = eq.dJ1dFactor(weight, inverse, factor, d);
  if (!Number.isFinite(objective)) return uniform(d, Number.NaN, "non-finite");
  return { j1, objective, dJ1dFactor, ...ofJ2, statusCode: statusCode("converged") };
}

function uniform(d: number, value: number, status: "empty" | "non-finite"): GroupEvaluation {
  return {
    j1: value,
    j2: value,
    objective: value,
    dJ1dFactor: new Float64Array(d * d).fill(value),
    dJ2dMean: new Float64Array(d).fill(value),
    dJ2dFactor: new Float64Array(d * d).fill(value),
    statusCode: statusCode(status),
  };
}

/** Λ is singular: log|S| = −∞, and S⁻¹ does not exist. */
function singular(d: number): GroupEvaluation {
  return { ...uniform(d, Number.NaN, "non-finite"), j1: -Infinity, statusCode: statusCode("singular") };
}
