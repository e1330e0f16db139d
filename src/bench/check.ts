import type { Fits } from "../fits.js";
import { type Precision, ROUNDING_UNIT } from "../methods.js";
import type { Checked } from "./result.js";

/** What a contender came to, for the groups 0 … B−1. */
export interface Outcome {
  /** [B, d] */
  readonly mean: Float64Array;
  /** [B, d, d] */
  readonly covariance: Float64Array;
  /** [B], for contenders that give it */
  readonly logLikelihood: Float64Array | undefined;
  /** [B]: how far each group says it is from its optimum: r, and the gap in nats a row. Undefined for a closed form. */
  readonly residual?: Float64Array | undefined;
  readonly gap?: Float64Array | undefined;
}

/** What it should have come to. */
export interface Expected {
  /** In words */
  readonly by: string;
  readonly fits: Fits;
  /** The group of the case that is group k of `fits` */
  readonly groups: ArrayLike<number>;
}

/** How far results may lie from the expected ones. Each is scaled by the group's own size, so that units do not matter. */
export interface Tolerance {
  /** |Δx̄ⱼ| over sⱼ + |x̄ⱼ| */
  readonly mean: number;
  /** |ΔSᵢⱼ| over sᵢsⱼ */
  readonly covariance: number;
  /** |Δℓ| over n·d·κ(S): log|S| loses digits in proportion to κ. */
  readonly logLikelihood: number;
  /** Whether errors may grow with (x̄ⱼ/sⱼ)², as those of Σxxᵀ/n − x̄x̄ᵀ do: its two terms are so much larger than their difference. */
  readonly uncentred: boolean;
  /** Of peers that iterate and do not say how far each group came; 0 otherwise */
  readonly residual: number;
}

/**
 * In multiples of the rounding unit u. A sum of n numbers that SIMD lanes add up is off by about u·n/lanes at worst and u·√n as a rule,
 * with n up to some thousands here; summation by pairs is better. 1e4·u (1e-12 in float64) takes in the worst of either, and is far
 * below the 1/n ≥ 1e-4 by which a row left out, or a wrong divisor, would show.
 */
const UNITS = 1e4;

/** float32 sums of thousands of rows are off by √n·u = 4e-6 as a rule; 1e4·u = 6e-4 would hide a wrong divisor, 400·u = 2.4e-5 does not. */
const UNITS_FLOAT32 = 400;

export function toleranceFor(precision: Precision, more: Partial<Tolerance> = {}): Tolerance {
  const base = ROUNDING_UNIT[precision] * (precision === "float32" ? UNITS_FLOAT32 : UNITS);
  return { mean: base, covariance: base, logLikelihood: base, uncentred: false, residual: 0, ...more };
}

/** The worst of errors over their tolerances, and where it is. */
interface Worst {
  readonly excess: number;
  readonly place: string;
}

/**
 * Compares results with the expected ones, group by group, entry by entry. What an iterative method says of its own distance to the optimum
 * (residual r, gap) widens the tolerance by just that: |ΔSᵢⱼ| ≤ r·sᵢsⱼ, |Δx̄ⱼ| ≤ r·sⱼ and Δℓ = n·gap, so a false r shows too.
 */
export function compare(outcome: Outcome, expected: Expected, tolerance: Tolerance, of: number): Checked {
  let worst: Worst = { excess: 0, place: "" };
  for (let k = 0; k < expected.groups.length; k++) {
    const found = worstOfGroup(outcome, expected, k, tolerance);
    // Negated, so that NaN is the worst there is and stays it.
    if (!(found.excess <= worst.excess) && !Number.isNaN(worst.excess)) worst = found;
  }
  return {
    against: expected.by,
    groups: expected.groups.length,
    of,
    worst: worst.excess,
    failure:
      worst.excess <= 1
        ? null
        : `${worst.place}, off by ${Number.isNaN(worst.excess) ? "NaN" : worst.excess.toPrecision(2)} times the tolerance`,
  };
}

function worstOfGroup(outcome: Outcome, expected: Expected, k: number, tolerance: Tolerance): Worst {
  const { fits, by } = expected;
  const { dims: d } = fits;
  const g = expected.groups[k];
  const slack = Math.max(tolerance.residual, outcome.residual?.[g] ?? 0);
  const deviation = Float64Array.from({ length: d }, (_, j) =>
    Math.sqrt(fits.covariance[k * d * d + j * d + j]),
  );
  const mean = fits.mean.subarray(k * d, (k + 1) * d);
  const growth = tolerance.uncentred ? 1 + Math.max(...mean.map((m, j) => (m / deviation[j]) ** 2)) : 1;
  let worst: Worst = { excess: 0, place: "" };
  const note = (name: string, got: number, want: number, allowed: number): void => {
    const excess = Math.abs(got - want) / allowed;
    if (excess <= worst.excess || Number.isNaN(worst.excess)) return;
    worst = { excess, place: `group ${g}: ${name} is ${got}, ${by} gives ${want}` };
  };
  for (let j = 0; j < d; j++) {
    const allowed = tolerance.mean * (deviation[j] + Math.abs(mean[j])) + slack * deviation[j];
    note(`mean[${j}]`, outcome.mean[g * d + j], mean[j], allowed);
  }
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      const allowed = (tolerance.covariance * growth + slack) * deviation[i] * deviation[j];
      const at = i * d + j;
      note(
        `covariance[${i},${j}]`,
        outcome.covariance[g * d * d + at],
        fits.covariance[k * d * d + at],
        allowed,
      );
    }
  }
  // The uncentred form's covariance may not even be positive definite, so its log|S| is not compared.
  if (outcome.logLikelihood && !tolerance.uncentred) {
    const n = fits.weight[k];
    const got = outcome.logLikelihood[g] + n * (outcome.gap?.[g] ?? 0);
    const allowed = n * d * (tolerance.logLikelihood * condition(fits, k) + tolerance.residual);
    note("log-likelihood", got, fits.logLikelihood[k], allowed);
  }
  return worst;
}

/** κ(S) from its factor: ‖L‖_F²·‖L⁻¹‖_F², at least κ and at most d²κ. */
function condition({ factor, dims: d }: Fits, k: number): number {
  const L = factor.subarray(k * d * d, (k + 1) * d * d);
  let [norm, inverseNorm] = [0, 0];
  const column = new Float64Array(d); // of L⁻¹
  for (let j = 0; j < d; j++) {
    for (let i = j; i < d; i++) {
      let sum = i === j ? 1 : 0;
      for (let m = j; m < i; m++) sum -= L[i * d + m] * column[m];
      column[i] = sum / L[i * d + i];
      inverseNorm += column[i] ** 2;
      norm += L[i * d + j] ** 2;
    }
  }
  return norm * inverseNorm;
}
