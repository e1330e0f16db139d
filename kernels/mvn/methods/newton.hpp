// newton.hpp: Newton's iteration for the polar factor of L⁻¹Λ (Higham 1986), with μ = x̄ from the first step on.
//
//     Λ ← ½ (γΛ + γ⁻¹ Ŝ Λ⁻ᵀ)        γ = 1: a step along −S·G/(2n), G = ∂J/∂Λ = (7) + (14), halved
//
// J depends on S = ΛΛᵀ alone, and for S the step reads
//
//     S ← ¼ (γ²S + 2R + γ⁻² R S⁻¹ R) = ¼ (γ²S + 2R + γ⁻² TᵀT),  T = L⁻¹R,
//
// a sum of positive definite matrices and a Cholesky: as backward stable as the Cholesky of R itself, because every
// step starts again from R. In the eigenvalues w of W = L⁻¹RL⁻ᵀ it is w ← 4w'/(1 + w')², w' = w/γ²: near 1 the error e
// becomes e²/4, far from it small ones only grow fourfold. There γ² = √(ab), with [a, b] about the range of the
// eigenvalues, takes the ratio b/a to its square root (Byers & Xu 2008); the range after the step follows by formula.
#pragma once

#include "mvn/objective.hpp"

namespace mvn {

// The smallest pivot of a Cholesky is no less than the smallest eigenvalue, and of correlation matrices mostly several
// times as much. With this share of it a fit of 8 variables at condition 100 takes 5.0 steps, with all of it 5.8; any
// share between a third and a tenth does as well.
constexpr f64 pivotShare = 0.2;

// Where to scale and how far. `low` and `high` are estimates; wrong ones cost steps, not correctness.
template <class Real> struct Range {
  Real low, high;

  // γ²; the range moves on to what the step makes of it.
  MVN_FN Real advance() {
    constexpr Real near = Real(0.5);  // from here on plain steps converge as fast
    if (!(low < near * high) && high < Real(2)) return Real(1);
    const Real gamma2 = sqrt(low) * sqrt(high), ratio = sqrt(high / low);
    low = Real(4) * ratio / ((Real(1) + ratio) * (Real(1) + ratio));
    high = 1;
    return gamma2;
  }
};

// The range of W's eigenvalues: ‖W‖_F from above, a share of the smallest pivot of its Cholesky for the low end. No more than
// 1/√ε apart: S after the step has about that condition, and must still be positive definite in this arithmetic.
template <class Team, class Dim, class Real>
MVN_FN Range<Real> rangeOf(const Team& team, Dim d, const Real* W, Real* C) {
  const Real high = sqrt(squaredDistance(team, d, W, Real(0)));
  const Real floor = high * sqrt(roundingUnit<Real>);
  if (!cholesky(team, d, W, C)) return {floor, high};
  Real low = high;
  for (int i = 0; i < d; ++i) low = min(low, C[i * d + i] * C[i * d + i]);
  team.sync();
  return {max(Real(pivotShare) * low, floor), high};
}

template <class Real> struct NewtonScratch {
  Real *S, *next, *T, *W, *inverse;

  MVN_FN NewtonScratch(Scratch& s, int d, const SharedMatrices<Real>& shared)
      : S(s.take<Real>(d * d)), next(s.take<Real>(d * d)), T(shared.T), W(shared.W), inverse(s.take<Real>(d)) {}
};

// next ← ¼ (γ²S + 2R + γ⁻²TᵀT), upper triangle, each lane its own columns: cholesky() goes on with those.
template <class Team, class Dim, class Real>
MVN_FN void polarStep(const Team& team, Dim d, const Real* R, const Real* S, const Real* T, Real gamma2, Real* next) {
  constexpr int block = blockRows<Team, Dim>;
  const Real own = gamma2 / Real(4), share = Real(1) / (Real(4) * gamma2);
  strips(team, d, [&](auto begin, auto end) {
    for (int top = 0; top < d; top += block) {
      const int rows = min(block, d - top);
      const auto first = fromDiagonal(begin, top);
      for (int i = top; i < top + rows; ++i) {
        for (int j = first; j < end; ++j) next[i * d + j] = 0;
      }
      combineBlock<1>(rows, next + top * d, d, T + top, d, 1, T, d, d, first, end);
      for (int e = top * d; e < (top + rows) * d; e += d) {
        for (int j = first; j < end; ++j) next[e + j] = own * S[e + j] + R[e + j] / Real(2) + share * next[e + j];
      }
    }
  });
}

// When to end, from one residual to the next.
template <class Real> struct NewtonWatch {
  Real previous = infinity<Real>;

  // Below `quadratic` the residual of plain steps falls quadratically, or rounding has stopped it.
  static constexpr Real quadratic = Real(0.1);
  MVN_FN static bool isNear(Real residual) { return residual < quadratic; }

  // Before a step.
  template <class Team>
  MVN_FN bool ended(const Team& team, const Problem<Real>& problem, Real residual, int iteration, Ending& ending) {
    ending.iterations = iteration;
    if (residual <= problem.tolerance) {
      ending.status = Status::converged;
    } else if (!isFinite(residual) || (isNear(residual) && residual > previous / Real(2))) {
      ending.status = Status::stalled;
    } else if (iteration >= problem.maxIterations || problem.stopped(team, iteration)) {
      ending.status = Status::maxIterations;
    } else {
      previous = residual;
      return false;
    }
    return true;
  }

  // After a plain step from there: r is now about r²/4. Some of the tolerance is left for what that leaves out.
  MVN_FN bool foreseen(const Problem<Real>& problem, Real residual) const {
    constexpr Real safety = Real(0.1);
    return isNear(residual) && residual * residual / Real(4) <= safety * problem.tolerance;
  }
};

// A step that leaves S singular by rounding is tried again with a larger γ so many times.
constexpr int newtonRetries = 60;

// From L = Uᵀ; leaves the last iterate there.
template <class Team, class Dim, class Real>
MVN_CALL Ending newton(const Team& team, Dim d, const Problem<Real>& problem, Real* U,
                       const NewtonScratch<Real>& work) {
  Range<Real> range{1, 1};
  NewtonWatch<Real> watch;
  Ending ending;
  multiplyFactor(team, d, U, work.S);
  for (int iteration = 0;; ++iteration) {
    invertDiagonal(team, d, U, work.inverse);
    whitenRows(team, d, problem.R, U, work.inverse, work.T);
    whitenColumns(team, d, work.T, U, work.inverse, work.W);
    const Real residual = sqrt(squaredDistance(team, d, work.W, Real(1)));
    if (watch.ended(team, problem, residual, iteration, ending)) return ending;
    const bool plain = watch.isNear(residual);
    if (iteration == 0 && !plain) range = rangeOf(team, d, work.W, work.next);

    Real gamma2 = plain ? Real(1) : range.advance();
    polarStep(team, d, problem.R, work.S, work.T, gamma2, work.next);
    // Too small a γ can leave S singular by rounding. γ²S, which has a factor, wins as γ grows.
    for (int retry = 0; !cholesky(team, d, work.next, U); ++retry) {
      if (retry == newtonRetries) return {Status::stalled, iteration};
      gamma2 = gamma2 * Real(16);
      range = {1, 1};
      polarStep(team, d, problem.R, work.S, work.T, gamma2, work.next);
    }
    copy(team, d * d, work.S, work.next);
    if (gamma2 == Real(1) && watch.foreseen(problem, residual)) return {Status::converged, iteration + 1};
  }
}

}  // namespace mvn
