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
   * A batch of rows of an allocated one in an order of their own: row k is its row order[k]. The engine's threads fetch each when they need
   * it, so that nobody has to sort them. The allocated batch's offsets do not matter; it must not be released, nor the arrays be changed,
   * while the new one is in use. Only engines whose threads share memory have this.
   */
  gather?(rows: AllocatedBatch, layout: GatherLayout): Batch;
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

/** Which rows of an allocated batch make another. */
export interface GatherLayout {
  /** B+1 row numbers, from 0, not decreasing: group g owns rows offsets[g] … offsets[g+1]−1 of the new batch. */
  readonly offsets: ArrayLike<number>;
  /** [offsets[B]], in shared memory: where each of them lies in the allocated batch. */
  readonly order: Uint32Array;
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
