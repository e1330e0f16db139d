import { Batch } from "../../batch.js";
import type {
  AllocatedBatch,
  BatchLayout,
  Engine,
  EngineProvider,
  Session,
  SessionOptions,
} from "../../engine.js";
import { EngineError } from "../../errors.js";
import { checkedOffsets } from "../../layout.js";
import type { Statistics } from "../../statistics.js";
import { type Backends, openBackends, probe } from "./load.js";

/**
 * The paper's equations as batched tensor operations on TensorFlow.js: in float32 on whichever backend is active there, in float64 on
 * one of its own, since the stock backends have none. It is the bridge for those who already hold tensors; not made for speed.
 */
export const tensorflowProvider: EngineProvider = {
  name: "tensorflow",
  precisions: ["float64", "float32"],
  probe,
  async create() {
    return new TensorEngine(await openBackends());
  },
};

class TensorEngine implements Engine {
  readonly name = "tensorflow";
  readonly device: string;
  readonly #backends: Backends;
  #open = true;

  constructor(backends: Backends) {
    this.#backends = backends;
    this.device = backends.device;
  }

  allocate({ offsets, dims, dtype = "float64", weighted = false }: BatchLayout): AllocatedBatch {
    const rows = checkedOffsets("Engine.allocate", offsets).at(-1) as number;
    const x = dtype === "float32" ? new Float32Array(rows * dims) : new Float64Array(rows * dims);
    const weights = weighted ? { weights: new Float64Array(rows) } : {};
    return Object.assign(Batch.fromOffsets(x, offsets, { dims, ...weights }), { release() {} });
  }

  async open(source: Batch | Statistics, { precision = "float64" }: SessionOptions = {}): Promise<Session> {
    if (!this.#open) throw new EngineError("tensorflow: the engine is closed", "Open another one");
    const { TensorSession } = await import("./session.js");
    return new TensorSession(this.#backends[precision], this.device, source, () => this.#open);
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
