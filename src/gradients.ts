/** The equations of Rennie (2006) that are checked apart: (7) ∂J₁/∂Λ, (9) ∂J₂/∂μ, (14) ∂J₂/∂Λ, and both gradients of J, eq. (2). */
export const EQUATIONS = ["7", "9", "14", "J"] as const;

export type Equation = (typeof EQUATIONS)[number];

/** One equation's gradients of B groups, by what they are taken with respect to. */
export interface GradientFields {
  /** [B, d]: with respect to μ */
  readonly mean?: Float64Array;
  /** [B, d, d], row-major: with respect to Λ */
  readonly factor?: Float64Array;
}

/** Gradients of B groups, for the equations that their source gives. */
export type Gradients = Partial<Readonly<Record<Equation, GradientFields>>>;

/** What each equation's gradient is taken with respect to. */
const RESPECTS: Readonly<Record<Equation, readonly (keyof GradientFields)[]>> = {
  "7": ["factor"],
  "9": ["mean"],
  "14": ["factor"],
  J: ["mean", "factor"],
};

/** Gradients of zeros, to be added to. */
export function zeroGradients(
  equations: readonly Equation[],
  { groups, dims }: { readonly groups: number; readonly dims: number },
): Gradients {
  const size = { mean: groups * dims, factor: groups * dims * dims };
  const gradients: Partial<Record<Equation, GradientFields>> = {};
  for (const equation of equations) {
    gradients[equation] = Object.fromEntries(
      RESPECTS[equation].map((respect) => [respect, new Float64Array(size[respect])]),
    );
  }
  return gradients;
}
