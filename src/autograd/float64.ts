/*
 * A TensorFlow.js backend in float64, so that gradients derived by tfjs resolve 1e-12 and not 1e-4.
 *
 * tfjs registers gradients for operations, not for backends: a backend only supplies the forward kernels (float64-kernels.ts) and the
 * differentiation stays tfjs's own. Tensors declare the dtype float32, tfjs's only real one; what is stored is a Float64Array.
 */
import type { Tensor } from "@tensorflow/tfjs";
import { FLOAT64_KERNELS } from "./float64-kernels.js";
import * as tf from "./tfjs.js";

export const FLOAT64 = "float64";

/** Real tensors are Float64Array; tfjs's own types know nothing of them. */
type Values = Float64Array | tf.BackendValues;

interface Stored {
  readonly values: Values;
  references: number;
}

/**
 * Storage of tensors as Float64Array. tfjs's own `DataStorage` is not used: it takes over tensors of other backends, which rounds
 * them, without a word.
 */
export class Float64Backend extends tf.KernelBackend {
  readonly #stored = new Map<tf.DataId, Stored>();

  /**
   * Takes values as tfjs hands them over. The constants that tfjs makes itself come as Float32Array: they pass where float32 holds
   * them exactly beyond doubt, as it does 0, 1, 2 and ½.
   */
  override write(values: tf.BackendValues, _shape: number[], dtype: tf.DataType): tf.DataId {
    if (values instanceof Float32Array && !values.every(isShortNumber)) {
      throw new Error("float64: a constant came rounded to float32; make it with constant()");
    }
    const given = values as Values;
    const isFloat64 = dtype !== "float32" || given instanceof Float64Array;
    return this.#store(isFloat64 ? given : Float64Array.from(given as ArrayLike<number>));
  }

  /** A new tensor for the result of a kernel. */
  output(values: Float64Array, shape: number[]): tf.TensorInfo {
    return { dataId: this.#store(values), shape, dtype: "float32" };
  }

  /** The same values under another shape. */
  alias(x: tf.TensorInfo, shape: number[]): tf.TensorInfo {
    this.incRef(x.dataId);
    return { dataId: x.dataId, shape, dtype: x.dtype };
  }

  values(x: tf.TensorInfo): Float64Array {
    return this.#found(x.dataId).values as Float64Array;
  }

  override readSync(id: tf.DataId): tf.BackendValues {
    return this.#found(id).values as tf.BackendValues;
  }

  override async read(id: tf.DataId): Promise<tf.BackendValues> {
    return this.readSync(id);
  }

  override incRef(id: tf.DataId): void {
    this.#found(id).references++;
  }

  override refCount(id: tf.DataId): number {
    return this.#stored.get(id)?.references ?? 0;
  }

  override numDataIds(): number {
    return this.#stored.size;
  }

  override disposeData(id: tf.DataId, force = false): boolean {
    // Only a move to another backend forces: refuse before anything is lost.
    if (force) throw new Error("float64: a tensor would be moved to another backend, which rounds it");
    const stored = this.#stored.get(id);
    if (stored && --stored.references > 0) return false;
    this.#stored.delete(id);
    return true;
  }

  override memory() {
    return { unreliable: false };
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override timerAvailable(): boolean {
    return false;
  }

  override epsilon(): number {
    return Number.EPSILON;
  }

  override dispose(): void {
    this.#stored.clear();
  }

  #store(values: Values): tf.DataId {
    const id = {};
    this.#stored.set(id, { values, references: 1 });
    return id;
  }

  #found(id: tf.DataId): Stored {
    const stored = this.#stored.get(id);
    if (!stored) throw new Error("float64: this tensor belongs to another backend");
    return stored;
  }
}

/** Whether a number has at most ten binary places, as no number has that rounding to float32 changed and left of size about 1. */
const isShortNumber = (value: number): boolean => Number.isInteger(value * 1024);

/** Registers the backend under the name `float64`, at a priority at which it is never chosen unasked. */
export function registerFloat64(): void {
  tf.registerBackend(FLOAT64, () => new Float64Backend(), 0);
  for (const [kernelName, kernelFunc] of Object.entries(FLOAT64_KERNELS)) {
    tf.registerKernel({ kernelName, backendName: FLOAT64, kernelFunc });
  }
}

/** A tensor of the active backend: with the digits of float64 where that is what it stores, rounded to float32 elsewhere. */
export function constant(values: Float64Array, shape: number[]): Tensor {
  const stored = tf.getBackend() === FLOAT64 ? values : Float32Array.from(values);
  return tf.engine().makeTensor(stored as tf.DataValues, shape, "float32");
}
