import type { Start } from "../../engine.js";
import type { Method } from "../../methods.js";
import { rankOf } from "../../rank.js";
import type { Status } from "../../status.js";
import { type Likelihood, likelihoodAt, type Point } from "./likelihood.js";
import { cholesky, multiply, transpose, triangularise } from "./matrix.js";
import { MINIMISERS } from "./methods.js";
import type { Moments } from "./moments.js";

/** What to fit of one group. */
export interface GroupTask {
  readonly method: Method;
  readonly ddof: 0 | 1;
  readonly tolerance: number;
  readonly maxIterations: number;
  readonly start: Exclude<Start, object> | Point;
  readonly roundingUnit: number;
}

/** The fit of one group; what is not defined is NaN. */
export interface GroupFit {
  readonly status: Status;
  readonly mean: Float64Array;
  readonly covariance: Float64Array;
  readonly factor: Float64Array;
  readonly logLikelihood: number;
  readonly residual: number;
  readonly gap: number;
  readonly iterations: number;
}

/** The maximum likelihood estimate of one group from its statistics. */
export function fitGroup(group: Moments, task: GroupTask): GroupFit {
  const trouble = troubleOf(group, task);
  if (trouble) return withoutFit(group, task.ddof, trouble);
  return task.method === "closed-form" ? closedForm(group, task.ddof) : iterative(group, task, task.method);
}

/** Why the likelihood has no maximum, or the covariance no divisor, if so. */
function troubleOf(group: Moments, { ddof, roundingUnit }: GroupTask): Status | undefined {
  const d = group.mean.length;
  if (group.count === 0) return "empty";
  if (!group.mean.every(Number.isFinite) || !group.scatter.every(Number.isFinite)) return "non-finite";
  if (group.count < d + 1 || !(group.weight > ddof)) return "too-few-rows";
  return rankOf({ ...group, roundingUnit }).full ? undefined : "singular";
}

/** Mean and covariance where they are defined, no factor. */
function withoutFit(group: Moments, ddof: number, status: Status): GroupFit {
  const divisor = group.weight - ddof;
  const nothing = Number.NaN;
  return {
    status,
    mean: group.mean,
    covariance: group.scatter.map((entry) => (divisor > 0 ? entry / divisor : nothing)),
    factor: group.scatter.map(() => nothing),
    logLikelihood: nothing,
    residual: nothing,
    gap: nothing,
    iterations: 0,
  };
}

/** μ = x̄, S = A/(n − ddof), Λ = chol S. */
function closedForm(group: Moments, ddof: number): GroupFit {
  const d = group.mean.length;
  const divisor = group.weight - ddof;
  const covariance = group.scatter.map((entry) => entry / divisor);
  const factor = cholesky(covariance, d);
  if (!factor) return withoutFit(group, ddof, "singular");
  const { scale, correlation } = standardised(group);
  const point = {
    mean: new Float64Array(d),
    factor: factor.map((entry, e) => entry / scale[Math.floor(e / d)]),
  };
  const likelihood = likelihoodAt(correlation, point);
  return {
    ...figures(group, scale, likelihood),
    status: "converged",
    mean: group.mean,
    covariance,
    factor,
    iterations: 0,
  };
}

/** An iterative method, on the standardised columns; its result with the triangular Λ of the same S. */
function iterative(group: Moments, task: GroupTask, method: Exclude<Method, "closed-form">): GroupFit {
  const d = group.mean.length;
  const { scale, correlation } = standardised(group);
  const start = startOf(group, scale, task.start);
  const ending = MINIMISERS[method](correlation, start, task);
  const { point, likelihood } = ending;
  // J is not finite at the start: Λ is singular there, or too far away to compute.
  if (!Number.isFinite(likelihood.value)) return withoutFit(group, task.ddof, "stalled");
  const mean = group.mean.map((value, j) => value + scale[j] * point.mean[j]);
  const factor = triangularise(point.factor, d).map((entry, e) => entry * scale[Math.floor(e / d)]);
  const covariance = multiply(factor, transpose(factor, d), d);
  return {
    ...figures(group, scale, likelihood),
    status: ending.status,
    mean,
    covariance,
    factor,
    iterations: ending.iterations,
  };
}

interface Standardised {
  /** [d]: s_j = √Ŝ_jj, in the units of the data */
  readonly scale: Float64Array;
  /** [d, d]: R_ij = Ŝ_ij/(sᵢ s_j) */
  readonly correlation: Float64Array;
}

function standardised({ weight, mean, scatter }: Moments): Standardised {
  const d = mean.length;
  const scale = mean.map((_, j) => Math.sqrt(scatter[j * d + j] / weight));
  const correlation = scatter.map((entry, e) => {
    const [i, j] = [Math.floor(e / d), e % d];
    return i === j ? 1 : entry / weight / scale[i] / scale[j];
  });
  return { scale, correlation };
}

/** `default`: μ = x̄, Λ = diag(s); `identity`: μ = x̄, Λ = I in the units of the data; or as given. */
function startOf(group: Moments, scale: Float64Array, start: GroupTask["start"]): Point {
  const d = scale.length;
  if (typeof start === "object") {
    return {
      mean: start.mean.map((value, j) => (value - group.mean[j]) / scale[j]),
      factor: start.factor.map((entry, e) => entry / scale[Math.floor(e / d)]),
    };
  }
  const factor = new Float64Array(d * d);
  for (let j = 0; j < d; j++) factor[j * d + j] = start === "identity" ? 1 / scale[j] : 1;
  return { mean: new Float64Array(d), factor };
}

/** ℓ = −n (f + Σ log s_j + (d/2) log 2π), where f is the objective per row on standardised columns; residual and gap. */
function figures(group: Moments, scale: Float64Array, { value, residual, gap }: Likelihood) {
  const d = scale.length;
  const units = scale.reduce((sum, s) => sum + Math.log(s), 0);
  const logLikelihood = -group.weight * (value + units + (d / 2) * Math.log(2 * Math.PI));
  return { logLikelihood, residual, gap };
}
