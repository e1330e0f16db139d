// rows.hpp: the inner loops that every factorisation and product here is made of.
//
// All of them run along the rows of row-major matrices, so that a CPU vectorises them and the lanes of a device read
// neighbouring words.
#pragma once

#include "dimension.hpp"
#include "simd.hpp"
#include "team.hpp"

// A function of its own instead of a copy at every call: for the large steps.
#if defined(__CUDACC__)
#define MVN_CALL __device__ __noinline__
#else
#define MVN_CALL __attribute__((noinline))
#endif

namespace mvn {

template <int I> struct Index {
  MVN_FN constexpr operator int() const { return I; }
};

// Columns 0 … n−1 shared among the lanes, f(begin, end) for each share. On a CPU one lane takes all of them; where their
// number is Fixed it is a constant for f as well, and rows then live in registers.
template <class Team, class N, class F> MVN_FN void strips(const Team& team, N n, F f) {
  if constexpr (!Team::simd) {
    team.each(n, [&](int j) { f(j, j + 1); });
  } else if constexpr (N::isFixed) {
    f(Index<0>{}, Index<N::atMost>{});
  } else {
    f(0, int(n));
  }
}

// The share's columns from the diagonal on, or up to it. A Fixed row is computed whole: that is quicker than short
// loops of changing length, and the other triangle then holds the same symmetric values, or is not read.
MVN_FN constexpr Index<0> fromDiagonal(Index<0>, int) { return {}; }
MVN_FN constexpr int fromDiagonal(int begin, int i) { return max(begin, i); }
template <int N> MVN_FN constexpr Index<N> upToDiagonal(Index<N>, int) { return {}; }
MVN_FN constexpr int upToDiagonal(int end, int i) { return min(end, i + 1); }

// y ← y + sign Σ_{k<n} a[k·step] x[k] on columns begin … end−1, x[k] the k-th row of a matrix of `width` columns.
// Four rows at a time, so that y is loaded and stored once for four products.
template <int sign, class Real>
MVN_FN void combineRows(Real* __restrict y, const Real* a, int step, const Real* __restrict x, int width, int n,
                        int begin, int end) {
  int k = 0;
  for (; k + 4 <= n; k += 4) {
    const Real *x0 = x + k * width, *x1 = x0 + width, *x2 = x1 + width, *x3 = x2 + width;
    const Real a0 = a[k * step], a1 = a[(k + 1) * step], a2 = a[(k + 2) * step], a3 = a[(k + 3) * step];
    for (int j = begin; j < end; ++j) y[j] = y[j] + Real(sign) * ((a0 * x0[j] + a1 * x1[j]) + (a2 * x2[j] + a3 * x3[j]));
  }
  for (; k < n; ++k) {
    const Real ak = Real(sign) * a[k * step];
    for (int j = begin; j < end; ++j) y[j] = y[j] + ak * x[k * width + j];
  }
}

// The same with y in registers.
template <int sign, int N, class Real>
MVN_FN void combineRows(Real* __restrict y, const Real* a, int step, const Real* __restrict x, int width, int n,
                        Index<0>, Index<N>) {
  Real sum[N];
  MVN_UNROLL for (int j = 0; j < N; ++j) sum[j] = y[j];
  for (int k = 0; k < n; ++k) {
    const Real ak = Real(sign) * a[k * step];
    MVN_UNROLL for (int j = 0; j < N; ++j) sum[j] += ak * x[k * width + j];
  }
  MVN_UNROLL for (int j = 0; j < N; ++j) y[j] = sum[j];
}

template <class Real, class Begin, class End>
MVN_FN void addRows(Real* y, const Real* a, int step, const Real* x, int width, int n, Begin begin, End end) {
  combineRows<1>(y, a, step, x, width, n, begin, end);
}
template <class Real, class Begin, class End>
MVN_FN void subtractRows(Real* y, const Real* a, int step, const Real* x, int width, int n, Begin begin, End end) {
  combineRows<-1>(y, a, step, x, width, n, begin, end);
}

// Σ a_i b_i, on a CPU in two vectors of sums.
template <class Team, class Real> MVN_FN Real dot(const Team& team, int n, const Real* a, const Real* b) {
#if !defined(__CUDACC__)
  if constexpr (Team::simd) {
    constexpr int lanes = lanesOf<Real>;
    Vector<Real> even = splat(Real(0)), odd = splat(Real(0));
    int i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      even += load<Real>(a + i) * load<Real>(b + i);
      odd += load<Real>(a + i + lanes) * load<Real>(b + i + lanes);
    }
    even += odd;
    Real sum = 0;
    for (int lane = 0; lane < lanes; ++lane) sum += even[lane];
    for (; i < n; ++i) sum += a[i] * b[i];
    return sum;
  }
#endif
  return team.sumOver(n, [&](int i) { return a[i] * b[i]; });
}

// y ← y + a x
template <class Team, class Real> MVN_FN void addScaled(const Team& team, int n, Real* y, Real a, const Real* x) {
  team.each(n, [&](int i) { y[i] = y[i] + a * x[i]; });
  team.sync();
}

template <class Team, class To, class From> MVN_FN void copy(const Team& team, int n, To* to, const From* from) {
  team.each(n, [&](int i) { to[i] = To(from[i]); });
  team.sync();
}

}  // namespace mvn
