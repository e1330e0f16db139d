import { cpus } from "node:os";
import type { Control } from "../../engine.js";
import { EngineError } from "../../errors.js";
import type { RealArray } from "../../layout.js";
import { Queue } from "../queue.js";
import { Reserve } from "../reserve.js";
import { Arena } from "./arena.js";
import { type Code, type Kernels, type Loaded, loadCode } from "./code.js";
import { Feeder } from "./feeder.js";
import type { Plan } from "./plan.js";
import { Pool } from "./pool.js";
import { CONTROL, controlWords, QUEUE, queueOf, STACK_BYTES, type Task, type WorkerStart } from "./task.js";
import { Workspace } from "./workspace.js";

const PROGRESS_MS = 100;
/** A workspace larger than this is given back after the call, so that batches can have the memory. */
const KEPT_WORKSPACE = 2 ** 26;
const KEPT_RESULTS = 2 ** 28;
/** Scratch grows with d² at most; from this d on it is foretold before the kernels are asked, whose answer has 32 bits. */
const TOLD_DIMS = 1024;

/** One call, as a session wants it done. */
export interface Call {
  readonly task: Omit<Task, "workspaces" | "items" | "splits" | "mostGroups">;
  readonly plan: Plan;
  /** Rows that only the main thread sees. */
  readonly fed?: { readonly x: RealArray; readonly weights: Float64Array | undefined } | undefined;
}

export interface MachineOptions {
  readonly code: Code;
  /** What the kernels are compiled to, in words. */
  readonly instructions: string;
  readonly threads: number;
  /** The workers' script, where it is not the engine's own. */
  readonly script?: URL | undefined;
}

/** What all sessions of an engine share: the kernels' memory, the workers, and the turn-taking between calls. */
export class Machine {
  readonly engine: Code["engine"];
  readonly threads: number;
  readonly device: string;
  readonly arena: Arena;
  readonly kernels: Kernels;
  readonly addressOf: Loaded["addressOf"];
  readonly fitLater: Loaded["fitLater"];
  /** Address of the word by which the kernels are told to end. */
  readonly stop: number;
  readonly reserve = new Reserve(KEPT_RESULTS);
  readonly queue = new Queue();
  readonly #pool: Pool;
  readonly #control: Int32Array;
  #workspaces: { readonly bytes: number; readonly addresses: number[] } = { bytes: 0, addresses: [] };
  #closed: Promise<void> | undefined;

  private constructor(
    arena: Arena,
    { kernels, addressOf, fitLater }: Loaded,
    { code, instructions, threads, script }: MachineOptions,
  ) {
    this.engine = code.engine;
    this.threads = threads;
    this.device = deviceName(instructions, threads);
    this.arena = arena;
    this.kernels = kernels;
    this.addressOf = addressOf;
    this.fitLater = fitLater;
    const words = controlWords(threads);
    const control = arena.take(words * 4, "the control block");
    const starts = Array.from(
      { length: threads },
      (_, index): WorkerStart => ({
        code,
        memory: arena.memory,
        index,
        control,
        stack: arena.take(STACK_BYTES, `the stack of thread ${index + 1}`),
      }),
    );
    this.stop = control + CONTROL.stop * 4;
    this.#control = new Int32Array(arena.memory.buffer, control, words);
    this.#pool = new Pool(code.engine, starts, script);
  }

  /** @throws EngineError where memory or threads cannot be had */
  static async start(options: MachineOptions): Promise<Machine> {
    const arena = new Arena(options.code.engine);
    const loaded = await loadCode(options.code, arena.memory);
    arena.openFrom(loaded.free);
    const machine = new Machine(arena, loaded, options);
    if (loaded.fitLater) return machine; // workers start with the first call that needs them (light.ts)
    try {
      await machine.#pool.start();
    } catch (error) {
      await machine.close();
      throw error;
    }
    return machine;
  }

  /** Whether the workers have been started. */
  get hasWorkers(): boolean {
    return this.#pool.hasStarted;
  }

