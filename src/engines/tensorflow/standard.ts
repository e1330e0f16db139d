/*
 * Groups in units of their own, so that the units of the data never matter:
 *
 *     s_j = √(A_jj / n),   R = D⁻¹ (A/n) D⁻¹,   D = diag(s)
 *
 * and which groups have a maximum at all. In homogeneous coordinates (kernels/objective.ts): e = d + 1.
 */
import type { RealArray } from "../../layout.js";
import { ROUNDING_UNIT } from "../../methods.js";
import { rankOf } from "../../rank.js";
import type { Statistics } from "../../statistics.js";
import type { Status } from "../../status.js";
import type { TensorBackend } from "./backend.js";
import { cholesky } from "./kernels/cholesky.js";

/** Some groups that may have a maximum, by their numbers in the statistics. */
export interface Standard {
  readonly groups: readonly number[];
  /** [B, d]: s */
  readonly scale: Float64Array;
  /** [B, e, e]: Rʰ */
  readonly correlation: RealArray;
  /** [B, e, e]: the Cholesky factor of Rʰ */
  readonly factor: RealArray;
  /** [B]: ½ log|R| */
  readonly logDeterminant: Float64Array;
}

/** Why the likelihood of a group has no maximum, or its covariance no divisor, as far as its numbers alone say. */
export function plainTrouble(statistics: Statistics, g: number, ddof: number): Status | undefined {
  const { dims: d, count, weight } = statistics;
  if (count[g] === 0) return "empty";
  if (!allFinite(statistics, g)) return "non-finite";
  return count[g] < d + 1 || !(weight[g] > ddof) ? "too-few-rows" : undefined;
}

/** Whether mean and scatter of group g are. */
export function allFinite({ dims: d, mean, scatter }: Statistics, g: number): boolean {
  for (let at = g * d; at < (g + 1) * d; at++) if (!Number.isFinite(mean[at])) return false;
  for (let at = g * d * d; at < (g + 1) * d * d; at++) if (!Number.isFinite(scatter[at])) return false;
  return true;
}

/**
 * Standardises groups and sorts out those without full rank.
 *
 * @param sumUnit rounding unit of the arithmetic in which the scatter was summed
 * @returns the rest, and `singular`: the groups sorted out
 */
export function standardise(
  on: TensorBackend,
  statistics: Statistics,
  groups: readonly number[],
  sumUnit: number,
): { standard: Standard; singular: number[] } {
  const { dims: d } = statistics;
  const e = d + 1;
  // A column without variance has no correlations: it is left to the rank test, not to the arithmetic.
  const varying = groups.filter((g) => allVary(statistics, g));
  const all = correlationsOf(on, statistics, varying);
  let factor: RealArray = on.array(0);
  if (varying.length > 0) {
    on.scope(() => {
      factor = on.read(cholesky(on, on.tensor(all.correlation, [varying.length, e, e])));
      return [];
    });
  }
  const logDeterminant = new Float64Array(varying.length);
  const full: boolean[] = [];
  for (let k = 0; k < varying.length; k++) {
    let sum = 0;
    for (let i = 0; i < e; i++) sum += Math.log(factor[k * e * e + i * (e + 1)]);
    logDeterminant[k] = sum;
    full.push(hasFullRank(statistics, varying[k], sumUnit, Math.exp(2 * sum)));
  }
  const { kept } = split({ ...all, groups: varying, factor, logDeterminant }, (k) => full[k]);
  const own = new Set(kept.groups);
  return { singular: groups.filter((g) => !own.has(g)), standard: kept };
}

/** The groups for which `keep` holds, by their place, and the numbers of the others. */
export function split(all: Standard, keep: (k: number) => boolean): { kept: Standard; others: number[] } {
  const { groups, scale, correlation, factor, logDeterminant } = all;
  const places = [...groups.keys()].filter(keep);
  if (places.length === groups.length) return { kept: all, others: [] };
  const own = new Set(places);
  const pick = <Values extends RealArray>(values: Values): Values =>
    picked(values, places, values.length / groups.length);
  return {
    kept: {
      groups: places.map((k) => groups[k]),
      scale: pick(scale),
      correlation: pick(correlation),
      factor: pick(factor),
      logDeterminant: pick(logDeterminant),
    },
    others: groups.filter((_, k) => !own.has(k)),
  };
}

