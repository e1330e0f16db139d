import type { EngineOptions, EngineProvider, Probe } from "../../engine.js";
import { EngineError } from "../../errors.js";
import { ThreadsEngine } from "../threads/engine.js";
import { processor } from "../threads/machine.js";
import { type Choice, chooseLibrary } from "./libraries.js";

/** The kernels as code of the processor's own, with the longest vectors that it has. */
export const nativeProvider: EngineProvider = {
  name: "native",
  precisions: ["float64", "float32"],
  probe,
  create: openNative,
};

/** As the provider's `create`; `workerScript` is for tests of what happens when a worker fails. */
export async function openNative(
  options: EngineOptions & { readonly workerScript?: URL },
): Promise<ThreadsEngine> {
  const choice = await chosen();
  if ("reason" in choice) throw new EngineError(`native: not available: ${choice.reason}`, choice.remedy);
  const { file, instructions } = choice;
  const { AccumulatorLibrary, NativeAccumulator } = await import("./accumulator.js");
  const library = new AccumulatorLibrary(file);
  return ThreadsEngine.start({
    ...options,
    code: { engine: "native", library: file },
    instructions,
    accumulator: (layout, threads) => new NativeAccumulator(library, layout, threads),
  });
}

/** Nothing of it changes while a process runs, but for what a test sets. */
const known = new Map<string, Promise<Choice>>();

function chosen(): Promise<Choice> {
  const asked = process.env.MVNFIT_INSTRUCTIONS ?? "";
  let choice = known.get(asked);
  if (!choice) {
    choice = chooseLibrary(asked);
    known.set(asked, choice);
  }
  return choice;
}

async function probe(): Promise<Probe> {
  const choice = await chosen();
  if ("reason" in choice) return { available: false, ...choice };
  return { available: true, device: `${choice.instructions}, ${processor()}`, version: choice.version };
}
