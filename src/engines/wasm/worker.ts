// One worker thread: waits for tasks and does its share of each. What it cannot do ends it, and the main thread sees that.
import { parentPort, workerData } from "node:worker_threads";
import { instantiate } from "./kernels.js";
import { perform } from "./perform.js";
import { controlWords, STACK_BYTES, type Task, type WorkerStart } from "./task.js";

const { module, memory, index, stack, control } = workerData as WorkerStart;
const kernels = instantiate(module, memory);
kernels.__stack_pointer.value = stack + STACK_BYTES;

/** The stack grows down. Words at its end that must not change tell an overflow, which is silent otherwise. */
const CANARY = 0x5afe_c0de;
const canary = new Uint32Array(memory.buffer, stack, 4).fill(CANARY);
const words = new Int32Array(memory.buffer, control, controlWords(index + 1));

parentPort?.on("message", (task: Task) => {
  perform(kernels, memory, { words, address: control }, index, task);
  if (canary.some((word) => word !== CANARY)) throw new Error("a kernel overflowed its stack");
  parentPort?.postMessage("done");
});
parentPort?.postMessage("ready");
