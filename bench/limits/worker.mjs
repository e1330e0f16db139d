// One thread of bench/limits.mjs: does what it is told, and says how long it took.
import { parentPort, workerData } from "node:worker_threads";

const { module, library, memory, base, bytes } = workerData;
new Float64Array(memory.buffer, base, bytes / 8).fill(1); // first touch, by the thread that will read it

/** The functions, and the address of the memory that they read. */
async function load() {
  if (module) return { exports: new WebAssembly.Instance(module, { env: { memory } }).exports, at: base };
  const { default: koffi } = await import("koffi");
  const own = koffi.load(library);
  const exports = {
    read: own.func("read", "double", ["uint64_t", "int32_t"]),
    multiply_add_f64: own.func("multiply_add_f64", "double", ["int32_t", "double", "double"]),
    multiply_add_f32: own.func("multiply_add_f32", "double", ["int32_t", "float", "float"]),
    lanes_f64: own.func("lanes_f64", "int32_t", []),
    lanes_f32: own.func("lanes_f32", "int32_t", []),
  };
  return { exports, at: Number(koffi.address(new Uint8Array(memory.buffer))) + base };
}

const { exports, at } = await load();
const WORK = {
  read: () => exports.read(at, bytes),
  multiply_add_f64: ({ steps }) => exports.multiply_add_f64(steps, 0.999, 0.5),
  multiply_add_f32: ({ steps }) => exports.multiply_add_f32(steps, 0.999, 0.5),
};

parentPort.on("message", (task) => {
  const start = performance.now();
  const sum = WORK[task.name](task);
  parentPort.postMessage({ ms: performance.now() - start, sum });
});
parentPort.postMessage({ float64: exports.lanes_f64(), float32: exports.lanes_f32() });
