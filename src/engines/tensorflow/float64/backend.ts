/*
 * A backend of TensorFlow.js in float64, in plain JavaScript: the stock backends compute in float32 only.
 *
 * src/autograd has another, with what derivatives need, on a copy of tfjs of its own in a worker thread; this one is for the tfjs that
 * the user has, and has its own name.
 */
import type { TensorFlow } from "../backend.js";
import { type Kernel as KernelOf, type Memory, registerOwn } from "../own-backend.js";
import { elementwise } from "./elementwise.js";
import { linearAlgebra } from "./linear-algebra.js";
import { movement } from "./movement.js";

const NAME = "mvnfit-float64";

/** Real values are Float64Arrays; indices come as Int32Arrays and are only read. */
export type Kernel = KernelOf<Float64Array>;

const memory: Memory<Float64Array> = {
  hold(values) {
    if (values instanceof Float32Array) throw new Error(`${NAME}: values came rounded to float32`);
    return values as Float64Array;
  },
  values: (held) => held,
  free() {},
};

/** Registers the backend where that has not been done. Returns its name. */
export function registerFloat64(tf: TensorFlow): string {
  return registerOwn(tf, NAME, memory, { ...elementwise(tf), ...movement(tf), ...linearAlgebra });
}
