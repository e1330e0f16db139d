// tile.hpp: a tile of a matrix product in the vector registers of a CPU.
//
// A matrix whose products go by tiles is kept in strips of `width` columns, two vectors, each strip contiguous, row by row. A
// tile of UᵀV is then made of two strips, read from top to bottom: row k of either is some or all of `width` numbers next to
// each other.
//
// 4 rows of two vectors are 8 registers of sums, which leaves room for the operands among the 15 that V8 gives out and the
// 16 of AVX2. AVX-512 has 32: 8 rows read less for as many products, 7 to 10 % at d = 64 and 128.
#pragma once

#include "simd.hpp"

namespace mvn {

constexpr int tileRows = MVN_VECTOR_BYTES == 64 ? 8 : 4;
template <class Real> constexpr int tileWidth = 2 * lanesOf<Real>;

template <class Real> struct Tile {
  Vector<Real> at[tileRows][2];
};

template <class Real> MVN_FN Tile<Real> loadTile(const Real* from) {
  Tile<Real> tile;
  MVN_UNROLL for (int i = 0; i < tileRows; ++i) {
    tile.at[i][0] = load<Real>(from + i * tileWidth<Real>);
    tile.at[i][1] = load<Real>(from + i * tileWidth<Real> + lanesOf<Real>);
  }
  return tile;
}

template <class Real> MVN_FN void storeTile(Real* to, const Tile<Real>& tile) {
  MVN_UNROLL for (int i = 0; i < tileRows; ++i) {
    store<Real>(to + i * tileWidth<Real>, tile.at[i][0]);
    store<Real>(to + i * tileWidth<Real> + lanesOf<Real>, tile.at[i][1]);
  }
}

// tile ← tile + Σ_{k<rows} left[k][0…tileRows−1]ᵀ right[k][0…width−1], `left` and `right` within strips. Rows of the tile from
// `whole` on get their second vector only: on the diagonal the first one lies below it.
template <int whole = tileRows, class Real>
MVN_FN void addProduct(Tile<Real>& tile, const Real* left, const Real* right, int rows) {
  constexpr int width = tileWidth<Real>;
  for (int k = 0; k < rows; ++k) {
    const Vector<Real> b0 = load<Real>(right), b1 = load<Real>(right + lanesOf<Real>);
    MVN_UNROLL for (int i = 0; i < tileRows; ++i) {
      const Vector<Real> a = splat(left[i]);
      if (i < whole) tile.at[i][0] += a * b0;
      tile.at[i][1] += a * b1;
    }
    left += width;
    right += width;
  }
}

}  // namespace mvn
