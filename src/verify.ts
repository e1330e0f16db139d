import { Batch } from "./batch.js";
import type { Partner, Verification } from "./verification.js";
import { openPartner, openSubject } from "./verify/open.js";
import { checkedOptions, type VerifyOptions } from "./verify/options.js";
import { Run } from "./verify/run.js";
import type { GradientSource } from "./verify/source.js";
import { type Sweep, sweepWorkloads } from "./verify/workloads.js";

/**
 * Checks gradients of the objective against independent ones, group by group and entry by entry:
 *
 *     ∂J₁/∂Λ = 2n S⁻¹Λ                          (7)
 *     ∂J₂/∂μ = −2 Σₐ (Xₐ−μ) S⁻¹                 (9)
 *     ∂J₂/∂Λ = −2 S⁻¹ [X−μ]ᵀ[X−μ] S⁻¹ Λ        (14)
 *
 * each by itself, and both gradients of J = C + ½(J₁ + J₂) as a whole. What is checked is an engine, or a user's own gradient of J.
 * The partners work on the rows and share no code with the engines' kernels. Tolerances are explained in docs/verification.md.
 *
 * Source of the equations: Rennie (2006).
 *
 * @param source rows to verify on, or what seeded rows to make
 * @throws InputError    where an option has no such value, or options contradict each other
 * @throws EngineError   where an engine cannot be had, or broke
 * @throws GradientError where a user's gradient throws, gives something of another shape, or does not return in time
 */
export async function verify(source: Batch | Sweep = {}, options: VerifyOptions = {}): Promise<Verification> {
  const checked = checkedOptions(source, options);
  const workloads =
    source instanceof Batch
      ? [{ batch: source, numbers: Array.from({ length: source.groups }, (_, g) => g) }]
      : sweepWorkloads(source, checked.condition, checked.seed);
  const subject = await openSubject(checked);
  const partners: [Partner, GradientSource][] = [];
  try {
    for (const name of checked.against) partners.push([name, await openPartner(name, checked)]);
    return await new Run(checked, subject, partners).over(workloads);
  } finally {
    for (const [, partner] of partners) await partner.close();
    await subject.close();
  }
}
