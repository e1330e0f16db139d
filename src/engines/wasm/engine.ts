import { availableParallelism } from "node:os";
import type { Batch } from "../../batch.js";
import type {
  AllocatedBatch,
  BatchLayout,
  Engine,
  EngineOptions,
  GatherLayout,
  Session,
  SessionOptions,
} from "../../engine.js";
import { InputError } from "../../errors.js";
import { requireCount } from "../../layout.js";
import type { Statistics } from "../../statistics.js";
import { checkOpening, ResidentBatch } from "../resident_batch.js";
import { GatheredBatch } from "./gathered_batch.js";
import { Machine } from "./machine.js";
import { WasmSession } from "./session.js";

export interface WasmOptions extends EngineOptions {
  /** The code that workers run, where it is not the engine's own: for tests of what happens when one fails. */
  readonly workerScript?: URL;
}

/** The kernels as WebAssembly on worker threads over one shared memory. */
export class WasmEngine implements Engine {
  readonly name = "wasm";
  readonly device: string;
  readonly #machine: Machine;

  private constructor(machine: Machine) {
    this.#machine = machine;
    this.device = machine.device;
  }

  /**
   * @throws InputError  where `threads` is not a whole number of at least 1
   * @throws EngineError where memory or threads cannot be had
   */
  static async start({ threads = availableParallelism(), workerScript }: WasmOptions): Promise<WasmEngine> {
    requireCount("wasm", "threads", threads, 1);
    return new WasmEngine(await Machine.start(threads, workerScript));
  }

  allocate(layout: BatchLayout): AllocatedBatch {
    this.#machine.requireOpen("allocate");
    return ResidentBatch.allocate(this.#machine.arena, layout);
  }

  gather(rows: AllocatedBatch, layout: GatherLayout): Batch {
    this.#machine.requireOpen("gather");
    if (!(rows instanceof ResidentBatch) || !rows.liesIn(this.#machine.arena)) {
      throw new InputError("gather: the rows must be a batch of this engine's allocate");
    }
    return GatheredBatch.of(rows, layout);
  }

  async open(
    source: Batch | Statistics,
    { precision = "float64", once = false, lend = false }: SessionOptions = {},
  ): Promise<Session> {
    this.#machine.requireOpen("open");
    await checkOpening(source, precision);
    return WasmSession.open(this.#machine, source, { precision, once, lend });
  }

  close(): Promise<void> {
    return this.#machine.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
