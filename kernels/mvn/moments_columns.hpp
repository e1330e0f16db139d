// moments_columns.hpp: Σ y and Σ yᵀy over rows of few columns, a column of as many rows as the longest vectors have lanes in
// each vector.
//
// Rows are read as they lie and dealt out into columns. No lane is without a product then, as some of TurnedSums are
// (moments_sums.hpp), but lanes are added at the end of a chunk.
#pragma once

#include "simd.hpp"

namespace mvn {

// The even lanes of a and behind them those of b; the odd ones.
template <class V, int... I> MVN_FN V evenLanes(V a, V b, LaneNumbers<I...>) {
  return __builtin_shufflevector(a, b, (2 * I)...);
}
template <class V, int... I> MVN_FN V oddLanes(V a, V b, LaneNumbers<I...>) {
  return __builtin_shufflevector(a, b, (2 * I + 1)...);
}

// D vectors of rows of D numbers, one row behind the other, become D vectors of a column each.
template <int D, int lanes> struct Deal {
  using Lanes = LanesOf<lanes>;

  // Column j of the rows in v[0] … v[k]: lane l is number l·D + j of them all.
  template <int j, class V, int... I> MVN_FN static V joined(V first, V second, LaneNumbers<I...>) {
    return __builtin_shufflevector(first, second, min(I * D + j, 2 * lanes - 1)...);
  }
  template <int j, int k, class V, int... I> MVN_FN static V withNext(V column, V next, LaneNumbers<I...>) {
    return __builtin_shufflevector(column, next, ((I * D + j) / lanes == k ? lanes + (I * D + j) % lanes : I)...);
  }
  template <int j, int k, class V> MVN_FN static V column(const V* v) {
    if constexpr (k == 1) return joined<j>(v[0], v[1], Lanes{});
    else return withNext<j, k>(column<j, k - 1>(v), v[k], Lanes{});
  }
  template <class V, int... J> MVN_FN static void oneByOne(V* v, LaneNumbers<J...>) {
    const V columns[D] = {column<J, D - 1>(v)...};
    MVN_UNROLL for (int j = 0; j < D; ++j) v[j] = columns[j];
  }

  template <class V> MVN_FN static void columns(V* v) {
    if constexpr (D % 2 == 0) {
      V even[D / 2], odd[D / 2];
      MVN_UNROLL for (int k = 0; k < D / 2; ++k) {
        even[k] = evenLanes(v[2 * k], v[2 * k + 1], Lanes{});
        odd[k] = oddLanes(v[2 * k], v[2 * k + 1], Lanes{});
      }
      Deal<D / 2, lanes>::columns(even);
      Deal<D / 2, lanes>::columns(odd);
      MVN_UNROLL for (int k = 0; k < D / 2; ++k) {
        v[2 * k] = even[k];
        v[2 * k + 1] = odd[k];
      }
    } else if constexpr (D > 1) {
      oneByOne(v, LanesOf<D>{});
    }
  }
};

// In v[k / lanes], lane k % lanes, the sum of the lanes of what was v[k], k < n. Two vectors become one, each with half as many
// lanes to add, until a vector holds as many sums as lanes.
template <int n, int left, class V> MVN_FN void sumLanesOfEach(V* v) {
  using Lanes = LanesOf<int(sizeof(V) / sizeof(v[0][0]))>;
  if constexpr (left > 1) {
    constexpr int pairs = (n + 1) / 2;
    MVN_UNROLL for (int k = 0; k < pairs; ++k) {
      const V a = v[2 * k], b = v[min(2 * k + 1, n - 1)];
      v[k] = evenLanes(a, b, Lanes{}) + oddLanes(a, b, Lanes{});
    }
    sumLanesOfEach<pairs, left / 2>(v);
  }
}

template <int D, class Sum> class ColumnSums {
  static constexpr int lanes = MVN_VECTOR_BYTES / int(sizeof(Sum)), sums = D + D * (D + 1) / 2;
  using V = typename VectorOfLanes<Sum, lanes>::type;
  V shift_[D], sum_[sums];  // of the columns, and behind them of their products y_i y_j, i ≤ j

  template <int... I> MVN_FN static V counting(LaneNumbers<I...>) { return V{Sum(I)...}; }

  MVN_FN static void columns(const Sum* x, V* y) {
    MVN_UNROLL for (int v = 0; v < D; ++v) y[v] = load<Sum, V>(x + v * lanes);
    Deal<D, lanes>::columns(y);
  }
  MVN_FN void addShifted(const V* y) {
    int k = D;
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      sum_[i] += y[i];
      MVN_UNROLL for (int j = i; j < D; ++j) sum_[k++] += y[i] * y[j];
    }
  }

 public:
  static constexpr int rows = lanes;

  MVN_FN explicit ColumnSums(const Sum* shift) {
    MVN_UNROLL for (int j = 0; j < D; ++j) shift_[j] = shift[j] - V{};
    MVN_UNROLL for (V& v : sum_) v = V{};
  }

  MVN_FN void add(const Sum* x) {
    V y[D];
    columns(x, y);
    MVN_UNROLL for (int j = 0; j < D; ++j) y[j] -= shift_[j];
    addShifted(y);
  }

  // The last `count` of the rows; the others have been added.
  MVN_FN void addLast(const Sum* x, int count) {
    const auto taken = counting(LanesOf<lanes>{}) >= Sum(lanes - count) - V{};
    V y[D];
    columns(x, y);
    MVN_UNROLL for (int j = 0; j < D; ++j) y[j] = keepWhere(taken, y[j] - shift_[j]);
    addShifted(y);
  }

  // Before the sums are read.
  MVN_FN void join() { sumLanesOfEach<sums, lanes>(sum_); }
  MVN_FN Sum sum(int j) const { return sum_[j / lanes][j % lanes]; }
  MVN_FN Sum product(int i, int j) const {
    const int k = D + i * D - i * (i + 1) / 2 + j;
    return sum_[k / lanes][k % lanes];
  }
};

}  // namespace mvn
