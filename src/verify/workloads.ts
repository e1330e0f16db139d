import { Batch } from "../batch.js";
import { InputError } from "../errors.js";
import { requireCount } from "../layout.js";
import { Random } from "../random.js";
import { simulate } from "../simulate.js";

/** Seeded data to verify with: what `verify` makes where it is given none. */
export interface Sweep {
  /** How many, dealt out over the dimensions in turn; default 100 */
  readonly groups?: number;
  /** n of every group, or the least and the most; default 5 to 50 */
  readonly rows?: number | readonly [least: number, most: number];
  /** d, or several; default 1, 2, 3, 8 */
  readonly dims?: number | readonly number[];
}

const DEFAULT_SWEEP = { groups: 100, rows: [5, 50], dims: [1, 2, 3, 8] } as const;

/** Groups of one dimension, with their numbers among all groups. */
export interface Workload {
  readonly batch: Batch;
  readonly numbers: readonly number[];
}

/** A sweep's groups, one workload a dimension: group g has the dimension g mod k of k. */
export function sweepWorkloads(sweep: Sweep, condition: number, seed: number): Workload[] {
  const { groups, rows, dims } = { ...DEFAULT_SWEEP, ...sweep };
  requireCount("verify", "groups", groups, 1);
  const all = typeof dims === "number" ? [dims] : dims;
  if (all.length === 0) throw new InputError("verify: dims must name at least one dimension");
  const seeds = Random.fromSeed(seed);
  return all.flatMap((d, first) => {
    const numbers: number[] = [];
    for (let g = first; g < groups; g += all.length) numbers.push(g);
    const own = seeds.word();
    if (numbers.length === 0) return [];
    const { batch } = simulate({ groups: numbers.length, rows, dims: d, condition, seed: own });
    return [{ batch, numbers }];
  });
}

/** Groups `which` of a batch, in that order, each with its rows and weights. */
export function selectGroups({ x, offsets, dims, weights }: Batch, which: readonly number[]): Batch {
  const chosen = new Float64Array(which.length + 1);
  which.forEach((g, i) => {
    chosen[i + 1] = chosen[i] + offsets[g + 1] - offsets[g];
  });
  const rows = chosen[which.length];
  const own = new (x.constructor as Float64ArrayConstructor)(rows * dims);
  const ownWeights = weights && new Float64Array(rows);
  which.forEach((g, i) => {
    own.set(x.subarray(offsets[g] * dims, offsets[g + 1] * dims), chosen[i] * dims);
    if (weights) ownWeights?.set(weights.subarray(offsets[g], offsets[g + 1]), chosen[i]);
  });
  return Batch.fromOffsets(own, chosen, ownWeights ? { dims, weights: ownWeights } : { dims });
}
