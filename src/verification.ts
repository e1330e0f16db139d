import type { Equation } from "./gradients.js";
import type { Precision } from "./methods.js";

/** The name and version of the document's form: see docs/verification.md. */
export const VERIFICATION_SCHEMA = "mvnfit/verify@1";

/** Independent sources of gradients. */
export const PARTNERS = ["autograd", "finite-difference", "reference"] as const;

export type Partner = (typeof PARTNERS)[number];

/** Where μ and Λ were taken: at random, at the optimum, or as the caller gave them. */
export type Place = "random" | "optimum" | "given";

/** The outcome of `verify`: a JSON document but for numbers that JSON lacks. */
export interface Verification {
  readonly schema: typeof VERIFICATION_SCHEMA;
  /** Every equation was compared somewhere, and nothing failed. */
  readonly passed: boolean;
  /** What was checked: an engine's name, a module's path or a function's name. */
  readonly subject: string;
  readonly device: string;
  readonly precision: Precision;
  readonly places: readonly Place[];
  /** Groups there were. */
  readonly groups: number;
  /** Groups that could not be compared at a place, by the reason. */
  readonly skipped: readonly Skipped[];
  readonly checks: readonly Check[];
}

export interface Skipped {
  readonly at: Place;
  readonly reason: SkipReason;
  readonly groups: number;
}

/**
 * - `empty`: no row of positive weight
 * - `non-finite`: a NaN or infinite value among the rows
 * - `singular`: Λ is singular, or at the optimum there is none since the scatter is
 * - `too-few-rows`: no optimum exists
 */
export type SkipReason = "empty" | "non-finite" | "singular" | "too-few-rows";

/** One equation against one partner, over all groups and places. */
export interface Check {
  readonly equation: Equation;
  readonly against: Partner;
  /** Groups compared. */
  readonly groups: number;
  readonly failed: number;
  /** Groups whose S is so ill-conditioned that no tolerance would mean anything; not among those compared. */
  readonly undecided: number;
  /** The entry that used up most of its tolerance, or null where nothing was compared. */
  readonly worst: Worst | null;
  /** That of the worst entry's group, relative to the norm of the term; null where nothing was compared. */
  readonly tolerance: number | null;
}

export interface Worst {
  /** From 0 */
  readonly group: number;
  /** d */
  readonly dims: number;
  /** n: rows of positive weight */
  readonly rows: number;
  readonly at: Place;
  /** [j] with respect to μⱼ, [i, j] with respect to Λᵢⱼ; from 0 */
  readonly entry: readonly [number] | readonly [number, number];
  readonly analytic: number;
  readonly other: number;
  /** |analytic − other|, relative to the norm of the term */
  readonly error: number;
}
