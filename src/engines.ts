import {
  ENGINE_NAMES,
  type Engine,
  type EngineName,
  type EngineOptions,
  type EngineProvider,
} from "./engine.js";
import { estimates, pinned, type Workload } from "./engines/auto.js";
import { cudaProvider } from "./engines/cuda/provider.js";
import { nativeProvider } from "./engines/native/provider.js";
import { referenceProvider } from "./engines/reference/provider.js";
import { tensorflowProvider } from "./engines/tensorflow/provider.js";
import { wasmProvider } from "./engines/wasm/provider.js";
import { EngineError, InputError } from "./errors.js";

/** Every engine there is, in the order in which `mvnfit engines` lists them. */
export const PROVIDERS: readonly EngineProvider[] = [
  referenceProvider,
  nativeProvider,
  wasmProvider,
  cudaProvider,
  tensorflowProvider,
];

/** The engines that `auto` chooses from. */
const CHOICE = ["native", "wasm", "cuda"] as const;

/**
 * The engine that `auto` takes for some work: `cuda` where a device is there and is estimated to be done sooner, transfer included
 * (src/engines/auto.ts), else `native` where there is a library for this machine, and `wasm`, which runs wherever Node runs, where not.
 * MVNFIT_AUTO names one instead.
 *
 * @throws InputError where MVNFIT_AUTO names another
 */
export async function chooseEngine(work?: Workload): Promise<(typeof CHOICE)[number]> {
  const named = pinned();
  if (named !== undefined) {
    const found = CHOICE.find((one) => one === named);
    if (found) return found;
    throw new InputError(`MVNFIT_AUTO must be one of ${CHOICE.join(", ")}, got "${named}"`);
  }
  const onProcessor = (await nativeProvider.probe()).available ? "native" : "wasm";
  if (!work) return onProcessor;
  const seconds = estimates(work);
  if (seconds[onProcessor] <= seconds.cuda) return onProcessor;
  const probe = await cudaProvider.probe();
  return probe.available && !probe.standIn ? "cuda" : onProcessor;
}

/**
 * Opens an engine.
 *
 * @param work what `auto` is to choose for; without it `auto` computes on the processor
 * @throws InputError  for a name that is no engine's, and for devices of an engine that has none
 * @throws EngineError where the engine cannot be had on this machine
 */
export async function openEngine(
  name: EngineName | "auto" = "auto",
  options: EngineOptions = {},
  work?: Workload,
): Promise<Engine> {
  const chosen = name === "auto" ? await chooseEngine(work) : name;
  const provider = PROVIDERS.find((one) => one.name === chosen);
  if (!provider) {
    throw new InputError(`openEngine: engine must be one of auto, ${ENGINE_NAMES.join(", ")}, got "${name}"`);
  }
  if (options.device !== undefined && name !== "cuda") {
    throw new InputError(`openEngine: device goes with the engine cuda, not with ${name}`);
  }
  const probe = await provider.probe();
  if (!probe.available)
    throw new EngineError(`${provider.name}: not available: ${probe.reason}`, probe.remedy);
  return provider.create(options);
}
