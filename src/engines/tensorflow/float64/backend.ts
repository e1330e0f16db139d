/*
 * A backend of TensorFlow.js in float64, in plain JavaScript: what the kernels of this engine need, no more. The stock backends compute in
 * float32 only. Tensors declare the dtype float32, tfjs's only real one; what is stored is a Float64Array.
 *
 * src/autograd has another, with what derivatives need, on a copy of tfjs of its own in a worker thread; this one is for the tfjs that
 * the user has, and has its own name.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { TensorFlow } from "../backend.js";
import { elementwise } from "./elementwise.js";
import { linearAlgebra } from "./linear-algebra.js";
import { movement } from "./movement.js";

const NAME = "mvnfit-float64";

/** What a kernel may do to tensors. */
export interface Storage {
  values(x: tfjs.TensorInfo): Float64Array;
  /** a new tensor */
  output(values: Float64Array, shape: number[]): tfjs.TensorInfo;
  /** the same values under another shape */
  alias(x: tfjs.TensorInfo, shape: number[]): tfjs.TensorInfo;
}

export interface Call {
  readonly inputs: Record<string, tfjs.TensorInfo>;
  readonly attrs: Record<string, unknown>;
  readonly backend: Storage;
}
export type Kernel = (call: Call) => tfjs.TensorInfo;

interface Stored {
  readonly values: tfjs.BackendValues | Float64Array;
  references: number;
}

/** Registers the backend, at a priority at which tfjs never chooses it unasked, and initialises it. Returns its name. */
export function registerFloat64(tf: TensorFlow): string {
  const engine = tf.engine();
  if (!engine.findBackendFactory(NAME)) {
    tf.registerBackend(NAME, () => backendOn(tf), 0);
    const kernels = { ...elementwise(tf), ...movement(tf), ...linearAlgebra };
    for (const [kernelName, kernel] of Object.entries(kernels)) {
      tf.registerKernel({ kernelName, backendName: NAME, kernelFunc: kernel as unknown as tfjs.KernelFunc });
    }
  }
  engine.findBackend(NAME);
  return NAME;
}

/** tfjs's class is known once tfjs is loaded: so the backend's is made then. */
function backendOn(tf: TensorFlow): tfjs.KernelBackend {
  class Float64Backend extends tf.KernelBackend implements Storage {
    // tfjs's own DataStorage is not used: it takes over tensors of other backends, which rounds them.
    readonly #stored = new Map<tfjs.DataId, Stored>();

    values(x: tfjs.TensorInfo): Float64Array {
      return this.#found(x.dataId).values as Float64Array;
    }

    output(values: Float64Array, shape: number[]): tfjs.TensorInfo {
      return { dataId: this.#store(values), shape, dtype: "float32" };
    }

    alias(x: tfjs.TensorInfo, shape: number[]): tfjs.TensorInfo {
      this.incRef(x.dataId);
      return { dataId: x.dataId, shape, dtype: x.dtype };
    }

    override write(values: tfjs.BackendValues, _shape: number[], dtype: tfjs.DataType): tfjs.DataId {
      if (values instanceof Float32Array) {
        throw new Error("mvnfit-float64: values came rounded to float32");
      }
      const given = values as tfjs.BackendValues | Float64Array;
      const isReal = dtype === "float32" && !(given instanceof Float64Array);
      return this.#store(isReal ? Float64Array.from(given as ArrayLike<number>) : given);
    }

    override readSync(id: tfjs.DataId): tfjs.BackendValues {
      return this.#found(id).values as tfjs.BackendValues;
    }

    override async read(id: tfjs.DataId): Promise<tfjs.BackendValues> {
      return this.readSync(id);
    }

    override incRef(id: tfjs.DataId): void {
      this.#found(id).references++;
    }

    override refCount(id: tfjs.DataId): number {
      return this.#stored.get(id)?.references ?? 0;
    }

    override numDataIds(): number {
      return this.#stored.size;
    }

    override disposeData(id: tfjs.DataId, force = false): boolean {
      // Only a move to another backend forces: refuse before anything is lost.
      if (force)
        throw new Error("mvnfit-float64: a tensor would be moved to another backend, which rounds it");
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

    #store(values: Stored["values"]): tfjs.DataId {
      const id = {};
      this.#stored.set(id, { values, references: 1 });
      return id;
    }

    #found(id: tfjs.DataId): Stored {
      const stored = this.#stored.get(id);
      if (!stored) throw new Error("mvnfit-float64: this tensor belongs to another backend");
      return stored;
    }
  }
  return new Float64Backend();
}
