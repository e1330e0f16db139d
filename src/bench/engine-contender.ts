import type { Batch } from "../batch.js";
import type { Engine, Solve } from "../engine.js";
import { fit } from "../fit.js";
import type { Fits } from "../fits.js";
import { DEFAULT_MAX_ITERATIONS, DEFAULT_TOLERANCE, type Method, type Precision } from "../methods.js";
import type { Status } from "../status.js";
import { compare, type Expected, toleranceFor } from "./check.js";
import { type Contender, clocked, type Times, type Verdict } from "./contender.js";
import type { RowsIn } from "./result.js";
import { placed } from "./workload.js";

/** The task of a case. */
export interface Task {
  readonly rows: Batch;
  readonly method: Method;
  readonly precision: Precision;
  readonly signal?: AbortSignal;
}

/** One engine with the rows in one place. */
export class EngineContender implements Contender {
  readonly kind = "engine";
  readonly name: string;
  readonly form: RowsIn;
  readonly from = "rows";
  /** Of the run that was checked. */
  fits: Fits | undefined;
  readonly #engine: Engine;
  readonly #task: Task;
  readonly #expected: Expected;
  #held: { batch: Batch; release(): void } | undefined;
  /** The same rows in the engine's memory: what the moments take without a transfer. */
  #resident: { batch: Batch; release(): void } | undefined;

  constructor(engine: Engine, form: RowsIn, task: Task, expected: Expected) {
    this.name = engine.name;
    this.form = form;
    this.#engine = engine;
    this.#task = task;
    this.#expected = expected;
  }

  async check(): Promise<Verdict> {
    const { rows, precision } = this.#task;
    this.#resident = placed(rows, "engine", this.#engine);
    this.#held = this.form === "engine" ? this.#resident : placed(rows, this.form, this.#engine);
    const { ms, value: fits } = await clocked(() => this.#fit());
    const compared = compare(fits, this.#expected, toleranceFor(precision), rows.groups);
    const checked = { ...compared, failure: compared.failure ?? this.#wrongStatus(fits) };
    if (checked.failure === null) this.fits = fits;
    return { checked, counts: fits.counts, ms };
  }

  /** Results are given back as soon as they are there, as in a loop of fits: peers' arrays are freed between runs too. */
  async time(): Promise<Times> {
    const total = await clocked(() => this.#fit());
    total.value.release();
    const own = await this.#parts(this.#held);
    if (this.form === "engine")
      return { total: total.ms, transfer: own.opening, moments: own.statistics, solve: own.solve };
    const resident = await this.#parts(this.#resident);
    const transfer = own.opening + Math.max(0, own.statistics - resident.statistics);
    return { total: total.ms, transfer, moments: resident.statistics, solve: own.solve };
  }

  async close(): Promise<void> {
    this.#held?.release();
    if (this.#held !== this.#resident) this.#resident?.release();
    this.#held = undefined;
    this.#resident = undefined;
    this.fits = undefined;
  }

  /** Every group has a fit (see shape.ts): the closed form must say so, and an iterative method may fall short of it, not deny it. */
  #wrongStatus({ status }: Fits): string | null {
    const possible: readonly Status[] =
      this.#task.method === "closed-form" ? ["converged"] : ["converged", "max-iterations", "stalled"];
    const group = status.findIndex((one) => !possible.includes(one));
    return group < 0 ? null : `group ${group}: status is ${status[group]}, reference gives converged`;
  }

  #fit(): Promise<Fits> {
    const { method, precision, signal } = this.#task;
    const { batch } = this.#held!;
    return fit(batch, { engine: this.#engine, method, precision, ...(signal && { signal }) });
  }

  async #parts(held: { batch: Batch } | undefined) {
    const { method, precision, signal } = this.#task;
    const control = signal ? { signal } : {};
    const solve: Solve = {
      method,
      ddof: 0,
      start: "default",
      tolerance: DEFAULT_TOLERANCE[precision],
      maxIterations: DEFAULT_MAX_ITERATIONS,
    };
    const { ms: opening, value: session } = await clocked(() =>
      this.#engine.open(held!.batch, { precision }),
    );
    try {
      const statistics = await clocked(() => session.statistics(control));
      const fits = await clocked(() => session.fit(solve, control));
      fits.value.release();
      return { opening, statistics: statistics.ms, solve: fits.ms };
    } finally {
      await session.close();
    }
  }
}
