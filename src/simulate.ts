import { Batch } from "./batch.js";
import { InputError } from "./errors.js";
import { requireCount } from "./layout.js";
import { Parameters } from "./parameters.js";
import { Random } from "./random.js";

export interface SimulateOptions {
  /** B */
  readonly groups: number;
  /** n of every group, or the least and the most, drawn evenly for each group */
  readonly rows: number | readonly [least: number, most: number];
  /** d */
  readonly dims: number;
  /** κ(S) = largest over smallest eigenvalue of every covariance; default 10 */
  readonly condition?: number;
  /** Added to every mean; default 0 */
  readonly offset?: number;
  /** A whole number from 0 to 2^53 − 1; default 1 */
  readonly seed?: number;
}

/** Data from known Gaussians, and the parameters that they were drawn from. */
export interface Simulation {
  readonly batch: Batch;
  readonly truth: Parameters;
}

/** One simulated group: its parameters, and its rows to be drawn piece by piece. */
export interface SimulatedGroup {
  /** n */
  readonly rows: number;
  /** [d]: μ */
  readonly mean: Float64Array;
  /** [d, d], row-major: Λ = Q·diag(√λ), general, with S = ΛΛᵀ */
  readonly factor: Float64Array;
  /** Draws the next `count` rows into `into`, row-major, from `at` values on. */
  draw(into: Float64Array, count: number, at?: number): void;
}

/**
 * Seeded data: the same call gives the same bits on every machine. Group g is the same whatever the number of groups.
 *
 * Each group has μ = offset + N(0, I) and S = QΛ²Qᵀ with Q uniform among the orthogonal matrices and eigenvalues evenly spaced on a log
 * axis from 1/√κ to √κ.
 *
 * @throws InputError where an option is out of range
 */
export function simulate(options: SimulateOptions): Simulation {
  const { groups, dims } = options;
  const mean = new Float64Array(groups * dims);
  const factor = new Float64Array(groups * dims * dims);
  const sources = [...simulateGroups(options)];
  const offsets = new Float64Array(groups + 1);
  sources.forEach((source, g) => {
    mean.set(source.mean, g * dims);
    factor.set(source.factor, g * dims * dims);
    offsets[g + 1] = offsets[g] + source.rows;
  });
  const x = new Float64Array(offsets[groups] * dims);
  sources.forEach((source, g) => {
    source.draw(x, source.rows, offsets[g] * dims);
  });
  return {
    batch: Batch.fromOffsets(x, offsets, { dims }),
    truth: Parameters.from({ mean, factor }, { groups, dims }),
  };
}

/** The groups of `simulate`, one at a time, for data that are larger than memory. */
export function* simulateGroups(options: SimulateOptions): Generator<SimulatedGroup> {
  const { groups, dims, least, most, condition, offset, seed } = checked(options);
  const roots = rootEigenvalues(dims, condition);
  const random = Random.fromSeed(seed);
  for (let g = 0; g < groups; g++) yield simulatedGroup(random.fork(), least, most, dims, roots, offset);
}

function simulatedGroup(
  random: Random,
  least: number,
  most: number,
  d: number,
  roots: Float64Array,
  offset: number,
): SimulatedGroup {
  const rows = random.whole(least, most);
  const mean = Float64Array.from({ length: d }, () => offset + random.normal());
  const factor = orthogonal(random, d);
  for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) factor[i * d + j] *= roots[j];
  const z = new Float64Array(d);
  const draw = (into: Float64Array, count: number, at = 0): void => {
    for (let row = 0, to = at; row < count; row++) {
      for (let j = 0; j < d; j++) z[j] = random.normal();
      for (let i = 0; i < d; i++, to++) {
        let sum = 0;
        for (let j = 0; j < d; j++) sum += factor[i * d + j] * z[j];
        into[to] = mean[i] + sum;
      }
    }
  };
  return { rows, mean, factor, draw };
}

/**
 * √λ for eigenvalues λ from 1/√κ to √κ, evenly spaced on a log axis. Those between the ends are rounded to float32, so that the last
 * bit of `Math.pow`, which differs between machines, does not show.
 */
export function rootEigenvalues(d: number, condition: number): Float64Array {
  const end = Math.sqrt(Math.sqrt(condition));
  return Float64Array.from({ length: d }, (_, k) => {
    if (d === 1) return 1;
    if (k === 0 || k === d - 1) return k === 0 ? 1 / end : end;
    return Math.fround(condition ** (k / (d - 1) / 2 - 0.25));
  });
}

/**
 * An orthogonal matrix, uniform among all (Haar measure): the rows of a Gaussian matrix, made orthonormal by Gram & Schmidt's method,
 * each projection done twice, which leaves them orthogonal to rounding. Source: Stewart (1980), SIAM J. Numer. Anal. 17(3).
 */
export function orthogonal(random: Random, d: number): Float64Array {
  const q = Float64Array.from({ length: d * d }, () => random.normal());
  for (let i = 0; i < d; i++) {
    const row = q.subarray(i * d, i * d + d);
    for (let pass = 0; pass < 2; pass++) {
      for (let k = 0; k < i; k++) {
        const other = q.subarray(k * d, k * d + d);
        const along = dot(row, other);
        for (let j = 0; j < d; j++) row[j] -= along * other[j];
      }
    }
    const length = Math.sqrt(dot(row, row));
    for (let j = 0; j < d; j++) row[j] /= length;
  }
  return q;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j] * b[j];
  return sum;
}

function checked(options: SimulateOptions) {
  const place = "simulate";
  const { groups, dims, rows, condition = 10, offset = 0, seed = 1 } = options;
  const [least, most] = typeof rows === "number" ? [rows, rows] : rows;
  requireCount(place, "groups", groups, 0);
  requireCount(place, "dims", dims, 1);
  requireCount(place, "rows", least, 0);
  requireCount(place, "rows", most, 0);
  requireCount(place, "seed", seed, 0);
  if (least > most)
    throw new InputError(`${place}: rows must be from the least to the most, got ${least}..${most}`);
  if (!(condition >= 1 && condition < Infinity)) {
    throw new InputError(`${place}: condition must be a finite number of at least 1, got ${condition}`);
  }
  if (!Number.isFinite(offset))
    throw new InputError(`${place}: offset must be a finite number, got ${offset}`);
  return { groups, dims, least, most, condition, offset, seed };
}
