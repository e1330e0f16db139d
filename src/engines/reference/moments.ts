import type { Rows } from "./rows.js";
import { Sums } from "./sum.js";

/** The sufficient statistics of one group. */
export interface Moments {
  readonly count: number;
  /** W = Σ wᵢ */
  readonly weight: number;
  /** [d]: x̄ */
  readonly mean: Float64Array;
  /** [d, d]: A */
  readonly scatter: Float64Array;
}

/**
 * Count, weight, mean and scatter of one group:
 *
 *     W = Σ wᵢ,   x̄ = (1/W) Σ wᵢ Xᵢ,   A = Σ wᵢ (Xᵢ − x̄)ᵀ(Xᵢ − x̄)
 *
 * In two passes, the second of which also finds what rounding left in x̄, e = (1/W) Σ wᵢ (Xᵢ − x̄), and takes W eᵀe off A again. All
 * sums are compensated. A column that holds a NaN or an infinite value has a NaN mean, and NaN in its row and column of A.
 */
export function moments(rows: Rows, d: number): Moments {
  const { count, x, weights } = rows;
  const weight = total(weights);
  const mean = columnMeans(rows, d, weight);
  const rest = new Sums(d);
  const products = new Sums(d * d);
  const deviation = new Float64Array(d);
  for (let a = 0; a < count; a++) {
    for (let j = 0; j < d; j++) {
      deviation[j] = x[a * d + j] - mean[j];
      rest.add(j, weights[a] * deviation[j]);
    }
    for (let i = 0; i < d; i++) {
      const weighted = weights[a] * deviation[i];
      for (let j = 0; j <= i; j++) products.add(i * d + j, weighted * deviation[j]);
    }
  }
  const error = rest.values().map((sum) => sum / weight);
  const scatter = products.values();
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      if (count > 0) scatter[i * d + j] -= weight * error[i] * error[j];
      scatter[j * d + i] = scatter[i * d + j];
    }
  }
  return { count, weight, mean: mean.map((value, j) => value + error[j]), scatter };
}

function total(weights: Float64Array): number {
  const sum = new Sums(1);
  for (const weight of weights) sum.add(0, weight);
  return sum.values()[0];
}

/** x̄, each column's NaN where it holds a value that is not finite; all NaN without rows. */
function columnMeans({ count, x, weights }: Rows, d: number, weight: number): Float64Array {
  const sums = new Sums(d);
  const finite = new Array<boolean>(d).fill(true);
  for (let a = 0; a < count; a++) {
    for (let j = 0; j < d; j++) {
      const value = x[a * d + j];
      if (!Number.isFinite(value)) finite[j] = false;
      sums.add(j, weights[a] * value);
    }
  }
  return sums.values().map((sum, j) => (finite[j] ? sum / weight : Number.NaN));
}
