import type { Batch } from "../../src/batch.js";
import type { Engine, Session } from "../../src/engine.js";
import { EngineError } from "../../src/errors.js";
import { Evaluation } from "../../src/evaluation.js";
import type { Parameters } from "../../src/parameters.js";

/** One group and its parameters. */
export interface GroupAt {
  readonly g: number;
  /** [n, d] */
  readonly x: Float64Array;
  readonly n: number;
  readonly d: number;
  readonly mean: Float64Array;
  readonly factor: Float64Array;
}

/** (7), (9) and (14) of one group. */
export interface GroupGradients {
  readonly dJ1dFactor: Float64Array;
  readonly dJ2dMean: Float64Array;
  readonly dJ2dFactor: Float64Array;
}

/** An engine that evaluates by a formula of the test's own, right or wrong, and can do nothing else. */
export function engineOf(formula: (group: GroupAt) => GroupGradients): Engine {
  const cannot = (): never => {
    throw new EngineError("an engine of a test", "It only evaluates");
  };
  return {
    name: "wasm",
    device: "a formula of a test",
    allocate: cannot,
    open: async (source): Promise<Session> => ({
      statistics: cannot,
      fit: cannot,
      evaluate: async (parameters) => evaluationOf(source as Batch, parameters, formula),
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    }),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

function evaluationOf(
  { groups, dims: d, offsets, x }: Batch,
  { mean, factor }: Parameters,
  formula: (group: GroupAt) => GroupGradients,
): Evaluation {
  const zeros = (size: number) => new Float64Array(size);
  const evaluation = new Evaluation({
    dims: d,
    groups,
    j1: zeros(groups),
    j2: zeros(groups),
    objective: zeros(groups),
    dJ1dFactor: zeros(groups * d * d),
    dJ2dMean: zeros(groups * d),
    dJ2dFactor: zeros(groups * d * d),
    statusCode: new Uint8Array(groups),
  });
  for (let g = 0; g < groups; g++) {
    const gradients = formula({
      g,
      x: Float64Array.from(x.subarray(offsets[g] * d, offsets[g + 1] * d)),
      n: offsets[g + 1] - offsets[g],
      d,
      mean: mean.slice(g * d, (g + 1) * d),
      factor: factor.slice(g * d * d, (g + 1) * d * d),
    });
    evaluation.dJ1dFactor.set(gradients.dJ1dFactor, g * d * d);
    evaluation.dJ2dMean.set(gradients.dJ2dMean, g * d);
    evaluation.dJ2dFactor.set(gradients.dJ2dFactor, g * d * d);
  }
  return evaluation;
}
