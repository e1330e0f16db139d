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
  const { dims: d, count, weight, mean, scatter } = statistics;
  if (count[g] === 0) return "empty";
  const allFinite = (values: Float64Array) => values.every(Number.isFinite);
  if (!allFinite(mean.subarray(g * d, (g + 1) * d))) return "non-finite";
  if (!allFinite(scatter.subarray(g * d * d, (g + 1) * d * d))) return "non-finite";
  return count[g] < d + 1 || !(weight[g] > ddof) ? "too-few-rows" : undefined;
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
  const varying = groups.filter((g) =>
    Array.from({ length: d }, (_, j) => statistics.scatter[(g * d + j) * d + j]).every((own) => own > 0),
  );
  const all = correlationsOf(on, statistics, varying);
  let factor: RealArray = on.array(0);
  if (varying.length > 0) {
    on.scope(() => {
      factor = on.read(cholesky(on, on.tensor(all.correlation, [varying.length, e, e]))).slice();
      return [];
    });
  }
  const logDeterminant = Float64Array.from(varying, (_, k) => {
    let sum = 0;
    for (let i = 0; i < e; i++) sum += Math.log(factor[k * e * e + i * (e + 1)]);
    return sum;
  });
  const full = [...varying.keys()].filter((k) =>
    hasFullRank(statistics, varying[k], sumUnit, Math.exp(2 * logDeterminant[k])),
  );
  const kept = new Set(full.map((k) => varying[k]));
  const pick = <Values extends RealArray>(values: Values, size: number): Values =>
    full.length === varying.length ? values : picked(values, full, size);
  return {
    singular: groups.filter((g) => !kept.has(g)),
    standard: {
      groups: [...kept],
      scale: pick(all.scale, d),
      correlation: pick(all.correlation, e * e),
      factor: pick(factor, e * e),
      logDeterminant: pick(logDeterminant, 1),
    },
  };
}

function correlationsOf(
  on: TensorBackend,
  { dims: d, weight, scatter }: Statistics,
  groups: readonly number[],
) {
  const e = d + 1;
  const scale = new Float64Array(groups.length * d);
  const correlation = on.array(groups.length * e * e);
  groups.forEach((g, k) => {
    const own = scale.subarray(k * d, (k + 1) * d);
    for (let j = 0; j < d; j++) own[j] = Math.sqrt(scatter[(g * d + j) * d + j] / weight[g]);
    const corner = k * e * e;
    correlation[corner] = 1;
    for (let i = 0; i < d; i++) {
      const row = corner + (i + 1) * e + 1;
      for (let j = 0; j < d; j++) {
        correlation[row + j] =
          i === j ? 1 : scatter[(g * d + Math.max(i, j)) * d + Math.min(i, j)] / weight[g] / own[i] / own[j];
      }
    }
  });
  return { scale, correlation };
}

/**
 * The rank test of src/rank.ts, and the same with the rounding of sums in float32 where the scatter was summed in it. The determinant of R
 * settles the common case: it is the product of the pivots in any order, none of them above 1, so none is smaller.
 */
function hasFullRank(statistics: Statistics, g: number, sumUnit: number, determinant: number): boolean {
  const { dims: d, dtype } = statistics;
  const roundingUnit = ROUNDING_UNIT[dtype];
  const weight = statistics.weight[g];
  const mean = statistics.mean.subarray(g * d, (g + 1) * d);
  const scatter = statistics.scatter.subarray(g * d * d, (g + 1) * d * d);
  let offset = 0; // max_j x̄_j²/s_j²
  for (let j = 0; j < d; j++) offset = Math.max(offset, mean[j] ** 2 / (scatter[j * d + j] / weight));
  const slack = 100; // well above the 32 of the rank test
  const certain = slack * d * (2 * sumUnit + roundingUnit ** 2 * (1 + offset));
  // A column whose deviation is a hundred rounding units of its mean is not constant.
  if (determinant > certain && roundingUnit ** 2 * offset * slack ** 2 < 1) return true;
  if (!rankOf({ weight, mean, scatter, roundingUnit }).full) return false;
  if (sumUnit <= ROUNDING_UNIT.float64) return true;
  // In standardised units the sums are those of rows rounded by √(2·sumUnit) of a deviation, about a mean of 0.
  return rankOf({ weight, mean: new Float64Array(d), scatter, roundingUnit: Math.sqrt(2 * sumUnit) }).full;
}

/** Items `which` of a flat array of items of one size. */
function picked<Values extends RealArray>(values: Values, which: readonly number[], size: number): Values {
  const result = new (values.constructor as new (length: number) => Values)(which.length * size);
  which.forEach((k, at) => {
    result.set(values.subarray(k * size, (k + 1) * size), at * size);
  });
  return result;
}
