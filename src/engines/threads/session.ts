import type { Batch } from "../../batch.js";
import type { Control, Session, SessionOptions, Solve } from "../../engine.js";
import { EngineError, InputError } from "../../errors.js";
import { Evaluation } from "../../evaluation.js";
import { Fits } from "../../fits.js";
import { methodCode, PRECISIONS, type Precision, ROUNDING_UNIT } from "../../methods.js";
import type { Parameters } from "../../parameters.js";
import { Statistics } from "../../statistics.js";
import { COUNTS, EVALUATION, FITS, type Fields, type PARAMETERS, STATISTICS } from "../fields.js";
import { Calls } from "../queue.js";
import { ResidentBatch } from "../resident_batch.js";
import { isLight, performLightly } from "./light.js";
import type { Call, Machine } from "./machine.js";
import { planGroups } from "./plan.js";
import { requireWhole, rowsOf } from "./rows.js";
import { sharedCopy } from "./shared.js";
import { allocateFields, arraysOf, type Span, type Spans } from "./spans.js";
import type { EvaluateTask, FitTask } from "./task.js";
import { workspaceGroupBytes } from "./workspace.js";

type StatisticsSpans = Spans<typeof STATISTICS>;
type CountSpans = Spans<typeof COUNTS>;
type ParameterSpans = Spans<typeof PARAMETERS>;

/** One batch, or its statistics. Rows are read once: the statistics stay where the workers see them. */
export class ThreadsSession implements Session {
  readonly #machine: Machine;
  readonly #source: Batch | Statistics;
  readonly #precision: Precision;
  /** Whether statistics are kept for a next call. */
  readonly #keeps: boolean;
  /** Whether statistics handed out are still the session's. */
  readonly #lends: boolean;
  /** Once they are known. */
  #statistics: StatisticsSpans | undefined;
  /** What of them goes back to the reserve when the session closes: nothing that a user has been handed. */
  #borrowed: SharedArrayBuffer[] = [];
  readonly #calls: Calls;

  private constructor(machine: Machine, source: Batch | Statistics, options: Required<SessionOptions>) {
    this.#machine = machine;
    this.#calls = new Calls(machine);
    this.#source = source;
    this.#precision = options.precision;
    this.#keeps = !options.once;
    this.#lends = options.lend;
  }

  static async open(
    machine: Machine,
    source: Batch | Statistics,
    options: Required<SessionOptions>,
  ): Promise<ThreadsSession> {
    const session = new ThreadsSession(machine, source, options);
    if (source instanceof Statistics) await session.#takeOver(source);
    return session;
  }

  statistics(control: Control = {}): Promise<Statistics> {
    return this.#calls.run("statistics", control, async () => {
      if (!this.#statistics) await this.#perform(undefined, control);
      if (!this.#statistics) throw new EngineError(`${this.#machine.engine}: the statistics are missing`, "");
      const { dims, groups, dtype } = this.#source;
      if (!this.#lends) this.#borrowed = [];
      return Statistics.from({
        dims,
        groups,
        dtype,
        ...arraysOf(STATISTICS, this.#statistics, groups, dims),
      });
    });
  }

  evaluate(parameters: Parameters, control: Control = {}): Promise<Evaluation> {
    return this.#calls.run("evaluate", control, () =>
      this.#withParameters("evaluate", parameters, async (at) => {
        const { dims, groups } = this.#source;
        const results = allocateFields(EVALUATION, groups, dims);
        const precision = PRECISIONS.indexOf(this.#precision);
        await this.#perform({ kind: "evaluate", precision, parameters: at, results }, control);
        return new Evaluation({ dims, groups, ...arraysOf(EVALUATION, results, groups, dims) });
      }),
    );
  }

