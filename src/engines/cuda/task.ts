// What the main thread and the thread of a device tell each other. Memory is named by its address: both see the same process.
import type { EVALUATION, FITS, Fields, PARAMETERS, STATISTICS } from "../fields.js";
import type { HostMemory } from "./ring.js";

/** Host addresses of the arrays of a table of fields, from the first group of the device's share on. */
export type Addresses<F extends Fields> = { readonly [K in keyof F]: bigint };

/** The rows of a share. */
export interface RowsSource {
  readonly kind: "rows";
  /** Code of kernels/README.md */
  readonly rowType: 0 | 1 | 2;
  /** Row 0 of the offsets. */
  readonly x: HostMemory;
  readonly weights: HostMemory | undefined;
  /** [groups + 1]: of the share */
  readonly offsets: Float64Array;
}

export interface StatisticsSource {
  readonly kind: "statistics";
  readonly at: Addresses<typeof STATISTICS>;
}

export interface FitTask {
  readonly kind: "fit";
  /** Codes of kernels/README.md */
  readonly precision: number;
  readonly method: number;
  readonly start: 0 | 1 | 2;
  /** Where start = 2. */
  readonly parameters: Addresses<typeof PARAMETERS> | undefined;
  readonly ddof: number;
  readonly tolerance: number;
  readonly maxIterations: number;
  readonly epsilon: number;
  readonly results: Addresses<typeof FITS>;
}

export interface EvaluateTask {
  readonly kind: "evaluate";
  readonly precision: number;
  readonly parameters: Addresses<typeof PARAMETERS>;
  readonly results: Addresses<typeof EVALUATION>;
}

/** A call on one device's share of a session's groups. */
export interface Task {
  readonly kind: "perform";
  readonly session: number;
  readonly dims: number;
  readonly groups: number;
  /** Read where the device does not hold the session's statistics yet. */
  readonly source: RowsSource | StatisticsSource;
  readonly solver: FitTask | EvaluateTask | undefined;
  /** Where statistics are to be written. */
  readonly statistics: Partial<Addresses<typeof STATISTICS>>;
}

export type Request =
  | { readonly kind: "open" }
  | Task
  /** Gives a session's statistics back. */
  | { readonly kind: "forget"; readonly session: number }
  /** Locks host memory in place, or lets it go. */
  | { readonly kind: "pin" | "unpin"; readonly address: bigint; readonly bytes: number }
  | { readonly kind: "close" };

export type Answer =
  | { readonly kind: "done"; readonly value: boolean }
  | { readonly kind: "stopped" }
  | { readonly kind: "failure"; readonly reason: string; readonly remedy: string };

/** What a thread is started with. */
export interface Start {
  readonly ordinal: number;
  /** A page of memory that the device reads too. */
  readonly control: SharedArrayBuffer;
  readonly controlOffset: number;
}

/** A page: what the driver locks in place. */
export const PAGE = 4096;

/** Words of the control page, 32 bits each. */
export const CONTROL = {
  /** Non-zero ends the call; kernels poll it. */
  stop: 0,
  /** Groups done so far, once for each phase of the call: summing, solving. */
  done: 16,
  phases: 17,
} as const;
