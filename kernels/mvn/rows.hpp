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

// Columns 0 … n−1 shared among the lanes, f(begin, end) for each share. On a CPU one lane takes all of them; where
// their number is Fixed it is a constant for f as well, and rows then live in registers.
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
    for (int j = begin; j < end; ++j) {
      y[j] = y[j] + Real(sign) * ((a0 * x0[j] + a1 * x1[j]) + (a2 * x2[j] + a3 * x3[j]));
    }
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
#if defined(__CUDACC__)
  combineRows<sign>(y, a, step, x, width, n, 0, N);
#else
  constexpr int lanes = lanesOf<Real>, vectors = N / lanes, rest = N % lanes;
  Vector<Real> sum[vectors + 1];
  Real tail[rest + 1];
  MVN_UNROLL for (int v = 0; v < vectors; ++v) sum[v] = load<Real>(y + v * lanes);
  MVN_UNROLL for (int j = 0; j < rest; ++j) tail[j] = y[vectors * lanes + j];
  for (int k = 0; k < n; ++k) {
    const Real ak = Real(sign) * a[k * step];
    const Real* row = x + k * width;
    MVN_UNROLL for (int v = 0; v < vectors; ++v) sum[v] += splat(ak) * load<Real>(row + v * lanes);
    MVN_UNROLL for (int j = 0; j < rest; ++j) tail[j] += ak * row[vectors * lanes + j];
  }
  MVN_UNROLL for (int v = 0; v < vectors; ++v) store<Real>(y + v * lanes, sum[v]);
  MVN_UNROLL for (int j = 0; j < rest; ++j) y[vectors * lanes + j] = tail[j];
#endif
}

// Rows that a kernel takes together: on a CPU with a general d, four rows and two vectors of columns fill registers.
template <class Team, class Dim> constexpr int blockRows = Team::simd && !Dim::isFixed ? 4 : 1;

// y_r ← y_r + sign Σ_{k<n} a[k·step + r·across] x[k] for r = 0 … rows−1, y_r rows of `stride` columns.
template <int sign, class Real, class Begin, class End>
MVN_FN void combineBlock(int rows, Real* y, int stride, const Real* a, int step, int across, const Real* x, int width,
                         int n, Begin begin, End end) {
  for (int r = 0; r < rows; ++r) combineRows<sign>(y + r * stride, a + r * across, step, x, width, n, begin, end);
}
#if !defined(__CUDACC__)
template <int sign, class Real>
MVN_FN void combineBlock(int rows, Real* y, int stride, const Real* a, int step, int across, const Real* x, int width,
                         int n, int begin, int end) {
  constexpr int block = 4, columns = 2 * lanesOf<Real>;
  int j = begin;
  if (rows == block && n >= block) {
    for (; j + columns <= end; j += columns) {
      Vector<Real> left[block], right[block];
      MVN_UNROLL for (int r = 0; r < block; ++r) left[r] = right[r] = splat(Real(0));
      for (int k = 0; k < n; ++k) {
        const Real* row = x + k * width + j;
        const Vector<Real> x0 = load<Real>(row), x1 = load<Real>(row + lanesOf<Real>);
        MVN_UNROLL for (int r = 0; r < block; ++r) {
          const Vector<Real> coefficient = splat(a[k * step + r * across]);
          left[r] += coefficient * x0;
          right[r] += coefficient * x1;
        }
      }
      MVN_UNROLL for (int r = 0; r < block; ++r) {
        Real* to = y + r * stride + j;
        store<Real>(to, load<Real>(to) + splat(Real(sign)) * left[r]);
        store<Real>(to + lanesOf<Real>, load<Real>(to + lanesOf<Real>) + splat(Real(sign)) * right[r]);
      }
    }
  }
  for (int r = 0; r < rows; ++r) combineRows<sign>(y + r * stride, a + r * across, step, x, width, n, j, end);
}
#endif

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

// y ← y + a x, each lane its own elements.
template <class Team, class Real>
MVN_FN void addScaled(const Team& team, int n, Real* __restrict y, Real a, const Real* __restrict x) {
#if !defined(__CUDACC__)
  if constexpr (Team::simd) {
    constexpr int lanes = lanesOf<Real>;
    int i = 0;
    for (; i + lanes <= n; i += lanes) store<Real>(y + i, load<Real>(y + i) + splat(a) * load<Real>(x + i));
    for (; i < n; ++i) y[i] = y[i] + a * x[i];
    return;
  }
#endif
  team.each(n, [&](int i) { y[i] = y[i] + a * x[i]; });
}

template <class Team, class To, class From> MVN_FN void copy(const Team& team, int n, To* to, const From* from) {
  team.each(n, [&](int i) { to[i] = To(from[i]); });
  team.sync();
}

}  // namespace mvn
