// The engine's worker with a fault in the first of them, told by the number of dimensions of the task.
import { parentPort, workerData } from "node:worker_threads";

const faults = {
  /** As a trap in a kernel ends it. */
  11: () => {
    throw new WebAssembly.RuntimeError("unreachable");
  },
  /** As running out of memory, or another's process.exit, ends it. */
  12: () => process.exit(3),
  /** As a kernel that needs more stack than it has. */
  13: () => new Uint32Array(workerData.memory.buffer, workerData.stack, 1).fill(0),
};

if (workerData.index === 0) {
  const on = parentPort.on.bind(parentPort);
  parentPort.on = (event, perform) =>
    on(event, (task) => {
      faults[task.dims]?.();
      perform(task);
    });
}
await import("../../../dist/engines/threads/worker.js");
