import { Autograd } from "../autograd/autograd.js";
import type { AutogradBackend } from "../autograd/worker.js";
import type { Engine } from "../engine.js";
import type { Evaluation } from "../evaluation.js";
import { EQUATIONS, type Gradients } from "../gradients.js";
import type { Precision } from "../methods.js";
import { CENTRAL, finiteDifferences, RICHARDSON } from "./finite-difference.js";
import type { GradientSource } from "./source.js";

/** The gradients of an open engine, by its `evaluate`. */
export function engineSource(
  engine: Engine,
  precision: Precision,
  close: () => Promise<void>,
): GradientSource {
  return {
    name: engine.name,
    device: engine.device,
    accuracy: { precision },
    equations: EQUATIONS,
    async gradients(batch, parameters, _equations, call) {
      await using session = await engine.open(batch, { precision });
      return gradientsOf(await session.evaluate(parameters, call));
    },
    close,
  };
}

function gradientsOf({ dJ1dFactor, dJ2dMean, dJ2dFactor }: Evaluation): Gradients {
  return {
    "7": { factor: dJ1dFactor },
    "9": { mean: dJ2dMean },
    "14": { factor: dJ2dFactor },
    J: {
      mean: dJ2dMean.map((slope) => slope / 2),
      factor: dJ1dFactor.map((slope, e) => (slope + dJ2dFactor[e]) / 2),
    },
  };
}

/** Automatic differentiation of J over the rows by TensorFlow.js. */
export function autogradSource(backend: AutogradBackend): GradientSource {
  const autograd = new Autograd(backend);
  return {
    name: "autograd",
    device: `TensorFlow.js, ${backend}`,
    accuracy: { precision: backend === "float64" ? "float64" : "float32" },
    equations: EQUATIONS,
    gradients(batch, parameters, equations, { signal, timeout, onProgress }) {
      const onStep = (rows: number) =>
        onProgress?.(Math.floor((rows / batch.rows) * batch.groups), batch.groups);
      return autograd.gradients(batch, parameters, equations, { signal, timeout, onStep });
    },
    close: () => autograd.close(),
  };
}

/** Differences of J over the rows. */
export function finiteDifferenceSource(richardson: boolean): GradientSource {
  const rule = richardson ? RICHARDSON : CENTRAL;
  return {
    name: "finite-difference",
    device: "JavaScript, one thread",
    accuracy: { precision: "float64", step: rule },
    equations: EQUATIONS,
    gradients: (batch, parameters, equations, call) =>
      finiteDifferences(batch, parameters, equations, rule, call),
    async close() {},
  };
}
