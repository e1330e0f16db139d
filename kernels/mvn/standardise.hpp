// standardise.hpp: one group in units of its own, so that the units of the data never matter.
//
//     s_j = √(A_jj / n)     the standard deviations
//     R   = D⁻¹ (A/n) D⁻¹   the correlation matrix, D = diag(s)
//
// A parameter (μ, Λ) of the data is (D⁻¹(μ − x̄), D⁻¹Λ) here. Always float64; a float32 solver takes R rounded once.
#pragma once

#include "rows.hpp"

namespace mvn {

// Sufficient statistics of one group. `weight` is n when the rows have no weights.
struct Statistics {
  f64 count, weight;
  const f64* mean;     // x̄ [d]
  const f64* scatter;  // A [d, d]
};

template <class Team, class Dim>
MVN_FN bool allFinite(const Team& team, Dim d, const Statistics& group) {
  // x − x is 0 for a finite x and NaN otherwise: one sum tells.
  return isFinite(group.weight) && team.sumOver(d, [&](int i) {
    f64 sum = group.mean[i] - group.mean[i];
    for (int j = 0; j < d; ++j) sum += group.scatter[i * d + j] - group.scatter[i * d + j];
    return sum;
  }) == 0;
}

// Takes positive A_jj. `R` gets both triangles, its diagonal exactly 1. A barrier is to follow before the lower is read.
template <class Team, class Dim>
MVN_FN void standardise(const Team& team, Dim d, const Statistics& group, f64* scale, f64* inverseScale, f64* R) {
  team.each(d, [&](int j) {
    scale[j] = sqrt(group.scatter[j * d + j] / group.weight);
    inverseScale[j] = 1 / scale[j];
  });
  team.sync();
  const f64 share = 1 / group.weight;
  team.each(d, [&](int i) {
    const f64 own = inverseScale[i] * share;
    for (int j = i; j < d; ++j) R[i * d + j] = group.scatter[i * d + j] * own * inverseScale[j];
    R[i * d + i] = 1;
  });
  team.sync();
  team.each(d, [&](int i) {
    for (int j = 0; j < i; ++j) R[i * d + j] = R[j * d + i];
  });
}

}  // namespace mvn
