import type { RealArray } from "../../../layout.js";
import type { Tensor, TensorBackend } from "../backend.js";

/** What an iterative method is asked, for B groups at once. */
export interface Problem {
  readonly on: TensorBackend;
  /** B */
  readonly groups: number;
  /** d + 1 */
  readonly e: number;
  /** [B, e, e]: Rʰ of kernels/objective.ts */
  readonly correlation: RealArray;
  /** [B, e, e]: M to start from */
  readonly start: RealArray;
  /** [B]: iterations that led there */
  readonly spent: Int32Array;
  /** on the residual r */
  readonly tolerance: number;
  readonly maxIterations: number;
  /** Called between iterations with the groups that are done: lets others have their turn, throws where the call is to end. */
  readonly pause: (done: number) => Promise<void>;
}

/** Where a method ended, group by group. */
export interface Solution {
  /** [B, e, e]: M */
  readonly point: RealArray;
  readonly iterations: Int32Array;
  readonly status: ("converged" | "max-iterations" | "stalled")[];
}

/** One group that a method still works on. */
export interface Running {
  /** its place among the B */
  readonly group: number;
  iterations: number;
}

export function emptySolution({ on, groups, e }: Problem): Solution {
  return {
    point: on.array(groups * e * e),
    iterations: new Int32Array(groups),
    status: new Array(groups).fill("stalled"),
  };
}

/** Groups `which` of a tensor [B, …] */
export function select({ tf }: TensorBackend, tensor: Tensor, which: readonly number[]): Tensor {
  return tf.gather(tensor, tf.tensor1d(Int32Array.from(which), "int32"));
}

/** Writes down where those groups ended that leave. `leaving` are their places in the running batch, `runs` the whole of it. */
export function record(
  { on, e }: Problem,
  solution: Solution,
  points: Tensor,
  runs: readonly Running[],
  leaving: ReadonlyMap<number, Solution["status"][number]>,
): void {
  const places = [...leaving.keys()];
  if (places.length === 0) return;
  on.scope(() => {
    const values = on.read(select(on, points, places));
    places.forEach((place, k) => {
      const { group, iterations } = runs[place];
      solution.point.set(values.subarray(k * e * e, (k + 1) * e * e), group * e * e);
      solution.iterations[group] = iterations;
      solution.status[group] = leaving.get(place) as Solution["status"][number];
    });
    return [];
  });
}
