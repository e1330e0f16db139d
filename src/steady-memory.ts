// Memory that code outside of JavaScript reads and writes.
import koffi from "koffi";

/** Memory that does not move, as small typed arrays of V8's may, for so many bytes and what is left of 64. */
export const memoryOf = (bytes: number): ArrayBuffer =>
  new ArrayBuffer(Math.max(128, 64 * Math.ceil(bytes / 64)));

/** Frees memory at once, where Node can (from 22 on), in place of when it is next found to be in nobody's hands. */
export function freeMemory({ buffer }: ArrayBufferView): void {
  (buffer as ArrayBuffer & { transfer?(bytes: number): ArrayBuffer }).transfer?.(0);
}

/** Where memory lies that JavaScript holds, of `memoryOf`. */
export const addressOf = (array: ArrayBufferView): bigint => koffi.address(array);
