// evaluate.hpp: the likelihood and its gradients for one group at any (μ, Λ), from its sufficient statistics.
//
//     J₁ = n log|S|                         (3)      ∂J₁/∂Λ =  2n S⁻¹Λ            (7)
//     J₂ = tr(S⁻¹ A_μ)                      (4)      ∂J₂/∂μ = −2n (x̄−μ) S⁻¹       (9)
//     J  = (nd/2) log 2π + ½ (J₁ + J₂)      (2)      ∂J₂/∂Λ = −2 S⁻¹ A_μ S⁻¹ Λ    (14)
//
// Λ = LQ gives S = LLᵀ without forming S. With W_μ = L⁻¹ (A_μ/n) L⁻ᵀ, z = L⁻¹ (x̄−μ)ᵀ and V = L⁻¹Λ they read
// J₂ = n tr W_μ, (7) = 2n L⁻ᵀV, (9) = −2n L⁻ᵀz, (14) = −2n L⁻ᵀ W_μ V: nothing is inverted.
// The rows of Λ, and the data with them, are first scaled by powers of two, so that units cannot overflow and the
// scaling rounds nothing.
#pragma once

#include "codes.hpp"
#include "lq.hpp"
#include "specialise.hpp"
#include "standardise.hpp"
#include "whiten.hpp"

