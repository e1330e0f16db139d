import { type EvaluationStatus, evaluationStatus } from "./status.js";

/** The arrays of an `Evaluation`, as engines write them. */
export interface EvaluationFields {
  readonly dims: number;
  readonly groups: number;
  /** [B]: J₁ = n log|S|, eq. (3) */
  readonly j1: Float64Array;
  /** [B]: J₂ = Σₐ (Xₐ−μ) S⁻¹ (Xₐ−μ)ᵀ, eq. (4) */
  readonly j2: Float64Array;
  /** [B]: J = C + ½(J₁ + J₂), eq. (2), with C = (n·d/2) log 2π: the negative log-likelihood in nats */
  readonly objective: Float64Array;
  /** [B, d, d]: ∂J₁/∂Λ = 2n S⁻¹Λ, eq. (7), in 1/units of the data */
  readonly dJ1dFactor: Float64Array;
  /** [B, d]: ∂J₂/∂μ = −2 Σₐ (Xₐ−μ) S⁻¹, eq. (9), in 1/units of the data */
  readonly dJ2dMean: Float64Array;
  /** [B, d, d]: ∂J₂/∂Λ = −2 S⁻¹ [X−μ]ᵀ[X−μ] S⁻¹ Λ, eq. (14), in 1/units of the data */
  readonly dJ2dFactor: Float64Array;
  /** [B]: codes of status.ts, 0 meaning ok */
  readonly statusCode: Uint8Array;
}

/**
 * The paper's equations at given parameters, for B groups. The gradient of J is half of the gradients of J₁ and J₂.
 *
 * A group without rows has zeros (`empty`). Where Λ is singular, J₁ is −∞ and the rest NaN (`singular`). Where the rows hold a NaN
 * or an infinite value everything is NaN (`non-finite`).
 */
export class Evaluation implements EvaluationFields {
  readonly dims: number;
  readonly groups: number;
  readonly j1: Float64Array;
  readonly j2: Float64Array;
  readonly objective: Float64Array;
  readonly dJ1dFactor: Float64Array;
  readonly dJ2dMean: Float64Array;
  readonly dJ2dFactor: Float64Array;
  readonly statusCode: Uint8Array;
  #status: readonly EvaluationStatus[] | undefined;

  constructor(fields: EvaluationFields) {
    this.dims = fields.dims;
    this.groups = fields.groups;
    this.j1 = fields.j1;
    this.j2 = fields.j2;
    this.objective = fields.objective;
    this.dJ1dFactor = fields.dJ1dFactor;
    this.dJ2dMean = fields.dJ2dMean;
    this.dJ2dFactor = fields.dJ2dFactor;
    this.statusCode = fields.statusCode;
  }

  /** [B]: in words */
  get status(): readonly EvaluationStatus[] {
    this.#status ??= Array.from(this.statusCode, evaluationStatus);
    return this.#status;
  }
}
