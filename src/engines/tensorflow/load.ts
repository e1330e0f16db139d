import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Probe } from "../../engine.js";
import { EngineError } from "../../errors.js";
import { TensorBackend, type TensorFlow } from "./backend.js";
import { registerFloat64 } from "./float64/backend.js";
import { tensorflowHome } from "./home.js";
import { registerNative } from "./native/backend.js";
import type { Binding } from "./native/binding.js";

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
  const places = [import.meta.url, pathToFileURL(join(tensorflowHome(), "package.json")).href];
  for (const name of packages) {
    for (const place of places) {
      const file = resolved(name, place);
      if (!file) continue;
      try {
        const tf = await imported(file);
        return { found: await backendsOf(tf, name, broken), reason: "" };
      } catch (error) {
        broken.push(`${name} does not load: ${(error as Error).message.split("\n")[0].trim()}`);
      }
    }
  }
  const reason = broken.length > 0 ? broken.join("; ") : `none of ${packages.join(", ")} is installed`;
  return { reason };
}

function resolved(name: string, place: string): string | undefined {
  try {
    return createRequire(place).resolve(name);
  } catch {
    return undefined;
  }
}

/** Loads a package. tfjs-node makes its own backend the active one: one that was active before is so again afterwards. */
async function imported(file: string): Promise<TensorFlow> {
  const before = activeBackend();
  const restore = settled();
  try {
    const module = (await import(pathToFileURL(file).href)) as TensorFlow & { default?: TensorFlow };
    const tf = module.default ?? module;
    await tf.ready();
    if (before && tf.getBackend() !== before) await tf.setBackend(before);
    return tf;
  } finally {
    restore();
  }
}

/** All copies of tfjs in a process share one engine, which lies here. */
function activeBackend(): string | undefined {
  return (globalThis as { _tfengine?: { backendName?: string } })._tfengine?.backendName;
}

/**
 * What TensorFlow reads of the environment when it loads: to say nothing on stderr of what it finds, and to take the same code for
 * float32 as for float64, whose bits do not depend on how many groups go together. What a user has set stays.
 */
const SETTINGS = { TF_CPP_MIN_LOG_LEVEL: "2", TF_ENABLE_ONEDNN_OPTS: "0" };

/** Makes these settings where there are none. Returns how to undo that. */
function settled(): () => void {
  const made = Object.entries(SETTINGS).filter(([name]) => process.env[name] === undefined);
  for (const [name, value] of made) process.env[name] = value;
  return () => {
    for (const [name] of made) delete process.env[name];
  };
}

async function backendsOf(tf: TensorFlow, name: Package, broken: readonly string[]): Promise<Backends> {
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
  await quietly(tf);
  const note = broken.length > 0 ? `; ${broken.join("; ")}` : "";
  return {
    device: `TensorFlow.js ${version}: JavaScript (float64), backend ${tf.getBackend()} (float32)${note}`,
    version,
    float64: new TensorBackend(tf, registerFloat64(tf), "float64"),
    // the backend that is active when the engine is made
    float32: new TensorBackend(tf, tf.getBackend(), "float32"),
  };
}

/** The CPU backend advertises another package on its first tensor, unless tfjs is in production mode: it is, for that tensor. */
async function quietly(tf: TensorFlow): Promise<void> {
  const before = tf.env().getBool("PROD");
  tf.env().set("PROD", true);
  try {
    tf.tensor1d([0]).dispose();
  } finally {
    tf.env().set("PROD", before);
  }
}
