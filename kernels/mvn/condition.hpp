// condition.hpp: can float32 bring the residual of a group down to the tolerance?
//
// A float32 method is given R + E, every entry of the correlation matrix rounded once: |E_ij| ≤ ε|R_ij| ≤ ε, ε = 2^-24. Where it ends,
// at best, is the factor of that, LLᵀ = R + E, whose true residual is ‖L⁻¹EL⁻ᵀ‖_F. Of roundings that are independent
// of each other and zero on average, the expected square is
//
//     Σ_ij Var(E_ij) (R⁻¹)_ii (R⁻¹)_jj ≤ (ε tr R⁻¹)².
//
// So ε tr R⁻¹ is what float32 can be expected to reach, and a group goes by float64 where that is above the tolerance. In
// terms of the condition number κ(R): κ/d ≤ tr R⁻¹ ≤ dκ. R⁻¹ = L⁻ᵀL⁻¹ is not formed: tr R⁻¹ = ‖L⁻¹‖_F².
//
// Own derivation, measured: docs/methods.md has the figures. Higham (2002), section 2.8, on roundings as random numbers.
#pragma once

#include "standardise.hpp"
#include "triangular.hpp"

namespace mvn {

// Whether Real is so coarse that the question arises.
template <class Real> constexpr bool isRounded = sizeof(Real) < sizeof(f64);

// ‖L⁻¹‖_F² of a factor U = Lᵀ. `inverse` [d] and T [d, d] are scratch.
template <class Team, class Dim>
MVN_CALL f64 traceOfInverse(const Team& team, Dim d, const f64* U, f64* inverse, f64* T) {
  invertDiagonal(team, d, U, inverse);
  team.each(d, [&](int j) {
    for (int i = 0; i < d; ++i) T[i * d + j] = i == j;
  });  // a lane solves for the column that it has written
  solveLower(team, d, U, inverse, d, T);
  return team.sumOver(d, [&](int i) {
    f64 sum = 0;
    for (int j = 0; j <= i; ++j) sum += T[i * d + j] * T[i * d + j];
    return sum;
  });
}

// From tr R⁻¹, which may have overflown. A vector of them gives a mask.
template <class Real, class Trace> MVN_FN auto suffices(Trace traceOfInverse, Trace tolerance) {
  return traceOfInverse * f64(roundingUnit<Real>) <= tolerance;
}

}  // namespace mvn
