import { explain } from "./explain.js";
import type { Method, Precision } from "./methods.js";
import { STATUSES, type Status } from "./status.js";

/** How fits were made. */
export interface FitsOrigin {
  readonly engine: string;
  readonly device: string;
  readonly precision: Precision;
  readonly method: Method;
  readonly ddof: 0 | 1;
  /** The tolerance on the residual that `converged` refers to */
  readonly tolerance: number;
  /** The rounding unit of the rows as stored: what the rank test takes for noise */
  readonly roundingUnit: number;
}

/** The arrays of `Fits`, as engines write them. */
export interface FitsFields {
  readonly dims: number;
  readonly groups: number;
  /** [B]: rows of positive weight */
  readonly count: Float64Array;
  /** [B]: W = Σ wᵢ, equal to the count where there are no weights */
  readonly weight: Float64Array;
  /** [B, d]: μ, in the units of the data */
  readonly mean: Float64Array;
  /** [B, d, d], symmetric: S, in squared units of the data */
  readonly covariance: Float64Array;
  /** [B, d, d]: the lower triangular Cholesky factor of S, positive diagonal; NaN where there is none */
  readonly factor: Float64Array;
  /** [B]: log P(X | μ, Λ), eq. (1), in nats; NaN where there is no factor */
  readonly logLikelihood: Float64Array;
  /**
   * [B]: r = max(‖I − W‖_F, ‖Λᵀ ∂J/∂μ‖/n); 0 at the optimum, unchanged by any affine change of the data. The closed form of engine
   * `native` and `wasm` state upper bounds of it and of the gap from d = 24 on (docs/methods.md).
   */
  readonly residual: Float64Array;
  /** [B]: (J − J*)/n ≥ 0, the exact distance to the global optimum in nats per row */
  readonly gap: Float64Array;
  /** [B] */
  readonly iterations: Int32Array;
  /** [B]: codes of status.ts */
  readonly statusCode: Uint8Array;
}

/** A mean and a covariance for each group, and how each was come by. One group's trouble is a status and harms no other. */
export class Fits implements FitsFields {
  readonly dims: number;
  readonly groups: number;
  readonly count: Float64Array;
  readonly weight: Float64Array;
  readonly mean: Float64Array;
  readonly covariance: Float64Array;
  readonly factor: Float64Array;
  readonly logLikelihood: Float64Array;
  readonly residual: Float64Array;
  readonly gap: Float64Array;
  readonly iterations: Int32Array;
  readonly statusCode: Uint8Array;
  readonly origin: FitsOrigin;
  #status: readonly Status[] | undefined;
  #aic: Float64Array | undefined;
  #bic: Float64Array | undefined;
  #giveBack: (() => void) | undefined;

  /** @param giveBack how the arrays' memory returns to the engine, where it can */
  constructor(fields: FitsFields, origin: FitsOrigin, giveBack?: () => void) {
    this.dims = fields.dims;
    this.groups = fields.groups;
    this.count = fields.count;
    this.weight = fields.weight;
    this.mean = fields.mean;
    this.covariance = fields.covariance;
    this.factor = fields.factor;
    this.logLikelihood = fields.logLikelihood;
    this.residual = fields.residual;
    this.gap = fields.gap;
    this.iterations = fields.iterations;
    this.statusCode = fields.statusCode;
    this.origin = origin;
    this.#giveBack = giveBack;
  }

  /**
   * Gives the memory of the arrays back to the engine, whose next results are then written over them: leave them alone from then
   * on. Never needed, but in a loop of fits the engine writes to memory that it has, several times as fast as to fresh memory.
   * A second time does nothing, and so does the first with an engine that keeps no memory.
   */
  release(): void {
    this.#giveBack?.();
    this.#giveBack = undefined;
  }

  /** [B]: how each fit ended, in words */
  get status(): readonly Status[] {
    this.#status ??= Array.from(this.statusCode, (code) => STATUSES[code]);
    return this.#status;
  }

  /** k = d(d+3)/2, the free parameters of a group */
  get freeParameters(): number {
    return (this.dims * (this.dims + 3)) / 2;
  }

  /** [B]: Akaike's criterion 2k − 2ℓ; NaN where there is no likelihood */
  get aic(): Float64Array {
    const k = this.freeParameters;
    this.#aic ??= this.logLikelihood.map((l) => 2 * k - 2 * l);
    return this.#aic;
  }

  /** [B]: the Bayesian criterion k log W − 2ℓ; NaN where there is no likelihood */
  get bic(): Float64Array {
    const k = this.freeParameters;
    this.#bic ??= this.logLikelihood.map((l, g) => k * Math.log(this.weight[g]) - 2 * l);
    return this.#bic;
  }

  /** How many groups ended in each status, in the order of STATUSES; only those that occur. */
  get counts(): Partial<Record<Status, number>> {
    const tally = new Float64Array(STATUSES.length);
    for (const code of this.statusCode) tally[code]++;
    return Object.fromEntries(
      STATUSES.flatMap((status, code) => (tally[code] ? [[status, tally[code]]] : [])),
    );
  }

  /**
   * One sentence on how group g ended and, where it has no fit, what to do about it.
   *
   * @param columns names for the d variables; default `0`, `1`, …
   */
  describe(
    g: number,
    columns: readonly string[] = Array.from({ length: this.dims }, (_, j) => String(j)),
  ): string {
    return explain(this, g, columns);
  }
}
