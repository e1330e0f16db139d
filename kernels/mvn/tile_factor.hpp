// tile_factor.hpp: Cholesky of a correlation matrix by register tiles on one thread of a CPU, and what can be said from it.
//
// Upper triangular matrices [d, d] are kept in strips of 4 columns (tile.hpp), d filled up to a multiple of 4 with columns
// of the identity. Strip s has the rows 0 … 4s+3 that reach its diagonal:
//
//     strip s begins at 8 s (s + 1):  U[0][4s … 4s+3], U[1][4s … 4s+3], …, U[4s+3][4s … 4s+3]
//
// Its last four rows are a tile on the diagonal; a factor has zeros below the diagonal there.
#pragma once

#include "tile.hpp"

namespace mvn {

// Numbers in the first s strips.
MVN_FN constexpr i64 stripStart(int s) { return i64(8) * s * (s + 1); }

MVN_FN constexpr int stripsOf(int d) { return (d + tileRows - 1) / tileRows; }

// X ← U⁻ᵀX for the factor's tile U on the diagonal; `inverse` are the reciprocals of its diagonal.
MVN_FN void solveTile(Tile<f64>& X, const f64* U, const f64* inverse) {
  MVN_UNROLL for (int i = 0; i < tileRows; ++i) {
    MVN_UNROLL for (int k = 0; k < i; ++k) {
      const f64x2 entry = splat(U[k * tileRows + i]);
      X.at[i][0] -= entry * X.at[k][0];
      X.at[i][1] -= entry * X.at[k][1];
    }
    const f64x2 reciprocal = splat(inverse[i]);
    X.at[i][0] *= reciprocal;
    X.at[i][1] *= reciprocal;
  }
}

// U with A = UᵀU for one tile on the diagonal, from A's upper triangle, in place. False where a pivot is not positive.
MVN_FN bool factorTile(f64* A, f64* inverse) {
  constexpr int n = tileRows;
  for (int i = 0; i < n; ++i) {
    for (int k = 0; k < i; ++k) {
      for (int j = i; j < n; ++j) A[i * n + j] -= A[k * n + i] * A[k * n + j];
    }
    const f64 pivot = A[i * n + i];
    if (!(pivot > 0) || !isFinite(pivot)) return false;
    const f64 root = sqrt(pivot);
    inverse[i] = 1 / root;
    for (int j = 0; j < i; ++j) A[i * n + j] = 0;
    A[i * n + i] = root;
    for (int j = i + 1; j < n; ++j) A[i * n + j] *= inverse[i];
  }
  return true;
}

// U with R = UᵀU and the reciprocals of its diagonal [4 strips]. False where R is not positive definite in this arithmetic.
inline bool factorStrips(int strips, const f64* R, f64* U, f64* inverse) {
  for (int s = 0; s < strips; ++s) {
    const f64* from = R + stripStart(s);
    f64* const strip = U + stripStart(s);
    for (int t = 0; t <= s; ++t) {
      const f64* left = U + stripStart(t);
      f64* const to = strip + t * tileRows * tileRows;
      Tile<f64> tile = loadTile(from + t * tileRows * tileRows);
      addProduct<-1>(tile, left, strip, t * tileRows);
      if (t < s) solveTile(tile, left + t * tileRows * tileRows, inverse + t * tileRows);
      storeTile(to, tile);
    }
    if (!factorTile(strip + s * tileRows * tileRows, inverse + s * tileRows)) return false;
  }
  return true;
}

// (R⁻¹)_jj for every column: the squared norms of the columns of U⁻ᵀ = L⁻¹, which are found strip by strip in `X`
// [strips, 4, 4]. `own` is [4 strips].
inline void inverseDiagonal(int strips, const f64* U, const f64* inverse, f64* X, f64* own) {
  for (int s = 0; s < strips; ++s) {
    f64x2 squared[2] = {};
    for (int t = s; t < strips; ++t) {
      const f64* left = U + stripStart(t);
      Tile<f64> tile{};
      if (t == s) {
        for (int i = 0; i < tileRows; ++i) tile.at[i][i / 2][i % 2] = 1;
      }
      addProduct<-1>(tile, left + s * tileRows * tileRows, X, (t - s) * tileRows);
      solveTile(tile, left + t * tileRows * tileRows, inverse + t * tileRows);
      storeTile(X + (t - s) * tileRows * tileRows, tile);
      MVN_UNROLL for (int i = 0; i < tileRows; ++i) {
        squared[0] += tile.at[i][0] * tile.at[i][0];
        squared[1] += tile.at[i][1] * tile.at[i][1];
      }
    }
    store<f64>(own + s * tileRows, squared[0]);
    store<f64>(own + s * tileRows + 2, squared[1]);
  }
}

// Σ_ij |R − UᵀU|_ij n_i n_j
inline f64 weightedDefect(int strips, const f64* R, const f64* U, const f64* n) {
  f64x2 off{};
  f64 diagonal = 0;
  for (int s = 0; s < strips; ++s) {
    const f64* const strip = U + stripStart(s);
    const f64x2 right[2] = {load<f64>(n + s * tileRows), load<f64>(n + s * tileRows + 2)};
    for (int t = 0; t <= s; ++t) {
      Tile<f64> tile = loadTile(R + stripStart(s) + t * tileRows * tileRows);
      addProduct<-1>(tile, U + stripStart(t), strip, (t + 1) * tileRows);
      for (int i = 0; i < tileRows; ++i) {
        const int row = t * tileRows + i;
        const f64x2 share[2] = {splat(n[row]) * right[0], splat(n[row]) * right[1]};
        const f64x2 own[2] = {magnitude(tile.at[i][0]) * share[0], magnitude(tile.at[i][1]) * share[1]};
        if (t < s) {
          off += own[0] + own[1];
          continue;
        }
        diagonal += own[i / 2][i % 2];
        for (int j = i + 1; j < tileRows; ++j) off[j % 2] += own[j / 2][j % 2];
      }
    }
  }
  return diagonal + 2 * sumLanes(off);
}

}  // namespace mvn
