/*
 * How far to go along a direction, for one group: what to try next, given what was found. Near the optimum J/n is flat to the last
 * bit while its gradient still has digits. The change over a step t is therefore taken from the two values where they differ by
 * more than their rounding, and from the two slopes else, ½ t (φ'(0) + φ'(t)): the approximate Wolfe condition of Hager & Zhang (2005),
 * and what lets float32 converge.
 */

/** What is known where the search starts. */
export interface Origin {
  readonly value: number;
  /** φ'(0) < 0 */
  readonly slope: number;
  /** how much of a difference of values is rounding */
  readonly noise: number;
}

/** A search as it goes on: evaluate at `t`, tell `observe`, until it is settled. */
export interface Search {
  /** The step to try; once settled, the step to take, 0 where none was found. */
  t: number;
  settled: boolean;
  observe(value: number, slope: number): void;
}

/** Rounding of J/n: each of its d terms is rounded relative to itself, and d terms are added. */
export function noiseOf(unit: number, d: number, value: number): number {
  const slack = 32;
  return slack * unit * (d + Math.abs(value));
}

function changeFrom(
  { value, slope, noise }: Origin,
  t: number,
  valueThere: number,
  slopeThere: number,
): number {
  const difference = valueThere - value;
  return Math.abs(difference) <= noise ? (t * (slope + slopeThere)) / 2 : difference;
}

/** The longest of t, t/2, t/4 … that changes J/n by at most `allowed` + c₁ t φ'(0): Armijo's rule. */
export class Backtracking implements Search {
  settled = false;
  t: number;
  readonly #origin: Origin;
  readonly #decrease: number;
  readonly #allowed: number;
  #left = 60;

  constructor(origin: Origin, firstStep: number, decrease: number, allowed = 0) {
    this.t = firstStep;
    this.#origin = origin;
    this.#decrease = decrease;
    this.#allowed = allowed;
  }

  observe(value: number, slope: number): void {
    const { t } = this;
    const change = Number.isFinite(value) ? changeFrom(this.#origin, t, value, slope) : Infinity;
    this.settled = change <= this.#allowed + this.#decrease * t * this.#origin.slope;
    if (this.settled) return;
    this.t = t / 2;
    if (--this.#left > 0) return;
    this.t = 0;
    this.settled = true;
  }
}

interface End {
  readonly t: number;
  readonly slope: number;
  readonly change: number;
}

/**
 * The strong Wolfe conditions, φ(t) ≤ φ(0) + c₁ t φ'(0) and |φ'(t)| ≤ c₂ |φ'(0)|, by bracketing and cubic interpolation.
 *
 * Source: Nocedal & Wright (2006), section 3.5. The kernels search by the same rules (kernels/mvn/line_search.hpp).
 */
export class WolfeSearch implements Search {
  settled = false;
  t: number;
  readonly #origin: Origin;
  readonly #curvature: number;
  readonly #unit: number;
  #low: End;
  #high: End | undefined;
  #left = 30;

  /** @param curvature c₂: 0.9 for quasi-Newton directions, 0.1 for conjugate ones */
  constructor(origin: Origin, firstStep: number, curvature: number, unit: number) {
    this.t = firstStep;
    this.#origin = origin;
    this.#curvature = curvature;
    this.#unit = unit;
    this.#low = { t: 0, slope: origin.slope, change: 0 };
  }

  observe(value: number, slope: number): void {
    const next = this.#next(value, slope);
    this.settled = next === this.t || next === 0 || --this.#left === 0;
    if (this.settled && next !== this.t) this.t = 0;
    else this.t = next;
  }

  /** The step to try next; the same one where it is good; 0 where there is none. */
  #next(value: number, slope: number): number {
    const decrease = 1e-4;
    const expansion = 4;
    const { t } = this;
    const low = this.#low;
    if (!Number.isFinite(value) || !Number.isFinite(slope)) {
      this.#high = { t, slope: Number.NaN, change: Infinity }; // over the barrier: no values to interpolate
      return low.t + (t - low.t) / 4;
    }
    const here = { t, slope, change: changeFrom(this.#origin, t, value, slope) };
    const enough =
      here.change <= decrease * t * this.#origin.slope && (low.t === 0 || here.change <= low.change);
    if (enough && Math.abs(slope) <= -this.#curvature * this.#origin.slope) return t;
    if (!enough) this.#high = here;
    else {
      const towards = this.#high ? this.#high.t - low.t : 1;
      if (slope * towards >= 0) this.#high = low; // the minimum lies between low and t
      this.#low = here;
      if (!this.#high) return t * expansion;
    }
    return this.#inside();
  }

  #inside(): number {
    const low = this.#low;
    const high = this.#high as End;
    if (Math.abs(high.t - low.t) <= this.#unit * Math.abs(low.t)) return 0;
    return Number.isFinite(high.change) ? cubicStep(low, high) : low.t + (high.t - low.t) / 4;
  }
}

/**
 * Minimiser of the cubic through change and slope at both ends (Nocedal & Wright, eq. 3.59), kept inside by a tenth of the
 * interval; its middle where the cubic has none.
 */
function cubicStep(a: End, b: End): number {
  const width = b.t - a.t;
  const d1 = a.slope + b.slope - (3 * (b.change - a.change)) / width;
  const root = d1 * d1 - a.slope * b.slope;
  let at = (a.t + b.t) / 2;
  if (root >= 0) {
    const d2 = Math.sign(width) * Math.sqrt(root);
    const guess = b.t - (width * (b.slope + d2 - d1)) / (b.slope - a.slope + 2 * d2);
    if (Number.isFinite(guess)) at = guess;
  }
  const margin = Math.abs(width) / 10;
  return Math.min(Math.max(at, Math.min(a.t, b.t) + margin), Math.max(a.t, b.t) - margin);
}
