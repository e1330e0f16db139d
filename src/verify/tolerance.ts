import type { Equation } from "../gradients.js";
import type { Precision } from "../methods.js";
import type { Measure } from "./measure.js";

/** The distance from 1 to the next number. */
const EPSILON: Readonly<Record<Precision, number>> = { float64: 2 ** -52, float32: 2 ** -23 };

/** Rounding of well-conditioned groups stays below this: a few thousand ε, for sums over many rows and entries. */
const FLOOR: Readonly<Record<Precision, number>> = { float64: 1e-12, float32: 5e-4 };

/** Gradients in float64 were seen to differ by up to 8.6·ε·κ(S); 50 leaves room for other data. */
const ROUNDING = 50;

/** Of the relative error ε·|x̄| / |x̄−μ| that a mean has after its own rounding and the subtraction. */
const CANCELLATION = 8;

/** Of a difference quotient's truncation and rounding, which both are orders of magnitude; up to 1.8 was seen. */
const DIFFERENCING = 10;

/** A tolerance beyond this cannot tell a right gradient from a wrong one. */
export const MEANINGFUL = 0.01;

/** What a partner's own error depends on. */
export interface PartnerAccuracy {
  readonly precision: Precision;
  /** Of a finite-difference partner: its step h, as a share of sᵢ, and the order of its truncation error h^order. */
  readonly step?: { readonly h: number; readonly order: number };
}

/**
 * How far two right gradients of one group may differ, relative to the norm of the term:
 *
 *     max(1e-12, 50·ε·κ(S), 8·ε·cancellation)                        autograd, reference
 *     the same, or 10·(h² + ε·√κ(S)/h)·(value/‖gradient‖) if larger  central differences of step h
 *
 * ε is the coarser one of both sides. Reasons are in docs/verification.md.
 */
export function toleranceOf(
  equation: Equation,
  group: Measure,
  subject: Precision,
  partner: PartnerAccuracy,
): number {
  const precision = subject === "float32" || partner.precision === "float32" ? "float32" : "float64";
  const epsilon = EPSILON[precision];
  const cancelled = equation === "7" ? 0 : CANCELLATION * epsilon * group.cancellation;
  const rounding = Math.max(FLOOR[precision], ROUNDING * epsilon * group.condition, cancelled);
  if (!partner.step) return rounding;
  const { h, order } = partner.step;
  const own = h ** order + (EPSILON.float64 * Math.sqrt(group.condition)) / h;
  return Math.max(rounding, DIFFERENCING * own * valueToGradient(equation, group));
}

/** How much larger the differenced terms are than their gradients, in steps of sᵢ. */
function valueToGradient(equation: Equation, { j2, size9, size14 }: Measure): number {
  if (equation === "7") return 1;
  return Math.max(1, (2 * j2) / (equation === "9" ? size9 : Math.min(size9, size14)));
}

/** The norm that errors are relative to, of the gradient with respect to μ or Λ. Both parts of J count: they cancel at the optimum. */
export function sizeOf(equation: Equation, respect: "mean" | "factor", group: Measure): number {
  if (equation === "7") return group.size7;
  if (equation === "9") return group.size9;
  if (equation === "14") return group.size14;
  return respect === "mean" ? group.size9 / 2 : (group.size7 + group.size14) / 2;
}
