import type { Batch } from "../batch.js";
import { Elimination } from "./linear.js";

/**
 * One group and its parameters, free of the variables' units: row i of Λ and column i of X−μ are divided by sᵢ, a power of two next to
 * 1/√(S⁻¹)ᵢᵢ, the standard deviation of variable i given the others. Nothing is rounded by it, and a gradient with respect to μᵢ or
 * Λᵢⱼ is that of the unit-free quantity divided by sᵢ.
 */
export interface UnitFree {
  /** [d]: sᵢ, in the units of the data */
  readonly units: Float64Array;
  /** [d, d]: Λ, its rows divided by sᵢ */
  readonly factor: Float64Array;
  /** [d, d]: the inverse of that factor */
  readonly inverse: Float64Array;
  /** [n, d]: X−μ, its columns divided by sᵢ */
  readonly deviations: Float64Array;
  /** [n]: wₐ > 0 */
  readonly weights: Float64Array;
}

/** Why a group cannot be compared at a place. */
export type Hindrance = "empty" | "non-finite" | "singular";

/** Group g without units, or why there is no such thing. Rows of weight 0 are left out. */
export function unitFree(
  batch: Batch,
  g: number,
  mean: Float64Array,
  factor: Float64Array,
): UnitFree | Hindrance {
  const { dims: d, x } = batch;
  const rows = presentRows(batch, g);
  if (rows.length === 0) return "empty";
  const units = unitsOf(factor, d);
  if (!units) return "singular";
  const scaled = factor.map((entry, e) => entry / units[Math.floor(e / d)]);
  const elimination = new Elimination(d);
  if (!elimination.factor(scaled)) return "singular";
  const deviations = new Float64Array(rows.length * d);
  rows.forEach((row, a) => {
    for (let j = 0; j < d; j++) deviations[a * d + j] = (x[row * d + j] - mean[j]) / units[j];
  });
  if (!deviations.every(Number.isFinite)) return "non-finite";
  return {
    units,
    factor: scaled,
    inverse: elimination.inverse(),
    deviations,
    weights: Float64Array.from(rows, (row) => batch.weights?.[row] ?? 1),
  };
}

/** Numbers of the rows of positive weight of group g. */
export function presentRows({ offsets, weights }: Batch, g: number): number[] {
  const rows: number[] = [];
  for (let row = offsets[g]; row < offsets[g + 1]; row++) {
    if (!weights || weights[row] > 0) rows.push(row);
  }
  return rows;
}

/** [d]: sᵢ ≈ 1/√(S⁻¹)ᵢᵢ = 1/‖Λ⁻¹eᵢ‖, or undefined where Λ is singular. */
function unitsOf(factor: Float64Array, d: number): Float64Array | undefined {
  // First by the rows' largest entries, so that no unit has a say in the choice of pivots.
  const largest = Float64Array.from({ length: d }, (_, i) =>
    powerOfTwo(
      factor.subarray(i * d, (i + 1) * d).reduce((most, entry) => Math.max(most, Math.abs(entry)), 0),
    ),
  );
  if (!largest.every((scale) => scale > 0 && scale < Infinity)) return undefined;
  const elimination = new Elimination(d);
  if (!elimination.factor(factor.map((entry, e) => entry / largest[Math.floor(e / d)]))) return undefined;
  const inverse = elimination.inverse();
  const units = largest.map((scale, i) => {
    let square = 0;
    for (let k = 0; k < d; k++) square += inverse[k * d + i] ** 2;
    return scale * powerOfTwo(1 / Math.sqrt(square));
  });
  return units.every((unit) => unit > 0 && unit < Infinity) ? units : undefined;
}

const powerOfTwo = (value: number): number => 2 ** Math.round(Math.log2(value));
