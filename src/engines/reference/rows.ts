import type { Batch } from "../../batch.js";

/** The rows of one group that are there (weight above 0), in float64. */
export interface Rows {
  /** n: rows of positive weight */
  readonly count: number;
  /** [n, d]: X */
  readonly x: Float64Array;
  /** [n]: wᵢ > 0 */
  readonly weights: Float64Array;
}

/** Group g of a batch. A row of weight 0 is absent, whatever it holds. */
export function rowsOf(batch: Batch, g: number): Rows {
  const { dims, offsets, weights } = batch;
  const present: number[] = [];
  for (let row = offsets[g]; row < offsets[g + 1]; row++) {
    if (!weights || weights[row] > 0) present.push(row);
  }
  const x = new Float64Array(present.length * dims);
  present.forEach((row, a) => {
    x.set(batch.x.subarray(row * dims, (row + 1) * dims), a * dims);
  });
  return { count: present.length, x, weights: Float64Array.from(present, (row) => weights?.[row] ?? 1) };
}
