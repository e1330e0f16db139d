/*
 * Small dense matrices, d×d, row-major, written for reading: the yardstick must not share an algorithm with the kernels.
 * Where those solve with a Cholesky factor, this inverts by Gauss–Jordan elimination with partial pivoting.
 */

/** AB */
export function multiply(a: Float64Array, b: Float64Array, d: number): Float64Array {
  const product = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let k = 0; k < d; k++) {
      const aik = a[i * d + k];
      for (let j = 0; j < d; j++) product[i * d + j] += aik * b[k * d + j];
    }
  }
  return product;
}

/** Aᵀ */
export function transpose(a: Float64Array, d: number): Float64Array {
  const turned = new Float64Array(d * d);
  for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) turned[j * d + i] = a[i * d + j];
  return turned;
}

/** Av, v a column */
export function apply(a: Float64Array, v: Float64Array, d: number): Float64Array {
  const image = new Float64Array(d);
  for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) image[i] += a[i * d + j] * v[j];
  return image;
}

export interface Inverse {
  /** A⁻¹ */
  readonly inverse: Float64Array;
  /** log |det A| */
  readonly logAbsDeterminant: number;
}

/**
 * A⁻¹ and log|det A|, or undefined where A is singular to working precision.
 *
 * The rows are first scaled to a largest entry between 1 and 2 (by powers of two, so nothing is rounded): a row's unit then has
 * no say in the choice of pivots, nor in what counts as zero, a pivot of at most d·2⁻⁵².
 */
export function invert(a: Float64Array, d: number): Inverse | undefined {
  const work = a.slice();
  const inverse = new Float64Array(d * d);
  let logAbsDeterminant = 0;
  for (let i = 0; i < d; i++) {
    const scale = rowScale(a, i, d);
    if (!(scale > 0 && scale < Infinity)) return undefined;
    for (let j = 0; j < d; j++) work[i * d + j] *= scale;
    inverse[i * d + i] = scale;
    logAbsDeterminant -= Math.log(scale);
  }
  for (let k = 0; k < d; k++) {
    const pivotRow = largestBelow(work, k, d);
    swapRows(work, k, pivotRow, d);
    swapRows(inverse, k, pivotRow, d);
    const pivot = work[k * d + k];
    if (!(Math.abs(pivot) > d * Number.EPSILON)) return undefined;
    logAbsDeterminant += Math.log(Math.abs(pivot));
    for (let j = 0; j < d; j++) {
      work[k * d + j] /= pivot;
      inverse[k * d + j] /= pivot;
    }
    for (let i = 0; i < d; i++) {
      const multiple = work[i * d + k];
      if (i === k || multiple === 0) continue;
      for (let j = 0; j < d; j++) {
        work[i * d + j] -= multiple * work[k * d + j];
        inverse[i * d + j] -= multiple * inverse[k * d + j];
      }
    }
  }
  return { inverse, logAbsDeterminant };
}

/** The power of two that brings the largest entry of row i to between 1 and 2. */
function rowScale(a: Float64Array, i: number, d: number): number {
  let largest = 0;
  for (let j = 0; j < d; j++) largest = Math.max(largest, Math.abs(a[i * d + j]));
  return largest === 0 ? 0 : 2 ** -Math.floor(Math.log2(largest));
}

function largestBelow(a: Float64Array, k: number, d: number): number {
  let best = k;
  for (let i = k + 1; i < d; i++) if (Math.abs(a[i * d + k]) > Math.abs(a[best * d + k])) best = i;
  return best;
}

function swapRows(a: Float64Array, i: number, k: number, d: number): void {
  if (i === k) return;
  for (let j = 0; j < d; j++) {
    const kept = a[i * d + j];
    a[i * d + j] = a[k * d + j];
    a[k * d + j] = kept;
  }
}

/** The lower triangular L with a positive diagonal and LLᵀ = A, or undefined where A is not positive definite. */
export function cholesky(a: Float64Array, d: number): Float64Array | undefined {
  const lower = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = a[i * d + j];
      for (let k = 0; k < j; k++) rest -= lower[i * d + k] * lower[j * d + k];
      if (i === j && !(rest > 0)) return undefined;
      lower[i * d + j] = i === j ? Math.sqrt(rest) : rest / lower[j * d + j];
    }
  }
  return lower;
}

/**
 * The lower triangular L with a positive diagonal and LLᵀ = ΛΛᵀ, for a general square Λ: plane rotations of its columns (Λ = LQ),
 * so that nothing is squared and the condition number of Λ, not of S, limits the digits.
 */
export function triangularise(factor: Float64Array, d: number): Float64Array {
  const lower = factor.slice();
  for (let i = 0; i < d; i++) {
    for (let j = i + 1; j < d; j++) {
      const length = Math.hypot(lower[i * d + i], lower[i * d + j]);
      if (lower[i * d + j] === 0) continue;
      const cosine = lower[i * d + i] / length;
      const sine = lower[i * d + j] / length;
      for (let k = i; k < d; k++) {
        const left = lower[k * d + i];
        const right = lower[k * d + j];
        lower[k * d + i] = cosine * left + sine * right;
        lower[k * d + j] = k === i ? 0 : cosine * right - sine * left;
      }
    }
    if (lower[i * d + i] < 0) for (let k = i; k < d; k++) lower[k * d + i] = -lower[k * d + i];
  }
  return lower;
}

/** ‖A‖_F, or the length of a vector */
export function norm(a: Float64Array): number {
  let sum = 0;
  for (const value of a) sum += value * value;
  return Math.sqrt(sum);
}
