/*
 * Backends of TensorFlow.js that are the engine's own: what its kernels need, no more. Tensors declare the dtype float32, tfjs's only real
 * one, whatever is kept of them. What that is, and where it lies, is the affair of a `Memory`.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { RealArray } from "../../layout.js";
import type { TensorFlow } from "./backend.js";

/** The values of a tensor on the host: real, or indices. */
export type Values = RealArray | Int32Array;

/** What a backend keeps of a tensor, and how values get there and back. */
export interface Memory<Held> {
  hold(values: Values, shape: readonly number[]): Held;
  values(held: Held): Values;
  free(held: Held): void;
}

/** What a kernel may do to tensors. */
export interface Storage<Held> {
  held(x: tfjs.TensorInfo): Held;
  /** a new tensor */
  output(held: Held, shape: number[]): tfjs.TensorInfo;
  /** the same values under another shape */
  alias(x: tfjs.TensorInfo, shape: number[]): tfjs.TensorInfo;
}

export interface Call<Held> {
  readonly inputs: Record<string, tfjs.TensorInfo>;
  readonly attrs: Record<string, unknown>;
  readonly backend: Storage<Held>;
}
export type Kernel<Held> = (call: Call<Held>) => tfjs.TensorInfo;

/** Registers a backend, at a priority at which tfjs never chooses it unasked, and initialises it. Returns its name. */
export function registerOwn<Held>(
  tf: TensorFlow,
  name: string,
  memory: Memory<Held>,
  kernels: Record<string, Kernel<Held>>,
): string {
  const engine = tf.engine();
  if (!engine.findBackendFactory(name)) {
    tf.registerBackend(name, () => backendOn(tf, name, memory), 0);
    for (const [kernelName, kernel] of Object.entries(kernels)) {
      tf.registerKernel({ kernelName, backendName: name, kernelFunc: kernel as unknown as tfjs.KernelFunc });
    }
  }
  engine.findBackend(name);
  return name;
}

interface Entry<Held> {
  readonly held: Held;
  references: number;
}

/** tfjs's class is known once tfjs is loaded: so the backend's is made then. */
function backendOn<Held>(tf: TensorFlow, name: string, memory: Memory<Held>): tfjs.KernelBackend {
  class OwnBackend extends tf.KernelBackend implements Storage<Held> {
    // tfjs's own DataStorage is not used: it takes over tensors of other backends, which rounds them.
    readonly #entries = new Map<tfjs.DataId, Entry<Held>>();

    held(x: tfjs.TensorInfo): Held {
      return this.#found(x.dataId).held;
    }

    output(held: Held, shape: number[]): tfjs.TensorInfo {
      return { dataId: this.#enter(held), shape, dtype: "float32" };
    }

    alias(x: tfjs.TensorInfo, shape: number[]): tfjs.TensorInfo {
      this.incRef(x.dataId);
      return { dataId: x.dataId, shape, dtype: x.dtype };
    }

    override write(values: tfjs.BackendValues, shape: number[]): tfjs.DataId {
      return this.#enter(memory.hold(values as Values, shape));
    }

    override readSync(id: tfjs.DataId): tfjs.BackendValues {
      return memory.values(this.#found(id).held) as tfjs.BackendValues;
    }

    override async read(id: tfjs.DataId): Promise<tfjs.BackendValues> {
      return this.readSync(id);
    }

    override incRef(id: tfjs.DataId): void {
      this.#found(id).references++;
    }

    override refCount(id: tfjs.DataId): number {
      return this.#entries.get(id)?.references ?? 0;
    }

    override numDataIds(): number {
      return this.#entries.size;
    }

    override disposeData(id: tfjs.DataId, force = false): boolean {
      // Only a move to another backend forces: refuse before anything is lost.
      if (force) throw new Error(`${name}: a tensor would be moved to another backend, which rounds it`);
      const entry = this.#entries.get(id);
      if (!entry) return true;
      if (--entry.references > 0) return false;
      this.#entries.delete(id);
      memory.free(entry.held);
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
      for (const { held } of this.#entries.values()) memory.free(held);
      this.#entries.clear();
    }

    #enter(held: Held): tfjs.DataId {
      const id = {};
      this.#entries.set(id, { held, references: 1 });
      return id;
    }

    #found(id: tfjs.DataId): Entry<Held> {
      const entry = this.#entries.get(id);
      if (!entry) throw new Error(`${name}: this tensor belongs to another backend`);
      return entry;
    }
  }
  return new OwnBackend();
}
