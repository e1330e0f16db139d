import type { Control } from "../engine.js";
import { EngineError } from "../errors.js";

/** The calls on one engine, one after the other. */
export class Queue {
  #last: Promise<void> = Promise.resolve();

  /** Runs `work` after all earlier calls. A call that is given up while it waits leaves the queue at once. */
  async inTurn<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const earlier = this.#last;
    const turn = ended(earlier, signal).then(work);
    // The next call waits for the earlier ones too where this one has left the queue.
    this.#last = Promise.allSettled([earlier, turn]).then(() => {});
    return turn;
  }
}

/** What a session must know of its engine. */
export interface Host {
  readonly queue: Queue;
  /** Throws where the engine is closed. */
  requireOpen(place: string): void;
}

/** The calls of one session, each in its turn among all calls on the engine. */
export class Calls {
  readonly #host: Host;
  readonly #running = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  /** @throws EngineError where the engine or the session is closed */
  async run<T>(place: string, { signal }: Control, work: () => Promise<T>): Promise<T> {
    this.#host.requireOpen(place);
    if (this.#closed)
      throw new EngineError(`${place}: the session is closed`, "Open another with engine.open");
    const call = this.#host.queue.inTurn(work, signal);
    this.#running.add(call);
    try {
      return await call;
    } finally {
      this.#running.delete(call);
    }
  }

  /** Takes no more calls, and lets go of what the session holds once those that run have ended. Again is the same as once. */
  close(letGo: () => void | Promise<void>): Promise<void> {
    this.#closed ??= Promise.allSettled(this.#running).then(letGo);
    return this.#closed;
  }
}

/** Settles with `earlier`, or fails with the signal's reason if that comes first. */
async function ended(earlier: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  let onAbort = (): void => {};
  const aborted = new Promise<void>((_, reject) => {
    onAbort = () => reject(signal?.reason);
    signal?.addEventListener("abort", onAbort);
  });
  try {
    await Promise.race([earlier, aborted]);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
