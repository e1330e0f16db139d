import { setImmediate } from "node:timers/promises";

/** The longest that the main thread works without letting the event loop turn. */
const LONGEST_MS = 8;

/** Keeps long work on the main thread from holding up everything else there. */
export class Stint {
  #since = performance.now();

  get over(): boolean {
    return performance.now() - this.#since > LONGEST_MS;
  }

  /** Lets the event loop turn once. */
  async rest(): Promise<void> {
    await setImmediate();
    this.restart();
  }

  /** To be called where the event loop has turned for another reason. */
  restart(): void {
    this.#since = performance.now();
  }
}
