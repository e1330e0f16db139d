import { Worker } from "node:worker_threads";
import { EngineError } from "../../errors.js";
import { addressOf } from "./driver.js";
import { type Answer, CONTROL, PAGE, type Request, type Start } from "./task.js";

const SCRIPT = new URL("./worker.js", import.meta.url);

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
}

/** The thread of one device, as the main thread sees it. It holds the process up only while it works. */
export class DeviceThread {
  readonly ordinal: number;
  readonly #worker: Worker;
  readonly #words: Int32Array;
  readonly #waiting: Waiting[] = [];
  #gone: EngineError | undefined;
  #closed: Promise<void> | undefined;

  constructor(ordinal: number) {
    this.ordinal = ordinal;
    // A page of its own within two, wherever they lie, so that no other memory is locked with it.
    const control = new SharedArrayBuffer(2 * PAGE);
    const controlOffset = paddingTo(PAGE, addressOf(new Uint8Array(control)));
    this.#words = new Int32Array(control, controlOffset, PAGE / 4);
    const start: Start = { ordinal, control, controlOffset };
    this.#worker = new Worker(SCRIPT, { workerData: start, execArgv: [], name: `mvnfit cuda ${ordinal}` });
    this.#worker.unref();
    this.#worker.on("message", (answer: Answer) => {
      const waiting = this.#waiting.shift();
      if (this.#waiting.length === 0) this.#worker.unref();
      waiting?.resolve(answer);
    });
    let cause: Error | undefined;
    this.#worker.on("error", (error: Error) => {
      cause = error;
    });
    this.#worker.on("exit", (code) => {
      this.#gone = new EngineError(
        `cuda: the thread of device ${ordinal} stopped: ${cause?.message ?? `it exited with code ${code}`}`,
        "Open another engine; if it stays so, report it",
        { cause },
      );
      for (const { reject } of this.#waiting.splice(0)) reject(this.#gone);
    });
  }

  /**
   * What the device answers. `undefined` means that it was told to stop.
   *
   * @throws EngineError where it failed
   */
  async request(request: Request): Promise<boolean | undefined> {
    if (this.#gone) throw this.#gone;
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(request);
    });
    if (answer.kind === "failure") throw new EngineError(answer.reason, answer.remedy);
    return answer.kind === "stopped" ? undefined : answer.value;
  }

  /** Before a call. */
  reset(): void {
    Atomics.store(this.#words, CONTROL.done, 0);
    Atomics.store(this.#words, CONTROL.stop, 0);
  }

  /** Ends the running call, also in the middle of a kernel. */
  stop(): void {
    Atomics.store(this.#words, CONTROL.stop, 1);
  }

  /** Groups done so far of the running call. */
  get done(): number {
    const phases = Math.max(1, Atomics.load(this.#words, CONTROL.phases));
    return Math.floor(Atomics.load(this.#words, CONTROL.done) / phases);
  }

  /** Gives everything back and ends the thread. */
  close(): Promise<void> {
    this.stop();
    this.#closed ??= this.request({ kind: "close" }).then(
      () => undefined,
      () => undefined,
    );
    return this.#closed;
  }
}

/** Bytes from an address to the next multiple of `alignment`. */
export const paddingTo = (alignment: number, address: bigint): number =>
  Number(BigInt.asUintN(64, -address) % BigInt(alignment));
