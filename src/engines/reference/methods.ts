/*
 * The iterative methods, each as its step. "Gradient descent" in the paper means this whole family: methods that choose their
 * direction by current and past gradients only.
 */
import type { Method } from "../../methods.js";
import { armijo, wolfe } from "./line-search.js";
import { apply, multiply, transpose } from "./matrix.js";
import { newton } from "./newton.js";
import {
  along,
  descend,
  dot,
  type Minimiser,
  noise,
  type Objective,
  type Place,
  type Step,
} from "./search.js";

/** Pairs that L-BFGS remembers. */
const MEMORY = 8;
/** Values that the non-monotone safeguard looks back on. */
const WINDOW = 10;

const negative = (gradient: Float64Array): Float64Array => gradient.map((value) => -value);

/** A first step of length 1 at most, in standardised units. */
const cautious = (gradient: Float64Array): number => 1 / Math.max(1, Math.sqrt(dot(gradient, gradient)));

/**
 * −∇f, with Armijo's backtracking from twice the last step, but none longer than half of Λ: beyond the optimum f grows only as
 * log|Λ|, so that a step far too long still lowers it and leads to where gradients are tiny.
 */
function gradientDescent(objective: Objective): Step {
  let t = 1;
  return (at) => {
    const { gradient } = at.likelihood;
    const longest = Math.sqrt(dot(at.x, at.x) / dot(gradient, gradient)) / 2;
    const found = armijo(objective, at, negative(gradient), Math.min(2 * t, longest));
    if (!found || stands(at, found.place)) return undefined;
    t = found.t;
    return found.place;
  };
}

/**
 * Nesterov's accelerated gradient, with the step found by backtracking and a restart whenever the momentum points uphill.
 *
 * Source: Beck & Teboulle (2009); O'Donoghue & Candès (2015) for the restart.
 */
function momentum(objective: Objective): Step {
  let previous: Float64Array | undefined;
  let theta = 1;
  let t = 1;
  return (at) => {
    const nextTheta = (1 + Math.sqrt(1 + 4 * theta * theta)) / 2;
    const ahead =
      previous && theta > 1 ? objective(along(at.x, (theta - 1) / nextTheta, along(at.x, -1, previous))) : at;
    const from = Number.isFinite(ahead.likelihood.value) ? ahead : at;
    const { gradient, value } = from.likelihood;
    const squared = dot(gradient, gradient);
    let to: Place | undefined;
    for (t *= 1.25; t > 2 ** -60; t /= 2) {
      to = objective(along(from.x, -t, gradient));
      if (to.likelihood.value <= value - (t / 2) * squared + noise(value)) break;
    }
    if (!to || (stands(at, to) && from === at)) return undefined;
    const uphill = dot(gradient, along(to.x, -1, at.x)) > 0;
    theta = uphill ? 1 : nextTheta;
    previous = at.x;
    return to;
  };
}

/** Polak & Ribière's conjugate gradients, β = max(0, ·), with a restart where the direction does not descend. */
function conjugateGradient(objective: Objective): Step {
  let last: { gradient: Float64Array; direction: Float64Array; slope: number; length: number } | undefined;
  return (at) => {
    const { gradient } = at.likelihood;
    const steepest = negative(gradient);
    let direction = steepest;
    if (last) {
      const beta = dot(gradient, along(gradient, -1, last.gradient)) / dot(last.gradient, last.gradient);
      direction = along(steepest, Math.max(0, beta), last.direction);
      if (!(dot(gradient, direction) < 0)) direction = steepest;
    }
    const slope = dot(gradient, direction);
    const first = last ? Math.min((last.length * last.slope) / slope, 1e3 * last.length) : cautious(gradient);
    let found = wolfe(objective, at, direction, first, 0.1);
    if (!found && direction !== steepest) {
      direction = steepest;
      found = wolfe(objective, at, direction, cautious(gradient), 0.1);
    }
    if (!found || stands(at, found.place)) return undefined;
    last = { gradient, direction, slope: dot(gradient, direction), length: found.t };
    return found.place;
  };
}

