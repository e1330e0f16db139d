import { setImmediate as nextTurn } from "node:timers/promises";
import type { Control } from "../../engine.js";

/** Work between two turns of the event loop. */
const TURN_MS = 10;

/** Lets the event loop go on between pieces of work of unknown length, reports progress and heeds the signal. */
export class Turns {
  readonly #control: Control;
  readonly #total: number;
  #since = performance.now();

  constructor(total: number, control: Control) {
    control.signal?.throwIfAborted();
    this.#total = total;
    this.#control = control;
  }

  /** Whether work has gone on for so long that others should have their turn. */
  get due(): boolean {
    return performance.now() - this.#since >= TURN_MS;
  }

  /** To be called between pieces, with the groups that are done. */
  async next(done: number): Promise<void> {
    if (!this.due) return;
    this.#control.onProgress?.(done, this.#total);
    await nextTurn();
    this.#control.signal?.throwIfAborted();
    this.#since = performance.now();
  }

  /** Everything is done. */
  end(): void {
    this.#control.onProgress?.(this.#total, this.#total);
  }
}
