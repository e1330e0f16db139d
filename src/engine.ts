import type { Batch } from "./batch.js";
import type { Evaluation } from "./evaluation.js";
import type { Fits } from "./fits.js";
import type { Method, Precision } from "./methods.js";
import type { Parameters } from "./parameters.js";
import type { Statistics } from "./statistics.js";

/** The names under which engines are asked for. */
export const ENGINE_NAMES = ["reference", "native", "wasm", "cuda", "tensorflow"] as const;

export type EngineName = (typeof ENGINE_NAMES)[number];

/** Whether an engine can be had on this machine, and if not, why and what to do about it. */
export type Probe =
  | {
      readonly available: true;
      readonly device: string;
      readonly version: string;
      /** Whether it is the stand-in of the tests, which `auto` leaves alone. */
      readonly standIn?: true;
    }
  | { readonly available: false; readonly reason: string; readonly remedy: string };

/** An engine that may or may not be there: the unit of the registry in engines.ts. */
export interface EngineProvider {
  readonly name: EngineName;
  readonly precisions: readonly Precision[];
  probe(): Promise<Probe>;
  create(options: EngineOptions): Promise<Engine>;
}

export interface EngineOptions {
  /** Worker threads, for the engines that have them; default: all cores. */
  readonly threads?: number;
  /** Devices by their numbers, for the engines that have them; default: all that there is work for. */
  readonly device?: number | readonly number[];
}

/** Where the bulk work runs. One engine serves any number of sessions, one call at a time or many. */
export interface Engine extends AsyncDisposable {
  readonly name: EngineName;
  /** The hardware, in words, as it is written into results. */
  readonly device: string;
  /**
   * A batch whose rows lie in the engine's own memory, to be filled by the caller and then read in place.
   * Engines without memory of their own give ordinary memory.
   */
  allocate(layout: BatchLayout): AllocatedBatch;
  /**
   * Sums rows that come in no order of groups, a few at a time. Only engines have it whose code reaches all of the process's memory.
   *
   * @throws EngineError where the engine has been closed, or memory is lacking
   */
  accumulate?(layout: AccumulatorLayout): Accumulator;
  open(source: Batch | Statistics, options?: SessionOptions): Promise<Session>;
  close(): Promise<void>;
}

/** The shape of a batch before it has rows. */
export interface BatchLayout {
  /** B+1 row numbers, from 0, not decreasing: group g owns rows offsets[g] … offsets[g+1]−1. */
  readonly offsets: ArrayLike<number>;
  /** d, the number of variables. */
  readonly dims: number;
  /** How rows are stored; default float64. */
  readonly dtype?: Precision;
  /** Whether there is a weight for each row; default false. */
  readonly weighted?: boolean;
}

/** The shape of rows that are to be summed. */
export interface AccumulatorLayout {
  /** d, the number of variables. */
  readonly dims: number;
  /** Whether there is a weight for each row. */
  readonly weighted: boolean;
}

/** Consecutive rows, each with the number of its group. */
export interface CodedRows {
  readonly rows: number;
  /** [rows, d], row-major, in the units of the data */
  readonly x: Float64Array;
  /** [rows]: the number of each row's group */
  readonly codes: Uint32Array;
  /** [rows], where rows are weighted */
  readonly weights?: Float64Array;
}

/**
 * Statistics of rows in any order. What it holds grows with the groups, not with the rows. A group's statistics depend on its own rows and
 * their order alone, to the bit.
 */
export interface Accumulator {
  /**
   * Takes rows in: one call at a time. The arrays must not change until it has settled.
   *
   * @param groups more than every code so far
   * @throws EngineError where memory is lacking
   */
  add(rows: CodedRows, groups: number): Promise<void>;
  /**
   * The statistics of the first `groups` groups, as a session has them of a batch of the same rows; it takes no more rows then.
   *
   * @throws EngineError where memory is lacking
   */
  statistics(groups: number): Promise<Statistics>;
}

/** A batch that lies in an engine's memory until it is released. */
export type AllocatedBatch = Batch & { release(): void };

export interface SessionOptions {
  /** The arithmetic of everything computed in the session; default float64. */
  readonly precision?: Precision;
  /**
   * Whether the statistics are lent until the session is closed, not given: whoever merges them at once lets the engine use their memory
   * for the next batch. Default false.
   */
  readonly lend?: boolean;
  /** The session is for one call, so the statistics need not be kept for a next one; default false. */
  readonly once?: boolean;
}

/** What the engine keeps of one batch: its statistics, where it computes. */
export interface Session extends AsyncDisposable {
  statistics(control?: Control): Promise<Statistics>;
  evaluate(parameters: Parameters, control?: Control): Promise<Evaluation>;
  fit(options: Solve, control?: Control): Promise<Fits>;
  close(): Promise<void>;
}

/** Where an iterative method starts: see docs/methods.md. */
export type Start = "default" | "identity" | Parameters;

/** What to fit and how far, complete and checked: fit.ts makes it from the caller's options. */
export interface Solve {
  readonly method: Method;
  readonly ddof: 0 | 1;
  readonly start: Start;
  readonly tolerance: number;
  readonly maxIterations: number;
}

/** Watching and ending a running call. */
export interface Control {
  /** Ends the call: it rejects with the signal's reason, and nothing of it goes on. */
  readonly signal?: AbortSignal;
  /** Called now and then with the groups done so far. */
  readonly onProgress?: (done: number, total: number) => void;
}
