import type { Batch } from "../../batch.js";
import type { Control, Session, Solve, Start } from "../../engine.js";
import { EngineError } from "../../errors.js";
import { Evaluation } from "../../evaluation.js";
import { Fits } from "../../fits.js";
import { ROUNDING_UNIT } from "../../methods.js";
import type { Parameters } from "../../parameters.js";
import { Statistics } from "../../statistics.js";
import { statusCode } from "../../status.js";
import { eachGroup } from "../../turns.js";
import { evaluateMoments, evaluateRows } from "./evaluate.js";
import { fitGroup } from "./fit.js";
import { type Moments, moments } from "./moments.js";
import { rowsOf } from "./rows.js";

export const DEVICE = "JavaScript, one thread";

/** One batch, or the statistics of one, group after group. */
export class ReferenceSession implements Session {
  readonly #source: Batch | Statistics;
  readonly #engineIsOpen: () => boolean;
  #statistics: Statistics | undefined;
  #open = true;

  constructor(source: Batch | Statistics, engineIsOpen: () => boolean) {
    this.#source = source;
    this.#engineIsOpen = engineIsOpen;
    if (source instanceof Statistics) this.#statistics = source;
  }

  async statistics(control: Control = {}): Promise<Statistics> {
    this.#requireOpen();
    control.signal?.throwIfAborted();
    this.#statistics ??= await momentsOf(this.#source as Batch, control);
    return this.#statistics;
  }

  async evaluate(parameters: Parameters, control: Control = {}): Promise<Evaluation> {
    this.#requireOpen();
    const { groups, dims: d } = this.#source;
    const at = {
      dims: d,
      groups,
      j1: new Float64Array(groups),
      j2: new Float64Array(groups),
      objective: new Float64Array(groups),
      dJ1dFactor: new Float64Array(groups * d * d),
      dJ2dMean: new Float64Array(groups * d),
      dJ2dFactor: new Float64Array(groups * d * d),
      statusCode: new Uint8Array(groups),
    };
    await eachGroup(groups, control, (g) => {
      const { mean, factor } = pointOf(parameters, g);
      const one =
        this.#source instanceof Statistics
          ? evaluateMoments(groupOf(this.#source, g), mean, factor)
          : evaluateRows(rowsOf(this.#source, g), mean, factor);
      at.j1[g] = one.j1;
      at.j2[g] = one.j2;
      at.objective[g] = one.objective;
      at.dJ1dFactor.set(one.dJ1dFactor, g * d * d);
      at.dJ2dMean.set(one.dJ2dMean, g * d);
      at.dJ2dFactor.set(one.dJ2dFactor, g * d * d);
      at.statusCode[g] = one.statusCode;
    });
    return new Evaluation(at);
  }

  async fit(solve: Solve, control: Control = {}): Promise<Fits> {
    const { signal } = control;
    const statistics = await this.statistics(signal ? { signal } : {});
    const { groups, dims: d, dtype } = statistics;
    const roundingUnit = ROUNDING_UNIT[dtype];
    const fields = {
      dims: d,
      groups,
      count: statistics.count.slice(),
      weight: statistics.weight.slice(),
      mean: new Float64Array(groups * d),
      covariance: new Float64Array(groups * d * d),
      factor: new Float64Array(groups * d * d),
      logLikelihood: new Float64Array(groups),
      residual: new Float64Array(groups),
      gap: new Float64Array(groups),
      iterations: new Int32Array(groups),
      statusCode: new Uint8Array(groups),
    };
    await eachGroup(groups, control, (g) => {
      const start = startOf(solve.start, g);
      const one = fitGroup(groupOf(statistics, g), { ...solve, start, roundingUnit });
      fields.mean.set(one.mean, g * d);
      fields.covariance.set(one.covariance, g * d * d);
      fields.factor.set(one.factor, g * d * d);
      fields.logLikelihood[g] = one.logLikelihood;
      fields.residual[g] = one.residual;
      fields.gap[g] = one.gap;
      fields.iterations[g] = one.iterations;
      fields.statusCode[g] = statusCode(one.status);
    });
    const { method, ddof, tolerance } = solve;
    return new Fits(fields, {
      engine: "reference",
      device: DEVICE,
      precision: "float64",
      method,
      ddof,
      tolerance,
      roundingUnit,
    });
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #requireOpen(): void {
    if (!this.#engineIsOpen()) throw new EngineError("reference: the engine is closed", "Open another one");
    if (!this.#open) throw new EngineError("reference: the session is closed", "Open another one");
  }
}

async function momentsOf(batch: Batch, control: Control): Promise<Statistics> {
  const { groups, dims: d, dtype } = batch;
  const fields = {
    dims: d,
    groups,
    dtype,
    count: new Float64Array(groups),
    weight: new Float64Array(groups),
    mean: new Float64Array(groups * d),
    scatter: new Float64Array(groups * d * d),
  };
  await eachGroup(groups, control, (g) => {
    const group = moments(rowsOf(batch, g), d);
    fields.count[g] = group.count;
    fields.weight[g] = group.weight;
    fields.mean.set(group.mean, g * d);
    fields.scatter.set(group.scatter, g * d * d);
  });
  return Statistics.from(fields);
}

function groupOf({ dims: d, count, weight, mean, scatter }: Statistics, g: number): Moments {
  return {
    count: count[g],
    weight: weight[g],
    mean: mean.slice(g * d, (g + 1) * d),
    scatter: scatter.slice(g * d * d, (g + 1) * d * d),
  };
}

function pointOf({ dims: d, mean, factor }: Parameters, g: number) {
  return { mean: mean.slice(g * d, (g + 1) * d), factor: factor.slice(g * d * d, (g + 1) * d * d) };
}

const startOf = (start: Start, g: number) => (typeof start === "object" ? pointOf(start, g) : start);
