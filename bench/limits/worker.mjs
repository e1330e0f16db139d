// One thread of bench/limits.mjs: does what it is told, and says how long it took.
import { parentPort, workerData } from "node:worker_threads";

const { module, memory, base, bytes } = workerData;
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
new Float64Array(memory.buffer, base, bytes / 8).fill(1); // first touch, by the thread that will read it

const WORK = {
  read: ({ passes }) => {
    let sum = 0;
    for (let pass = 0; pass < passes; pass++) sum += exports.read(base, bytes);
    return sum;
  },
  multiply_add_f64: ({ steps }) => exports.multiply_add_f64(steps, 0.999, 0.5),
  multiply_add_f32: ({ steps }) => exports.multiply_add_f32(steps, 0.999, 0.5),
};

parentPort.on("message", (task) => {
  const start = performance.now();
  const sum = WORK[task.name](task);
  parentPort.postMessage({ ms: performance.now() - start, sum });
});
parentPort.postMessage("ready");
