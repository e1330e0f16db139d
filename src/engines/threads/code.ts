// The seam between the threads and the kernels that they run: WebAssembly, or a library of the processor's own code.
import type { EngineName } from "../../engine.js";
import type { RealArray } from "../../layout.js";

/** Where an engine's kernels are. */
export type Code =
  | { readonly engine: Extract<EngineName, "wasm">; readonly module: WebAssembly.Module }
  | { readonly engine: Extract<EngineName, "native">; readonly library: string };

/** What `fit` takes. */
export type FitValues = [
  precision: number,
  method: number,
  groups: number,
  d: number,
  count: number,
  weight: number,
  mean: number,
  scatter: number,
  start: number,
  startMean: number,
  startFactor: number,
  ddof: number,
  tolerance: number,
  maxIterations: number,
  epsilon: number,
  stop: number,
  outMean: number,
  outCovariance: number,
  outFactor: number,
  outLogLikelihood: number,
  outResidual: number,
  outGap: number,
  outIterations: number,
  outStatus: number,
  scratch: number,
];

/**
 * What the kernels export; kernels/README.md says what each computes. Addresses are bytes in the engine's memory, 0 where there is
 * nothing.
 */
export interface Kernels {
  chunk_rows(d: number): number;
  moments_scratch(rowType: number, d: number): number;
  moments(
    rowType: number,
    rows: number,
    weights: number,
    offsets: number,
    groups: number,
    d: number,
    count: number,
    weight: number,
    mean: number,
    scatter: number,
    scratch: number,
  ): void;
  merge(parts: number, d: number, count: number, weight: number, mean: number, scatter: number): void;
  fit_scratch(precision: number, method: number, d: number): number;
  fit(...values: FitValues): void;
  fit_rows(rowType: number, rows: number, weights: number, offsets: number, ...values: FitValues): void;
  evaluate_scratch(precision: number, d: number): number;
  evaluate(
    precision: number,
    groups: number,
    d: number,
    count: number,
    weight: number,
    mean: number,
    scatter: number,
    atMean: number,
    atFactor: number,
    j1: number,
    j2: number,
    objective: number,
    dj1Dfactor: number,
    dj2Dmean: number,
    dj2Dfactor: number,
    status: number,
    scratch: number,
  ): void;
}

/** Kernels for one thread. */
export interface Loaded {
  readonly kernels: Kernels;
  /** The first address of the memory that is not the code's own. */
  readonly free: number;
  /**
   * Where an array lies, as an address of the engine's memory wherever it is: of code that reaches all of the process. What is not
   * resizable does not move; the caller holds on to it.
   */
  readonly addressOf?: (array: RealArray) => number;
  /** `fit` in a thread of Node's pool, of a library. */
  readonly fitLater?: (...values: FitValues) => Promise<void>;
  /** @throws Error where the kernels have written beyond what is theirs */
  check(): void;
}

/**
 * The kernels over a memory, for one thread. `stack` is the address of STACK_BYTES for it, where it is not the first; only WebAssembly
 * needs one.
 */
export async function loadCode(code: Code, memory: WebAssembly.Memory, stack?: number): Promise<Loaded> {
  if (code.engine === "wasm") {
    const { instantiate } = await import("./webassembly.js");
    return instantiate(code.module, memory, stack);
  }
  const { bind } = await import("./library.js");
  return bind(code.library, memory);
}
