import { versions } from "node:process";
import type { EngineOptions, EngineProvider, Probe } from "../../engine.js";
import { ThreadsEngine } from "../threads/engine.js";
import { processor } from "../threads/machine.js";
import { compiledModule } from "../threads/webassembly.js";

const INSTRUCTIONS = "WebAssembly SIMD";

/** The kernels as WebAssembly: runs wherever Node runs, without native code. */
export const wasmProvider: EngineProvider = {
  name: "wasm",
  precisions: ["float64", "float32"],
  probe,
  create: openWasm,
};

/** As the provider's `create`; `workerScript` is for tests of what happens when a worker fails. */
export async function openWasm(
  options: EngineOptions & { readonly workerScript?: URL },
): Promise<ThreadsEngine> {
  const code = { engine: "wasm", module: await compiledModule() } as const;
  return ThreadsEngine.start({ ...options, code, instructions: INSTRUCTIONS });
}

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
  return { available: true, device: `${INSTRUCTIONS}, ${processor()}`, version: `V8 ${versions.v8}` };
}
