/*
 * The little linear algebra that judging and differencing need: elimination with partial pivoting and singular values. It is written
 * apart from the engines', so that no fault can be on both sides of a comparison.
 */

/** Λ = P⁻¹LU of one d×d matrix after another, in memory that is reused. */
export class Elimination {
  readonly #d: number;
  readonly #lu: Float64Array;
  readonly #order: Int32Array;
  readonly #right: Float64Array;
  /** log |det Λ| of the matrix last factored */
  logAbsDeterminant = 0;

  constructor(d: number) {
    this.#d = d;
    this.#lu = new Float64Array(d * d);
    this.#order = new Int32Array(d);
    this.#right = new Float64Array(d);
  }

  /** Factors a d×d matrix, row-major; false where a pivot is zero or not finite. */
  factor(matrix: Float64Array): boolean {
    const d = this.#d;
    const lu = this.#lu;
    lu.set(matrix);
    this.logAbsDeterminant = 0;
    for (let k = 0; k < d; k++) this.#order[k] = k;
    for (let k = 0; k < d; k++) {
      this.#pivot(k);
      const pivot = lu[k * d + k];
      if (!(Math.abs(pivot) > 0 && Math.abs(pivot) < Infinity)) return false;
      this.logAbsDeterminant += Math.log(Math.abs(pivot));
      for (let i = k + 1; i < d; i++) {
        const multiple = lu[i * d + k] / pivot;
        lu[i * d + k] = multiple;
        for (let j = k + 1; j < d; j++) lu[i * d + j] -= multiple * lu[k * d + j];
      }
    }
    return true;
  }

  /** Λ⁻¹b, in place. */
  solve(b: Float64Array): void {
    const d = this.#d;
    const lu = this.#lu;
    const right = this.#right;
    for (let i = 0; i < d; i++) {
      let rest = b[this.#order[i]];
      for (let j = 0; j < i; j++) rest -= lu[i * d + j] * right[j];
      right[i] = rest;
    }
    for (let i = d - 1; i >= 0; i--) {
      let rest = right[i];
      for (let j = i + 1; j < d; j++) rest -= lu[i * d + j] * b[j];
      b[i] = rest / lu[i * d + i];
    }
  }

  /** Λ⁻¹, d×d, row-major */
  inverse(): Float64Array {
    const d = this.#d;
    const inverse = new Float64Array(d * d);
    const column = new Float64Array(d);
    for (let j = 0; j < d; j++) {
      column.fill(0);
      column[j] = 1;
      this.solve(column);
      for (let i = 0; i < d; i++) inverse[i * d + j] = column[i];
    }
    return inverse;
  }

  /** Brings the largest entry of column k, from row k on, to the diagonal. */
  #pivot(k: number): void {
    const d = this.#d;
    const lu = this.#lu;
    let best = k;
    for (let i = k + 1; i < d; i++) if (Math.abs(lu[i * d + k]) > Math.abs(lu[best * d + k])) best = i;
    if (best === k) return;
    for (let j = 0; j < d; j++) {
      const kept = lu[k * d + j];
      lu[k * d + j] = lu[best * d + j];
      lu[best * d + j] = kept;
    }
    const row = this.#order[k];
    this.#order[k] = this.#order[best];
    this.#order[best] = row;
  }
}

/**
 * κ = σ₁/σ_d, the ratio of the largest to the smallest singular value of a d×d matrix, or Infinity.
 *
 * Source: one-sided Jacobi rotations, Hestenes (1958); they find small singular values to high relative accuracy.
 */
export function conditionOf(matrix: Float64Array, d: number): number {
  const a = matrix.slice();
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let turned = false;
    for (let p = 0; p < d; p++) for (let q = p + 1; q < d; q++) turned = rotateRows(a, p, q, d) || turned;
    if (!turned) break;
  }
  let [least, most] = [Infinity, 0];
  for (let i = 0; i < d; i++) {
    const length = Math.sqrt(dot(a, i, i, d));
    least = Math.min(least, length);
    most = Math.max(most, length);
  }
  return most / least;
}

/** Sweeps converge quadratically; ten are ample for any d here. */
const MOST_SWEEPS = 30;
/** Two rows count as orthogonal below this cosine: κ needs no more than a few digits. */
const ORTHOGONAL = 1e-8;

/** Makes rows p and q orthogonal by a rotation; false where they are already. */
function rotateRows(a: Float64Array, p: number, q: number, d: number): boolean {
  const [pp, qq, pq] = [dot(a, p, p, d), dot(a, q, q, d), dot(a, p, q, d)];
  if (!(Math.abs(pq) > ORTHOGONAL * Math.sqrt(pp * qq))) return false;
  const zeta = (qq - pp) / (2 * pq);
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  const sine = cosine * tangent;
  for (let j = 0; j < d; j++) {
    const [x, y] = [a[p * d + j], a[q * d + j]];
    a[p * d + j] = cosine * x - sine * y;
    a[q * d + j] = sine * x + cosine * y;
  }
  return true;
}

/** The scalar product of rows p and q. */
function dot(a: Float64Array, p: number, q: number, d: number): number {
  let sum = 0;
  for (let j = 0; j < d; j++) sum += a[p * d + j] * a[q * d + j];
  return sum;
}

/** ‖A‖_F, or the length of a vector */
export function norm(a: Float64Array): number {
  let sum = 0;
  for (const value of a) sum += value * value;
  return Math.sqrt(sum);
}
