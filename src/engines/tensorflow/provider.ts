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
import { type Backends, openBackends, PACKAGES, type Package, probe } from "./load.js";

/**
 * The paper's equations as batched tensor operations on TensorFlow.js: TensorFlow's own where @tensorflow/tfjs-node-gpu or tfjs-node
 * is installed, on a GPU or the CPU; else in JavaScript, float32 on whichever backend is active there, float64 on one of the
 * engine's own, since the stock backends have none. It is the bridge for those who already hold tensors.
 */
export const tensorflowProvider: EngineProvider = tensorflowOn(PACKAGES);

/** The engine on the first of these packages that can be had. */
export function tensorflowOn(packages: readonly Package[]): EngineProvider {
  return {
    name: "tensorflow",
    precisions: ["float64", "float32"],
    probe: () => probe(packages),
    async create() {
      return new TensorEngine(await openBackends(packages));
    },
  };
}

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
    return new TensorSession(this.#backends, precision, source, () => this.#open);
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
