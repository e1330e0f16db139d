import { Batch } from "../../../src/batch.js";
import type { AllocatedBatch, Engine, Solve } from "../../../src/engine.js";
import { nativeProvider, openNative } from "../../../src/engines/native/provider.js";
import type { ThreadsEngine } from "../../../src/engines/threads/engine.js";
import * as wasm from "../../../src/engines/wasm/provider.js";
import type { Precision } from "../../../src/methods.js";
import { Random } from "../../support/random.js";

export const closedForm: Solve = {
  method: "closed-form",
  ddof: 0,
  start: "default",
  tolerance: 1e-8,
  maxIterations: 1000,
};

/** On `longBatch`: some ten seconds and more, far beyond what a test waits before it ends the call. */
export const long: Solve = {
  ...closedForm,
  method: "gradient-descent",
  tolerance: 1e-300,
  maxIterations: 10_000,
};
export const LONG_GROUPS = 20_000;

/** Many groups whose columns hardly differ from the first: plain descent is not at its end after thousands of iterations. */
export function longBatch(): Batch {
  const [rows, dims] = [20, 8];
  const x = uniforms(LONG_GROUPS * rows * dims);
  for (let i = 0; i < x.length; i++) if (i % dims > 0) x[i] = x[i - (i % dims)] + 0.01 * x[i];
  return Batch.fromDense(x, { groups: LONG_GROUPS, rows, dims });
}

type Options = Parameters<typeof wasm.openWasm>[0];

/** What the engines `native` and `wasm` share is tested on the latter, which runs everywhere. */
export const openWasm = (options: Options = {}): Promise<ThreadsEngine> =>
  wasm.openWasm({ threads: 2, ...options });

/** Both, for what depends on the code of the kernels. */
export const ENGINES: readonly {
  readonly name: string;
  readonly open: (options?: Options) => Promise<ThreadsEngine>;
}[] = [
  { name: "wasm", open: openWasm },
  ...((await nativeProvider.probe()).available
    ? [{ name: "native", open: (options: Options = {}) => openNative({ threads: 2, ...options }) }]
    : []),
];

/** An engine whose first worker is sabotaged: see faulty_worker.mjs. */
export const openFaulty = (): Promise<ThreadsEngine> =>
  openWasm({ workerScript: new URL("./faulty_worker.mjs", import.meta.url) });

/** Uniform values: quick to make where a batch is to be large and what it holds does not matter. */
export function uniforms(length: number, dtype: Precision = "float64"): Float64Array | Float32Array {
  const random = new Random(17);
  const period = Float64Array.from({ length: Math.min(length, 65_521) }, () => random.uniform());
  const values = dtype === "float64" ? new Float64Array(length) : new Float32Array(length);
  for (let at = 0; at < length; at += period.length) {
    values.set(period.subarray(0, Math.min(period.length, length - at)), at);
  }
  return values;
}

/** The same array in shared memory. */
export function inSharedMemory<A extends Float64Array | Float32Array>(values: A): A {
  const copy = new (values.constructor as new (buffer: SharedArrayBuffer) => A)(
    new SharedArrayBuffer(values.byteLength),
  );
  copy.set(values);
  return copy;
}

/** The same batch in the engine's memory. */
export function inEngine(engine: Engine, batch: Batch): AllocatedBatch {
  const { offsets, dims, dtype, weights } = batch;
  const own = engine.allocate({ offsets, dims, dtype, weighted: weights !== undefined });
  own.x.set(batch.x);
  if (weights) own.weights?.set(weights);
  return own;
}
