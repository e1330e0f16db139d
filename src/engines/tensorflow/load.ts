import { createRequire } from "node:module";
import { join } from "node:path";
import type { Probe } from "../../engine.js";
import { EngineError } from "../../errors.js";
import { TensorBackend, type TensorFlow } from "./backend.js";
import { registerFloat64 } from "./float64/backend.js";
import { tensorflowHome } from "./home.js";
import { registerNative } from "./native/backend.js";
import type { Binding } from "./native/binding.js";
import { activeBackend, quietly } from "./quietly.js";

/** In the order in which they are looked for: TensorFlow itself, for a GPU or without, and TensorFlow.js in JavaScript. */
export const PACKAGES = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node", "@tensorflow/tfjs"] as const;

export type Package = (typeof PACKAGES)[number];

const REMEDY =
  "Run mvnfit setup tensorflow, or for TensorFlow.js in JavaScript: npm install @tensorflow/tfjs";

/** The backends that the engine computes on, one for each precision. */
export interface Backends {
  readonly device: string;
  readonly version: string;
  readonly float64: TensorBackend;
  readonly float32: TensorBackend;
}

/** Whether TensorFlow.js can be had, in which form, or why not. */
export async function probe(packages: readonly Package[]): Promise<Probe> {
  const { found, reason } = await find(packages);
  if (!found) return { available: false, reason, remedy: REMEDY };
  const { device, version } = found;
  return { available: true, device, version };
}

export async function openBackends(packages: readonly Package[]): Promise<Backends> {
  const { found, reason } = await find(packages);
  if (!found) throw new EngineError(`tensorflow: not available: ${reason}`, REMEDY);
  return found;
}

interface Search {
  readonly found?: Backends;
  /** what stood in the way of the packages that are not taken */
  readonly reason: string;
}

/** The first of the packages that loads: from where mvnfit is installed, or else from where `mvnfit setup tensorflow` builds. */
async function find(packages: readonly Package[]): Promise<Search> {
  const broken: string[] = [];
  const places = [import.meta.url, join(tensorflowHome(), "package.json")];
  for (const name of packages) {
    for (const place of places) {
      const require = createRequire(place);
      if (!isThere(name, require)) continue;
      try {
        return { found: backendsOf(await loaded(name, require), name, broken), reason: "" };
      } catch (error) {
        broken.push(`${name} does not load: ${(error as Error).message.split("\n")[0].trim()}`);
      }
    }
  }
  const reason = broken.length > 0 ? broken.join("; ") : `none of ${packages.join(", ")} is installed`;
  return { reason };
}

function isThere(name: string, require: NodeJS.Require): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** Loads a package. tfjs-node makes its own backend the active one: one that was active before is so again afterwards. */
async function loaded(name: string, require: NodeJS.Require): Promise<TensorFlow> {
  const before = activeBackend();
  const tf = await quietly(async () => require(name) as TensorFlow);
  // The CPU backend advertises another package on its first tensor.
  await quietly(async () => {
    await tf.ready();
    tf.tensor1d([0]).dispose();
    if (before && tf.getBackend() !== before) await tf.setBackend(before);
  });
  return tf;
}

function backendsOf(tf: TensorFlow, name: Package, broken: readonly string[]): Backends {
  const version = tf.version_core;
  if (name !== "@tensorflow/tfjs") {
    const { binding, isUsingGpuDevice } = tf.engine().findBackend("tensorflow") as unknown as {
      binding: Binding;
      isUsingGpuDevice: boolean;
    };
    const native = (precision: "float64" | "float32") =>
      new TensorBackend(tf, registerNative(tf, binding, precision), precision);
    const device = `TensorFlow ${binding.TF_Version} on ${isUsingGpuDevice ? "a GPU" : "the CPU"} (${name} ${version})`;
    return { device, version, float64: native("float64"), float32: native("float32") };
  }
  const note = broken.length > 0 ? `; ${broken.join("; ")}` : "";
  return {
    device: `TensorFlow.js ${version}: JavaScript (float64), backend ${tf.getBackend()} (float32)${note}`,
    version,
    float64: new TensorBackend(tf, registerFloat64(tf), "float64"),
    // the backend that is active when the engine is made
    float32: new TensorBackend(tf, tf.getBackend(), "float32"),
  };
}
