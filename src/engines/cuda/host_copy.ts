// Copies within the memory of the host. The C library's: Node's own between arrays takes twice as long.
import { availableParallelism } from "node:os";
import koffi from "koffi";
import { ADDRESS, callOf, SIZE } from "../../library-calls.js";
import { PAGE } from "./task.js";

const C_LIBRARY = process.platform === "win32" ? "msvcrt.dll" : null;
const memcpy = callOf(koffi.load(C_LIBRARY), "memcpy", ADDRESS, [ADDRESS, ADDRESS, SIZE]);

/** Threads of Node's pool, unless UV_THREADPOOL_SIZE says otherwise. */
const POOL_THREADS = Number(process.env.UV_THREADPOOL_SIZE) || 4;
/** The pool's, and the one that asks. */
const THREADS = Math.min(availableParallelism(), POOL_THREADS + 1);
/** Below this a thread is not worth waking. */
const LEAST_BYTES = 2 ** 19;

/**
 * Copies `bytes` bytes, by several threads where it is much: one alone is slower than the way to a device, above all into memory
 * that nobody has touched yet. Both places are to be held until it is done.
 */
export async function copyHost(to: bigint, from: bigint, bytes: number): Promise<void> {
  const parts = Math.min(THREADS, Math.floor(bytes / LEAST_BYTES));
  const copying: Promise<unknown>[] = [];
  let at = 0;
  for (let part = 1; part < parts; part++) {
    const share = Math.floor((bytes * part) / parts);
    // Where a page of the target ends, so that no two threads meet in one.
    const end = share - Number((to + BigInt(share)) % BigInt(PAGE));
    copying.push(memcpy.later(to + BigInt(at), from + BigInt(at), end - at));
    at = end;
  }
  memcpy(to + BigInt(at), from + BigInt(at), bytes - at);
  await Promise.all(copying);
}
