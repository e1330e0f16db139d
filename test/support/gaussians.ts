import { Batch } from "../../src/batch.js";
import { multiply } from "../../src/engines/reference/matrix.js";
import type { Random } from "./random.js";

/** A random orthogonal matrix: Gram & Schmidt, twice, on normal columns. */
function orthogonal(random: Random, d: number): Float64Array {
  const q = random.normals(d * d);
  for (let i = 0; i < d; i++) {
    for (let pass = 0; pass < 2; pass++) {
      for (let k = 0; k < i; k++) {
        let dot = 0;
        for (let j = 0; j < d; j++) dot += q[i * d + j] * q[k * d + j];
        for (let j = 0; j < d; j++) q[i * d + j] -= dot * q[k * d + j];
      }
    }
    let squared = 0;
    for (let j = 0; j < d; j++) squared += q[i * d + j] ** 2;
    for (let j = 0; j < d; j++) q[i * d + j] /= Math.sqrt(squared);
  }
  return q;
}

/** A square Λ, not triangular, with cond(ΛΛᵀ) = condition: U diag(σ) V, σ spaced evenly on a log scale about 1. */
export function generalFactor(random: Random, d: number, condition: number): Float64Array {
  const left = orthogonal(random, d);
  for (let j = 0; j < d; j++) {
    const sigma = condition ** (d > 1 ? 0.25 - (0.5 * j) / (d - 1) : 0);
    for (let i = 0; i < d; i++) left[i * d + j] *= sigma;
  }
  return multiply(left, orthogonal(random, d), d);
}

export interface GaussianOptions {
  readonly dims: number;
  /** rows of each group */
  readonly sizes: readonly number[];
  /** of the true covariances; default 100 */
  readonly condition?: number;
  /** added to every value; default 0 */
  readonly offset?: number;
  readonly weighted?: boolean;
  readonly dtype?: "float64" | "float32";
}

/** Rows of groups with different known Gaussians. */
export function gaussianRows(random: Random, options: GaussianOptions): Float64Array {
  const { dims: d, sizes, condition = 100, offset = 0 } = options;
  const x = new Float64Array(sizes.reduce((sum, n) => sum + n, 0) * d);
  let row = 0;
  for (const size of sizes) {
    const factor = generalFactor(random, d, condition);
    const mean = random.normals(d);
    for (let a = 0; a < size; a++, row++) {
      const z = random.normals(d);
      for (let i = 0; i < d; i++) {
        let value = mean[i];
        for (let j = 0; j < d; j++) value += factor[i * d + j] * z[j];
        x[row * d + i] = offset + value;
      }
    }
  }
  return x;
}

export function gaussianBatch(random: Random, options: GaussianOptions): Batch {
  const { dims, sizes, weighted = false, dtype = "float64" } = options;
  const rows = gaussianRows(random, options);
  const x = dtype === "float32" ? Float32Array.from(rows) : rows;
  const weights = weighted
    ? { weights: Float64Array.from({ length: rows.length / dims }, () => random.integer(0, 8) / 4) }
    : {};
  return Batch.fromOffsets(x, offsetsOf(sizes), { dims, ...weights });
}

export function offsetsOf(sizes: readonly number[]): Float64Array {
  const offsets = new Float64Array(sizes.length + 1);
  sizes.forEach((size, g) => {
    offsets[g + 1] = offsets[g] + size;
  });
  return offsets;
}

/** μ and a general Λ for each group, near the data. */
export function generalParameters(random: Random, groups: number, dims: number, condition = 100, offset = 0) {
  const mean = random.normals(groups * dims).map((value) => value + offset);
  const factor = new Float64Array(groups * dims * dims);
  for (let g = 0; g < groups; g++) factor.set(generalFactor(random, dims, condition), g * dims * dims);
  return { mean, factor };
}

/** Groups `which` of a batch, in that order, each with its rows and weights. */
export function selectGroups(batch: Batch, which: readonly number[]): Batch {
  const { offsets } = batch;
  const rows = which.flatMap((g) =>
    Array.from({ length: offsets[g + 1] - offsets[g] }, (_, a) => offsets[g] + a),
  );
  return selectRows(
    batch,
    rows,
    which.map((g) => offsets[g + 1] - offsets[g]),
  );
}

/** The rows `rows` of a batch as new groups of the sizes given. */
export function selectRows(
  { x, dims, weights }: Batch,
  rows: readonly number[],
  sizes: readonly number[],
): Batch {
  const own = new (x.constructor as Float64ArrayConstructor)(rows.length * dims);
  rows.forEach((row, a) => {
    own.set(x.subarray(row * dims, (row + 1) * dims), a * dims);
  });
  const shape = weights ? { dims, weights: Float64Array.from(rows, (row) => weights[row]) } : { dims };
  return Batch.fromOffsets(own, offsetsOf(sizes), shape);
}
