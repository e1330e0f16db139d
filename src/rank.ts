import { ROUNDING_UNIT } from "./methods.js";

/** A column is constant when its standard deviation is at most this many rounding units of its mean (kernels/mvn/rank.hpp). */
const CONSTANT_COLUMN_UNITS = 2;
/** How much larger than its unit the rounding of a pivot may be (kernels/mvn/rank.hpp, where it is measured). */
const RANK_SLACK = 32;
/** A column takes part in a dependency when its coefficient, between columns of unit variance, is above this. */
const SHARE_THAT_MATTERS = 1e-6;

/** The scatter of one group, and how its rows were stored. */
export interface GroupScatter {
  /** W */
  readonly weight: number;
  /** [d]: x̄ */
  readonly mean: Float64Array;
  /** [d, d]: A */
  readonly scatter: Float64Array;
  /** ε: the rounding unit of the rows as stored */
  readonly roundingUnit: number;
}

/** A column that is a linear combination of others: `column` = Σ cᵢ·`on`ᵢ + constant. */
export interface Dependency {
  readonly column: number;
  readonly on: readonly number[];
}

/** Whether the scatter has full rank, that is, whether the likelihood has a maximum; and what stands in the way. */
export interface Rank {
  readonly full: boolean;
  readonly constant: readonly number[];
  readonly dependencies: readonly Dependency[];
}

/**
 * The rank of a group's scatter, decided on the correlation matrix, so that units have no say.
 *
 * - A column is constant when its standard deviation is no more than rounding of its mean: A_jj ≤ W (2 ε x̄_j)².
 * - Columns are collinear when a Cholesky of R with complete pivoting meets a pivot of at most
 *   τ = 32 d (2⁻⁵² + ε² max_j (1 + x̄_j²/s_j²)), s_j² = A_jj/W.
 *   A pivot is the share of a column's variance that the columns before it leave unexplained.
 *
 * Source: docs/math.md; Higham (2002), section 10.3. The kernels decide by the same rule.
 */
export function rankOf(group: GroupScatter): Rank {
  const constant = constantColumns(group);
  const varying = [...group.mean.keys()].filter((j) => !constant.includes(j));
  const pivoted = pivotedCholesky(group, varying);
  const dependencies = dependenciesOf(pivoted, pivoted.rank);
  return { full: constant.length === 0 && dependencies.length === 0, constant, dependencies };
}

/**
 * The rank of a scatter that is known not to have full rank: where its numbers, rounded since, are on the right side of the
 * threshold by a hair, the column that comes nearest to dependence is named.
 */
export function deficiencyOf(group: GroupScatter): Rank {
  const rank = rankOf(group);
  if (!rank.full) return rank;
  const pivoted = pivotedCholesky(group, [...group.mean.keys()]);
  return { full: false, constant: [], dependencies: dependenciesOf(pivoted, pivoted.order.length - 1) };
}

function constantColumns({ weight, mean, scatter, roundingUnit }: GroupScatter): number[] {
  const d = mean.length;
  const isConstant = (j: number) => {
    const rounding = CONSTANT_COLUMN_UNITS * roundingUnit * mean[j];
    return !(scatter[j * d + j] / weight > rounding * rounding);
  };
  return [...mean.keys()].filter(isConstant);
}

interface PivotedCholesky {
  /** Columns in the order in which they were taken; the first `rank` are independent. */
  readonly order: readonly number[];
  readonly rank: number;
  /** [m, m], row-major, in that order: R = LLᵀ as far as the rank goes */
  readonly lower: Float64Array;
}

/** Cholesky of the correlation matrix of `columns`, always of the column next that has most variance left. */
function pivotedCholesky(group: GroupScatter, columns: readonly number[]): PivotedCholesky {
  const d = group.mean.length;
  const m = columns.length;
  const order = [...columns];
  const deviation = group.mean.map((_, j) => Math.sqrt(group.scatter[j * d + j]));
  const left = new Float64Array(m).fill(1);
  const lower = new Float64Array(m * m);
  const threshold = smallestPivot(group, columns);
  for (let k = 0; k < m; k++) {
    let p = k;
    for (let i = k + 1; i < m; i++) if (left[i] > left[p]) p = i;
    if (!(left[p] > threshold)) return { order, rank: k, lower };
    swap(order, left, lower, k, p);
    lower[k * m + k] = Math.sqrt(left[k]);
    for (let i = k + 1; i < m; i++) {
      const [a, b] = [order[i], order[k]];
      let rest = group.scatter[a * d + b] / deviation[a] / deviation[b];
      for (let l = 0; l < k; l++) rest -= lower[i * m + l] * lower[k * m + l];
      lower[i * m + k] = rest / lower[k * m + k];
      left[i] -= lower[i * m + k] ** 2;
    }
  }
  return { order, rank: m, lower };
}

/** τ. A pivot below it may be rounding of the rows or of the arithmetic. */
function smallestPivot(
  { weight, mean, scatter, roundingUnit }: GroupScatter,
  columns: readonly number[],
): number {
  const d = mean.length;
  let offset = 0; // max_j x̄_j²/s_j²
  for (const j of columns) offset = Math.max(offset, mean[j] ** 2 / (scatter[j * d + j] / weight));
  return RANK_SLACK * d * (2 * ROUNDING_UNIT.float64 + roundingUnit ** 2 * (1 + offset));
}

/** Exchanges columns k and p of what is done so far. */
function swap(order: number[], left: Float64Array, lower: Float64Array, k: number, p: number): void {
  if (k === p) return;
  const m = order.length;
  [order[k], order[p]] = [order[p], order[k]];
  [left[k], left[p]] = [left[p], left[k]];
  for (let l = 0; l < k; l++) {
    [lower[k * m + l], lower[p * m + l]] = [lower[p * m + l], lower[k * m + l]];
  }
}

/** Each column after the first `rank` as a combination c of those: row l of L beyond the rank satisfies l = c L. */
function dependenciesOf({ order, lower }: PivotedCholesky, rank: number): Dependency[] {
  const m = order.length;
  const dependencies: Dependency[] = [];
  for (let i = rank; i < m; i++) {
    const coefficients = lower.slice(i * m, i * m + rank);
    for (let k = rank - 1; k >= 0; k--) {
      coefficients[k] /= lower[k * m + k];
      for (let l = 0; l < k; l++) coefficients[l] -= coefficients[k] * lower[k * m + l];
    }
    const on = order.slice(0, rank).filter((_, k) => Math.abs(coefficients[k]) > SHARE_THAT_MATTERS);
    dependencies.push({ column: order[i], on: on.sort((a, b) => a - b) });
  }
  return dependencies.sort((a, b) => a.column - b.column);
}
