import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { openEngine } from "../engines.js";
import { InputError } from "../errors.js";
import type { Partner } from "../verification.js";
import type { CheckedOptions } from "./options.js";
import type { GradientSource } from "./source.js";
import { autogradSource, engineSource, finiteDifferenceSource } from "./sources.js";
import { functionSource, moduleSource } from "./user-sources.js";

/** Opens what is to be checked. */
export async function openSubject(options: CheckedOptions): Promise<GradientSource> {
  const { engine, precision, gradient, module, threads, device } = options;
  if (gradient) return functionSource(gradient);
  if (module !== undefined) return moduleSource(await moduleUrl(module));
  if (typeof engine === "object") return engineSource(engine, precision, async () => {});
  const own = await openEngine(engine, {
    ...(threads !== undefined && { threads }),
    ...(device !== undefined && { device }),
  });
  return engineSource(own, precision, () => own.close());
}

/** Where a module is, known to be there. */
async function moduleUrl(module: string | URL): Promise<URL> {
  const url = module instanceof URL ? module : pathToFileURL(resolve(module));
  if (url.protocol !== "file:") throw new InputError(`verify: module must be a file, got ${url.href}`);
  const found = await stat(url).catch(() => undefined);
  if (!found?.isFile()) throw new InputError(`verify: module ${fileURLToPath(url)}: no such file`);
  return url;
}

/** Opens what it is checked against. */
export async function openPartner(name: Partner, options: CheckedOptions): Promise<GradientSource> {
  switch (name) {
    case "autograd":
      return autogradSource(options.autograd);
    case "finite-difference":
      return finiteDifferenceSource(options.richardson);
    case "reference": {
      const engine = await openEngine("reference");
      return engineSource(engine, "float64", () => engine.close());
    }
  }
}
