import { Worker, type WorkerOptions } from "node:worker_threads";

/** How often a running task is looked at. */
const GLANCE_MS = 50;

/** What a worker is sent: the task, and where it counts its steps. */
export interface Assignment<Task> {
  readonly task: Task;
  /** [1] in shared memory: steps done, in whatever unit; changes while the task is worked at */
  readonly steps: Int32Array;
}

/** What a worker posts back. */
export type Answer<Result, Failure> =
  | { readonly kind: "result"; readonly result: Result }
  | { readonly kind: "failure"; readonly failure: Failure };

/** How a task ended without an answer: the thread is gone then. */
export type Breakdown =
  | { readonly kind: "timeout"; readonly steps: number }
  | { readonly kind: "exit"; readonly steps: number; readonly code: number }
  | { readonly kind: "error"; readonly steps: number; readonly error: Error };

export interface Watch {
  readonly signal?: AbortSignal | undefined;
  /** Seconds without a step after which the task counts as stuck. */
  readonly timeout: number;
  readonly onStep?: (steps: number) => void;
}

/**
 * A worker thread that does one task at a time. The caller's event loop stays free, and a task that is aborted or makes no progress
 * ends with its thread, whatever it is doing.
 */
export class WatchedWorker<Task, Result, Failure = string> {
  readonly #worker: Worker;
  readonly #steps = new Int32Array(new SharedArrayBuffer(4));
  #gone: { readonly code: number } | { readonly error: Error } | undefined;

  constructor(file: URL, options: WorkerOptions = {}) {
    this.#worker = new Worker(file, options);
    // With stdout kept from the process (`stdout: true`), what the thread prints goes where it cannot be taken for a result.
    if (options.stdout) this.#worker.stdout.pipe(process.stderr, { end: false });
    this.#worker.on("error", (error) => {
      this.#gone = { error };
    });
    this.#worker.on("exit", (code) => {
      this.#gone ??= { code };
    });
    this.#worker.unref();
  }

  /** Posts a task and waits for its answer, or for what became of it instead. Rejects with the signal's reason. */
  async run(task: Task, watch: Watch): Promise<Answer<Result, Failure> | Breakdown> {
    watch.signal?.throwIfAborted();
    this.#worker.ref();
    this.#steps[0] = 0;
    let stop = () => {};
    try {
      return await new Promise((resolve, reject) => {
        this.#worker.on("message", resolve);
        const timer = this.#glance(watch, resolve, reject);
        stop = () => {
          this.#worker.off("message", resolve);
          clearInterval(timer);
        };
        this.#worker.postMessage({ task, steps: this.#steps } satisfies Assignment<Task>);
      });
    } finally {
      stop();
      this.#worker.unref();
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  /** Looks at the steps now and then, and ends the thread where they stand still or nobody waits for them any more. */
  #glance(watch: Watch, resolve: (end: Breakdown) => void, reject: (reason: unknown) => void) {
    let seen = 0;
    let since = performance.now();
    const look = (): void => {
      const steps = Atomics.load(this.#steps, 0);
      const now = performance.now();
      if (watch.signal?.aborted) void this.close().then(() => reject(watch.signal?.reason));
      else if (this.#gone) {
        resolve({ kind: "error" in this.#gone ? "error" : "exit", steps, ...this.#gone } as Breakdown);
      } else if (steps !== seen) {
        [seen, since] = [steps, now];
        watch.onStep?.(steps);
      } else if (now - since > watch.timeout * 1000) {
        void this.close().then(() => resolve({ kind: "timeout", steps }));
      }
    };
    return setInterval(look, GLANCE_MS);
  }
}
