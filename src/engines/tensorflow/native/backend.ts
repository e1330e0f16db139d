/*
 * Backends of TensorFlow.js that compute by TensorFlow itself, in float64 and in float32, on the device that TensorFlow takes: a GPU where it
 * sees one. tfjs-node's own backend, "tensorflow", has float32 only and no factorisations, and is left as it is.
 */
import type { Precision } from "../../../methods.js";
import type { TensorFlow } from "../backend.js";
import { registerOwn } from "../own-backend.js";
import { type Binding, Operations } from "./binding.js";
import { nativeKernels } from "./kernels.js";

/** Registers the backend for one precision where that has not been done. Returns its name. */
export function registerNative(tf: TensorFlow, binding: Binding, precision: Precision): string {
  const on = new Operations(binding, precision);
  const memory = {
    hold: on.create.bind(on),
    values: on.read.bind(on),
    free: on.delete.bind(on),
  };
  return registerOwn(tf, `mvnfit-native-${precision}`, memory, nativeKernels(tf, on));
}
