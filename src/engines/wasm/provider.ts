import { cpus } from "node:os";
import { versions } from "node:process";
import type { EngineProvider, Probe } from "../../engine.js";
import { WasmEngine } from "./engine.js";
import { compiledModule } from "./kernels.js";

/** The kernels as WebAssembly: runs wherever Node runs, without native code. */
export const wasmProvider: EngineProvider = {
  name: "wasm",
  precisions: ["float64", "float32"],
  probe,
  create: (options) => WasmEngine.start(options),
};

async function probe(): Promise<Probe> {
  try {
    await compiledModule();
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) {
      const reason = `Node ${versions.node} does not run WebAssembly with SIMD and threads, or the module is damaged`;
      return {
        available: false,
        reason,
        remedy: "Use Node 20.19 or later, or install the package again",
      };
    }
    const reason = `the kernels are not built: ${(error as Error).message}`;
    return { available: false, reason, remedy: "Run npm run build, or install the package again" };
  }
  const processor = cpus()[0]?.model.trim() || "unknown processor";
  return { available: true, device: `WebAssembly SIMD, ${processor}`, version: `V8 ${versions.v8}` };
}
