/*
 * The gradient methods but L-BFGS, each as its step. "Gradient descent" in the paper means this whole family: methods that choose their
 * direction by current and past gradients only.
 */
import type { Descent, GradientMethod } from "./descend.js";
import { Backtracking, type Search, WolfeSearch } from "./line-search.js";
import { along, combination, dot, innerProducts } from "./place.js";

/** The search of a group that has no direction left. */
export const nowhere = (): Search => ({ t: 0, settled: true, observe() {} });

/** A first step along −g: one unit of length at most. */
const firstStep = (gradientSquared: number): number => Math.min(1, 1 / Math.sqrt(gradientSquared));

/** Counts the steps that were made; the others found nothing that lowers J. */
function countMoves<Memory>(runs: readonly Descent<Memory>[], searches: readonly Search[]): void {
  runs.forEach((run, g) => {
    run.outcome = searches[g].t > 0 ? "moved" : "stuck";
    if (run.outcome === "moved") run.iterations++;
  });
}

interface Steps {
  /** the last step; 0 before the first */
  t: number;
}

/** x ← x − t g with Armijo backtracking from twice the last step: the plain member of the family, slow by theory. */
export const gradientDescent: GradientMethod<Steps> = {
  begin: () => ({ t: 0 }),
  step({ on, runs, at, noise, search }) {
    const decrease = 0.3;
    const squared = dot(on, at.gradient, at.gradient);
    const searches = runs.map(({ value, memory }, g) => {
      const origin = { value, slope: -squared[g], noise: noise(value) };
      return new Backtracking(origin, memory.t > 0 ? 2 * memory.t : firstStep(squared[g]), decrease);
    });
    const to = search(on.tf.neg(at.gradient), searches);
    countMoves(runs, searches);
    runs.forEach((run, g) => {
      run.memory.t = searches[g].t;
    });
    return { to, kept: [] };
  },
};

interface Recent extends Steps {
  /** J/n of the last points */
  values: number[];
}

/**
 * Steps t = sᵀs/sᵀy or sᵀy/yᵀy along −g, s = x₊ − x, y = g₊ − g, the short one where it is less than half of the long one, under a
 * non-monotone Armijo rule.
 *
 * Source: Barzilai & Borwein (1988); Raydan (1997); Zhou, Gao & Dai (2006).
 */
export const barzilaiBorwein: GradientMethod<Recent> = {
  begin: () => ({ t: 0, values: [] }),
  step({ on, runs, at, noise, search }) {
    const window = 10;
    const decrease = 1e-4;
    const growth = 10;
    const shortShare = 0.5;
    const squared = dot(on, at.gradient, at.gradient);
    const searches = runs.map(({ value, memory }, g) => {
      memory.values = [...memory.values, value].slice(-window);
      const origin = { value, slope: -squared[g], noise: noise(value) };
      const allowed = Math.max(...memory.values) - value;
      return new Backtracking(origin, memory.t || firstStep(squared[g]), decrease, allowed);
    });
    const direction = on.tf.neg(at.gradient);
    const to = search(direction, searches);
    countMoves(runs, searches);
    const products = innerProducts(on, [direction, to.gradient], [direction, to.gradient]);
    runs.forEach((run, g) => {
      // With p = −g: s = t p, y = g₊ + p.
      const { t } = searches[g];
      const [pp, pg, , gg] = products.subarray(4 * g, 4 * g + 4);
      const sy = t * (pg + pp);
      const long = (t * t * pp) / sy;
      const short = sy / (gg + 2 * pg + pp);
      run.memory.t = sy > 0 ? (short < shortShare * long ? short : long) : growth * t;
      if (!Number.isFinite(run.memory.t)) run.memory.t = growth * t;
    });
    return { to, kept: [] };
  },
};

interface Conjugate {
  /** t φ'(0) of the last step, and whether there is one to be conjugate to */
  descent: number;
  linked: boolean;
}

/**
 * p = −g + β p₋ with Polak & Ribière's β = max(0, gᵀ(g − g₋)/g₋ᵀg₋); afresh from −g where p does not descend.
 *
 * Source: Nocedal & Wright (2006), section 5.2.
 */
