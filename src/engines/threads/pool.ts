import { Worker } from "node:worker_threads";
import { EngineError } from "../../errors.js";
import type { Task, WorkerStart } from "./task.js";

const SCRIPT = new URL("./worker.js", import.meta.url);

/** One worker thread and what is expected of it. */
class Thread {
  readonly #worker: Worker;
  readonly #engine: string;
  readonly #index: number;
  #resolve: () => void = () => {};
  #reject: (reason: EngineError) => void = () => {};
  #reason: string | undefined;
  #exited = false;
  /** Settles when the worker can take tasks. */
  readonly ready: Promise<void>;

  constructor(engine: string, script: URL, start: WorkerStart) {
    this.#engine = engine;
    this.#index = start.index;
    // Options of the command line that are for the main script only would keep a worker from starting.
    this.#worker = new Worker(script, { workerData: start, execArgv: [], name: `mvnfit ${start.index + 1}` });
    this.#worker.on("message", () => this.#resolve());
    this.#worker.on("error", (error: Error) => {
      this.#reason = error.message;
    });
    this.#worker.on("exit", (code) => {
      this.#exited = true;
      this.#reject(this.#failure(code));
    });
    this.ready = this.#expect();
  }

  get exited(): boolean {
    return this.#exited;
  }

  /** Settles when the worker has done its share of the task. */
  perform(task: Task): Promise<void> {
    const done = this.#expect();
    this.#worker.postMessage(task);
    return done;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  /** Whether the process stays alive for this worker. */
  keepAlive(yes: boolean): void {
    if (yes) this.#worker.ref();
    else this.#worker.unref();
  }

  /** The worker's next message, or its end. */
  #expect(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  #failure(code: number): EngineError {
    return new EngineError(
      `${this.#engine}: worker ${this.#index + 1} stopped: ${this.#reason ?? `it exited with code ${code}`}`,
      "The next call starts a new worker; if it stops again with the same data, use fewer threads, and report it",
    );
  }
}

/** The worker threads of an engine. They hold the process up only while they work. */
export class Pool {
  readonly #engine: string;
  readonly #script: URL;
  readonly #starts: readonly WorkerStart[];
  #threads: Thread[] = [];

  constructor(engine: string, starts: readonly WorkerStart[], script: URL = SCRIPT) {
    this.#engine = engine;
    this.#starts = starts;
    this.#script = script;
  }

  get hasStarted(): boolean {
    return this.#threads.length > 0;
  }

  /**
   * Starts the workers that are not there: all of them at first, later those that have stopped.
   *
   * @throws EngineError where one does not start
   */
  async start(): Promise<void> {
    const fresh: Thread[] = [];
    this.#threads = this.#starts.map((start, i) => {
      const present = this.#threads[i];
      if (present && !present.exited) return present;
      const thread = new Thread(this.#engine, this.#script, start);
      fresh.push(thread);
      return thread;
    });
    try {
      await all(fresh.map((thread) => thread.ready));
    } finally {
      for (const thread of fresh) thread.keepAlive(false);
    }
  }

  /**
   * Has every worker do its share of a task, and settles when none works on it any more. `onFailure` is called as soon as a
   * worker stops, so that the others can be told to.
   *
   * @throws EngineError where a worker stops
   */
  async perform(task: Task, onFailure: () => void): Promise<void> {
    await this.start();
    for (const thread of this.#threads) thread.keepAlive(true);
    const shares = this.#threads.map((thread) => thread.perform(task));
    for (const share of shares) share.catch(onFailure);
    try {
      await all(shares);
    } finally {
      for (const thread of this.#threads) thread.keepAlive(false);
    }
  }

  /** Ends the workers; a task that they are at fails. */
  async close(): Promise<void> {
    // One that is ended while it loads a library takes the process with it.
    await Promise.allSettled(this.#threads.map((thread) => thread.ready));
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }
}

/** Waits for all to settle, then throws the first failure. */
async function all(promises: readonly Promise<void>[]): Promise<void> {
  const settled = await Promise.allSettled(promises);
  const failed = settled.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
}
