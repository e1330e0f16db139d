import { setImmediate as nextTurn } from "node:timers/promises";
import type { Control } from "./engine.js";

/** Work between two turns of the event loop. */
const TURN_MS = 10;

/** Calls `work` for groups 0 … total−1, lets the event loop go on between them, reports progress and heeds the signal. */
export async function eachGroup(
  total: number,
  { signal, onProgress }: Control,
  work: (group: number) => void | Promise<void>,
): Promise<void> {
  signal?.throwIfAborted();
  let since = performance.now();
  for (let group = 0; group < total; group++) {
    const pending = work(group);
    if (pending) await pending; // an await costs more than the work of a small group
    if (performance.now() - since < TURN_MS) continue;
    onProgress?.(group + 1, total);
    await nextTurn();
    signal?.throwIfAborted();
    since = performance.now();
  }
  onProgress?.(total, total);
}
