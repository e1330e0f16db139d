// newton.hpp: Newton's iteration (methods/newton.hpp) for a pack, its lanes in step.
//
// Groups of one batch need nearly the same number of steps, so a lane that has ended waits for the others: its factor is
// kept where it ended, and what its lane computes after that is for nobody.
#pragma once

#include "mvn/methods/newton.hpp"
#include "mvn/packs/linear.hpp"

namespace mvn {

template <class V> struct PackNewtonScratch {
  V *R, *U, *S, *next, *T, *W, *inverse, *spare, *found;

  MVN_FN PackNewtonScratch(Scratch& s, int d)
      : R(s.take<V>(d * d)), U(s.take<V>(d * d)), S(s.take<V>(d * d)), next(s.take<V>(d * d)), T(s.take<V>(d * d)),
        W(s.take<V>(d * d)), inverse(s.take<V>(d)), spare(s.take<V>(d)), found(s.take<V>(d * d)) {}
};

// range(lane) as rangeOf() has it.
template <class Dim, class V, class Real>
MVN_FN void rangesOf(Dim d, const PackNewtonScratch<V>& work, Range<Real> (&range)[lanesIn<V>]) {
  const V high = rootOf(squaredDistance(d, work.W, Real(0)));
  const auto positive = factorCholesky(d, work.W, work.next, work.spare);
  V low = high;
  for (int i = 0; i < d; ++i) low = smaller(low, work.next[i * d + i] * work.next[i * d + i]);
  for (int lane = 0; lane < lanesIn<V>; ++lane) {
    const Real floor = high[lane] * sqrt(roundingUnit<Real>);
    range[lane] = {positive[lane] ? max(Real(pivotShare) * low[lane], floor) : floor, high[lane]};
  }
}

// next ← ¼ (γ²S + 2R + γ⁻²TᵀT), upper triangle.
template <class Dim, class V> MVN_FN void polarStep(Dim d, const PackNewtonScratch<V>& work, V gamma2) {
  const V own = gamma2 * all<V>(0.25), share = all<V>(1) / (all<V>(4) * gamma2), half = all<V>(0.5);
  gram<false>(d, work.T, [&](int i, int j, V sum) MVN_INLINE {
    work.next[i * d + j] = own * work.S[i * d + j] + half * work.R[i * d + j] + share * sum;
  });
}

// The dimension for the loops of polarStep(). Sums of eight known terms are unrolled, and V8 then spills: 1.8 against
// 1.65 µs a fit at d = 8. A length read from memory keeps them loops.
template <class Dim, class Real> MVN_FN auto loopDimension(Dim d, const Problem<Real>& problem) {
  if constexpr (Dim::isFixed) {
    if constexpr (Dim::atMost <= 4) return d;
    else return Dynamic{problem.d};
  } else {
    return d;
  }
}

// From work.U, or from L = I (`fromIdentity`), where S = I and T = W = R need no computing; leaves the factors in the upper
// triangle of work.found. `alive` tells the lanes that have a group.
template <class Dim, class V, class Real = Element<V>>
MVN_CALL void newton(Dim d, PackNewtonScratch<V> work, const Problem<Real>& problem, bool fromIdentity,
                     const bool (&alive)[lanesIn<V>], Ending (&ending)[lanesIn<V>]) {
  constexpr int lanes = lanesIn<V>;
  NewtonWatch<Real> watch[lanes];
  Range<Real> range[lanes];
  bool going[lanes];
  int left = 0;
  for (int lane = 0; lane < lanes; ++lane) left += going[lane] = alive[lane];
  const auto end = [&](int lane) MVN_INLINE {
    going[lane] = false;
    --left;
    const Real* from = laneOf(work.U, lane);
    Real* to = laneOf(work.found, lane);
    for (int i = 0; i < d; ++i) {
      for (int j = i; j < d; ++j) to[(i * d + j) * lanes] = from[(i * d + j) * lanes];
    }
  };
  V *const T = work.T, *const W = work.W;
  if (fromIdentity) {
    for (int e = 0; e < d * d; ++e) work.S[e] = work.U[e] = all<V>(e % (d + 1) == 0);
    work.T = work.W = work.R;
  } else {
    gram<true>(d, work.U, [&](int i, int j, V sum) MVN_INLINE { work.S[i * d + j] = sum; });
    invertDiagonal(d, work.U, work.inverse);
  }
  for (int iteration = 0;; ++iteration) {
    if (iteration > 0 || !fromIdentity) {
      work.T = T;
      work.W = W;
      solveLower<Part::all>(d, work.U, work.inverse, work.T, [&](int i, int j) MVN_INLINE { return work.R[i * d + j]; });
      solveLower<Part::upper>(d, work.U, work.inverse, work.W, [&](int i, int j) MVN_INLINE { return work.T[j * d + i]; });
    }
    const V residual = rootOf(squaredDistance(d, work.W, Real(1)));
    for (int lane = 0; lane < lanes; ++lane) {
      if (going[lane] && watch[lane].ended(SerialTeam{}, problem, residual[lane], iteration, ending[lane])) end(lane);
    }
    if (left == 0) return;
    if (iteration == 0) rangesOf(d, work, range);

    V gamma2 = gather<V>([&](int lane) MVN_INLINE {
      return watch[lane].isNear(residual[lane]) ? Real(1) : range[lane].advance();
    });
    for (int retry = 0;; ++retry) {
      polarStep(loopDimension(d, problem), work, gamma2);
      const auto positive = factorCholesky(d, work.next, work.U, work.inverse);
      bool again = false;
      for (int lane = 0; lane < lanes; ++lane) {
        if (!going[lane] || positive[lane]) continue;
        if (retry == newtonRetries) {
          ending[lane] = {Status::stalled, iteration};
          end(lane);
          continue;
        }
        gamma2[lane] *= Real(16);
        range[lane] = {1, 1};
        again = true;
      }
      if (!again) break;
    }
    V* const S = work.S;
    work.S = work.next;
    work.next = S;
    for (int lane = 0; lane < lanes; ++lane) {
      if (!going[lane] || gamma2[lane] != Real(1) || !watch[lane].foreseen(problem, residual[lane])) continue;
      ending[lane] = {Status::converged, iteration + 1};
      end(lane);
    }
    if (left == 0) return;
  }
}

}  // namespace mvn
