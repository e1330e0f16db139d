import type { Batch } from "../batch.js";
import { EngineError } from "../errors.js";
import type { Equation, Gradients } from "../gradients.js";
import type { Parameters } from "../parameters.js";
import { type Watch, WatchedWorker } from "../watched-worker.js";
import type { AutogradBackend, DifferentiationTask } from "./worker.js";

/**
 * TensorFlow.js as the differentiator of J over the rows, in a worker thread of its own: the caller's tfjs, if any, keeps its backend
 * and its tensors.
 */
export class Autograd {
  readonly #backend: AutogradBackend;
  readonly #worker = new WatchedWorker<DifferentiationTask, Gradients>(
    new URL("./worker.js", import.meta.url),
  );

  constructor(backend: AutogradBackend = "float64") {
    this.#backend = backend;
  }

  /**
   * The gradients of J₁, J₂ and J, eqs. (2) to (4), at the parameters, for the equations asked for.
   *
   * @param watch `onStep` is told the rows done so far
   * @throws EngineError where the thread broke, or made no progress within the time limit
   */
  async gradients(
    batch: Batch,
    parameters: Parameters,
    equations: readonly Equation[],
    watch: Watch,
  ): Promise<Gradients> {
    const { x, offsets, dims, weights } = batch;
    const { mean, factor } = parameters;
    const task = {
      batch: { x, offsets, dims, weights },
      parameters: { mean, factor },
      equations,
      backend: this.#backend,
    };
    const end = await this.#worker.run(task, watch);
    switch (end.kind) {
      case "result":
        return end.result;
      case "failure":
        throw new EngineError(`autograd: ${end.failure}`, "");
      case "timeout":
        throw new EngineError(
          `autograd: made no progress within ${watch.timeout} s after ${end.steps} of ${batch.rows} rows`,
          "Allow more time",
        );
      case "error":
        throw new EngineError(`autograd: its thread broke: ${end.error.message}`, "", { cause: end.error });
      case "exit":
        throw new EngineError(`autograd: its thread ended with code ${end.code}`, "");
    }
  }

  close(): Promise<void> {
    return this.#worker.close();
  }
}
