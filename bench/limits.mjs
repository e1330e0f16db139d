// How fast this machine reads memory and computes with what the kernels are compiled to, on worker threads: what a time of mvnfit can
// be at best.
//
//     node bench/limits.mjs [--threads 2]
//
// Prints billions of bytes read and of floating-point operations a second, over all threads, for each engine on the processor; the best of
// several runs.
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { chooseLibrary } from "../dist/engines/native/libraries.js";
import { compileLibraries, librariesOf } from "../scripts/zig.mjs";

const FLAGS = [
  "--target=wasm32-wasip1",
  "-std=c++20",
  "-O3",
  "-msimd128",
  "-matomics",
  "-mbulk-memory",
  "-ffp-contract=off",
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
/** Operations a lane and step. */
const OPERATIONS = 24;

const here = (path) => new URL(path, import.meta.url);
const sourcesIn = (folder, names) =>
  Object.fromEntries(names.map((name) => [name, readFileSync(here(`../kernels/${folder}/${name}`), "utf8")]));

async function wasmModule() {
  const { runClang } = await import("@yowasp/clang");
  const tree = {
    "limits.cpp": readFileSync(here("limits/limits.cpp"), "utf8"),
    cpu: sourcesIn("cpu", ["export.hpp"]),
    mvn: sourcesIn(
      "mvn",
      readdirSync(here("../kernels/mvn")).filter((name) => name.endsWith(".hpp")),
    ),
  };
  await runClang(null, {}, { fetchProgress: () => {} });
  const files = await runClang(["clang++", ...FLAGS, "-I.", "limits.cpp", "-o", "limits.wasm"], tree);
  return new WebAssembly.Module(files["limits.wasm"]);
}

/** Threads that do what they are told, all at a time; each has memory of its own to read. */
async function startThreads(threads, code) {
  const pages = (BASE + threads * THREAD_BYTES) / PAGE;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 16384, shared: true });
  const workers = Array.from({ length: threads }, (_, i) => {
    const workerData = { ...code, memory, base: BASE + i * THREAD_BYTES, bytes: THREAD_BYTES };
    return new Worker(here("limits/worker.mjs"), { workerData });
  });
  const close = () => Promise.all(workers.map((worker) => worker.terminate()));
  const ready = Promise.all(workers.map((worker) => once(worker, "message")));
  const [[lanes]] = await ready.catch(async (error) => {
    await close(); // those that did start would keep the process
    throw error;
  });
  return {
    lanes,
    /** @returns how long the slowest took, ms */
    async run(task) {
      const answers = workers.map((worker) => once(worker, "message"));
      for (const worker of workers) worker.postMessage(task);
      return Math.max(...(await Promise.all(answers)).map(([{ ms }]) => ms));
    },
    close,
  };
}

const readSpeed = (threads, ms) => (threads * THREAD_BYTES) / ms / 1e6;

/** @returns read in GB/s; float64 and float32 in Gflop/s: the most over some runs, of all threads together */
async function measure(threads, code) {
  const all = await startThreads(threads, code);
  const least = async (task) => {
    let best = Infinity;
    for (let run = 0; run < RUNS; run++) best = Math.min(best, await all.run(task));
    return best;
  };
  const flops = async (name, each) =>
    (threads * STEPS * OPERATIONS * each) / (await least({ name, steps: STEPS })) / 1e6;
  try {
    return {
      threads,
      read: readSpeed(threads, await least({ name: "read" })),
      float64: await flops("multiply_add_f64", all.lanes.float64),
      float32: await flops("multiply_add_f32", all.lanes.float32),
    };
  } finally {
    await all.close();
  }
}

/** f({ library }), a library of what the kernels of `native` are compiled to; undefined where there is none for this machine. */
async function withLibrary(f) {
  const choice = await chooseLibrary(process.env.MVNFIT_INSTRUCTIONS ?? "");
  if ("reason" in choice) return undefined;
  const scratch = mkdtempSync(join(tmpdir(), "mvnfit-limits-"));
  try {
    const own = librariesOf(`${process.platform}-${process.arch}`).find((one) =>
      choice.file.endsWith(one.file),
    );
    await compileLibraries([own], [here("limits/limits.cpp").pathname], scratch);
    return await f({ library: join(scratch, own.file) });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The limits of `wasm`, and of `native` where it is available. */
export async function measureLimits(threads) {
  const limits = { wasm: await measure(threads, { module: await wasmModule() }) };
  const native = await withLibrary((code) => measure(threads, code));
  return native ? { ...limits, native } : limits;
}

/** Threads that read memory whenever they are asked to: `read()` is what they reach then, GB/s. As `native` reads, or `wasm` where there is none. */
export async function openReader(threads) {
  const all =
    (await withLibrary((code) => startThreads(threads, code))) ??
    (await startThreads(threads, { module: await wasmModule() }));
  return {
    read: async () => readSpeed(threads, await all.run({ name: "read" })),
    close: all.close,
  };
}

if (process.argv[1] === here("").pathname) {
  const { values } = parseArgs({
    options: { threads: { type: "string", default: String(availableParallelism()) } },
  });
  for (const [engine, limits] of Object.entries(await measureLimits(Number(values.threads)))) {
    const { threads, read, float64, float32 } = limits;
    console.log(
      `${engine}, ${threads} threads: reads ${read.toFixed(1)} GB/s; float64 ${float64.toFixed(1)}, float32 ${float32.toFixed(1)} Gflop/s`,
    );
  }
}
