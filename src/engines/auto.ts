// The rule by which `auto` takes `cuda` or the processor: whichever is estimated to be done first, start and transfer included.
//
// The constants are rounded from measurements: of `native` and `wasm` on one core of a server processor, of `cuda` on an H200 by
// scripts/gpu-host/. docs/cuda.md tells what each stands for.
import { availableParallelism } from "node:os";
import type { Method } from "../methods.js";

/** What is to be done, as far as it is known before an engine is chosen. */
export interface Workload {
  readonly groups: number;
  readonly dims: number;
  /** Rows to be summed; 0 where there are statistics already. */
  readonly rows: number;
  /** Bytes of a stored value. */
  readonly valueBytes: number;
  /** `evaluate` is an evaluation at given parameters. */
  readonly method: Method | "evaluate";
}

/** Iterations that a group takes from the default start, at a condition of about 10² (docs/methods.md). */
const ITERATIONS: Readonly<Record<Workload["method"], number>> = {
  "closed-form": 1,
  evaluate: 2,
  newton: 7,
  lbfgs: 15,
  cg: 120,
  bb: 200,
  momentum: 300,
  "gradient-descent": 1000,
};

/** Of the engines on the processor. */
interface Processor {
  /** Seconds until the workers are there. */
  readonly start: number;
  /** Seconds of one thread for a row: per d² and per d. */
  readonly rowSquare: number;
  readonly rowLinear: number;
  /** Seconds of one thread for an iteration, per d³. */
  readonly cube: number;
}
const WASM: Processor = { start: 0.03, rowSquare: 7e-11, rowLinear: 3e-10, cube: 1.2e-9 };
const NATIVE: Processor = { start: 0.03, rowSquare: 2.5e-11, rowLinear: 4e-10, cube: 4e-10 };

const CUDA = {
  /** Seconds until a context is there and the kernels are loaded. */
  start: 0.4,
  /** Bytes a second from ordinary memory to the device: measured when one thread copied. */
  up: 6e9,
  /** Bytes a second of results into memory that nobody has touched yet, page faults included: the same. */
  down: 1.7e9,
  /** Seconds for an iteration of one group among many, per d³: 1e-11 for newton, 2.5e-11 to 6e-11 for lbfgs at d = 16 and 8. */
  cube: 3e-11,
};

/** Bytes a second that one thread writes into memory that nobody has touched yet, as that for results: measured. */
const FRESH = 2.4e9;
const NUMBER = 8;

/** Seconds that an engine is estimated to take, from opening it to results in memory. */
export function estimates(
  { groups, dims: d, rows, valueBytes, method }: Workload,
  threads = availableParallelism(),
): { readonly native: number; readonly wasm: number; readonly cuda: number } {
  const solving = ({ cube }: { readonly cube: number }): number =>
    groups * ITERATIONS[method] * d ** 3 * cube;
  const statistics = groups * (2 + d + d ** 2) * NUMBER;
  const results = groups * (2 * d ** 2 + d + 5) * NUMBER;
  // Summing keeps up with the rows as they come.
  const sent = rows > 0 ? rows * d * valueBytes : statistics;
  const onProcessor = (one: Processor): number => {
    const summing = rows * (d ** 2 * one.rowSquare + d * one.rowLinear);
    return one.start + (summing + solving(one) + results / FRESH) / threads;
  };
  return {
    native: onProcessor(NATIVE),
    wasm: onProcessor(WASM),
    cuda: CUDA.start + sent / CUDA.up + solving(CUDA) + results / CUDA.down,
  };
}

/** What `auto` takes on this machine whatever the estimates say, where MVNFIT_AUTO names it. */
export const pinned = (): string | undefined => process.env.MVNFIT_AUTO || undefined;
