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
