import type { Reserve } from "../reserve.js";
import { Stint } from "../stint.js";
import type { Span } from "./spans.js";

/** What one step of a long copy moves: well below a millisecond. */
const STEP = 2 ** 17;

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
