import { InputError } from "./errors.js";
import {
  asReals,
  checkedOffsets,
  checkWeights,
  dtypeOf,
  type RealArray,
  requireCount,
  requireLength,
} from "./layout.js";
import type { Precision } from "./methods.js";

export interface DenseShape {
  /** B */
  readonly groups: number;
  /** n, the same for every group */
  readonly rows: number;
  /** d */
  readonly dims: number;
  /** One weight wᵢ ≥ 0 for each row, length B·n; 0 means absent. */
  readonly weights?: ArrayLike<number>;
}

export interface RaggedShape {
  /** d */
  readonly dims: number;
  /** One weight wᵢ ≥ 0 for each row, length N; 0 means absent. */
  readonly weights?: ArrayLike<number>;
}

export interface CodedShape extends RaggedShape {
  /** B; default: the largest code + 1 */
  readonly groups?: number;
}

/**
 * The rows of all groups, one group after the other: X of the paper, for B groups of unequal size.
 *
 * `x` is [N, d], row-major, float64 or float32. Group g owns rows `offsets[g]` … `offsets[g+1]−1`. A batch is checked where it is
 * made and refers to the caller's array without copying it (`fromCodes` copies, since it sorts): leave the array as it is
 * while a batch of it is in use.
 */
export class Batch {
  /** [N, d], row-major, in the units of the data */
  readonly x: RealArray;
  /** [B+1] */
  readonly offsets: Float64Array;
  /** d */
  readonly dims: number;
  /** [N], or undefined where every row counts 1 */
  readonly weights: Float64Array | undefined;

  /** Trusts its arguments: use the `from…` functions. */
  protected constructor(
    x: RealArray,
    offsets: Float64Array,
    dims: number,
    weights: Float64Array | undefined,
  ) {
    this.x = x;
    this.offsets = offsets;
    this.dims = dims;
    this.weights = weights;
  }

  /** B */
  get groups(): number {
    return this.offsets.length - 1;
  }

  /** N */
  get rows(): number {
    return this.offsets[this.offsets.length - 1];
  }

  get dtype(): Precision {
    return dtypeOf(this.x);
  }

  /**
   * B groups of n rows each, from an array [B, n, d].
   *
   * @throws InputError where lengths or weights do not fit
   */
  static fromDense(x: RealArray | readonly number[], shape: DenseShape): Batch {
    const place = "Batch.fromDense";
    requireCount(place, "groups", shape.groups, 0);
    requireCount(place, "rows", shape.rows, 0);
    const offsets = Float64Array.from({ length: shape.groups + 1 }, (_, g) => g * shape.rows);
    return Batch.checked(place, x, offsets, shape.dims, shape.weights);
  }

  /**
   * Groups of unequal size: x is [N, d], group g owns rows offsets[g] … offsets[g+1]−1.
   *
   * @throws InputError where offsets decrease, or lengths or weights do not fit
   */
  static fromOffsets(
    x: RealArray | readonly number[],
    offsets: ArrayLike<number>,
    shape: RaggedShape,
  ): Batch {
    const place = "Batch.fromOffsets";
    return Batch.checked(place, x, checkedOffsets(place, offsets), shape.dims, shape.weights);
  }

  /**
   * Unsorted rows with a group code each: x is [N, d], codes [N] are whole numbers from 0. Rows keep their order within a group.
   *
   * @throws InputError where codes are not whole numbers in range, or lengths or weights do not fit
   */
  static fromCodes(x: RealArray | readonly number[], codes: ArrayLike<number>, shape: CodedShape): Batch {
    const place = "Batch.fromCodes";
    const { dims } = shape;
    requireCount(place, "dims", dims, 1);
    const reals = asReals(place, "x", x);
    requireLength(place, "x", reals.length, codes.length * dims, `${codes.length} codes of ${dims} values`);
    if (shape.weights) requireLength(place, "weights", shape.weights.length, codes.length, "one a row");
    const offsets = offsetsOfCodes(place, codes, shape.groups);
    const sorted = new (reals.constructor as Float64ArrayConstructor)(reals.length) as RealArray;
    const weights = shape.weights ? new Float64Array(codes.length) : undefined;
    const next = offsets.slice();
    for (let row = 0; row < codes.length; row++) {
      const to = next[codes[row]]++;
      for (let j = 0; j < dims; j++) sorted[to * dims + j] = reals[row * dims + j];
      if (weights && shape.weights) weights[to] = shape.weights[row];
    }
    if (shape.weights) checkWeights(place, shape.weights);
    return new Batch(sorted, offsets, dims, weights);
  }

  private static checked(
    place: string,
    x: RealArray | readonly number[],
    offsets: Float64Array,
    dims: number,
    weights: ArrayLike<number> | undefined,
  ): Batch {
    requireCount(place, "dims", dims, 1);
    const reals = asReals(place, "x", x);
    const rows = offsets[offsets.length - 1];
    requireLength(place, "x", reals.length, rows * dims, `${rows} rows of ${dims} values`);
    if (weights) {
      requireLength(place, "weights", weights.length, rows, "one a row");
      checkWeights(place, weights);
    }
    const own =
      weights instanceof Float64Array || weights === undefined ? weights : Float64Array.from(weights);
    return new Batch(reals, offsets, dims, own);
  }
}

/** Counting sort, first half: how many rows each group has, summed up. */
function offsetsOfCodes(place: string, codes: ArrayLike<number>, groups: number | undefined): Float64Array {
  if (groups !== undefined) requireCount(place, "groups", groups, 0);
  let size = groups ?? 0;
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row];
    if (!Number.isSafeInteger(code) || code < 0 || (groups !== undefined && code >= groups)) {
      const range = groups === undefined ? "whole numbers from 0" : `whole numbers from 0 to ${groups - 1}`;
      throw new InputError(`${place}: codes must be ${range}, got ${code} at row ${row}`);
    }
    if (code >= size) size = code + 1;
  }
  const offsets = new Float64Array(size + 1);
  for (let row = 0; row < codes.length; row++) offsets[codes[row] + 1]++;
  for (let g = 0; g < size; g++) offsets[g + 1] += offsets[g];
  return offsets;
}
