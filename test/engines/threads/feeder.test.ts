import { expect, it } from "vitest";
import { Feeder } from "../../../src/engines/threads/feeder.js";
import { planRows } from "../../../src/engines/threads/plan.js";
import {
  CONTROL,
  controlWords,
  QUEUE,
  queueOf,
  type Task,
  WINDOWS,
} from "../../../src/engines/threads/task.js";

/** A feeder of one worker that never empties a window. */
function feederOfOne() {
  const [rows, dims] = [10, 2];
  const x = new Float64Array(100 * rows * dims);
  const offsets = Float64Array.from({ length: 101 }, (_, g) => g * rows);
  const shape = { offsets, dims, chunkRows: 64, rowBytes: 16, groupBytes: 100, threads: 1, inPlace: false };
  const plan = planRows(shape);
  const task = {
    dims,
    groups: 100,
    mostGroups: plan.mostGroups,
    scratch: 0,
    workspaces: [0],
    rows: { source: { kind: "fed" }, rowType: 0, weighted: false, windowRows: plan.mostRows },
  } as unknown as Task;
  const memory = { buffer: new SharedArrayBuffer(2 ** 20) } as WebAssembly.Memory;
  const control = new Int32Array(new SharedArrayBuffer(controlWords(1) * 4));
  return { feeder: new Feeder(task, plan, { x, weights: undefined }, memory, control), control };
}

it("fills all windows and waits", async () => {
  const { feeder, control } = feederOfOne();
  const ended = feeder.feed().then(() => "ended");
  const waiting = new Promise((resolve) => setTimeout(resolve, 50, "waiting"));
  expect(await Promise.race([ended, waiting])).toBe("waiting");
  expect(Atomics.load(control, queueOf(0) + QUEUE.filled)).toBe(WINDOWS);
});

it("ends when the call is stopped while no worker empties a window", async () => {
  const { feeder, control } = feederOfOne();
  const ended = feeder.feed().then(() => "ended");
  Atomics.store(control, CONTROL.stop, 1);
  Atomics.add(control, CONTROL.emptied, 1);
  Atomics.notify(control, CONTROL.emptied);
  const waiting = new Promise((resolve) => setTimeout(resolve, 5000, "waiting"));
  expect(await Promise.race([ended, waiting])).toBe("ended");
});
