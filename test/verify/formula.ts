import { invert, multiply, transpose } from "../../src/engines/reference/matrix.js";
import type { GroupAt, GroupGradients } from "./engine-of.js";

/** What can be wrong with the formulas; each defaults to what the paper prints. */
export interface Fault {
  /** The 2 of (7) */
  readonly two?: number;
  /** The sign of (9) */
  readonly sign?: number;
  /** The right-hand Λ of (14) */
  readonly rightFactor?: (factor: Float64Array, d: number) => Float64Array;
  /** What is taken for S */
  readonly covariance?: (factor: Float64Array, d: number) => Float64Array;
  /** What is taken for S⁻¹ */
  readonly inverse?: (inverse: Float64Array, d: number) => Float64Array;
  /** What is taken for Λ */
  readonly factor?: (factor: Float64Array, d: number) => Float64Array;
}

const asIs = (matrix: Float64Array): Float64Array => matrix;

/** (7), (9) and (14) as printed, but for a fault. */
export function gradientsWith(fault: Fault, { x, n, d, mean, factor }: GroupAt): GroupGradients {
  const { two = 2, sign = -1, rightFactor = asIs, inverse = asIs } = fault;
  const lambda = (fault.factor ?? asIs)(factor, d);
  const covariance = fault.covariance ?? ((a: Float64Array) => multiply(a, transpose(a, d), d));
  const s = inverse(invert(covariance(lambda, d), d)?.inverse ?? new Float64Array(d * d), d);
  const sum = new Float64Array(d);
  const scatter = new Float64Array(d * d);
  for (let a = 0; a < n; a++) {
    for (let i = 0; i < d; i++) {
      sum[i] += x[a * d + i] - mean[i];
      for (let j = 0; j < d; j++) {
        scatter[i * d + j] += (x[a * d + i] - mean[i]) * (x[a * d + j] - mean[j]);
      }
    }
  }
  const right = multiply(s, rightFactor(lambda, d), d);
  return {
    dJ1dFactor: multiply(s, lambda, d).map((entry) => two * n * entry),
    dJ2dMean: Float64Array.from({ length: d }, (_, j) =>
      sum.reduce((total, value, i) => total + sign * 2 * value * s[i * d + j], 0),
    ),
    dJ2dFactor: multiply(s, multiply(scatter, right, d), d).map((entry) => -2 * entry),
  };
}

export const identity = (_: Float64Array, d: number): Float64Array =>
  Float64Array.from({ length: d * d }, (_, e) => (e % (d + 1) === 0 ? 1 : 0));

export const lowerTriangle = (matrix: Float64Array, d: number): Float64Array =>
  matrix.map((entry, e) => (e % d > Math.floor(e / d) ? 0 : entry));
