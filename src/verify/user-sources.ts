import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { EngineError } from "../errors.js";
import type { Gradients } from "../gradients.js";
import { eachGroup } from "../turns.js";
import { type Breakdown, WatchedWorker } from "../watched-worker.js";
import { FunctionGradients, GradientFault, type GradientFunction } from "./gradient-function.js";
import type { ModuleFailure, ModuleTask } from "./module-worker.js";
import type { GradientSource, SourceCall } from "./source.js";

/** What a user's own gradient did instead of giving one. */
export class GradientError extends EngineError {
  override name = "GradientError";
}

/** A user's function, called in this thread: it cannot be ended where it never returns. */
export function functionSource(gradient: GradientFunction): GradientSource {
  return {
    name: gradient.name || "gradient",
    device: "JavaScript, this thread",
    accuracy: { precision: "float64" },
    equations: ["J"],
    async gradients(batch, parameters, _equations, { signal, onProgress, nameOf }) {
      const gradients = new FunctionGradients(gradient, batch, parameters);
      try {
        await eachGroup(batch.groups, { ...(signal && { signal }), ...(onProgress && { onProgress }) }, (g) =>
          gradients.call(g),
        );
      } catch (error) {
        if (!(error instanceof GradientFault)) throw error;
        throw new GradientError(`gradient(): at ${nameOf(error.group)}: ${error.message}`, "", {
          cause: error.cause,
        });
      }
      return { J: { mean: gradients.mean, factor: gradients.factor } };
    },
    async close() {},
  };
}

/** A user's module, called in a thread that ends with it. What the module prints goes to stderr. */
export function moduleSource(url: URL): GradientSource {
  const path = relative(process.cwd(), fileURLToPath(url));
  const name = path.startsWith("..") ? fileURLToPath(url) : path;
  const worker = new WatchedWorker<ModuleTask, Gradients, ModuleFailure>(
    new URL("./module-worker.js", import.meta.url),
    { workerData: { module: url.href }, stdout: true },
  );
  return {
    name,
    device: "JavaScript, a thread of its own",
    accuracy: { precision: "float64" },
    equations: ["J"],
    async gradients({ x, offsets, dims, groups }, { mean, factor }, _equations, call) {
      const end = await worker.run(
        { batch: { x, offsets, dims }, parameters: { mean, factor } },
        {
          signal: call.signal,
          timeout: call.timeout,
          onStep: (g) => call.onProgress?.(g - 1, groups),
        },
      );
      if (end.kind === "result") return end.result;
      throw end.kind === "failure" ? failed(name, end.failure, call) : brokeDown(name, end, call);
    },
    close: () => worker.close(),
  };
}

function failed(name: string, { group, what }: ModuleFailure, { nameOf }: SourceCall): GradientError {
  if (group === undefined) return new GradientError(`${name}: ${what}`, "");
  return new GradientError(`${name}: at ${nameOf(group)}: gradient() ${what}`, "");
}

function brokeDown(name: string, end: Breakdown, { nameOf, timeout }: SourceCall): GradientError {
  const where = end.steps === 0 ? "while it was loaded" : `at ${nameOf(end.steps - 1)}`;
  switch (end.kind) {
    case "timeout": {
      const what = end.steps === 0 ? "was not loaded" : `gradient() did not return`;
      return new GradientError(
        `${name}: ${where}: ${what} within ${timeout} s`,
        "Allow more time where it is only slow",
      );
    }
    case "exit":
      return new GradientError(`${name}: ${where}: it ended its thread, with code ${end.code}`, "");
    case "error":
      return new GradientError(`${name}: ${where}: its thread broke: ${end.error.message}`, "");
  }
}
