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
import { DEVICE, ReferenceSession } from "./session.js";

/**
 * The paper's equations in plain TypeScript, in float64, over the rows as printed, one group at a time. It is the yardstick for the
 * other engines and shares no algorithm with their kernels; it is not made for speed.
 */
export const referenceProvider: EngineProvider = {
  name: "reference",
  precisions: ["float64"],
  async probe() {
    return { available: true, device: DEVICE, version: `V8 ${process.versions.v8}` };
  },
  async create() {
    return new ReferenceEngine();
  },
};

class ReferenceEngine implements Engine {
  readonly name = "reference";
  readonly device = DEVICE;
  #open = true;

  allocate({ offsets, dims, dtype = "float64", weighted = false }: BatchLayout): AllocatedBatch {
    const place = "Engine.allocate";
    const rows = checkedOffsets(place, offsets).at(-1) as number;
    const x = dtype === "float32" ? new Float32Array(rows * dims) : new Float64Array(rows * dims);
    const weights = weighted ? { weights: new Float64Array(rows) } : {};
    return Object.assign(Batch.fromOffsets(x, offsets, { dims, ...weights }), { release() {} });
  }

  async open(source: Batch | Statistics, { precision = "float64" }: SessionOptions = {}): Promise<Session> {
    if (!this.#open) throw new EngineError("reference: the engine is closed", "Open another one");
    if (precision !== "float64") {
      throw new EngineError(
        `reference: computes in float64 only, got precision ${precision}`,
        "Leave the precision at float64, or use the engine wasm",
      );
    }
    return new ReferenceSession(source, () => this.#open);
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
