import type { Batch } from "../../batch.js";
import type { Control, Session, Solve } from "../../engine.js";
import { EngineError } from "../../errors.js";
import type { Evaluation } from "../../evaluation.js";
import { Fits } from "../../fits.js";
import { type Precision, ROUNDING_UNIT } from "../../methods.js";
import type { Parameters } from "../../parameters.js";
import { Statistics } from "../../statistics.js";
import type { TensorBackend } from "./backend.js";
import { evaluateAll } from "./evaluate.js";
import { fitAll } from "./fit.js";
import type { Backends } from "./load.js";
import { statisticsOf } from "./statistics.js";

/** One batch, or the statistics of one, on one backend. No tensor outlives a call. */
export class TensorSession implements Session {
  readonly #on: TensorBackend;
  /** float64, where the session's own precision is float32 */
  readonly #exact: TensorBackend | undefined;
  readonly #device: string;
  readonly #source: Batch | Statistics;
  readonly #engineIsOpen: () => boolean;
  #statistics: Statistics | undefined;
  #open = true;

  constructor(
    { device, ...backends }: Backends,
    precision: Precision,
    source: Batch | Statistics,
    engineIsOpen: () => boolean,
  ) {
    this.#on = backends[precision];
    this.#exact = precision === "float32" ? backends.float64 : undefined;
    this.#device = device;
    this.#source = source;
    this.#engineIsOpen = engineIsOpen;
    if (source instanceof Statistics) this.#statistics = source;
  }

  async statistics(control: Control = {}): Promise<Statistics> {
    this.#requireOpen();
    control.signal?.throwIfAborted();
    this.#statistics ??= await statisticsOf(this.#on, this.#source as Batch, control);
    return this.#statistics;
  }

  async evaluate(parameters: Parameters, control: Control = {}): Promise<Evaluation> {
    const statistics = await this.statistics(withoutProgress(control));
    return evaluateAll(this.#on, statistics, parameters, control);
  }

  async fit(solve: Solve, control: Control = {}): Promise<Fits> {
    const statistics = await this.statistics(withoutProgress(control));
    const sumUnit = this.#source instanceof Statistics ? ROUNDING_UNIT.float64 : this.#on.unit;
    const { method, ddof, tolerance } = solve;
    return new Fits(await fitAll({ on: this.#on, exact: this.#exact }, statistics, solve, sumUnit, control), {
      engine: "tensorflow",
      device: this.#device,
      precision: this.#on.precision,
      method,
      ddof,
      tolerance,
      roundingUnit: ROUNDING_UNIT[statistics.dtype],
    });
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #requireOpen(): void {
    if (!this.#engineIsOpen()) throw new EngineError("tensorflow: the engine is closed", "Open another one");
    if (!this.#open) throw new EngineError("tensorflow: the session is closed", "Open another one");
  }
}

/** The moments come first, and unseen: progress counts groups of the call itself. */
const withoutProgress = ({ signal }: Control): Control => (signal ? { signal } : {});
