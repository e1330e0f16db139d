import { availableParallelism } from "node:os";
import type { Batch } from "../../batch.js";
import type {
  Accumulator,
  AccumulatorLayout,
  AllocatedBatch,
  BatchLayout,
  Engine,
  EngineName,
  EngineOptions,
  Session,
  SessionOptions,
} from "../../engine.js";
import { requireCount } from "../../layout.js";
import type { Statistics } from "../../statistics.js";
import { checkOpening, ResidentBatch } from "../resident_batch.js";
import { Machine, type MachineOptions } from "./machine.js";
import { ThreadsSession } from "./session.js";

export interface ThreadsOptions
  extends Pick<EngineOptions, "threads">,
    Pick<MachineOptions, "code" | "instructions"> {
  /** The script that workers run, where it is not the engine's own: for tests of what happens when one fails. */
  readonly workerScript?: URL | undefined;
  /** Accumulators, where the code has them. */
  readonly accumulator?: (layout: AccumulatorLayout, threads: number) => Accumulator;
}

/** Compiled kernels on worker threads over one shared memory: what the engines `native` and `wasm` are. */
export class ThreadsEngine implements Engine {
  readonly name: EngineName;
  readonly device: string;
  readonly accumulate?: (layout: AccumulatorLayout) => Accumulator;
  readonly #machine: Machine;

  private constructor(machine: Machine, accumulator: ThreadsOptions["accumulator"]) {
    this.#machine = machine;
    if (accumulator) {
      this.accumulate = (layout) => {
        machine.requireOpen("accumulate");
        return accumulator(layout, machine.threads);
      };
    }
    this.name = machine.engine;
    this.device = machine.device;
  }

  /**
   * @throws InputError  where `threads` is not a whole number of at least 1
   * @throws EngineError where memory or threads cannot be had
   */
  static async start({
    code,
    instructions,
    threads = availableParallelism(),
    workerScript: script,
    accumulator,
  }: ThreadsOptions): Promise<ThreadsEngine> {
    requireCount(code.engine, "threads", threads, 1);
    return new ThreadsEngine(await Machine.start({ code, instructions, threads, script }), accumulator);
  }

  allocate(layout: BatchLayout): AllocatedBatch {
    this.#machine.requireOpen("allocate");
    return ResidentBatch.allocate(this.#machine.arena, layout);
  }

  async open(
    source: Batch | Statistics,
    { precision = "float64", once = false, lend = false }: SessionOptions = {},
  ): Promise<Session> {
    this.#machine.requireOpen("open");
    await checkOpening(source, precision);
    return ThreadsSession.open(this.#machine, source, { precision, once, lend });
  }

  close(): Promise<void> {
    return this.#machine.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
