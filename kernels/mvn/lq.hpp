// lq.hpp: Λ = LQ by Householder reflections from the right, Q orthogonal, so that S = ΛΛᵀ = LLᵀ.
//
// S itself is never formed: that would square Λ's condition. J depends on Λ through S alone, so L stands for Λ.
#pragma once

#include "rows.hpp"

namespace mvn {

// X [d, d] holds Λ and is used up; U gets Lᵀ, upper triangular with a diagonal ≥ 0. `v` [d] is scratch.
template <class Team, class Dim, class Real>
MVN_FN void factorLQ(const Team& team, Dim d, Real* X, Real* U, Real* v) {
  for (int k = 0; k < d; ++k) {
    const Real* row = X + k * d;
    const int n = d - k;
    const Real norm = sqrt(dot(team, n, row + k, row + k));
    // The reflection I − τvvᵀ takes row k to −sign·norm·e_k; v_k never cancels.
    const Real sign = row[k] < Real(0) ? Real(-1) : Real(1);
    const Real head = row[k] + sign * norm;
    const Real tau = norm > Real(0) ? Real(1) / (norm * abs(head)) : Real(0);
    team.each(n, [&](int j) { v[j] = j == 0 ? head : row[k + j]; });
    team.sync();
    // L_ik = −sign · (row i after the reflection)_k, which makes the diagonal norm.
    team.each(n - 1, [&](int below) {
      Real* other = X + (k + 1 + below) * d + k;
      Real along = 0;
      if constexpr (Team::simd) {
        along = dot(team, n, other, v);
      } else {
        for (int j = 0; j < n; ++j) along += other[j] * v[j];
      }
      along *= tau;
      for (int j = 0; j < n; ++j) other[j] = other[j] - along * v[j];
      U[k * d + k + 1 + below] = -sign * other[0];
    });
    team.lanes([&](int lane) {
      if (lane == 0) U[k * d + k] = norm;
    });
    team.sync();
  }
}

}  // namespace mvn
