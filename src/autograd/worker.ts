/* The thread in which TensorFlow.js differentiates: its active backend is global, so the caller's tfjs is not the one used here. */
import { parentPort } from "node:worker_threads";
import { Batch } from "../batch.js";
import type { Equation, Gradients } from "../gradients.js";
import { Parameters } from "../parameters.js";
import type { Answer, Assignment } from "../watched-worker.js";
import { registerFloat64 } from "./float64.js";
import { differentiate } from "./gradients.js";
import * as tf from "./tfjs.js";

/** What crosses to this thread: the plain arrays of a batch and of parameters. */
export interface DifferentiationTask {
  readonly batch: Pick<Batch, "x" | "offsets" | "dims" | "weights">;
  readonly parameters: Pick<Parameters, "mean" | "factor">;
  readonly equations: readonly Equation[];
  readonly backend: AutogradBackend;
}

/** `float64` is ours, `cpu` tfjs's own in float32. */
export type AutogradBackend = "float64" | "cpu";

tf.enableProdMode(); // no advertisement on the console
registerFloat64();

parentPort?.on("message", async ({ task, steps }: Assignment<DifferentiationTask>) => {
  parentPort?.postMessage(await answer(task, steps));
});

async function answer(task: DifferentiationTask, steps: Int32Array): Promise<Answer<Gradients, string>> {
  try {
    await tf.setBackend(task.backend);
    const { x, offsets, dims, weights } = task.batch;
    const batch = Batch.fromOffsets(x, offsets, weights ? { dims, weights } : { dims });
    const parameters = Parameters.from(task.parameters, batch);
    const result = differentiate(batch, parameters, task.equations, (rows) => {
      Atomics.store(steps, 0, rows);
    });
    return { kind: "result", result };
  } catch (error) {
    return { kind: "failure", failure: error instanceof Error ? error.message : String(error) };
  }
}
