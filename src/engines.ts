import {
  ENGINE_NAMES,
  type Engine,
  type EngineName,
  type EngineOptions,
  type EngineProvider,
} from "./engine.js";
import { cudaProvider } from "./engines/cuda/provider.js";
import { referenceProvider } from "./engines/reference/provider.js";
import { tensorflowProvider } from "./engines/tensorflow/provider.js";
import { wasmProvider } from "./engines/wasm/provider.js";
import { EngineError, InputError } from "./errors.js";

/** Every engine there is, in the order in which `mvnfit engines` lists them. */
export const PROVIDERS: readonly EngineProvider[] = [
  referenceProvider,
  wasmProvider,
  cudaProvider,
  tensorflowProvider,
];

/**
 * Opens an engine. `auto` takes `wasm`, which runs wherever Node runs.
 *
 * @throws InputError  for a name that is no engine's
 * @throws EngineError where the engine cannot be had on this machine
 */
export async function openEngine(
  name: EngineName | "auto" = "auto",
  options: EngineOptions = {},
): Promise<Engine> {
  const provider = PROVIDERS.find((one) => one.name === (name === "auto" ? "wasm" : name));
  if (!provider) {
    throw new InputError(`openEngine: engine must be one of auto, ${ENGINE_NAMES.join(", ")}, got "${name}"`);
  }
  const probe = await provider.probe();
  if (!probe.available)
    throw new EngineError(`${provider.name}: not available: ${probe.reason}`, probe.remedy);
  return provider.create(options);
}
