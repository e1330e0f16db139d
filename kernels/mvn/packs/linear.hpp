// linear.hpp: Cholesky, triangular solves and products of a pack, d×d row-major, U = Lᵀ as in cholesky.hpp.
//
// Work goes by tiles of two rows and up to four columns, which stay in registers while the sum over k runs: each vector
// loaded serves several products. The order of the sums is the plain one, k = 0 … i−1.
#pragma once

#include "mvn/packs/pack.hpp"

namespace mvn {

// sum_rc ← sum_rc + sign Σ_{k<n} a[k·step + r·across] x[k·width + c]
template <int sign, int R, int C, class V>
MVN_FN void accumulate(V (&sum)[R][C], int n, const V* a, int step, int across, const V* x, int width) {
  for (int k = 0; k < n; ++k) {
    V coefficient[R];
    MVN_UNROLL for (int r = 0; r < R; ++r) coefficient[r] = a[k * step + r * across];
    MVN_UNROLL for (int c = 0; c < C; ++c) {
      const V entry = x[k * width + c];
      MVN_UNROLL for (int r = 0; r < R; ++r) {
        sum[r][c] = sign > 0 ? sum[r][c] + coefficient[r] * entry : sum[r][c] - coefficient[r] * entry;
      }
    }
  }
}

// What is left of a forward solve within rows i … of a tile.
template <int R, int C, class V>
MVN_FN void divideDown(V (&sum)[R][C], int i, int d, const V* U, const V* inverse) {
  MVN_UNROLL for (int r = 0; r < R; ++r) {
    const V reciprocal = inverse[i + r];
    MVN_UNROLL for (int s = 0; s < r; ++s) {
      const V entry = U[(i + s) * d + i + r];
      MVN_UNROLL for (int c = 0; c < C; ++c) sum[r][c] -= entry * sum[s][c];
    }
    MVN_UNROLL for (int c = 0; c < C; ++c) sum[r][c] *= reciprocal;
  }
}

template <int R, int C, class V> MVN_FN void store(const V (&tile)[R][C], V* to, int width) {
  MVN_UNROLL for (int r = 0; r < R; ++r) {
    MVN_UNROLL for (int c = 0; c < C; ++c) to[r * width + c] = tile[r][c];
  }
}

// f(Index<C>, j) for the tiles of C columns from j that cover columns begin … end−1.
template <class F> MVN_FN void columnTiles(int begin, int end, F f) {
  int j = begin;
  for (; j + 4 <= end; j += 4) f(Index<4>{}, j);
  if (end - j == 3) f(Index<3>{}, j);
  if (end - j == 2) f(Index<2>{}, j);
  if (end - j == 1) f(Index<1>{}, j);
}

// f(Index<R>, i) for pairs of rows downwards, and the last row of an odd number.
template <class Dim, class F> MVN_FN void rowPairs(Dim d, F f) {
  int i = 0;
  for (; i + 2 <= d; i += 2) f(Index<2>{}, i);
  if (i < d) f(Index<1>{}, i);
}

// U with A = UᵀU, and 1/U_ii. A mask of the lanes where A is positive definite in this arithmetic.
template <class Dim, class V> MVN_CALL auto factorCholesky(Dim d, const V* A, V* U, V* inverse) {
  auto positive = isPositive(all<V>(1));
  rowPairs(d, [&](auto rows, int i) MVN_INLINE {
    constexpr int R = decltype(rows){};
    columnTiles(i, d, [&](auto columns, int j) MVN_INLINE {
      constexpr int C = decltype(columns){};
      V sum[R][C];
      MVN_UNROLL for (int r = 0; r < R; ++r) {
        MVN_UNROLL for (int c = 0; c < C; ++c) sum[r][c] = A[(i + r) * d + j + c];
      }
      accumulate<-1>(sum, i, U + i, d, 1, U + j, d);
      if (C >= R && j == i) {
        MVN_UNROLL for (int r = 0; r < R; ++r) {
          const V pivot = sum[r][r], root = rootOf(pivot);
          const V reciprocal = root * (all<V>(1) / pivot);  // root and quotient do not wait for each other
          positive &= isPositive(pivot);
          inverse[i + r] = reciprocal;
          MVN_UNROLL for (int c = r + 1; c < C; ++c) sum[r][c] *= reciprocal;
          sum[r][r] = root;
          MVN_UNROLL for (int q = r + 1; q < R; ++q) {
            MVN_UNROLL for (int c = q; c < C; ++c) sum[q][c] -= sum[r][q] * sum[r][c];
          }
        }
      } else {
        divideDown(sum, i, int(d), U, inverse);
      }
      store(sum, U + i * d + j, d);
    });
  });
  return positive;
}

// The part of X = L⁻¹B that is wanted: the upper triangle where X is symmetric, the lower where B is lower triangular.
enum class Part { all, upper, lower };

// X = L⁻¹B, B_ij = source(i, j). Of a lower triangular X some zeros are written above the diagonal, to the end of a tile.
template <Part part, class Dim, class V, class Source>
MVN_CALL void solveLower(Dim d, const V* U, const V* inverse, V* X, Source source) {
  rowPairs(d, [&](auto rows, int i) MVN_INLINE {
    constexpr int R = decltype(rows){};
    const int begin = part == Part::upper ? i : 0, end = part == Part::lower ? min(int(d), (i + R + 3) / 4 * 4) : int(d);
    columnTiles(begin, end, [&](auto columns, int j) MVN_INLINE {
      constexpr int C = decltype(columns){};
      const int top = part == Part::lower ? j : 0;  // above it X is zero
      V sum[R][C];
      MVN_UNROLL for (int r = 0; r < R; ++r) {
        MVN_UNROLL for (int c = 0; c < C; ++c) sum[r][c] = source(i + r, j + c);
      }
      accumulate<-1>(sum, i - top, U + top * d + i, d, 1, X + top * d + j, d);
      divideDown(sum, i, int(d), U, inverse);
      store(sum, X + i * d + j, d);
    });
  });
}

// The lower triangle of X = L⁻ᵀB, B_ij = source(i, j).
template <class Dim, class V, class Source>
MVN_CALL void solveUpperLowerPart(Dim d, const V* U, const V* inverse, V* X, Source source) {
  const auto block = [&](auto rows, int i) MVN_INLINE {
    constexpr int R = decltype(rows){};
    const int below = i + R;
    columnTiles(0, below, [&](auto columns, int j) MVN_INLINE {
      constexpr int C = decltype(columns){};
      V sum[R][C];
      MVN_UNROLL for (int r = 0; r < R; ++r) {
        MVN_UNROLL for (int c = 0; c < C; ++c) sum[r][c] = source(i + r, j + c);
      }
      accumulate<-1>(sum, d - below, U + i * d + below, 1, d, X + below * d + j, d);
      MVN_UNROLL for (int r = R - 1; r >= 0; --r) {
        const V reciprocal = inverse[i + r];
        MVN_UNROLL for (int s = r + 1; s < R; ++s) {
          const V entry = U[(i + r) * d + i + s];
          MVN_UNROLL for (int c = 0; c < C; ++c) sum[r][c] -= entry * sum[s][c];
        }
        MVN_UNROLL for (int c = 0; c < C; ++c) sum[r][c] *= reciprocal;
      }
      store(sum, X + i * d + j, d);
    });
  };
  const int odd = d % 2;
  if (odd) block(Index<1>{}, d - 1);
  for (int i = d - odd - 2; i >= 0; i -= 2) block(Index<2>{}, i);
}

// put(i, j, (XᵀX)_ij) for the upper triangle. `triangular` says that X is upper triangular.
template <bool triangular, class Dim, class V, class Store> MVN_CALL void gram(Dim d, const V* X, Store put) {
  rowPairs(d, [&](auto rows, int i) MVN_INLINE {
    constexpr int R = decltype(rows){};
    columnTiles(i, d, [&](auto columns, int j) MVN_INLINE {
      constexpr int C = decltype(columns){};
      V sum[R][C] = {};
      accumulate<1>(sum, triangular ? i + 1 : int(d), X + i, d, 1, X + j, d);
      if constexpr (triangular && R == 2) {  // row i + 1 has one term more
        MVN_UNROLL for (int c = 0; c < C; ++c) sum[1][c] += X[(i + 1) * d + i + 1] * X[(i + 1) * d + j + c];
      }
      MVN_UNROLL for (int r = 0; r < R; ++r) {
        MVN_UNROLL for (int c = 0; c < C; ++c) {
          if (c >= r || j > i) put(i + r, j + c, sum[r][c]);
        }
      }
    });
  });
}

template <class Dim, class V> MVN_FN void invertDiagonal(Dim d, const V* U, V* inverse) {
  for (int i = 0; i < d; ++i) inverse[i] = all<V>(1) / U[i * d + i];
}

// ‖W − shift·I‖_F² from the upper triangle, in four sums that do not wait for each other.
template <class Dim, class V> MVN_FN V squaredDistance(Dim d, const V* W, Element<V> shift) {
  V diagonal{}, sum[3] = {};
  for (int i = 0; i < d; ++i) {
    const V* row = W + i * d;
    const V own = row[i] - all<V>(shift);
    diagonal += own * own;
    int j = i + 1;
    for (; j + 3 <= d; j += 3) {
      MVN_UNROLL for (int s = 0; s < 3; ++s) sum[s] += row[j + s] * row[j + s];
    }
    for (; j < d; ++j) sum[0] += row[j] * row[j];
  }
  const V off = (sum[0] + sum[1]) + sum[2];
  return diagonal + (off + off);
}

template <class Dim, class V> MVN_FN V trace(Dim d, const V* W) {
  V sum{};
  for (int i = 0; i < d; ++i) sum += W[i * d + i];
  return sum;
}

}  // namespace mvn
