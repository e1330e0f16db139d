import { type Likelihood, likelihoodAt, type Point } from "./likelihood.js";

/** How far a method may go. */
export interface Limits {
  /** on the residual r */
  readonly tolerance: number;
  readonly maxIterations: number;
}

/** Where a method ended. */
export interface Ending {
  readonly point: Point;
  readonly likelihood: Likelihood;
  readonly iterations: number;
  readonly status: "converged" | "max-iterations" | "stalled";
}

/** An iterative method, on the standardised problem of one group. */
export type Minimiser = (correlation: Float64Array, start: Point, limits: Limits) => Ending;

/** A point as one vector [d + d²], and what is known of it. */
export interface Place {
  readonly x: Float64Array;
  readonly likelihood: Likelihood;
}

/** One step of a gradient method: the next place, or undefined where it found none that lowers the objective. */
export type Step = (at: Place) => Place | undefined;

/** f and its gradient at a vector [d + d²]. */
export type Objective = (x: Float64Array) => Place;

/**
 * The loop that gradient methods share: step until the residual is within the tolerance, the budget is spent, or no step is left.
 *
 * @param prepare gives the method's step, which keeps the method's memory
 */
export function descend(prepare: (objective: Objective) => Step): Minimiser {
  return (correlation, start, limits) => {
    const d = start.mean.length;
    const pointOf = (x: Float64Array): Point => ({ mean: x.slice(0, d), factor: x.slice(d) });
    const objective: Objective = (x) => ({ x, likelihood: likelihoodAt(correlation, pointOf(x)) });
    const step = prepare(objective);
    let at = objective(Float64Array.of(...start.mean, ...start.factor));
    for (let iterations = 0; ; iterations++) {
      const ending = { point: pointOf(at.x), likelihood: at.likelihood, iterations };
      if (at.likelihood.residual <= limits.tolerance) return { ...ending, status: "converged" };
      if (iterations === limits.maxIterations) return { ...ending, status: "max-iterations" };
      const next = Number.isFinite(at.likelihood.value) ? step(at) : undefined;
      if (!next) return { ...ending, status: "stalled" };
      at = next;
    }
  };
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** a + t·b */
export function along(a: Float64Array, t: number, b: Float64Array): Float64Array {
  return a.map((value, i) => value + t * b[i]);
}

/**
 * How much of a difference between two values of f is rounding: f sums d terms of size 1 and log|det Λ|. Within it a line search
 * goes by the slope alone, as Hager & Zhang's (2005) approximate Wolfe conditions do.
 */
export function noise(value: number): number {
  return 2 ** -46 * (1 + Math.abs(value));
}
