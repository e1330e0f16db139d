import { InputError } from "./errors.js";
import { requireCount, requireLength } from "./layout.js";

/**
 * μ and Λ of B groups: the covariance of a group is S = ΛΛᵀ. Λ is any square matrix, not only a triangular one.
 */
export class Parameters {
  /** d */
  readonly dims: number;
  /** B */
  readonly groups: number;
  /** [B, d]: μ, in the units of the data */
  readonly mean: Float64Array;
  /** [B, d, d], row-major: Λ, in the units of the data */
  readonly factor: Float64Array;

  private constructor(dims: number, groups: number, mean: Float64Array, factor: Float64Array) {
    this.dims = dims;
    this.groups = groups;
    this.mean = mean;
    this.factor = factor;
  }

  /**
   * Parameters of `groups` groups, from flat arrays: mean [B, d] and factor [B, d, d]; or from one μ [d] and one Λ [d, d], taken
   * for every group.
   *
   * @throws InputError where lengths do not fit or a value is not finite
   */
  static from(
    values: { readonly mean: ArrayLike<number>; readonly factor: ArrayLike<number> },
    shape: { readonly groups: number; readonly dims: number },
    place = "Parameters.from",
  ): Parameters {
    const { groups, dims } = shape;
    requireCount(place, "dims", dims, 1);
    requireCount(place, "groups", groups, 0);
    const mean = spread(place, "mean", values.mean, dims, groups);
    const factor = spread(place, "factor", values.factor, dims * dims, groups);
    return new Parameters(dims, groups, mean, factor);
  }
}

/** One value a group, or one for all groups, as one flat array. */
function spread(
  place: string,
  name: string,
  values: ArrayLike<number>,
  size: number,
  groups: number,
): Float64Array {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new InputError(
        `${place}: ${name} must be finite numbers, got ${String(values[i])} at index ${i}`,
      );
    }
  }
  if (values.length === size * groups)
    return values instanceof Float64Array ? values : Float64Array.from(values);
  if (values.length !== size) {
    requireLength(
      place,
      name,
      values.length,
      size * groups,
      `${groups} groups of ${size}, or ${size} for all`,
    );
  }
  const all = new Float64Array(size * groups);
  for (let g = 0; g < groups; g++) for (let i = 0; i < size; i++) all[g * size + i] = values[i];
  return all;
}