namespace mvn {

enum class Outcome : u8 { ok = u8(Status::converged), empty = u8(Status::empty), singular = u8(Status::singular),
                          nonFinite = u8(Status::nonFinite) };

// One group: where it is evaluated, and where the results go.
struct EvaluateGroup {
  Statistics statistics;
  const f64 *mean, *factor;                        // μ [d], Λ [d, d], any square matrix
  f64 *j1, *j2, *objective;                        // one each
  f64 *dj1dFactor, *dj2dMean, *dj2dFactor;         // (7) [d, d], (9) [d], (14) [d, d]
  u8* status;
};

template <class Real> struct EvaluateScratch {
  f64* unit;  // power of two of the size of each row of Λ
  Real *factor, *U, *inverse, *rowNorm, *z, *V, *W, *T;

  MVN_FN EvaluateScratch(Scratch& s, int d)
      : unit(s.take<f64>(d)), factor(s.take<Real>(d * d)), U(s.take<Real>(d * d)), inverse(s.take<Real>(d)),
        rowNorm(s.take<Real>(d)), z(s.take<Real>(d)), V(s.take<Real>(d * d)), W(s.take<Real>(d * d)),
        T(s.take<Real>(d * d)) {}
};

// 2^k in [x, 2x) for a normal x > 0, 1 for 0.
MVN_FN f64 powerOfTwoFrom(f64 x) {
  if (!(x > 0)) return 1;
  int exponent;
  const f64 mantissa = __builtin_frexp(x, &exponent);
  return __builtin_ldexp(1.0, mantissa == 0.5 ? exponent - 1 : exponent);
}

template <class Team>
MVN_CALL void writeOutcome(const Team& team, int d, const EvaluateGroup& group, Outcome outcome, f64 j1, f64 rest) {
  team.each(d, [&](int i) {
    group.dj2dMean[i] = rest;
    for (int j = 0; j < d; ++j) group.dj1dFactor[i * d + j] = group.dj2dFactor[i * d + j] = rest;
  });
  team.lanes([&](int lane) {
    if (lane != 0) return;
    *group.j1 = j1;
    *group.j2 = *group.objective = rest;
    *group.status = u8(outcome);
  });
}

template <class Team, class Dim>
MVN_FN bool parametersFinite(const Team& team, Dim d, const f64* mean, const f64* factor) {
  return team.sumOver(d, [&](int i) {
    f64 sum = mean[i] - mean[i];
    for (int j = 0; j < d; ++j) sum += factor[i * d + j] - factor[i * d + j];
    return sum;
  }) == 0;
}

// Λ, x̄ − μ and A/n in the units of Λ's rows: work.unit, work.factor, work.V (a copy of the factor), work.z, work.T.
template <class Real, class Team, class Dim>
MVN_FN void scaleRows(const Team& team, Dim d, const EvaluateGroup& group, const EvaluateScratch<Real>& work) {
  team.each(d, [&](int i) {
    const f64* row = group.factor + i * d;
    f64 largest = 0;
    for (int j = 0; j < d; ++j) largest = max(largest, abs(row[j]));
    const f64 unit = powerOfTwoFrom(largest), inverse = 1 / unit;
    Real squared = 0;
    for (int j = 0; j < d; ++j) {
      const Real entry = Real(row[j] * inverse);
      work.factor[i * d + j] = work.V[i * d + j] = entry;
      squared += entry * entry;
    }
    work.unit[i] = unit;
    work.rowNorm[i] = sqrt(squared);
    work.z[i] = Real((group.statistics.mean[i] - group.mean[i]) * inverse);
  });
  team.sync();
  const f64 share = 1 / group.statistics.weight;
  team.each(d, [&](int i) {
    const f64 own = share / work.unit[i];
    for (int j = 0; j < d; ++j) work.T[i * d + j] = Real(group.statistics.scatter[i * d + j] * own / work.unit[j]);
  });
}

// Row i of Λ is in the span of the rows before it, up to rounding: L_ii is the part of it that is not. Householder's
// LQ moves a row by about d roundings of its norm; beyond that a small L_ii is a property of Λ.
template <class Real, class Team, class Dim>
MVN_FN bool isSingular(const Team& team, Dim d, const EvaluateScratch<Real>& work) {
  constexpr Real slack = 4;
  const Real relative = slack * Real(int(d)) * roundingUnit<Real>;
  return team.sumOver(d, [&](int i) { return work.U[i * d + i] > relative * work.rowNorm[i] ? 0 : 1; }) != 0;
}

// to ← n·sign·2 D⁻¹X, row by row.
template <class Real, class Team, class Dim>
MVN_FN void writeGradient(const Team& team, Dim d, f64 twice, const f64* unit, const Real* X, f64* to) {
  team.each(d, [&](int i) {
    const f64 share = twice / unit[i];
    for (int j = 0; j < d; ++j) to[i * d + j] = f64(X[i * d + j]) * share;
  });
}

template <class Real, class Team, class Dim>
MVN_CALL void evaluateGroup(const Team& team, Dim d, const EvaluateGroup& group, const EvaluateScratch<Real>& work) {
  const Statistics& statistics = group.statistics;
  const f64 n = statistics.weight;
  if (!(statistics.count > 0)) return writeOutcome(team, d, group, Outcome::empty, 0, 0);
  if (!allFinite(team, d, statistics) || !parametersFinite(team, d, group.mean, group.factor)) {
    return writeOutcome(team, d, group, Outcome::nonFinite, notANumber<f64>, notANumber<f64>);
  }
  scaleRows(team, d, group, work);
  factorLQ(team, d, work.factor, work.U, work.inverse);
  if (isSingular(team, d, work)) {
    return writeOutcome(team, d, group, Outcome::singular, -infinity<f64>, notANumber<f64>);
  }
  invertDiagonal(team, d, work.U, work.inverse);

  solveLower(team, d, work.U, work.inverse, d, work.T);  // T = L⁻¹ (A/n)
  whitenColumns(team, d, work.T, work.U, work.inverse, work.W);
  solveLower(team, d, work.U, work.inverse, Fixed<1>{}, work.z);
  addOuter(team, d, work.z, work.W);  // W_μ
  mirror(team, d, work.W);
  const f64 quadratic = f64(trace(team, d, work.W));

  solveLower(team, d, work.U, work.inverse, d, work.V);  // V = L⁻¹Λ
  strips(team, d, [&](auto begin, auto end) {            // T = W_μ V
    constexpr int block = blockRows<Team, Dim>;
    for (int top = 0; top < d; top += block) {
      const int rows = min(block, d - top);
      for (int i = top; i < top + rows; ++i) {
        for (int j = begin; j < end; ++j) work.T[i * d + j] = 0;
      }
      combineBlock<1>(rows, work.T + top * d, d, work.W + top * d, 1, d, work.V, d, d, begin, end);
    }
  });
  solveUpper(team, d, work.U, work.inverse, d, work.V);
  solveUpper(team, d, work.U, work.inverse, d, work.T);
  solveUpper(team, d, work.U, work.inverse, Fixed<1>{}, work.z);
  writeGradient(team, d, 2 * n, work.unit, work.V, group.dj1dFactor);
  writeGradient(team, d, -2 * n, work.unit, work.T, group.dj2dFactor);
  team.each(d, [&](int i) { group.dj2dMean[i] = -2 * n * f64(work.z[i]) / work.unit[i]; });

  const f64 j1 = 2 * n * (logDeterminant(d, work.U) + logProduct(d, work.unit, 1)), j2 = n * quadratic;
  team.lanes([&](int lane) {
    if (lane != 0) return;
    *group.j1 = j1;
    *group.j2 = j2;
    *group.objective = 0.5 * (n * d * logTwoPi + j1 + j2);
    *group.status = u8(Outcome::ok);
  });
}

}  // namespace mvn
