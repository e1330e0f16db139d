// What the main thread and its workers say to each other.
import type { RealArray } from "../../layout.js";
import type { COUNTS, EVALUATION, FITS, PARAMETERS, STATISTICS } from "../fields.js";
import type { Code } from "./code.js";
import type { Span, Spans } from "./spans.js";

/** What a worker is started with. */
export interface WorkerStart {
  readonly code: Code;
  readonly memory: WebAssembly.Memory;
  /** Which worker this is, from 0. */
  readonly index: number;
  /** Address of STACK_BYTES of its own. */
  readonly stack: number;
  /** Address of the control block. */
  readonly control: number;
}

/** One call, the same message to every worker: statistics from rows or as given, then a solver on them or none. */
export interface Task {
  readonly dims: number;
  /** B */
  readonly groups: number;
  /** Plan.items and Plan.splits */
  readonly items: SharedArrayBuffer;
  readonly splits: SharedArrayBuffer;
  readonly mostGroups: number;
  /** Bytes of scratch that the kernels want. */
  readonly scratch: number;
  /** Address of each worker's workspace. */
  readonly workspaces: readonly number[];
  readonly rows?: RowsTask;
  /** Written where there are rows, otherwise read. Where nobody asks for more, of the rows' only the counts are written. */
  readonly statistics: Spans<typeof STATISTICS> | Spans<typeof COUNTS>;
  readonly solver?: FitTask | EvaluateTask;
}

export interface RowsTask {
  readonly source: ResidentRows | SharedRows | FedRows;
  /** Code of kernels/README.md */
  readonly rowType: 0 | 1 | 2;
  readonly weighted: boolean;
  /** [B+1] float64 */
  readonly offsets: SharedArrayBuffer;
  readonly sliceRows: number;
  /** Rows that a window holds. */
  readonly windowRows: number;
  /** Partial statistics of split groups: STATISTICS of `Plan.partials` groups. */
  readonly partials: Spans<typeof STATISTICS>;
  readonly partialCount: number;
}

/** Rows that lie in the kernels' memory: read in place. */
export interface ResidentRows {
  readonly kind: "resident";
  readonly x: number;
  readonly weights: number;
}

/** Rows in shared memory of the caller's: each worker copies what it works on into its window. */
export interface SharedRows {
  readonly kind: "shared";
  readonly x: Span;
  readonly weights?: Span;
}

/** Rows in memory that only the main thread sees: it copies them into the workers' windows. */
export interface FedRows {
  readonly kind: "fed";
}

/** Bytes of a stored value, by row type. */
export const ELEMENT_BYTES = [8, 4, 4] as const;

/** A view of `length` stored values. */
export function valuesOf(rowType: RowsTask["rowType"], span: Span, length: number): RealArray {
  const { buffer, byteOffset } = span;
  if (rowType === 0) return new Float64Array(buffer, byteOffset, length);
  return new Float32Array(buffer, byteOffset, length);
}

export interface FitTask {
  readonly kind: "fit";
  /** Codes of kernels/README.md */
  readonly precision: number;
  readonly method: number;
  readonly start: 0 | 1 | 2;
  /** Where start = 2. */
  readonly parameters?: Spans<typeof PARAMETERS>;
  readonly ddof: number;
  readonly tolerance: number;
  readonly maxIterations: number;
  readonly epsilon: number;
  readonly results: Spans<typeof FITS>;
}

export interface EvaluateTask {
  readonly kind: "evaluate";
  readonly precision: number;
  readonly parameters: Spans<typeof PARAMETERS>;
  readonly results: Spans<typeof EVALUATION>;
}

/** 64 KiB are ample: the kernels keep matrices in scratch. */
export const STACK_BYTES = 65_536;

/** Windows a worker has: one that it reads, the others being filled by the main thread meanwhile. */
export const WINDOWS = 4;

/** A cache line of 32-bit words: counters that different threads write lie apart. */
const LINE = 16;

/** Words of the control block, read and written atomically. */
export const CONTROL = {
  /** Non-zero ends the call; the kernels poll it too. */
  stop: 0,
  /** The next item to be claimed. */
  next: LINE,
  /** Groups done so far. */
  done: 2 * LINE,
  /** Windows emptied so far, by all workers: what the main thread waits on. */
  emptied: 3 * LINE,
  words: 4 * LINE,
} as const;

/** Words of one worker's queue of windows. */
export const QUEUE = {
  /** Windows filled so far: what the worker waits on. */
  filled: 0,
  /** Windows emptied so far. */
  emptied: LINE,
  /** [WINDOWS]: the item that the window belongs to, or END */
  items: 2 * LINE,
  words: 3 * LINE,
} as const;

/** In place of an item: there is nothing more. */
export const END = -1;

export const queueOf = (worker: number): number => CONTROL.words + worker * QUEUE.words;

export const controlWords = (threads: number): number => queueOf(threads);
