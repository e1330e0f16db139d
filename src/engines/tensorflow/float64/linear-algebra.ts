import type { Kernel } from "./backend.js";
import { sizeOf } from "./shapes.js";

/** [.., m, k] · [.., k, n] with equal leading axes, either transposed on request */
const batchMatMul: Kernel = ({ inputs: { a, b }, attrs, backend }) => {
  const batch = a.shape.slice(0, -2);
  const { transposeA, transposeB } = attrs;
  const [rowsA, columnsA] = a.shape.slice(-2);
  const [rowsB, columnsB] = b.shape.slice(-2);
  const [m, k, stepI, stepA] = transposeA ? [columnsA, rowsA, 1, columnsA] : [rowsA, columnsA, columnsA, 1];
  const n = transposeB ? rowsB : columnsB;
  const [x, y] = [backend.held(a), backend.held(b)];
  const result = new Float64Array(sizeOf(batch) * m * n);
  const multiply = transposeB ? multiplyByRows : multiplyByColumns;
  for (let g = 0, at = 0; at < result.length; g++, at += m * n) {
    multiply(x, g * m * k, stepI, stepA, y, g * k * n, result, at, m, k, n);
  }
  return backend.output(result, [...batch, m, n]);
};

type Multiply = (
  x: Float64Array,
  firstX: number,
  stepI: number,
  stepA: number,
  y: Float64Array,
  firstY: number,
  result: Float64Array,
  at: number,
  m: number,
  k: number,
  n: number,
) => void;

/** Entry (i, j) as the product of a row of X and a row of Y. */
const multiplyByRows: Multiply = (x, firstX, stepI, stepA, y, firstY, result, at, m, k, n) => {
  for (let i = 0, to = at; i < m; i++) {
    for (let j = 0; j < n; j++, to++) {
      let sum = 0;
      for (let l = 0, p = firstX + i * stepI, q = firstY + j * k; l < k; l++, p += stepA, q++) {
        sum += x[p] * y[q];
      }
      result[to] = sum;
    }
  }
};

/** The sum of outer products of the columns of X with the rows of Y, which are read in their order. */
const multiplyByColumns: Multiply = (x, firstX, stepI, stepA, y, firstY, result, at, m, k, n) => {
  for (let l = 0, q = firstY; l < k; l++, q += n) {
    for (let i = 0, p = firstX + l * stepA, to = at; i < m; i++, p += stepI, to += n) {
      const entry = x[p];
      for (let j = 0; j < n; j++) result[to + j] += entry * y[q + j];
    }
  }
};

/** A = LLᵀ for [B, e, e], of which the lower triangle is read; NaN where A is not positive definite */
const cholesky: Kernel = ({ inputs: { input }, backend }) => {
  const e = input.shape[input.shape.length - 1];
  const a = backend.held(input);
  const lower = new Float64Array(a.length);
  for (let base = 0; base < a.length; base += e * e) {
    for (let i = 0; i < e; i++) {
      const row = base + i * e;
      for (let j = 0; j <= i; j++) {
        const other = base + j * e;
        let rest = a[row + j];
        for (let k = 0; k < j; k++) rest -= lower[row + k] * lower[other + k];
        if (i === j) lower[row + j] = rest > 0 ? Math.sqrt(rest) : Number.NaN;
        else lower[row + j] = rest / lower[other + j];
      }
    }
  }
  return backend.output(lower, input.shape);
};

/** X of LX = rhs for lower triangular L [B, e, e]; rhs [e, c] is the same for every L */
const triangularSolve: Kernel = ({ inputs: { matrix, rhs }, attrs, backend }) => {
  if (!attrs.lower || attrs.adjoint) throw new Error("mvnfit-float64: solves with lower triangles only");
  const e = matrix.shape[matrix.shape.length - 1];
  const columns = rhs.shape[1];
  const lower = backend.held(matrix);
  const right = backend.held(rhs);
  const x = new Float64Array(matrix.shape[0] * right.length);
  for (let at = 0; at < x.length; at += right.length) x.set(right, at);
  for (let g = 0; g * e * e < lower.length; g++) {
    for (let i = 0; i < e; i++) {
      const row = g * e * e + i * e;
      const own = (g * e + i) * columns;
      for (let k = 0; k < i; k++) {
        const entry = lower[row + k];
        const other = (g * e + k) * columns;
        for (let j = 0; j < columns; j++) x[own + j] -= entry * x[other + j];
      }
      for (let j = 0; j < columns; j++) x[own + j] /= lower[row + i];
    }
  }
  return backend.output(x, [matrix.shape[0], ...rhs.shape]);
};

/** The diagonals [B, e] of [B, e, e] */
const diagonalPart: Kernel = ({ inputs: { input }, backend }) => {
  const [groups, e] = input.shape;
  const values = backend.held(input);
  const diagonals = new Float64Array(groups * e);
  for (let at = 0, from = 0; at < diagonals.length; from += e * e) {
    for (let i = 0; i < e; i++, at++) diagonals[at] = values[from + i * (e + 1)];
  }
  return backend.output(diagonals, [groups, e]);
};

export const linearAlgebra: Record<string, Kernel> = {
  BatchMatMul: batchMatMul,
  Cholesky: cholesky,
  MatrixDiagPart: diagonalPart,
  MatrixTriangularSolve: triangularSolve,
};