  /** @throws EngineError where the engine has been closed; `place` begins the message */
  requireOpen(place: string): void {
    if (this.#closed) throw new EngineError(`${place}: the engine is closed`, "Open another with openEngine");
  }

  /** Bytes of scratch that a kernel wants for d dimensions; without end where that is beyond 32 bits. */
  scratchBytes(ask: (kernels: Kernels, dims: number) => number, dims: number): number {
    const foretold = (ask(this.kernels, TOLD_DIMS) >>> 0) * (dims / TOLD_DIMS) ** 2;
    return dims > TOLD_DIMS && foretold > 2 ** 31 ? foretold : ask(this.kernels, dims) >>> 0;
  }

  /**
   * Does a call, in whose turn it is.
   *
   * @throws EngineError where memory is lacking or a worker stops; the signal's reason where it aborts
   */
  async perform({ task, plan, fed }: Call, { signal, onProgress }: Control): Promise<void> {
    this.requireOpen(this.engine);
    signal?.throwIfAborted();
    const full = this.#completed(task, plan);
    this.#control.fill(0);
    let given: { readonly reason: unknown } | undefined;
    const giveUp = (reason: unknown): void => {
      given ??= { reason };
      this.#interrupt();
    };
    const report = (done: number): void => {
      try {
        onProgress?.(done, task.groups);
      } catch (error) {
        giveUp(error);
      }
    };
    const onAbort = (): void => giveUp(signal?.reason);
    const timer =
      onProgress && setInterval(() => report(Atomics.load(this.#control, CONTROL.done)), PROGRESS_MS);
    signal?.addEventListener("abort", onAbort);
    try {
      const working = this.#pool.perform(full, () => this.#interrupt());
      const feeding = fed && new Feeder(full, plan, fed, this.arena.memory, this.#control).feed();
      const [worked] = await Promise.allSettled([working, feeding?.catch(giveUp)]);
      this.requireOpen(`${this.engine}: the call was ended`);
      if (!given && worked.status === "rejected") throw worked.reason;
      if (!given) report(task.groups);
      if (given) throw given.reason;
    } finally {
      clearInterval(timer);
      signal?.removeEventListener("abort", onAbort);
      if (this.#workspaces.bytes > KEPT_WORKSPACE) this.#giveWorkspaces();
    }
  }

  /** Ends the workers and gives everything back; a running call fails. */
  close(): Promise<void> {
    if (!this.#closed) this.#interrupt(); // code in a library cannot be ended from outside
    this.#closed ??= this.#pool.close().then(() => this.reserve.clear());
    return this.#closed;
  }

  /** The call with the addresses at which each worker works. */
  #completed(task: Call["task"], plan: Plan): Task {
    const shape = { ...task, mostGroups: plan.mostGroups };
    const { bytes } = new Workspace(shape);
    if (bytes > this.#workspaces.bytes) {
      this.#giveWorkspaces();
      const addresses: number[] = [];
      this.#workspaces = { bytes, addresses };
      try {
        for (let i = 0; i < this.threads; i++) {
          addresses.push(
            this.arena.take(bytes, `thread ${i + 1} of ${this.threads} at ${task.dims} dimensions`),
          );
        }
      } catch (error) {
        this.#giveWorkspaces();
        throw error;
      }
    }
    const { buffer: items } = plan.items;
    const { buffer: splits } = plan.splits;
    return {
      ...shape,
      items: items as SharedArrayBuffer,
      splits: splits as SharedArrayBuffer,
      workspaces: this.#workspaces.addresses,
    };
  }

  #giveWorkspaces(): void {
    for (const address of this.#workspaces.addresses) this.arena.give(address);
    this.#workspaces = { bytes: 0, addresses: [] };
  }

  /** Tells everybody to stop, and wakes who waits: what they wait on changes, so that none sleeps through it. */
  #interrupt(): void {
    const control = this.#control;
    Atomics.store(control, CONTROL.stop, 1);
    const waitedOn = [
      CONTROL.emptied,
      ...Array.from({ length: this.threads }, (_, i) => queueOf(i) + QUEUE.filled),
    ];
    for (const word of waitedOn) {
      Atomics.add(control, word, 1);
      Atomics.notify(control, word);
    }
  }
}

/** The processor's model, in words. */
export const processor = (): string => cpus()[0]?.model.trim() || "unknown processor";

const deviceName = (instructions: string, threads: number): string =>
  `${instructions}, ${threads} ${threads === 1 ? "thread" : "threads"}, ${processor()}`;
