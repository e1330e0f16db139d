import type { Probe } from "../../engine.js";
import { EngineError } from "../../errors.js";
import { TensorBackend, type TensorFlow } from "./backend.js";
import { registerFloat64 } from "./float64/backend.js";

const REMEDY = "npm install @tensorflow/tfjs";

/** TensorFlow.js as installed beside mvnfit, which is not obliged to bring it. */
async function load(): Promise<TensorFlow> {
  const module = (await import("@tensorflow/tfjs")) as TensorFlow & { default?: TensorFlow };
  return module.default ?? module;
}

/** Whether TensorFlow.js can be had, with which backend, or why not. */
export async function probe(): Promise<Probe> {
  try {
    const tf = await load();
    await tf.ready();
    return { available: true, device: deviceOf(tf), version: tf.version_core };
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND";
    const reason = missing
      ? "the package @tensorflow/tfjs is not installed"
      : `@tensorflow/tfjs cannot be loaded: ${(error as Error).message}`;
    return { available: false, reason, remedy: REMEDY };
  }
}

/** The backends that the engine computes on, one for each precision. */
export interface Backends {
  readonly device: string;
  readonly float64: TensorBackend;
  /** the backend of tfjs that was active when the engine was made */
  readonly float32: TensorBackend;
}

export async function openBackends(): Promise<Backends> {
  const tf = await load().catch((error: unknown) => {
    throw new EngineError("tensorflow: @tensorflow/tfjs cannot be loaded", REMEDY, { cause: error });
  });
  await quietly(tf, () => tf.ready());
  const device = deviceOf(tf);
  const float64 = new TensorBackend(tf, registerFloat64(tf), "float64");
  return { device, float64, float32: new TensorBackend(tf, tf.getBackend(), "float32") };
}

/** In words, once tfjs is ready: before that it has no backend. */
function deviceOf(tf: TensorFlow): string {
  return `TensorFlow.js ${tf.version_core}: JavaScript (float64), backend ${tf.getBackend()} (float32)`;
}

/** The CPU backend advertises another package on its first tensor, unless tfjs is in production mode: it is, for that tensor. */
async function quietly(tf: TensorFlow, start: () => Promise<void>): Promise<void> {
  const before = tf.env().getBool("PROD");
  tf.env().set("PROD", true);
  try {
    await start();
    tf.tensor1d([0]).dispose();
  } finally {
    tf.env().set("PROD", before);
  }
}
