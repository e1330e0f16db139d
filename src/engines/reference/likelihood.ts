import { apply, invert, multiply, norm, transpose } from "./matrix.js";

/** A point of the search, (μ, Λ) in standardised units. */
export interface Point {
  /** [d]: m = (μ − x̄) / √Ŝ_jj */
  readonly mean: Float64Array;
  /** [d, d]: Λ with row j divided by √Ŝ_jj, any square matrix */
  readonly factor: Float64Array;
}

/** What the search needs to know of a point. */
export interface Likelihood {
  /** f = (J − C)/n = log|det Λ| + ½ tr(Λ⁻¹(R + mᵀm)Λ⁻ᵀ), in nats per row; +∞ where Λ is singular */
  readonly value: number;
  /** [d + d²]: ∂f/∂m, then ∂f/∂Λ */
  readonly gradient: Float64Array;
  /** r = max(‖I − W‖_F, ‖Λᵀ ∂J/∂μ‖/n) */
  readonly residual: number;
  /** f − min f ≥ 0, exactly */
  readonly gap: number;
}

const NOWHERE = { value: Infinity, residual: Infinity, gap: Infinity };

/**
 * The objective of one group for the methods, on columns scaled to unit variance, so that R is the correlation matrix.
 *
 * With Z = Λ⁻¹ and the whitened scatter W = Z(R + mᵀm)Zᵀ, eqs. (7), (9) and (14) become, divided by n,
 *
 *     ∂f/∂Λ = Zᵀ(I − W),   ∂f/∂m = Zᵀ(Z m)
 *
 * Source: docs/math.md, from Rennie (2006).
 */
export function likelihoodAt(correlation: Float64Array, { mean, factor }: Point): Likelihood {
  const d = mean.length;
  const inverted = invert(factor, d);
  if (!inverted) return { ...NOWHERE, gradient: new Float64Array(d + d * d).fill(Number.NaN) };
  const { inverse, logAbsDeterminant } = inverted;
  const inverseTransposed = transpose(inverse, d);
  const centred = multiply(multiply(inverse, correlation, d), inverseTransposed, d); // W₀: W about x̄
  const shift = apply(inverse, mean, d); // Λᵀ ∂f/∂m
  const departure = new Float64Array(d * d); // I − W
  let trace = 0;
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) {
      // W is symmetric by definition; its two computed halves differ by rounding.
      const w = (centred[i * d + j] + centred[j * d + i]) / 2 + shift[i] * shift[j];
      departure[i * d + j] = (i === j ? 1 : 0) - w;
      if (i === j) trace += w;
    }
  }
  const gradient = new Float64Array(d + d * d);
  gradient.set(apply(inverseTransposed, shift, d));
  gradient.set(multiply(inverseTransposed, departure, d), d);
  const value = logAbsDeterminant + trace / 2;
  if (!Number.isFinite(value)) return { ...NOWHERE, gradient };
  return { value, gradient, residual: Math.max(norm(departure), norm(shift)), gap: gapOf(centred, shift) };
}

/**
 * (J − J*)/n = ½(tr W − log|W₀| − d), to full relative precision near 0.
 *
 * With W₀ = CCᵀ and c_ii² = 1 + δᵢ, the trace of W₀ − I is Σ δᵢ + Σ_{i>k} c_ik², so that the sum is one of terms ≥ 0:
 *
 *     ½ [ Σ (δᵢ − log(1+δᵢ)) + Σ_{i>k} c_ik² + ‖Λ⁻¹m‖² ]
 */
function gapOf(centred: Float64Array, shift: Float64Array): number {
  const d = shift.length;
  const c = new Float64Array(d * d);
  let sum = norm(shift) ** 2;
  for (let i = 0; i < d; i++) {
    let delta = centred[i * d + i] - 1;
    for (let k = 0; k < i; k++) {
      let rest = centred[i * d + k];
      for (let l = 0; l < k; l++) rest -= c[i * d + l] * c[k * d + l];
      const entry = rest / c[k * d + k];
      c[i * d + k] = entry;
      delta -= entry * entry;
      sum += entry * entry;
    }
    if (!(delta > -1)) return Infinity;
    c[i * d + i] = Math.sqrt(1 + delta);
    sum += minusLog1p(delta);
  }
  return sum / 2;
}

/** δ − log(1+δ) ≥ 0; by its series where the difference would cancel. */
function minusLog1p(delta: number): number {
  if (Math.abs(delta) > 0.01) return delta - Math.log1p(delta);
  let sum = 0;
  // Σ_{k≥2} (−1)^k δ^k/k; at |δ| ≤ 0.01 nine terms reach full precision.
  for (let k = 10; k >= 2; k--) sum = (k % 2 === 0 ? 1 : -1) / k + delta * sum;
  return delta * delta * sum;
}