export const conjugateGradient: GradientMethod<Conjugate> = {
  begin: () => ({ descent: 0, linked: false }),
  step({ on, runs, at, kept, noise, search }) {
    const curvature = 0.1;
    const minusGradient = on.tf.neg(at.gradient);
    const [lastGradient, lastDirection] = kept.length > 0 ? kept : [at.gradient, minusGradient];
    const products = innerProducts(
      on,
      [at.gradient, lastGradient],
      [at.gradient, lastGradient, lastDirection],
    );
    const coefficients = new Float64Array(2 * runs.length);
    const searches = runs.map((run, g) => {
      const [gg, gl, gp, , ll] = products.subarray(6 * g, 6 * g + 6);
      const { memory, value } = run;
      let beta = memory.linked ? Math.max(0, (gg - gl) / ll) : 0;
      if (!(beta * gp - gg < 0)) beta = 0;
      coefficients.set([-1, beta], 2 * g);
      const slope = beta * gp - gg;
      if (!(slope < 0)) return nowhere();
      const t = memory.linked ? memory.descent / slope : 0;
      memory.linked = beta > 0;
      const first = t > 0 && Number.isFinite(t) ? t : firstStep(gg);
      return new WolfeSearch({ value, slope, noise: noise(value) }, first, curvature, on.unit);
    });
    const slopes = runs.map((_, g) => {
      const [gg, , gp] = products.subarray(6 * g, 6 * g + 3);
      return coefficients[2 * g + 1] * gp - gg;
    });
    const direction = combination(on, coefficients, [at.gradient, lastDirection]);
    const to = search(direction, searches);
    runs.forEach((run, g) => {
      const { t } = searches[g];
      const wasLinked = run.memory.linked;
      run.outcome = t > 0 ? "moved" : wasLinked ? "again" : "stuck";
      if (t > 0) run.iterations++;
      Object.assign(run.memory, { descent: t * slopes[g], linked: t > 0 });
    });
    return { to, kept: [at.gradient, direction] };
  },
};

interface Momentum extends Steps {
  theta: number;
  /** how far y = x + carry (x − x₋) is ahead of x; 0 where it is not */
  carry: number;
}

/**
 * Nesterov's accelerated gradient, with the step found by backtracking:
 *
 *     x₊ = y − t g(y),   θ₊ = ½ (1 + √(1 + 4θ²)),   y₊ = x₊ + (θ − 1)/θ₊ (x₊ − x)
 *
 * The momentum starts afresh where g(y)ᵀ(x₊ − x) > 0: it has begun to carry uphill.
 *
 * Source: Nesterov (1983); O'Donoghue & Candès (2015) for the restart.
 */
export const momentum: GradientMethod<Momentum> = {
  begin: () => ({ t: 0, theta: 1, carry: 0 }),
  step({ on, runs, at, kept, noise, search, placeAt }) {
    const decrease = 0.5; // what a step 1/‖Hessian‖ is sure to give
    const growth = 1.1;
    const { tf } = on;
    let from = at;
    if (runs.some(({ memory }) => memory.carry > 0)) {
      const carries = Float64Array.from(runs, ({ memory }) => memory.carry);
      const moved = tf.sub(at.x, kept[0]);
      from = placeAt(along(on, at.x, carries, moved));
      // Over the barrier: those stay at x.
      if (from.value.some((value) => !Number.isFinite(value))) {
        from.value.forEach((value, g) => {
          if (!Number.isFinite(value)) carries[g] = runs[g].memory.carry = 0;
        });
        from = placeAt(along(on, at.x, carries, moved));
      }
    }
    const squared = dot(on, from.gradient, from.gradient);
    const searches = runs.map(({ memory }, g) => {
      const value = from.value[g];
      const origin = { value, slope: -squared[g], noise: noise(value) };
      return new Backtracking(origin, memory.t > 0 ? growth * memory.t : firstStep(squared[g]), decrease);
    });
    const to = search(tf.neg(from.gradient), searches, from);
    const uphill = dot(on, from.gradient, tf.sub(to.x, at.x));
    runs.forEach((run, g) => {
      const { memory } = run;
      const { t } = searches[g];
      if (t === 0) {
        run.outcome = memory.carry > 0 ? "again" : "stuck";
        Object.assign(memory, { theta: 1, carry: 0 });
        return;
      }
      run.outcome = "moved";
      run.iterations++;
      const next = (1 + Math.sqrt(1 + 4 * memory.theta ** 2)) / 2;
      const goesOn = uphill[g] <= 0;
      Object.assign(memory, {
        t,
        theta: goesOn ? next : 1,
        carry: goesOn ? (memory.theta - 1) / next : 0,
      });
    });
    return { to, kept: [at.x] };
  },
};
