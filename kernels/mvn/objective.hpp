// objective.hpp: J/n and its gradient in the unknowns that the gradient methods move.
//
// The unknowns are the entries of L on and below the diagonal, column by column (the rows of U = Lᵀ), and after them
// m = μ − x̄ unless the mean starts at x̄: the gradient (9) is zero there and stays zero. In standardised coordinates:
//
//     J/n      = Σ log L_ii + ½ tr W_μ + const            (2), halved (3) + (4)
//     ∂(J/n)/∂L = L⁻ᵀ (I − W_μ), its lower triangle        ½ ((7) + (14)) / n: S⁻¹Λ = L⁻ᵀ, S⁻¹ A_μ S⁻¹ Λ = n L⁻ᵀ W_μ
//     ∂(J/n)/∂m = L⁻ᵀ z,  z = L⁻¹ m                        ½ (9) / n
//
// The relative gradient is the one in e, where L(I + E) and m + Lz stand for L and m: E_ij = e_ij below the diagonal,
// E_ii = e_ii/√2, and z. It is (I − W_μ)_ij, (I − W_μ)_ii/√2 and L⁻¹m; at the optimum the Hessian in e is the identity,
// whatever R is (½‖E‖² + ½Σ E_ii² + ½‖z‖² is J/n to second order there).
#pragma once

#include "codes.hpp"
#include "whiten.hpp"

namespace mvn {

// One lane reads, so that all of them agree.
template <class Team> MVN_FN bool hasStopped(const Team& team, const i32* stop) {
  typename Team::template PerLane<i32> seen;
  team.lanes([&](int lane) { seen(lane) = lane == 0 ? readNow(stop) : 0; });
  return team.sum(seen) != 0;
}

// What an iterative method is asked: R [d, d] with both triangles, and when to end.
template <class Real> struct Problem {
  int d;
  const Real* R;
  bool centred;  // μ = x̄ throughout
  Real tolerance;
  int maxIterations;
  const i32* stop;

  MVN_FN int unknowns() const { return d * (d + 1) / 2 + (centred ? 0 : d); }

  // Whether the caller wants an end; every lane hears the same. A device asks now and then: its word may be far away.
  template <class Team> MVN_FN bool stopped(const Team& team, int iteration) const {
    constexpr int every = Team::simd ? 1 : 16;
    return stop && iteration % every == every - 1 && hasStopped(team, stop);
  }
};

// How an iteration ended: converged, max-iterations or stalled.
struct Ending {
  Status status;
  int iterations;
};

// J/n at one point, up to what its rounding may be, and the residual r.
template <class Real> struct Value {
  Real objective, noise, residual;

  MVN_FN static Value outside() { return {infinity<Real>, 0, infinity<Real>}; }
};

// Matrices that the methods take turns with, [d, d] each.
template <class Real> struct SharedMatrices {
  Real *U, *T, *W;
};

template <class Real> struct ObjectiveScratch : SharedMatrices<Real> {
  Real *inverse, *z;

  MVN_FN ObjectiveScratch(Scratch& s, int d, const SharedMatrices<Real>& shared)
      : SharedMatrices<Real>(shared), inverse(s.take<Real>(d)), z(s.take<Real>(d)) {}
};

// Rounding of J/n, estimated: d terms of their own size are added, and R's rounding, ε, is whitened by L⁻¹, whose rows
// are at least 1/L_ii long. `rowsSquared` is Σ 1/L_ii².
template <class Real> MVN_FN Real objectiveNoise(int d, Real objective, Real rowsSquared) {
  constexpr Real slack = 16;
  return slack * roundingUnit<Real> * (Real(d) + abs(objective) + rowsSquared);
}

// Row i of U begins here among the unknowns, less i, so that entry (i, j) is at packedRow(d, i) + j.
MVN_FN int packedRow(int d, int i) { return i * d - i * (i + 1) / 2; }

// A lane packs rows, as unpackFactor() reads them.
template <class Team, class From, class To> MVN_FN void packFactor(const Team& team, int d, const From* U, To* x) {
  team.each(d, [&](int i) {
    for (int j = i; j < d; ++j) x[packedRow(d, i) + j] = To(U[i * d + j]);
  });
}

template <class Team, class From, class To> MVN_FN void unpackFactor(const Team& team, int d, const From* x, To* U) {
  team.each(d, [&](int i) {
    for (int j = i; j < d; ++j) U[i * d + j] = To(x[packedRow(d, i) + j]);
  });
  team.sync();
}

// 1/√2: ∂E_ii/∂e_ii
constexpr f64 diagonalShare = 0.70710678118654752440;

// J/n and r at x, the gradient, and the relative one where it is asked for (`relative` not null). Outside where a diagonal
// entry of L is not positive: log|S| puts a barrier there, which a line search steps back from; the gradients are then not
// written.
template <class Team, class Dim, class Real>
MVN_CALL Value<Real> objectiveAt(const Team& team, Dim d, const Problem<Real>& problem, const Real* x, Real* gradient,
                                 Real* relative, const ObjectiveScratch<Real>& work) {
  unpackFactor(team, d, x, work.U);
  bool inside = true;
  for (int i = 0; i < d; ++i) inside = inside && work.U[i * d + i] > Real(0);
  if (!inside) return Value<Real>::outside();

  invertDiagonal(team, d, work.U, work.inverse);
  whitenRows(team, d, problem.R, work.U, work.inverse, work.T);
  whitenColumns(team, d, work.T, work.U, work.inverse, work.W);
  Real deviation = 0;
  if (!problem.centred) {
    const Real* m = x + d * (d + 1) / 2;
    Real* slope = gradient + d * (d + 1) / 2;
    copy(team, d, work.z, m);
    solveLower(team, d, work.U, work.inverse, Fixed<1>{}, work.z);
    addOuter(team, d, work.z, work.W);
    deviation = dot(team, d, work.z, work.z);
    copy(team, d, slope, work.z);
    if (relative) copy(team, d, relative + d * (d + 1) / 2, work.z);
    solveUpper(team, d, work.U, work.inverse, Fixed<1>{}, slope);
  }
  const Real squared = squaredDistance(team, d, work.W, Real(1));
  const Real value = Real(logDeterminant(d, work.U)) + trace(team, d, work.W) / Real(2);

  team.each(d, [&](int j) {  // I − W_μ
    for (int i = 0; i <= j; ++i) work.T[i * d + j] = work.T[j * d + i] = Real(i == j ? 1 : 0) - work.W[i * d + j];
  });
  team.sync();
  if (relative) {
    packFactor(team, d, work.T, relative);
    team.each(d, [&](int i) { relative[packedRow(d, i) + i] = relative[packedRow(d, i) + i] * Real(diagonalShare); });
  }  // what was read of T lies above what the next phase changes
  solveUpperLowerPart(team, d, work.U, work.inverse, work.T);
  team.each(d, [&](int i) {
    for (int j = i; j < d; ++j) gradient[packedRow(d, i) + j] = work.T[j * d + i];
  });  // a reduction follows before it is read
  if (!isFinite(value) || !isFinite(squared)) return Value<Real>::outside();
  const Real noise = objectiveNoise(int(d), value, dot(team, d, work.inverse, work.inverse));
  return {value, noise, sqrt(max(squared, deviation))};
}

template <class Team, class Real>
MVN_FN Value<Real> objective(const Team& team, const Problem<Real>& problem, const Real* x, Real* gradient,
                             Real* relative, const ObjectiveScratch<Real>& work) {
  return objectiveAt(team, Dynamic{problem.d}, problem, x, gradient, relative, work);
}

}  // namespace mvn
