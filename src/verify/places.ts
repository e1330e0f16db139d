import type { Batch } from "../batch.js";
import type { Control } from "../engine.js";
import { fit } from "../fit.js";
import { Parameters } from "../parameters.js";
import { Random } from "../random.js";
import { orthogonal, rootEigenvalues } from "../simulate.js";
import type { SkipReason } from "../verification.js";
import { presentRows } from "./unit-free.js";

/** Parameters of a batch's groups; those of a group that has none are finite but mean nothing. */
export interface Located {
  readonly parameters: Parameters;
  /** By group: why there are none. */
  readonly without: ReadonlyMap<number, SkipReason>;
}

/** What a random place is made of, in the units of the data. */
interface Spread {
  /** [d] */
  readonly centre: Float64Array;
  /** [d] */
  readonly scale: Float64Array;
}

/**
 * μ = x̄ + s∘N(0, I) and Λ = diag(s)·U·diag(√λ)·V for each group, with U and V uniform among the orthogonal matrices and eigenvalues λ
 * from 1/√κ to √κ: general, not triangular, of known condition.
 *
 * @param inUnits whether s are the columns' standard deviations, for data in units of their own, or 1
 */
export function atRandom(batch: Batch, condition: number, seed: number, inUnits: boolean): Located {
  const { groups, dims: d } = batch;
  const roots = rootEigenvalues(d, condition);
  const random = Random.fromSeed(seed);
  const mean = new Float64Array(groups * d);
  const factor = new Float64Array(groups * d * d);
  for (let g = 0; g < groups; g++) {
    const own = random.fork();
    const { centre, scale } = spreadOf(batch, g, inUnits);
    for (let j = 0; j < d; j++) mean[g * d + j] = centre[j] + scale[j] * own.normal();
    const stretched = orthogonal(own, d).map((entry, e) => entry * roots[e % d]);
    const turned = product(stretched, orthogonal(own, d), d);
    factor.set(
      turned.map((entry, e) => scale[Math.floor(e / d)] * entry),
      g * d * d,
    );
  }
  return { parameters: Parameters.from({ mean, factor }, batch), without: new Map() };
}

/**
 * μ = x̄ and Λ = LQ for each group, where LLᵀ is its maximum-likelihood covariance and Q a random orthogonal matrix: S is the same, but
 * Λ is not triangular.
 */
export async function atOptimum(batch: Batch, seed: number, control: Control): Promise<Located> {
  const { groups, dims: d } = batch;
  const fits = await fit(batch, { engine: "wasm", ...control });
  const random = Random.fromSeed(seed);
  const mean = new Float64Array(groups * d);
  const factor = new Float64Array(groups * d * d);
  const without = new Map<number, SkipReason>();
  for (let g = 0; g < groups; g++) {
    const own = random.fork();
    const status = fits.status[g];
    if (status === "converged") {
      mean.set(fits.mean.subarray(g * d, (g + 1) * d), g * d);
      const lower = fits.factor.subarray(g * d * d, (g + 1) * d * d);
      factor.set(product(lower, orthogonal(own, d), d), g * d * d);
    } else {
      without.set(g, status as SkipReason); // closed form ends in no other way
    }
  }
  return { parameters: Parameters.from({ mean, factor }, batch), without };
}

/** x̄ and standard deviations, or 1 where a column has none. */
function spreadOf(batch: Batch, g: number, inUnits: boolean): Spread {
  const d = batch.dims;
  const rows = presentRows(batch, g);
  const centre = new Float64Array(d);
  const scale = new Float64Array(d).fill(1);
  for (let j = 0; j < d; j++) {
    const first = rows.length > 0 ? batch.x[rows[0] * d + j] : 0;
    let [sum, squares] = [0, 0];
    for (const row of rows) {
      const shifted = batch.x[row * d + j] - first;
      sum += shifted;
      squares += shifted * shifted;
    }
    const mean = sum / rows.length;
    const deviation = Math.sqrt(squares / rows.length - mean * mean);
    centre[j] = Number.isFinite(first + mean) ? first + mean : 0;
    if (inUnits && deviation > 0 && deviation < Infinity) scale[j] = deviation;
  }
  return { centre, scale };
}

/** AB */
function product(a: Float64Array, b: Float64Array, d: number): Float64Array {
  const result = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let k = 0; k < d; k++) {
      for (let j = 0; j < d; j++) result[i * d + j] += a[i * d + k] * b[k * d + j];
    }
  }
  return result;
}
