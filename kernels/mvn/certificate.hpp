// certificate.hpp: how good (μ, L) is, in float64, whatever arithmetic found it.
//
//     residual  r = max(‖I − W_μ‖_F, ‖z‖),  W = L⁻¹RL⁻ᵀ,  z = L⁻¹(x̄ − μ),  W_μ = W + zzᵀ
//     gap       (J − J*)/n = ½(tr W_μ − log|W| − d) = ½(‖z‖² + Σ_i (c_ii² − 1 − log c_ii²) + Σ_{i<j} c_ij²),  W = CᵀC
//
// The gap is exact, not a bound: J* is known. Every term of the sum is ≥ 0, so nothing cancels near the optimum.
#pragma once

#include "whiten.hpp"

namespace mvn {

struct Certificate {
  f64 residual, gap;
  f64 quadratic;  // tr W_μ = J₂/n
};

// e − log(1 + e) for e > −1. Below the bound seven terms of the series leave less than ε relative to the first.
MVN_FN f64 excess(f64 e) {
  constexpr f64 seriesBound = 0.005;
  if (abs(e) > seriesBound) return e - log1p(e);
  return e * e * (1.0 / 2 - e * (1.0 / 3 - e * (1.0 / 4 - e * (1.0 / 5 - e * (1.0 / 6 - e * (1.0 / 7 - e / 8))))));
}

// ‖I − W‖_F² below which ½ tr of the series' first term is the gap: the next is smaller than what rounding did to W.
constexpr f64 firstOrder = 2 * roundingUnit<f64>;

// (gap without the mean's share) from W's upper triangle, which C overwrites. `squared` is ‖I − W‖_F².
template <class Team, class Dim> MVN_FN f64 covarianceGap(const Team& team, Dim d, f64* W, f64 squared) {
  if (squared < firstOrder) return squared / 4;
  if (!cholesky(team, d, W, W)) return infinity<f64>;
  return team.sumOver(d, [&](int i) {
    const f64 c = W[i * d + i];
    f64 off = 0;
    for (int j = i + 1; j < d; ++j) off += W[i * d + j] * W[i * d + j];
    return (excess((c - 1) * (c + 1)) + off) / 2;
  });
}

// At μ = x̄ + m and L = Uᵀ, in standardised coordinates. `z` [d], `inverse` [d], `T`, `W` [d, d] are scratch.
// `centred` says that m = 0.
template <class Team, class Dim>
MVN_CALL Certificate certify(const Team& team, Dim d, const f64* R, const f64* m, bool centred, const f64* U,
                             f64* inverse, f64* z, f64* T, f64* W) {
  Certificate result;
  invertDiagonal(team, d, U, inverse);
  whitenRows(team, d, R, U, inverse, T);
  whitenColumns(team, d, T, U, inverse, W);
  result.quadratic = trace(team, d, W);
  const f64 squared = squaredDistance(team, d, W, 1.0);
  if (centred) {
    result.residual = sqrt(squared);
    result.gap = covarianceGap(team, d, W, squared);
    return result;
  }
  copy(team, d, z, m);
  solveLower(team, d, U, inverse, Fixed<1>{}, z);
  const f64 deviation = dot(team, d, z, z);
  copy(team, d * d, T, W);
  addOuter(team, d, z, T);
  result.residual = max(sqrt(squaredDistance(team, d, T, 1.0)), sqrt(deviation));
  result.quadratic += deviation;
  result.gap = deviation / 2 + covarianceGap(team, d, W, squared);
  return result;
}

}  // namespace mvn
