import { Stint } from "../stint.js";
import { type Span, sharedBytes } from "./spans.js";

/** What one step of a long copy moves: well below a millisecond. */
const STEP = 2 ** 17;
/** A kept buffer serves a need of at least half its size. */
const WORTH = 2;
/** What is kept at most. */
const KEPT_BUFFERS = 32;
const KEPT_BYTES = 2 ** 28;

/**
 * Shared memory outside the kernels', kept for the next call once it is given back: touched memory is several times as fast to
 * write as fresh memory. What a user has been handed comes back here only by the user's own `release`. At most KEPT_BYTES are
 * kept, the latest; all of it goes when the engine is closed.
 */
export class Reserve {
  readonly #kept: SharedArrayBuffer[] = [];

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
    while (this.#kept.length > KEPT_BUFFERS || bytes > KEPT_BYTES) {
      bytes -= this.#kept.shift()?.byteLength ?? 0;
    }
  }

  clear(): void {
    this.#kept.length = 0;
  }
}

export const isShared = (array: ArrayBufferView): boolean => array.buffer instanceof SharedArrayBuffer;

export const spanOf = (array: ArrayBufferView): Span => ({
  buffer: array.buffer as SharedArrayBuffer,
  byteOffset: array.byteOffset,
});

/** The array where workers can see it: as it is where it lies in shared memory, otherwise as a copy from the reserve. */
export async function sharedCopy(array: Float64Array, reserve: Reserve, purpose: string): Promise<Span> {
  if (isShared(array)) return spanOf(array);
  const buffer = reserve.take(array.byteLength, purpose);
  const copy = new Float64Array(buffer, 0, array.length);
  const stint = new Stint();
  for (let first = 0; first < array.length; first += STEP) {
    copy.set(array.subarray(first, first + STEP), first);
    if (stint.over) await stint.rest();
  }
  return { buffer, byteOffset: 0 };
}
