// tile_factor.hpp: Cholesky of a correlation matrix by register tiles on one thread of a CPU, and what can be said from it.
//
// Upper triangular matrices [d, d] are kept in strips of `side` columns (4, or 8 where vectors are long), d filled up to a
// multiple of that with columns of the identity. Strip s has the rows 0 … side·(s + 1) − 1 that reach its diagonal:
//
//     strip s begins at ½ side² s (s + 1), row by row
//
// Its last rows are a square tile on the diagonal; a factor has zeros below the diagonal there.
#pragma once

#include "tile.hpp"

namespace mvn {

constexpr int side = lanesOf<f64> == 2 ? 4 : 8;
constexpr int sideVectors = side / lanesOf<f64>;

// Numbers in the first s strips.
MVN_FN constexpr i64 stripStart(int s) { return i64(side * side / 2) * s * (s + 1); }

MVN_FN constexpr int stripsOf(int d) { return (d + side - 1) / side; }

// side × side numbers next to each other.
struct SquareTile {
  f64v at[side][sideVectors];
};

MVN_FN SquareTile loadSquare(const f64* from) {
  SquareTile tile;
  MVN_UNROLL for (int i = 0; i < side; ++i) {
    MVN_UNROLL for (int v = 0; v < sideVectors; ++v) tile.at[i][v] = load<f64>(from + i * side + v * lanesOf<f64>);
  }
  return tile;
}

MVN_FN void storeSquare(f64* to, const SquareTile& tile) {
  MVN_UNROLL for (int i = 0; i < side; ++i) {
    MVN_UNROLL for (int v = 0; v < sideVectors; ++v) store<f64>(to + i * side + v * lanesOf<f64>, tile.at[i][v]);
  }
}

// tile ← tile − Σ_{k<rows} left[k]ᵀ right[k], rows of two strips: as many rows of the tile at a time as registers hold.
MVN_FN void subtractProduct(SquareTile& tile, const f64* left, const f64* right, int rows) {
  constexpr int block = 8 / sideVectors;
  MVN_UNROLL for (int top = 0; top < side; top += block) {
    f64v sum[block][sideVectors];
    MVN_UNROLL for (int i = 0; i < block; ++i) {
      MVN_UNROLL for (int v = 0; v < sideVectors; ++v) sum[i][v] = tile.at[top + i][v];
    }
    const f64 *a = left + top, *b = right;
    for (int k = 0; k < rows; ++k, a += side, b += side) {
      f64v row[sideVectors];
      MVN_UNROLL for (int v = 0; v < sideVectors; ++v) row[v] = load<f64>(b + v * lanesOf<f64>);
      MVN_UNROLL for (int i = 0; i < block; ++i) {
        MVN_UNROLL for (int v = 0; v < sideVectors; ++v) sum[i][v] -= splat(a[i]) * row[v];
      }
    }
    MVN_UNROLL for (int i = 0; i < block; ++i) {
      MVN_UNROLL for (int v = 0; v < sideVectors; ++v) tile.at[top + i][v] = sum[i][v];
    }
  }
}

// X ← U⁻ᵀX for the factor's tile U on the diagonal; `inverse` are the reciprocals of its diagonal.
MVN_FN void solveTile(SquareTile& X, const f64* U, const f64* inverse) {
  MVN_UNROLL for (int i = 0; i < side; ++i) {
    MVN_UNROLL for (int k = 0; k < i; ++k) {
      const f64v entry = splat(U[k * side + i]);
      MVN_UNROLL for (int v = 0; v < sideVectors; ++v) X.at[i][v] -= entry * X.at[k][v];
    }
    const f64v reciprocal = splat(inverse[i]);
    MVN_UNROLL for (int v = 0; v < sideVectors; ++v) X.at[i][v] *= reciprocal;
  }
}

// The lanes of vector v of a row that are at or behind the diagonal in row i.
MVN_FN auto fromDiagonalOn(int i, int v) {
  f64v column;
  MVN_UNROLL for (int lane = 0; lane < lanesOf<f64>; ++lane) column[lane] = f64(v * lanesOf<f64> + lane);
  return column >= splat(f64(i));
}

// A ← U with A = UᵀU for a tile on the diagonal, from A's upper triangle, and the reciprocals of U's diagonal. False where a
// pivot is not positive. Root and quotient do not wait for each other.
MVN_FN bool factorTile(SquareTile& A, f64* inverse) {
  constexpr int lanes = lanesOf<f64>;
  bool positive = true;
  MVN_UNROLL for (int i = 0; i < side; ++i) {
    const f64 pivot = A.at[i][i / lanes][i % lanes], root = sqrt(pivot);
    positive = positive && pivot > 0 && isFinite(pivot);
    inverse[i] = root * (1 / pivot);
    MVN_UNROLL for (int v = 0; v < sideVectors; ++v) A.at[i][v] = keepWhere(fromDiagonalOn(i, v), A.at[i][v] * splat(inverse[i]));
    A.at[i][i / lanes][i % lanes] = root;
    MVN_UNROLL for (int r = i + 1; r < side; ++r) {
      const f64v entry = splat(A.at[i][r / lanes][r % lanes]);
      MVN_UNROLL for (int v = 0; v < sideVectors; ++v) A.at[r][v] -= entry * A.at[i][v];
    }
  }
  return positive;
}

// U with R = UᵀU and the reciprocals of its diagonal [side·strips]. False where R is not positive definite in this
// arithmetic.
inline bool factorStrips(int strips, const f64* R, f64* U, f64* inverse) {
  for (int s = 0; s < strips; ++s) {
    const f64* from = R + stripStart(s);
    f64* const strip = U + stripStart(s);
    for (int t = 0; t <= s; ++t) {
      const f64* left = U + stripStart(t);
      f64* const to = strip + t * side * side;
      SquareTile tile = loadSquare(from + t * side * side);
      subtractProduct(tile, left, strip, t * side);
      bool fine = true;
      if (t < s) solveTile(tile, left + t * side * side, inverse + t * side);
      else fine = factorTile(tile, inverse + s * side);
      storeSquare(to, tile);
      if (!fine) return false;
    }
  }
  return true;
}

// (R⁻¹)_jj for every column: the squared norms of the columns of U⁻ᵀ = L⁻¹, which are found strip by strip in `X`
// [strips, side, side]. `own` is [side·strips].
inline void inverseDiagonal(int strips, const f64* U, const f64* inverse, f64* X, f64* own) {
  for (int s = 0; s < strips; ++s) {
    f64v squared[sideVectors] = {};
    for (int t = s; t < strips; ++t) {
      const f64* left = U + stripStart(t);
      SquareTile tile{};
      if (t == s) {
        MVN_UNROLL for (int i = 0; i < side; ++i) tile.at[i][i / lanesOf<f64>][i % lanesOf<f64>] = 1;
      }
      subtractProduct(tile, left + s * side * side, X, (t - s) * side);
      solveTile(tile, left + t * side * side, inverse + t * side);
      storeSquare(X + (t - s) * side * side, tile);
      MVN_UNROLL for (int i = 0; i < side; ++i) {
        MVN_UNROLL for (int v = 0; v < sideVectors; ++v) squared[v] += tile.at[i][v] * tile.at[i][v];
      }
    }
    MVN_UNROLL for (int v = 0; v < sideVectors; ++v) store<f64>(own + s * side + v * lanesOf<f64>, squared[v]);
  }
}

// Σ_ij |R − UᵀU|_ij n_i n_j
inline f64 weightedDefect(int strips, const f64* R, const f64* U, const f64* n) {
  constexpr int lanes = lanesOf<f64>;
  f64v off{};
  f64 diagonal = 0;
  for (int s = 0; s < strips; ++s) {
    const f64* const strip = U + stripStart(s);
    for (int t = 0; t <= s; ++t) {
      SquareTile tile = loadSquare(R + stripStart(s) + t * side * side);
      subtractProduct(tile, U + stripStart(t), strip, (t + 1) * side);
      MVN_UNROLL for (int i = 0; i < side; ++i) {
        const f64v left = splat(n[t * side + i]);
        MVN_UNROLL for (int v = 0; v < sideVectors; ++v) {
          const f64v own = magnitude(tile.at[i][v]) * (left * load<f64>(n + s * side + v * lanes));
          if (t < s) {
            off += own;
            continue;
          }
          MVN_UNROLL for (int lane = 0; lane < lanes; ++lane) {
            if (v * lanes + lane == i) diagonal += own[lane];
            if (v * lanes + lane > i) off[lane] += own[lane];
          }
        }
      }
    }
  }
  return diagonal + 2 * sumLanes(off);
}

}  // namespace mvn
