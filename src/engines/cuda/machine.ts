import type { Control } from "../../engine.js";
import { EngineError } from "../../errors.js";
import { Queue } from "../queue.js";
import { Reserve } from "../reserve.js";
import { type DeviceFacts, deviceFacts, LEAST_CAPABILITY } from "./device.js";
import { Driver, type DriverError, type DriverMissing } from "./driver.js";
import { engineError } from "./failures.js";
import { HostMemoryPool } from "./host_memory.js";
import type { Task } from "./task.js";
import { DeviceThread } from "./thread.js";

const PROGRESS_MS = 100;
/** The results of a million groups of 8 variables are 1.1 GB. */
const KEPT_RESULTS = 2 ** 31;

/** One device's part of a call. */
export interface Part {
  /** Place in the list of devices. */
  readonly device: number;
  readonly task: Task;
}

/** What all sessions of an engine share: a thread for each device, memory that the devices read, and the turn-taking between calls. */
export class Machine {
  readonly device: string;
  readonly queue = new Queue();
  readonly memory: HostMemoryPool;
  readonly reserve = new Reserve(KEPT_RESULTS);
  /** Whether the caller has named the devices, so that all of them are used. */
  readonly named: boolean;
  readonly #ordinals: readonly number[];
  /** Started when there is work for them. */
  readonly #threads: DeviceThread[] = [];
  #sessions = 0;
  #closed: Promise<void> | undefined;

  private constructor(facts: readonly DeviceFacts[], named: boolean) {
    this.#ordinals = facts.map(({ ordinal }) => ordinal);
    this.named = named;
    this.device = inWords(facts);
    this.memory = new HostMemoryPool(this.#thread(0));
  }

  /**
   * @param devices their numbers; default: all that the kernels run on
   * @throws EngineError where a device cannot be had
   */
  static async start(devices: readonly number[] | undefined): Promise<Machine> {
    const facts = usableDevices(devices);
    const machine = new Machine(facts, devices !== undefined);
    try {
      await machine.#threads[0].request({ kind: "open" });
    } catch (error) {
      await machine.close();
      throw error;
    }
    return machine;
  }

  get devices(): number {
    return this.#ordinals.length;
  }

  nextSession(): number {
    return this.#sessions++;
  }

  /** @throws EngineError where the engine has been closed; `place` begins the message */
  requireOpen(place: string): void {
    if (this.#closed) throw new EngineError(`${place}: the engine is closed`, "Open another with openEngine");
  }

  /**
   * Does a call, in whose turn it is: every device its part.
   *
   * @throws EngineError where one fails; the signal's reason where it aborts
   */
  async perform(parts: readonly Part[], groups: number, { signal, onProgress }: Control): Promise<void> {
    this.requireOpen("cuda");
    signal?.throwIfAborted();
    const threads = parts.map(({ device }) => this.#thread(device));
    for (const thread of threads) thread.reset();
    const stop = (): void => {
      for (const thread of threads) thread.stop();
    };
    let given: { readonly reason: unknown } | undefined;
    const giveUp = (reason: unknown): void => {
      given ??= { reason };
      stop();
    };
    const report = (done: number): void => {
      try {
        onProgress?.(done, groups);
      } catch (error) {
        giveUp(error);
      }
    };
    const onAbort = (): void => giveUp(signal?.reason);
    const timer =
      onProgress && setInterval(() => report(threads.reduce((sum, { done }) => sum + done, 0)), PROGRESS_MS);
    signal?.addEventListener("abort", onAbort);
    try {
      const working = threads.map((thread, i) => thread.request(parts[i].task));
      for (const one of working) one.catch(stop);
      const settled = await Promise.allSettled(working);
      this.requireOpen("cuda: the call was ended");
      const failed = settled.find((one) => one.status === "rejected");
      if (!given && failed) throw failed.reason;
      if (!given) report(groups);
      if (given) throw given.reason;
    } finally {
      clearInterval(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Gives back what the devices keep of a session. */
  async forget(session: number, devices: readonly number[]): Promise<void> {
    if (this.#closed) return;
    const threads = devices.flatMap((device) => this.#threads[device] ?? []);
    await Promise.allSettled(threads.map((thread) => thread.request({ kind: "forget", session })));
  }

  /** Gives everything back and ends the threads; a running call fails. */
  close(): Promise<void> {
    this.#closed ??= Promise.all(this.#threads.filter(Boolean).map((thread) => thread.close())).then(() => {
      this.memory.clear();
      this.reserve.clear();
    });
    return this.#closed;
  }

  #thread(device: number): DeviceThread {
    this.#threads[device] ??= new DeviceThread(this.#ordinals[device]);
    return this.#threads[device];
  }
}

/**
 * The devices to use, by their numbers or all.
 *
 * @throws EngineError where there is none, or one is too old
 */
export function usableDevices(devices?: readonly number[]): DeviceFacts[] {
  try {
    const driver = Driver.load();
    const there = driver.intFrom("cuDeviceGetCount");
    const missing = devices?.find((ordinal) => ordinal >= there);
    if (there === 0 || missing !== undefined) {
      throw new EngineError(
        missing === undefined || there === 0
          ? "cuda: no device that CUDA can use"
          : `cuda: there is no device ${missing}, only 0 to ${there - 1}`,
        "Look at nvidia-smi and CUDA_VISIBLE_DEVICES, or use --engine wasm",
      );
    }
    const found = (devices ?? Array.from({ length: there }, (_, ordinal) => ordinal)).map((ordinal) =>
      deviceFacts(driver, ordinal),
    );
    const fit = found.filter(({ capability }) => capability >= LEAST_CAPABILITY);
    const old = found.find(({ capability }) => capability < LEAST_CAPABILITY);
    if (old && (devices || fit.length === 0)) {
      throw new EngineError(
        `cuda: ${old.name} has compute capability ${old.capability.toFixed(1)}, and the kernels need ${LEAST_CAPABILITY}`,
        "Use a device of the Turing generation or later, or --engine wasm",
      );
    }
    return fit;
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw engineError(error as DriverError | DriverMissing);
  }
}

/** `2 × NVIDIA H100`, `NVIDIA A100, NVIDIA L4` */
export function inWords(facts: readonly DeviceFacts[]): string {
  const names = [...new Set(facts.map(({ name }) => name))];
  return names
    .map((name) => {
      const count = facts.filter((one) => one.name === name).length;
      return count > 1 ? `${count} × ${name}` : name;
    })
    .join(", ");
}
