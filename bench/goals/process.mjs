// Whole programs, timed from their start to their end, with the most memory they ever held (Linux: VmHWM).
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

const LOOK_MS = 10;

/** Ends with the program; throws with its last words where it failed. */
export function runProgram(command, args, { threads, signal }) {
  return new Promise((resolve, reject) => {
    const own = Object.fromEntries(
      ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"].map((name) => [
        name,
        String(threads),
      ]),
    );
    const { OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE, ...rest } = process.env; // would hold NumPy back
    const start = performance.now();
    const stdio = ["ignore", "pipe", "pipe"];
    const child = spawn(command, args, { env: { ...rest, ...own }, stdio, signal, killSignal: "SIGKILL" });
    let peak = 0;
    const look = setInterval(() => {
      peak = Math.max(peak, memoryOf(child.pid));
    }, LOOK_MS);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (text) => {
      stdout += text;
    });
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    child.on("error", (error) => {
      clearInterval(look);
      reject(error);
    });
    child.on("close", (code) => {
      clearInterval(look);
      const ms = performance.now() - start;
      if (code === 0) resolve({ ms, peak, stdout });
      else reject(new Error(`${command} ${args.join(" ")}: ended with ${code}\n${stderr.slice(-1000)}`));
    });
  });
}

function memoryOf(pid) {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0; // ended meanwhile, or not Linux
  }
}
