// start.hpp: where an iterative method begins, in standardised coordinates.
//
//     default    μ = x̄, Λ = D = diag(√Ŝ_jj)     here m = 0, L = I
//     identity   μ = x̄, Λ = I                    here m = 0, L = D⁻¹
//     given      any (μ, Λ), Λ square            here m = D⁻¹(μ − x̄), D⁻¹Λ = LQ
#pragma once

#include "codes.hpp"
#include "lq.hpp"
#include "standardise.hpp"

namespace mvn {

// `m` [d] and U = Lᵀ [d, d] from the start; `X` [d, d] and `v` [d] are scratch. Returns whether m = 0.
template <class Team>
MVN_CALL bool beginAt(const Team& team, int d, Start start, const f64* mean, const f64* startMean,
                      const f64* startFactor, const f64* inverseScale, f64* m, f64* U, f64* X, f64* v) {
  team.each(d, [&](int i) {
    m[i] = 0;
    for (int j = 0; j < d; ++j) U[i * d + j] = 0;
    U[i * d + i] = start == Start::identity ? inverseScale[i] : 1;
  });
  team.sync();
  if (start != Start::given) return true;
  team.each(d, [&](int i) {
    m[i] = (startMean[i] - mean[i]) * inverseScale[i];
    for (int j = 0; j < d; ++j) X[i * d + j] = startFactor[i * d + j] * inverseScale[i];
  });
  team.sync();
  factorLQ(team, d, X, U, v);
  return team.sumOver(d, [&](int i) { return abs(m[i]); }) == 0;
}

}  // namespace mvn
