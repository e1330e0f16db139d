// standard.hpp: a pack in units of its own (standardise.hpp), and which of its groups surely have a maximum (rank.hpp).
#pragma once

#include "mvn/packs/linear.hpp"
#include "mvn/rank.hpp"

namespace mvn {

// What a pack of fits shares, float64 whatever the arithmetic of the method. A float32 pack has as many of these as it takes
// float64 vectors to hold a number of each of its groups.
struct PackScratch {
  f64v *scale, *inverseScale, *R, *U, *inverse, *T, *W;

  MVN_FN PackScratch() {}
  MVN_FN PackScratch(Scratch& s, int d)
      : scale(s.take<f64v>(d)), inverseScale(s.take<f64v>(d)), R(s.take<f64v>(d * d)), U(s.take<f64v>(d * d)),
        inverse(s.take<f64v>(d)), T(s.take<f64v>(d * d)), W(s.take<f64v>(d * d)) {}
};

// s, 1/s and R (both triangles), as standardise() has them. A column without variance gives NaN.
template <class Dim>
MVN_FN void standardise(Dim d, const Statistics (&groups)[lanesOf<f64>], const PackScratch& work) {
  const f64v weight = gather<f64v>([&](int lane) MVN_INLINE { return groups[lane].weight; }), share = splat(1.0) / weight;
  const auto scatter = [&](int e) MVN_INLINE {
    return gather<f64v>([&](int lane) MVN_INLINE { return groups[lane].scatter[e]; });
  };
  for (int j = 0; j < d; ++j) {
    work.scale[j] = rootOf(scatter(j * d + j) / weight);
    work.inverseScale[j] = splat(1.0) / work.scale[j];
  }
  for (int i = 0; i < d; ++i) {
    const f64v own = work.inverseScale[i] * share;
    work.R[i * d + i] = splat(1.0);
    for (int j = i + 1; j < d; ++j) {
      const f64v entry = scatter(i * d + j) * own * work.inverseScale[j];
      work.R[i * d + j] = work.R[j * d + i] = entry;
    }
  }
}

// T = L⁻¹, its lower triangle: R⁻¹ = TᵀT.
template <class Dim> MVN_CALL void invertFactor(Dim d, const PackScratch& work) {
  solveLower<Part::lower>(d, work.U, work.inverse, work.T, [](int i, int j) MVN_INLINE { return splat(i == j ? 1.0 : 0.0); });
}

// tr R⁻¹ (mvn/condition.hpp).
template <class Dim> MVN_FN f64v traceOfInverse(Dim d, const PackScratch& work) {
  invertDiagonal(d, work.U, work.inverse);
  invertFactor(d, work);
  f64v sum{};
  for (int i = 0; i < d; ++i) {
    for (int j = 0; j <= i; ++j) sum += work.T[i * d + j] * work.T[i * d + j];
  }
  return sum;
}

// min_j 1/(R⁻¹)_jj: the share of a column's variance that all others together leave unexplained, at its least.
template <class Dim> MVN_FN f64v leastOwnVariance(Dim d, const PackScratch& work) {
  invertFactor(d, work);
  f64v largest{};
  for (int j = 0; j < d; ++j) {
    f64v squared{};
    for (int i = j; i < d; ++i) squared += work.T[i * d + j] * work.T[i * d + j];
    largest = larger(largest, squared);
  }
  return splat(1.0) / largest;
}

// Whether R surely has full rank and all numbers are finite, lane by lane; U gets R's factor. A lane that is in doubt
// goes through existence(), which decides: doubt costs time, not correctness.
//
// The smallest pivot of the rank test is the last one, 1/(R⁻¹)_jj of its column j, hence at least the smallest of all
// columns; and it is at least det R, the product of all pivots, none of them above 1. The determinant costs nothing, so
// R⁻¹ is looked at only where that is too small. The bound on τ takes the sum over the columns for the largest.
template <class Dim>
MVN_FN auto hasFullRank(Dim d, const Statistics (&groups)[lanesOf<f64>], f64 epsilon, const PackScratch& work) {
  f64v offset{};
  auto positive = factorCholesky(d, work.R, work.U, work.inverse);
  for (int j = 0; j < d; ++j) {
    positive &= isPositive(work.scale[j]);
    const f64v mean = gather<f64v>([&](int lane) MVN_INLINE { return groups[lane].mean[j]; });
    const f64v ratio = mean * work.inverseScale[j];
    offset += ratio * ratio;
  }
  const f64 squared = epsilon * epsilon, unit = rankSlack * d;
  const f64v threshold = splat(unit * (2 * roundingUnit<f64> + squared)) + splat(unit * squared) * offset;
  f64v determinant = splat(1.0);
  for (int i = 0; i < d; ++i) determinant *= work.U[i * d + i] * work.U[i * d + i];
  const auto certain = positive & (determinant > threshold);
  const auto doubtful = positive & ~certain;
  if (!anyLane(doubtful)) return certain;
  return certain | (positive & (leastOwnVariance(d, work) > splat(2.0) * threshold));
}

}  // namespace mvn