/**
 * Limited-memory BFGS by the two-loop recursion, in coordinates relative to Λ: a step E is Λ ← Λ(I + E), m ← m + Λe, its gradient
 * Λᵀ∂f/∂Λ = I − W and Λᵀ∂f/∂m. There the Hessian at the optimum is the identity for every symmetric E and for e.
 *
 * Source: Nocedal & Wright (2006), algorithm 7.4; Ablin, Cardoso & Gramfort (2018) for the coordinates.
 */
function lbfgs(objective: Objective): Step {
  const pairs: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  return (at) => {
    const gradient = relative(at, at.likelihood.gradient, "transposed");
    const search = (step: Float64Array) => wolfe(objective, at, relative(at, step, "plain"), 1, 0.9);
    let step = quasiNewton(gradient, pairs);
    let found = search(step);
    if (!found && pairs.length > 0) {
      pairs.length = 0;
      step = negative(gradient);
      found = search(step);
    }
    if (!found || stands(at, found.place)) return undefined;
    const { place, t } = found;
    const s = step.map((value) => t * value);
    const y = along(relative(place, place.likelihood.gradient, "transposed"), -1, gradient);
    const curvature = dot(s, y);
    if (curvature > 0) pairs.push({ s, y, rho: 1 / curvature });
    if (pairs.length > MEMORY) pairs.shift();
    return place;
  };
}

/** Λ or Λᵀ times both parts of a vector [d + d²]: from a relative step to a step, or from a gradient to the relative one. */
function relative({ x }: Place, vector: Float64Array, form: "plain" | "transposed"): Float64Array {
  const d = Math.round(Math.sqrt(x.length + 1 / 4) - 1 / 2);
  const factor = form === "plain" ? x.subarray(d) : transpose(x.subarray(d), d);
  return Float64Array.of(...apply(factor, vector, d), ...multiply(factor, vector.subarray(d), d));
}

function quasiNewton(gradient: Float64Array, pairs: { s: Float64Array; y: Float64Array; rho: number }[]) {
  let q = negative(gradient);
  const alphas = pairs.map(() => 0);
  for (let k = pairs.length - 1; k >= 0; k--) {
    alphas[k] = pairs[k].rho * dot(pairs[k].s, q);
    q = along(q, -alphas[k], pairs[k].y);
  }
  const newest = pairs.at(-1);
  if (newest) {
    const scale = 1 / (newest.rho * dot(newest.y, newest.y));
    q = q.map((value) => scale * value);
  }
  pairs.forEach(({ s, y, rho }, k) => {
    q = along(q, alphas[k] - rho * dot(y, q), s);
  });
  return q;
}

/**
 * Barzilai & Borwein's step sᵀs/sᵀy and sᵀy/yᵀy in turn, which may raise f, but not above the largest of its last values.
 *
 * Source: Barzilai & Borwein (1988); Raydan (1997) for the safeguard.
 */
function barzilaiBorwein(objective: Objective): Step {
  const values: number[] = [];
  let t: number | undefined;
  let long = true;
  return (at) => {
    const { gradient, value } = at.likelihood;
    values.push(value);
    if (values.length > WINDOW) values.shift();
    const found = armijo(objective, at, negative(gradient), t ?? cautious(gradient), Math.max(...values));
    if (!found || stands(at, found.place)) return undefined;
    const s = along(found.place.x, -1, at.x);
    const y = along(found.place.likelihood.gradient, -1, gradient);
    const sy = dot(s, y);
    if (sy > 0) t = long ? dot(s, s) / sy : sy / dot(y, y);
    else t = 2 * found.t;
    long = !long;
    return found.place;
  };
}

/** Whether a step was too short to change any coordinate. */
const stands = (at: Place, to: Place): boolean => to.x.every((value, i) => value === at.x[i]);

export const MINIMISERS: Readonly<Record<Exclude<Method, "closed-form">, Minimiser>> = {
  newton,
  lbfgs: descend(lbfgs),
  cg: descend(conjugateGradient),
  bb: descend(barzilaiBorwein),
  "gradient-descent": descend(gradientDescent),
  momentum: descend(momentum),
};
