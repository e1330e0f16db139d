import type { EngineName } from "../engine.js";
import type { Method, Precision } from "../methods.js";
import type { Status } from "../status.js";

/** The name and version of the document's form: see docs/performance.md. */
export const BENCH_SCHEMA = "mvnfit/bench@1";

/** Where rows lie when the clock starts: memory of the engine, a SharedArrayBuffer, or any other typed array. */
export const ROWS_IN = ["engine", "shared", "plain"] as const;

export type RowsIn = (typeof ROWS_IN)[number];

/** Programs that mvnfit is compared with, each a file of bench/peers. */
export const PEERS = ["numpy", "torch", "jax", "numba", "sklearn", "duckdb", "polars"] as const;

export type PeerName = (typeof PEERS)[number];

/** Milliseconds of the timed runs. */
export interface Timing {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly runs: readonly number[];
}

/** How far a result lay from what it was compared with, before anything was timed. */
export interface Checked {
  /** What it was compared with */
  readonly against: string;
  /** Groups compared, of all groups of the case */
  readonly groups: number;
  readonly of: number;
  /** The largest error over its tolerance: at most 1 where the check holds */
  readonly worst: number;
  /** What is wrong, or null */
  readonly failure: string | null;
}

/** One contender in one case. */
export interface Entry {
  readonly kind: "engine" | "peer";
  /** The engine's or the peer's name */
  readonly name: string;
  /** An engine: where the rows lie. A peer: `centred`, `uncentred`, `lbfgs`, as it is written. */
  readonly form: string;
  /** What it starts from: the rows, or (iterative peers) their statistics */
  readonly from: "rows" | "statistics";
  readonly outcome: "timed" | "wrong" | "failed" | "skipped";
  /** Why it was not timed, or null */
  readonly reason: string | null;
  readonly checked: Checked | null;
  /** How an engine's groups ended, or null for peers */
  readonly counts: Partial<Record<Status, number>> | null;
  /** From the start to the fits */
  readonly total: Timing | null;
  /** Opening a session, and what the moments take longer than from rows in the engine's memory. Engines only. */
  readonly transfer: Timing | null;
  /** The statistics, from rows in the engine's memory. Engines only. */
  readonly moments: Timing | null;
  /** The fits, from the statistics. Engines only. */
  readonly solve: Timing | null;
  /** Billions of bytes of rows a second: the size of the rows over the total */
  readonly gigabytesPerSecond: number | null;
}

/** A peer's median over an engine's: how many times longer the peer takes. */
export interface Ratio {
  readonly peer: string;
  readonly peerForm: string;
  readonly engine: string;
  readonly rowsIn: string;
  readonly ratio: number;
}

/** A workload: one shape, fitted by one method in one precision. */
export interface BenchCase {
  readonly shape: string;
  readonly groups: number;
  readonly rows: readonly [least: number, most: number];
  readonly dims: number;
  /** N, of all groups */
  readonly rowsInAll: number;
  readonly method: Method;
  readonly precision: Precision;
  readonly entries: readonly Entry[];
  readonly ratios: readonly Ratio[];
}

export interface EngineUsed {
  readonly name: EngineName;
  readonly device: string;
  /** Of what it runs on: the driver of a device, the JavaScript engine */
  readonly version: string | null;
}

export interface PeerUsed {
  readonly name: PeerName;
  readonly installed: boolean;
  readonly version: string | null;
  readonly reason: string | null;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
}

/** Everything that `mvnfit bench` measured, and where. */
export interface BenchResult {
  readonly schema: typeof BENCH_SCHEMA;
  /** ISO 8601 */
  readonly date: string;
  /** Of mvnfit's own repository, `-dirty` where files differ from it; null where it runs as a package */
  readonly commit: string | null;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly threads: number;
  readonly runs: number;
  readonly seed: number;
  readonly condition: number;
  readonly offset: number;
  readonly engines: readonly EngineUsed[];
  readonly peers: readonly PeerUsed[];
  readonly cases: readonly BenchCase[];
}

/** Whether every engine gave the right results and could be timed wherever it was asked to. */
export const allEnginesHold = (result: BenchResult): boolean =>
  result.cases.every(({ entries }) =>
    entries.every(({ kind, outcome }) => kind === "peer" || outcome === "timed" || outcome === "skipped"),
  );
