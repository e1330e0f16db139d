/* The thread in which a user's module runs: what it throws, prints or never returns from stays in here. */
import { parentPort, workerData } from "node:worker_threads";
import type { Batch } from "../batch.js";
import type { Gradients } from "../gradients.js";
import type { Parameters } from "../parameters.js";
import type { Answer, Assignment } from "../watched-worker.js";
import { FunctionGradients, GradientFault, type GradientFunction } from "./gradient-function.js";

export interface ModuleTask {
  readonly batch: Pick<Batch, "x" | "offsets" | "dims">;
  readonly parameters: Pick<Parameters, "mean" | "factor">;
}

/** What is wrong with the module: of one group, or of the module itself. */
export interface ModuleFailure {
  readonly group?: number;
  readonly what: string;
}

const loading = load((workerData as { module: string }).module);

parentPort?.on("message", async ({ task, steps }: Assignment<ModuleTask>) => {
  parentPort?.postMessage(await answer(task, steps));
});

async function load(module: string): Promise<GradientFunction | ModuleFailure> {
  try {
    const { gradient } = (await import(module)) as { gradient?: unknown };
    if (typeof gradient === "function") return gradient as GradientFunction;
    return {
      what: `exports no function "gradient"; it must export gradient({ x, n, d, mean, factor }), got ${typeof gradient}`,
    };
  } catch (error) {
    return { what: `cannot be loaded: ${error instanceof Error ? error.message : String(error)}` };
  }
}

async function answer(task: ModuleTask, steps: Int32Array): Promise<Answer<Gradients, ModuleFailure>> {
  const gradient = await loading;
  if (typeof gradient !== "function") return { kind: "failure", failure: gradient };
  const gradients = new FunctionGradients(gradient, task.batch, task.parameters);
  try {
    for (let g = 0; g < task.batch.offsets.length - 1; g++) {
      Atomics.store(steps, 0, g + 1); // the group in hand, counted from 1: 0 while the module loads
      await gradients.call(g);
    }
  } catch (error) {
    if (!(error instanceof GradientFault)) throw error;
    return { kind: "failure", failure: { group: error.group, what: error.message } };
  }
  return { kind: "result", result: { J: { mean: gradients.mean, factor: gradients.factor } } };
}
