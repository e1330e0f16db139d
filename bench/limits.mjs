// How fast this machine reads memory and computes in the runtime of the kernels, WebAssembly SIMD on worker threads: what a time of
// mvnfit can be at best.
//
//     node bench/limits.mjs [--threads 2]
//
// Prints billions of bytes read and of floating-point operations a second, over all threads; the best of several runs.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";

const FLAGS = [
  "--target=wasm32-wasip1",
  "-std=c++20",
  "-O3",
  "-msimd128",
  "-matomics",
  "-mbulk-memory",
  "-nostdlib",
  "-Wl,--no-entry",
  "-Wl,--import-memory",
  "-Wl,--shared-memory",
  "-Wl,--max-memory=1073741824",
];

const THREAD_BYTES = 128 * 2 ** 20; // far more than a cache holds
const PAGE = 65536;
const BASE = 16 * PAGE; // the module's own data lie below
const RUNS = 7;
const STEPS = 10_000_000;

async function compile() {
  const { runClang } = await import("@yowasp/clang");
  const source = readFileSync(new URL("limits/limits.cpp", import.meta.url), "utf8");
  await runClang(null, {}, { fetchProgress: () => {} });
  const files = await runClang(["clang++", ...FLAGS, "limits.cpp", "-o", "limits.wasm"], {
    "limits.cpp": source,
  });
  return new WebAssembly.Module(files["limits.wasm"]);
}

/** @returns read in GB/s; float64 and float32 in Gflop/s: the most over some runs, of all threads together */
export async function measureLimits(threads) {
  const module = await compile();
  const pages = (BASE + threads * THREAD_BYTES) / PAGE;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 16384, shared: true });
  const workers = Array.from({ length: threads }, (_, i) => {
    const workerData = { module, memory, base: BASE + i * THREAD_BYTES, bytes: THREAD_BYTES };
    return new Worker(new URL("limits/worker.mjs", import.meta.url), { workerData });
  });
  try {
    await Promise.all(workers.map((worker) => once(worker, "message")));
    const least = async (task) => {
      let best = Infinity;
      for (let run = 0; run < RUNS; run++) {
        const answers = workers.map((worker) => once(worker, "message"));
        for (const worker of workers) worker.postMessage(task);
        const times = (await Promise.all(answers)).map(([{ ms }]) => ms);
        best = Math.min(best, Math.max(...times));
      }
      return best;
    };
    const read = (threads * THREAD_BYTES) / (await least({ name: "read", passes: 1 })) / 1e6;
    const flops = async (name, each) =>
      (threads * STEPS * each) / (await least({ name, steps: STEPS })) / 1e6;
    return {
      threads,
      read,
      float64: await flops("multiply_add_f64", 48),
      float32: await flops("multiply_add_f32", 96),
    };
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { values } = parseArgs({
    options: { threads: { type: "string", default: String(availableParallelism()) } },
  });
  const { threads, read, float64, float32 } = await measureLimits(Number(values.threads));
  console.log(
    `${threads} threads: reads ${read.toFixed(1)} GB/s; float64 ${float64.toFixed(1)}, float32 ${float32.toFixed(1)} Gflop/s`,
  );
}