  fit(solve: Solve, control: Control = {}): Promise<Fits> {
    const { start } = solve;
    const task = (at?: ParameterSpans): Promise<Fits> => this.#fit(solve, at, control);
    return this.#calls.run("fit", control, () =>
      typeof start === "object" ? this.#withParameters("fit", start, task) : task(),
    );
  }

  close(): Promise<void> {
    return this.#calls.close(() => {
      for (const buffer of this.#borrowed) this.#machine.reserve.give(buffer);
      this.#statistics = undefined;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #fit(solve: Solve, parameters: ParameterSpans | undefined, control: Control): Promise<Fits> {
    const { dims, groups, dtype } = this.#source;
    const { method, ddof, tolerance, maxIterations } = solve;
    const epsilon = ROUNDING_UNIT[dtype];
    const results = this.#room(FITS);
    const start = parameters ? 2 : solve.start === "identity" ? 1 : 0;
    const counts = await this.#perform(
      {
        kind: "fit",
        precision: PRECISIONS.indexOf(this.#precision),
        method: methodCode(method),
        start,
        ...(parameters && { parameters }),
        ddof,
        tolerance,
        maxIterations,
        epsilon,
        results,
      },
      control,
    );
    // Count and weight belong to the session where it is kept; all else is this result's alone.
    const own = Object.values<Span>(this.#statistics ? results : { ...counts, ...results });
    return new Fits(
      { dims, groups, ...arraysOf(COUNTS, counts, groups, dims), ...arraysOf(FITS, results, groups, dims) },
      {
        engine: this.#machine.engine,
        device: this.#machine.device,
        precision: this.#precision,
        method,
        ddof,
        tolerance,
        roundingUnit: epsilon,
      },
      () => {
        for (const { buffer } of own) this.#machine.reserve.give(buffer);
      },
    );
  }

  /** Has the workers solve all groups, from the statistics or, where there are none yet, from the rows. */
  async #perform(solver: FitTask | EvaluateTask | undefined, control: Control): Promise<CountSpans> {
    const machine = this.#machine;
    const { dims, groups } = this.#source;
    const own = workspaceGroupBytes(dims, solver);
    const solving = solver ? machine.scratchBytes(scratchOf(solver), dims) : 0;
    if (this.#statistics) {
      const task: Call["task"] = {
        dims,
        groups,
        statistics: this.#statistics,
        scratch: solving,
        ...(solver && { solver }),
      };
      if (isLight(machine, task)) await performLightly(machine, task, control);
      else await machine.perform({ task, plan: planGroups(groups, own, machine.threads) }, control);
      return this.#statistics;
    }
    const batch = this.#source as Batch;
    const { plan, rows, fed } = rowsOf(machine, batch, this.#precision, own);
    const summing = machine.scratchBytes((kernels, d) => kernels.moments_scratch(rows.rowType, d), dims);
    const kept = this.#keeps || !solver ? this.#room(STATISTICS) : undefined;
    const statistics = kept ?? this.#room(COUNTS);
    const scratch = Math.max(summing, solving);
    const letGo = batch instanceof ResidentBatch ? batch.hold() : undefined;
    try {
      await machine.perform(
        { task: { dims, groups, statistics, rows, scratch, ...(solver && { solver }) }, plan, fed },
        control,
      );
      requireWhole(batch);
    } finally {
      letGo?.();
    }
    this.#statistics = kept;
    // Count and weight are handed out with every result, the others seldom.
    this.#borrowed = kept ? [kept.mean.buffer, kept.scatter.buffer] : [];
    return statistics;
  }

  /** Memory for the results of a call, which becomes the reserve's again if it is ever given back. */
  #room<F extends Fields>(fields: F): Spans<F> {
    const { dims, groups } = this.#source;
    return allocateFields(fields, groups, dims, (bytes, name) => this.#machine.reserve.take(bytes, name));
  }

  /** Statistics that the session was opened on, where the workers see them. */
  async #takeOver(statistics: Statistics): Promise<void> {
    const { reserve } = this.#machine;
    const spans = {
      count: await sharedCopy(statistics.count, reserve, "count"),
      weight: await sharedCopy(statistics.weight, reserve, "weight"),
      mean: await sharedCopy(statistics.mean, reserve, "mean"),
      scatter: await sharedCopy(statistics.scatter, reserve, "scatter"),
    };
    this.#statistics = spans;
    if (spans.mean.buffer !== statistics.mean.buffer) this.#borrowed.push(spans.mean.buffer);
    if (spans.scatter.buffer !== statistics.scatter.buffer) this.#borrowed.push(spans.scatter.buffer);
  }

  /** Runs `work` with the parameters where the workers see them. */
  async #withParameters<T>(
    place: string,
    parameters: Parameters,
    work: (at: ParameterSpans) => Promise<T>,
  ): Promise<T> {
    const { dims, groups } = this.#source;
    if (parameters.dims !== dims || parameters.groups !== groups) {
      throw new InputError(
        `${place}: parameters must be of ${groups} groups × ${dims} dims, got ${parameters.groups} × ${parameters.dims}`,
      );
    }
    const { reserve } = this.#machine;
    const mean = await sharedCopy(parameters.mean, reserve, "mean");
    const factor = await sharedCopy(parameters.factor, reserve, "factor");
    try {
      return await work({ mean, factor });
    } finally {
      if (mean.buffer !== parameters.mean.buffer) reserve.give(mean.buffer);
      if (factor.buffer !== parameters.factor.buffer) reserve.give(factor.buffer);
    }
  }
}

const scratchOf =
  (solver: FitTask | EvaluateTask) =>
  (kernels: Machine["kernels"], dims: number): number =>
    solver.kind === "fit"
      ? kernels.fit_scratch(solver.precision, solver.method, dims)
      : kernels.evaluate_scratch(solver.precision, dims);
