import type { Batch } from "../batch.js";
import type { Equation, GradientFields, Gradients } from "../gradients.js";
import type { Precision } from "../methods.js";
import type { Check, Partner, Place, Worst } from "../verification.js";
import type { Measure } from "./measure.js";
import { MEANINGFUL, type PartnerAccuracy, sizeOf, toleranceOf } from "./tolerance.js";

/** Groups of one dimension at one place, ready to be compared. */
export interface Compared {
  readonly batch: Batch;
  /** Their numbers among all groups. */
  readonly numbers: readonly number[];
  readonly measures: readonly Measure[];
  readonly at: Place;
}

/** What holds for all comparisons of a verification. */
export interface Rules {
  readonly subject: Precision;
  readonly tolerance: number | "auto";
}

/** The entry of a group's gradient that is furthest off. */
interface Furthest {
  readonly entry: Worst["entry"];
  readonly analytic: number;
  readonly other: number;
  readonly error: number;
}

/** Collects comparisons into checks: one for each equation and partner. */
export class Tally {
  readonly #rules: Rules;
  readonly #checks: readonly CheckTally[];

  constructor(rules: Rules, equations: readonly Equation[], partners: readonly Partner[]) {
    this.#rules = rules;
    this.#checks = partners.flatMap((partner) => equations.map((one) => new CheckTally(one, partner)));
  }

  /** Compares the gradients of the subject with a partner's, for each equation that both give. */
  add(
    groups: Compared,
    analytic: Gradients,
    against: Partner,
    partner: { readonly accuracy: PartnerAccuracy; readonly gradients: Gradients },
  ): void {
    for (const check of this.#checks) {
      const { equation } = check;
      const mine = analytic[equation];
      const theirs = partner.gradients[equation];
      if (check.against !== against || !mine || !theirs) continue;
      groups.measures.forEach((measure, g) => {
        const tolerance =
          this.#rules.tolerance === "auto"
            ? toleranceOf(equation, measure, this.#rules.subject, partner.accuracy)
            : this.#rules.tolerance;
        if (this.#rules.tolerance === "auto" && !(tolerance <= MEANINGFUL)) {
          check.leaveUndecided(groups.numbers[g]);
        } else {
          check.add(groups, g, furthest(equation, mine, theirs, g, measure), tolerance);
        }
      });
    }
  }

  checks(): Check[] {
    return this.#checks.map((check) => check.check());
  }
}

class CheckTally {
  readonly equation: Equation;
  readonly against: Partner;
  readonly #compared = new Set<number>();
  readonly #failed = new Set<number>();
  readonly #undecided = new Set<number>();
  #worst: Worst | null = null;
  #tolerance: number | null = null;
  /** How much of its tolerance the worst entry used up. */
  #used = -1;

  constructor(equation: Equation, against: Partner) {
    this.equation = equation;
    this.against = against;
  }

  add({ batch, numbers, at }: Compared, g: number, { error, ...found }: Furthest, tolerance: number): void {
    const group = numbers[g];
    this.#compared.add(group);
    const used = error === 0 ? 0 : error / tolerance;
    if (!(error <= tolerance)) this.#failed.add(group);
    if (used <= this.#used) return;
    this.#used = used;
    const rows = batch.offsets[g + 1] - batch.offsets[g];
    this.#worst = { group, dims: batch.dims, rows, at, ...found, error };
    this.#tolerance = tolerance;
  }

  leaveUndecided(group: number): void {
    this.#undecided.add(group);
  }

  check(): Check {
    for (const group of this.#compared) this.#undecided.delete(group); // compared at another place
    return {
      equation: this.equation,
      against: this.against,
      groups: this.#compared.size,
      failed: this.#failed.size,
      undecided: this.#undecided.size,
      worst: this.#worst,
      tolerance: this.#tolerance,
    };
  }
}

/**
 * The entry of group g where the two gradients differ most, relative to the norm of the term: |a − b|·sᵢ / ‖term‖, so that a variable's
 * units have no say. What is not finite differs infinitely.
 */
function furthest(
  equation: Equation,
  analytic: GradientFields,
  other: GradientFields,
  g: number,
  measure: Measure,
): Furthest {
  const d = measure.units.length;
  let worst: Furthest | undefined;
  for (const respect of ["mean", "factor"] as const) {
    const [mine, theirs] = [analytic[respect], other[respect]];
    if (!mine || !theirs) continue;
    const size = sizeOf(equation, respect, measure);
    const entries = respect === "mean" ? d : d * d;
    for (let e = 0; e < entries; e++) {
      const [a, b] = [mine[g * entries + e], theirs[g * entries + e]];
      const i = respect === "mean" ? e : Math.floor(e / d);
      const difference = Math.abs(a - b) * measure.units[i];
      const error = difference === 0 ? 0 : difference / size;
      const judged = Number.isFinite(error) ? error : Infinity;
      if (worst && judged <= worst.error) continue;
      worst = { entry: respect === "mean" ? [e] : [i, e % d], analytic: a, other: b, error: judged };
    }
  }
  return worst as Furthest;
}