/**
 * tr R⁻¹ = ‖L⁻¹‖_F² of group k: times the rounding unit of an arithmetic, the residual that it can be expected to reach.
 *
 * Source: kernels/mvn/condition.hpp.
 *
 * @returns NaN or ∞ where R has no factor in the arithmetic that was to find it
 */
export function traceOfInverse({ groups, factor }: Standard, k: number): number {
  const e = Math.round(Math.sqrt(factor.length / groups.length));
  const L = factor.subarray(k * e * e, (k + 1) * e * e);
  const column = new Float64Array(e); // of L⁻¹
  let trace = 0;
  for (let j = 1; j < e; j++) {
    for (let i = j; i < e; i++) {
      let sum = i === j ? 1 : 0;
      for (let m = j; m < i; m++) sum -= L[i * e + m] * column[m];
      column[i] = sum / L[i * (e + 1)];
      trace += column[i] ** 2;
    }
  }
  return trace;
}

function allVary({ dims: d, scatter }: Statistics, g: number): boolean {
  for (let at = g * d * d; at < (g + 1) * d * d; at += d + 1) if (!(scatter[at] > 0)) return false;
  return true;
}

function correlationsOf(
  on: TensorBackend,
  { dims: d, weight, scatter }: Statistics,
  groups: readonly number[],
) {
  const e = d + 1;
  const scale = new Float64Array(groups.length * d);
  const correlation = on.array(groups.length * e * e);
  for (let k = 0; k < groups.length; k++) {
    const g = groups[k];
    const own = k * d;
    const corner = k * e * e;
    correlation[corner] = 1;
    for (let i = 0; i < d; i++) {
      const row = (g * d + i) * d;
      scale[own + i] = Math.sqrt(scatter[row + i] / weight[g]);
      for (let j = 0; j < i; j++) {
        const r = scatter[row + j] / weight[g] / scale[own + i] / scale[own + j];
        correlation[corner + (i + 1) * e + j + 1] = correlation[corner + (j + 1) * e + i + 1] = r;
      }
      correlation[corner + (i + 1) * (e + 1)] = 1;
    }
  }
  return { scale, correlation };
}

/**
 * The rank test of src/rank.ts, and the same with the rounding of sums in float32 where the scatter was summed in it. The determinant of R
 * settles the common case: it is the product of the pivots in any order, none of them above 1, so none is smaller.
 */
function hasFullRank(statistics: Statistics, g: number, sumUnit: number, determinant: number): boolean {
  const { dims: d, dtype, mean, scatter } = statistics;
  const roundingUnit = ROUNDING_UNIT[dtype];
  const weight = statistics.weight[g];
  let offset = 0; // max_j x̄_j²/s_j²
  for (let j = g * d, own = g * d * d; j < (g + 1) * d; j++, own += d + 1) {
    offset = Math.max(offset, mean[j] ** 2 / (scatter[own] / weight));
  }
  const slack = 100; // well above the 32 of the rank test
  const certain = slack * d * (2 * sumUnit + roundingUnit ** 2 * (1 + offset));
  // A column whose deviation is a hundred rounding units of its mean is not constant.
  if (determinant > certain && roundingUnit ** 2 * offset * slack ** 2 < 1) return true;
  const group = {
    weight,
    mean: mean.subarray(g * d, (g + 1) * d),
    scatter: scatter.subarray(g * d * d, (g + 1) * d * d),
    roundingUnit,
  };
  if (!rankOf(group).full) return false;
  if (sumUnit <= ROUNDING_UNIT.float64) return true;
  // In standardised units the sums are those of rows rounded by √(2·sumUnit) of a deviation, about a mean of 0.
  return rankOf({ ...group, mean: new Float64Array(d), roundingUnit: Math.sqrt(2 * sumUnit) }).full;
}

/** Items `which` of a flat array of items of one size. */
function picked<Values extends RealArray>(values: Values, which: readonly number[], size: number): Values {
  const result = new (values.constructor as new (length: number) => Values)(which.length * size);
  which.forEach((k, at) => {
    result.set(values.subarray(k * size, (k + 1) * size), at * size);
  });
  return result;
}
