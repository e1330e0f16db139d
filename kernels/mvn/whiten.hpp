// whiten.hpp: the whitened scatter W = L⁻¹ R L⁻ᵀ and the whitened deviation z = L⁻¹ δ of a group.
//
// With G = ∂J/∂Λ: ΛᵀG = n(I − W), so W = I and z = 0 is the optimum, in whatever units the data are. From them
//
//     r = max(‖I − W_μ‖_F, ‖z‖),  W_μ = W + z zᵀ             the residual: 0 at the optimum and nowhere else
//     J₁/n = 2 Σ log L_ii,  J₂/n = tr W_μ                    (3), (4)
#pragma once

#include "triangular.hpp"

namespace mvn {

// T = L⁻¹R, R symmetric (both triangles), d×d.
template <class Team, class Dim, class Real>
MVN_FN void whitenRows(const Team& team, Dim d, const Real* R, const Real* U, const Real* inverse, Real* T) {
  copy(team, d * d, T, R);
  solveLower(team, d, U, inverse, d, T);
}

// W = L⁻¹Tᵀ from T = L⁻¹R: its upper triangle.
template <class Team, class Dim, class Real>
MVN_FN void whitenColumns(const Team& team, Dim d, const Real* T, const Real* U, const Real* inverse, Real* W) {
  transpose(team, d, T, W);
  solveLowerSymmetric(team, d, U, inverse, W);
}

// The upper triangle of W ← W + z zᵀ.
template <class Team, class Dim, class Real> MVN_FN void addOuter(const Team& team, Dim d, const Real* z, Real* W) {
  team.each(d, [&](int i) {
    for (int j = i; j < d; ++j) W[i * d + j] = W[i * d + j] + z[i] * z[j];
  });
  team.sync();
}

template <class Team, class Dim, class Real> MVN_FN Real trace(const Team& team, Dim d, const Real* W) {
  return team.sumOver(d, [&](int i) { return W[i * d + i]; });
}

// ‖W − shift·I‖_F² from the upper triangle.
template <class Team, class Dim, class Real>
MVN_FN Real squaredDistance(const Team& team, Dim d, const Real* W, Real shift) {
  return team.sumOver(d, [&](int i) {
    const Real* row = W + i * d;
    const Real diagonal = row[i] - shift;
    Real off = 0;
    for (int j = i + 1; j < d; ++j) off += row[j] * row[j];
    return diagonal * diagonal + Real(2) * off;
  });
}

}  // namespace mvn
