// Memory of results that have been given back.
import { EngineError } from "../errors.js";

/** A kept buffer serves a need of at least half its size. */
const WORTH = 2;
/** What is kept at most. */
const KEPT_BUFFERS = 32;

/**
 * Shared memory for results, kept for the next call once it is given back: touched memory is several times as fast to
 * write as fresh memory. What a user has been handed comes back here only by the user's own `release`. At most `keptBytes` are
 * kept, the latest; all of it goes when the engine is closed.
 */
export class Reserve {
  readonly #keptBytes: number;
  readonly #kept: SharedArrayBuffer[] = [];

  constructor(keptBytes: number) {
    this.#keptBytes = keptBytes;
  }

  take(bytes: number, purpose: string): SharedArrayBuffer {
    const fitting = this.#kept.filter((one) => one.byteLength >= bytes && one.byteLength <= bytes * WORTH);
    if (fitting.length === 0) return sharedBytes(bytes, purpose);
    const closest = fitting.reduce((best, one) => (one.byteLength < best.byteLength ? one : best));
    this.#kept.splice(this.#kept.indexOf(closest), 1);
    return closest;
  }

  give(buffer: SharedArrayBuffer): void {
    this.#kept.push(buffer);
    let bytes = this.#kept.reduce((sum, one) => sum + one.byteLength, 0);
    while (this.#kept.length > KEPT_BUFFERS || bytes > this.#keptBytes) {
      bytes -= this.#kept.shift()?.byteLength ?? 0;
    }
  }

  clear(): void {
    this.#kept.length = 0;
  }
}

/** @throws EngineError where that much memory cannot be had */
export function sharedBytes(bytes: number, purpose: string): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes);
  } catch (error) {
    throw new EngineError(
      `${purpose}: ${Math.ceil(bytes / 2 ** 20)} MiB of memory cannot be had`,
      "Fit fewer groups at a time, or free memory",
      { cause: error },
    );
  }
}
