import { along, dot, noise, type Objective, type Place } from "./search.js";

/** Sufficient decrease: f may not exceed f₀ + c₁ t f′₀. Nocedal & Wright (2006), eq. (3.6a). */
const DECREASE = 1e-4;
/** Halvings and doublings before a direction is given up: 2^-60 is below the rounding of any step. */
const TRIALS = 60;

/**
 * A step t along `direction` that satisfies the strong Wolfe conditions up to rounding:
 *
 *     f(t) ≤ f₀ + c₁ t f′₀   and   |f′(t)| ≤ c₂ |f′₀|
 *
 * Source: Nocedal & Wright (2006), section 3.1; by bracketing, with secants on the slope inside the bracket.
 *
 * @param curvature c₂: 0.9 for quasi-Newton directions, 0.1 for conjugate ones
 * @returns undefined where `direction` does not descend or no such step was found
 */
export function wolfe(
  objective: Objective,
  from: Place,
  direction: Float64Array,
  firstStep: number,
  curvature: number,
): { place: Place; t: number } | undefined {
  const slope0 = dot(from.likelihood.gradient, direction);
  if (!(slope0 < 0)) return undefined;
  const value0 = from.likelihood.value;
  let low = { t: 0, slope: slope0 };
  let high: { t: number; slope: number } | undefined;
  let t = firstStep;
  for (let trial = 0; trial < TRIALS; trial++) {
    const place = objective(along(from.x, t, direction));
    const slope = dot(place.likelihood.gradient, direction);
    const decreased = place.likelihood.value <= value0 + DECREASE * t * slope0 + noise(value0);
    if (decreased && Math.abs(slope) <= curvature * -slope0) return { place, t };
    if (!decreased || slope > 0) high = { t, slope };
    else low = { t, slope };
    t = high ? between(low, high) : 2 * t;
  }
  return undefined;
}

/** The zero of the slope by a secant, kept off the ends of the bracket; its middle where the slopes show no zero. */
function between(low: { t: number; slope: number }, high: { t: number; slope: number }): number {
  const width = high.t - low.t;
  if (!(high.slope > 0)) return low.t + width / 2;
  const share = low.slope / (low.slope - high.slope);
  return low.t + width * Math.min(0.9, Math.max(0.1, share));
}

/**
 * The first of t, t/2, t/4, … with sufficient decrease below `ceiling` (f itself, or the largest of some last values).
 *
 * Source: Armijo (1966); with a ceiling above f, Grippo, Lampariello & Lucidi (1986).
 */
export function armijo(
  objective: Objective,
  from: Place,
  direction: Float64Array,
  firstStep: number,
  ceiling = from.likelihood.value,
): { place: Place; t: number } | undefined {
  const slope = dot(from.likelihood.gradient, direction);
  if (!(slope < 0)) return undefined;
  let t = firstStep;
  for (let trial = 0; trial < TRIALS; trial++, t /= 2) {
    const place = objective(along(from.x, t, direction));
    if (place.likelihood.value <= ceiling + DECREASE * t * slope + noise(ceiling)) return { place, t };
  }
  return undefined;
}
