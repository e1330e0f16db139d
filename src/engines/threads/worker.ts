// One worker thread: waits for tasks and does its share of each. What it cannot do ends it, and the main thread sees that.
import { parentPort, workerData } from "node:worker_threads";
import { loadCode } from "./code.js";
import { perform } from "./perform.js";
import { controlWords, type Task, type WorkerStart } from "./task.js";

const { code, memory, index, stack, control } = workerData as WorkerStart;
const loaded = await loadCode(code, memory, stack);
const words = new Int32Array(memory.buffer, control, controlWords(index + 1));

parentPort?.on("message", (task: Task) => {
  perform(loaded, memory, { words, address: control }, index, task);
  loaded.check();
  parentPort?.postMessage("done");
});
parentPort?.postMessage("ready");
