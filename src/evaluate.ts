import type { Batch } from "./batch.js";
import type { Evaluation } from "./evaluation.js";
import { type FitOptions, type StartValues, withSession } from "./fit.js";
import { Parameters } from "./parameters.js";
import type { Statistics } from "./statistics.js";

export type EvaluateOptions = Pick<
  FitOptions,
  "engine" | "threads" | "device" | "precision" | "signal" | "onProgress"
>;

/**
 * The objective and its gradients at given parameters, for each group:
 *
 *     J₁ = n log|S|                               (3)    ∂J₁/∂Λ = 2n S⁻¹Λ                            (7)
 *     J₂ = Σₐ (Xₐ−μ) S⁻¹ (Xₐ−μ)ᵀ                  (4)    ∂J₂/∂μ = −2 Σₐ (Xₐ−μ) S⁻¹                   (9)
 *     J  = C + ½(J₁ + J₂)                         (2)    ∂J₂/∂Λ = −2 S⁻¹ [X−μ]ᵀ[X−μ] S⁻¹ Λ          (14)
 *
 * Source: Rennie (2006).
 *
 * @param at μ [B, d] and Λ [B, d, d], any square matrices; or one μ [d] and one Λ [d, d] for every group
 * @throws InputError  where lengths do not fit or a value is not finite
 * @throws EngineError where the engine cannot be had, or broke
 */
export async function evaluate(
  source: Batch | Statistics,
  at: StartValues,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const parameters = Parameters.from(at, source, "evaluate");
  return withSession(source, options, "evaluate", (session) => session.evaluate(parameters, options));
}
