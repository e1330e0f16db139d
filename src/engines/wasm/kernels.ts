import { readFile } from "node:fs/promises";

/** The exports of the WebAssembly module; kernels/README.md says what each computes. Addresses are bytes in its memory. */
export interface Kernels {
  readonly __stack_pointer: WebAssembly.Global;
  readonly __heap_base: WebAssembly.Global;
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
  gather(rows: number, order: number, count: number, rowBytes: number, to: number): void;
  merge(parts: number, d: number, count: number, weight: number, mean: number, scatter: number): void;
  fit_scratch(precision: number, method: number, d: number): number;
  fit(
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
  ): void;
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

const MODULE = new URL("../../kernels/mvn.wasm", import.meta.url);

let compiled: Promise<WebAssembly.Module> | undefined;

/** The compiled module, the same for every engine and thread of the process. */
export function compiledModule(): Promise<WebAssembly.Module> {
  compiled ??= readFile(MODULE).then((bytes) => WebAssembly.compile(bytes));
  return compiled;
}

/** The kernels over a memory, for one thread: set the stack pointer before the first call on any but the main thread. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
}
