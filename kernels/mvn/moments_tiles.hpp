// moments_tiles.hpp: moments of a group of any number of columns, by register tiles over packed rows.
//
// Rows are packed, shifted, into a panel of strips of `width` columns, each strip contiguous, so that a tile of the
// product streams two of them:
//
//     strip s:  y[0][s·width …], y[1][s·width …], …          tile (i, j):  Σ_r y[r][i…i+3]ᵀ y[r][j…j+width−1]
//
// A tile of 4 × width sums is 8 vectors, which leaves registers for its operands. A panel holds some of a chunk's
// rows, which stay in cache; the tiles' sums go on from panel to panel, so how many those are changes no bit.
// Weights enter as √w y on both sides. The scatter is kept tile by tile in scratch (those that reach the upper
// triangle) and unpacked at the end.
#pragma once

#include "moments_chunk.hpp"
#include "simd.hpp"
#include "team.hpp"

namespace mvn {

constexpr int tileRows = 4;
template <class Sum> constexpr int tileWidth = 2 * lanesOf<Sum>;

// More rows a panel, and the panel of a few columns leaves the first-level cache; fewer, and a tile's sums are loaded and
// stored too often.
template <class Sum> MVN_FN constexpr int panelRows(int d) { return min(32, chunkRowsIn<Sum>(d)); }

template <class Sum> struct TileWorkspace {
  int strips;
  f64 *origin, *mean;            // [padded d]: as in GroupSums
  f64 *total, *average, *delta;  // [padded d]: Σ w y, ȳ, δ of the chunk
  Sum *shift, *sum;              // [padded d]
  Sum* panel;                    // [strips, panel rows, width]
  Sum* products;                 // [tiles, 4, width]: Σ w yᵀy of the chunk
  f64* tiles;                    // [tiles, 4, width]: the scatter so far

  MVN_FN TileWorkspace(Scratch& scratch, int d) : strips((d + tileWidth<Sum> - 1) / tileWidth<Sum>) {
    constexpr int width = tileWidth<Sum>;
    i64 padded = i64(strips) * width;
    origin = scratch.take<f64>(padded);
    mean = scratch.take<f64>(padded);
    total = scratch.take<f64>(padded);
    average = scratch.take<f64>(padded);
    delta = scratch.take<f64>(padded);
    shift = scratch.take<Sum>(padded);
    sum = scratch.take<Sum>(padded);
    panel = scratch.take<Sum>(padded * panelRows<Sum>(d));
    products = scratch.take<Sum>(tileValues());
    tiles = scratch.take<f64>(tileValues());
  }

  // Values of all tiles: strip s meets the (s + 1)·width rows down to the diagonal.
  MVN_FN i64 tileValues() const { return i64(strips) * (strips + 1) / 2 * tileWidth<Sum> * tileWidth<Sum>; }
};

// Packs one strip, `from` its first column on, of `Rows` rows, and adds them to the sums.
template <int Rows, bool weighted, class Sum, class Row>
MVN_FN void packStrip(const Row* const* from, const Sum* weights, int column, Sum* to, TileWorkspace<Sum>& work) {
  constexpr int lanes = lanesOf<Sum>, width = tileWidth<Sum>;
  MVN_UNROLL for (int v = 0; v < width; v += lanes) {
    Vector<Sum> shift = load<Sum>(work.shift + column + v), sum = load<Sum>(work.sum + column + v);
    MVN_UNROLL for (int r = 0; r < Rows; ++r) {
      Vector<Sum> y = load<Sum>(from[r] + v) - shift;
      if constexpr (weighted) {
        sum += splat(weights[r]) * y;
        y *= splat(sqrt(weights[r]));
      } else {
        sum += y;
      }
      store<Sum>(to + r * width + v, y);
    }
    store<Sum>(work.sum + column + v, sum);
  }
}

// Packs `Rows` rows as rows at … at + Rows − 1 of the panel. The last strip is filled up with columns of zeros.
template <int Rows, bool weighted, class Sum, class Row>
MVN_FN void packRows(const Row* const* x, const Sum* weights, int d, int at, TileWorkspace<Sum>& work) {
  constexpr int width = tileWidth<Sum>;
  const int stripSize = panelRows<Sum>(d) * width;
  Sum* to = work.panel + i64(at) * width;
  const Row* from[Rows];
  MVN_UNROLL for (int r = 0; r < Rows; ++r) from[r] = x[r];
  int column = 0;
  for (; column + width <= d; column += width, to += stripSize) {
    packStrip<Rows, weighted>(from, weights, column, to, work);
    MVN_UNROLL for (int r = 0; r < Rows; ++r) from[r] += width;
  }
  if (column == d) return;
  Row edge[Rows][width] = {};
  MVN_UNROLL for (int r = 0; r < Rows; ++r) {
    for (int c = 0; c < d - column; ++c) edge[r][c] = from[r][c];
    from[r] = edge[r];
  }
  packStrip<Rows, weighted>(from, weights, column, to, work);
}

// Packs the rows of positive weight; returns how many there are.
template <bool weighted, class Sum, class Row>
MVN_FN int packPanel(const Row* x, const f64* weights, int rows, const Chunk& chunk, int d, TileWorkspace<Sum>& work) {
  constexpr int batch = 4;  // rows that share a load of the shift and of the sums
  int packed = 0, waiting = 0;
  const Row* from[batch];
  Sum weight[batch];
  for (int r = 0; r < rows; ++r) {
    if constexpr (weighted) {
      if (!(weights[r] > 0)) continue;
      weight[waiting] = chunk.weightOf<Sum>(weights[r]);
    }
    from[waiting++] = x + i64(r) * d;
    if (waiting == batch) {
      packRows<batch, weighted>(from, weight, d, packed, work);
      packed += batch;
      waiting = 0;
    }
  }
  for (int r = 0; r < waiting; ++r) packRows<1, weighted>(from + r, weight + r, d, packed++, work);
  return packed;
}

// sums[4][width] += Σ over the rows of left[r][0…3]ᵀ right[r][0…width−1]
template <class Sum> MVN_FN void multiplyTile(const Sum* left, const Sum* right, int rows, Sum* sums) {
  constexpr int lanes = lanesOf<Sum>, width = tileWidth<Sum>;
  Vector<Sum> acc[tileRows][2];
  MVN_UNROLL for (int i = 0; i < tileRows; ++i) {
    acc[i][0] = load<Sum>(sums + i * width);
    acc[i][1] = load<Sum>(sums + i * width + lanes);
  }
  for (int r = 0; r < rows; ++r) {
    Vector<Sum> b0 = load<Sum>(right), b1 = load<Sum>(right + lanes);
    MVN_UNROLL for (int i = 0; i < tileRows; ++i) {
      Vector<Sum> a = splat(left[i]);
      acc[i][0] += a * b0;
      acc[i][1] += a * b1;
    }
    left += width;
    right += width;
  }
  MVN_UNROLL for (int i = 0; i < tileRows; ++i) {
    store<Sum>(sums + i * width, acc[i][0]);
    store<Sum>(sums + i * width + lanes, acc[i][1]);
  }
}

// Adds the products of the panel's rows to those of the chunk.
template <class Sum> MVN_FN void multiplyPanel(int packed, int d, TileWorkspace<Sum>& work) {
  constexpr int width = tileWidth<Sum>;
  const int stripSize = panelRows<Sum>(d) * width;
  Sum* sums = work.products;
  const Sum* right = work.panel;
  for (int s = 0; s < work.strips; ++s, right += stripSize) {
    const Sum* left = work.panel;
    for (int t = 0; t <= s; ++t, left += stripSize) {
      MVN_UNROLL for (int i = 0; i < width; i += tileRows, sums += tileRows * width) {
        multiplyTile<Sum>(left + i, right, packed, sums);
      }
    }
  }
}

// Chan's merge of the chunk's products, tile by tile (the formulas of moments_chunk.hpp).
template <class Sum> MVN_FN void mergeTiles(const Chunk& chunk, f64 cross, TileWorkspace<Sum>& work) {
  constexpr int width = tileWidth<Sum>, lanes = lanesOf<f64>;
  const f64x2 unit = splat(chunk.unit);
  const Sum* product = work.products;
  f64* tile = work.tiles;
  for (int s = 0; s < work.strips; ++s) {
    const f64 *total = work.total + s * width, *delta = work.delta + s * width;
    for (int i = 0; i < (s + 1) * width; ++i, product += width, tile += width) {
      const f64x2 average = splat(work.average[i]), crossed = splat(cross * work.delta[i]);
      MVN_UNROLL for (int j = 0; j < width; j += lanes) {
        f64x2 own = unit * load<f64>(product + j) - average * load<f64>(total + j);
        store<f64>(tile + j, load<f64>(tile + j) + (own + crossed * load<f64>(delta + j)));
      }
    }
  }
}

template <class Sum> inline void unpackTiles(int d, const TileWorkspace<Sum>& work, f64* scatter) {
  constexpr int width = tileWidth<Sum>;
  const f64* tile = work.tiles;
  for (int s = 0; s < work.strips; ++s) {
    for (int i0 = 0; i0 < (s + 1) * width; i0 += tileRows, tile += tileRows * width) {
      for (int i = i0; i < min(d, i0 + tileRows); ++i) {
        for (int j = max(i, s * width); j < min(d, (s + 1) * width); ++j) {
          scatter[i64(i) * d + j] = scatter[i64(j) * d + i] = tile[(i - i0) * width + j - s * width];
        }
      }
    }
  }
}

template <class Sum, bool weighted, class Row>
inline void momentsTiles(const Row* x, const f64* weights, i64 rows, int d, StatisticsRef out, char* block) {
  Scratch scratch(block);
  TileWorkspace<Sum> work(scratch, d);
  int padded = work.strips * tileWidth<Sum>, most = chunkRowsIn<Sum>(d), panel = panelRows<Sum>(d);
  f64 count = 0, weight = 0;
  for (i64 first = 0; first < rows; first += most) {
    int length = int(min<i64>(most, rows - first));
    const Row* from = x + first * d;
    Chunk chunk = weighted ? chunkOf<Sum>(weights + first, length) : chunkOf(length);
    if (chunk.count == 0) continue;

    for (int j = 0; j < padded; ++j) {
      work.shift[j] = j < d ? Sum(from[chunk.shiftRow * d + j]) : Sum(0);
      work.sum[j] = 0;
      if (count == 0) work.origin[j] = f64(work.shift[j]), work.mean[j] = 0;
    }
    for (i64 e = 0; e < work.tileValues(); ++e) {
      work.products[e] = 0;
      if (count == 0) work.tiles[e] = 0;
    }
    for (int at = 0; at < length; at += panel) {
      int some = min(panel, length - at);
      int packed = packPanel<weighted>(from + i64(at) * d, weighted ? weights + first + at : nullptr, some, chunk, d, work);
      multiplyPanel(packed, d, work);
    }
    MergeWeights w = mergeWeights(weight, chunk.weight);
    for (int j = 0; j < padded; ++j) {
      work.total[j] = chunk.unit * f64(work.sum[j]);
      work.average[j] = work.total[j] / chunk.weight;
      work.delta[j] = ((f64(work.shift[j]) - work.origin[j]) + work.average[j]) - work.mean[j];
      work.mean[j] += work.delta[j] * w.share;
    }
    mergeTiles(chunk, w.cross, work);
    count += f64(chunk.count);
    weight += chunk.weight;
  }
  *out.count = count;
  *out.weight = weight;
  if (count == 0) return writeEmpty(d, out);
  for (int j = 0; j < d; ++j) out.mean[j] = work.origin[j] + work.mean[j];
  unpackTiles(d, work, out.scatter);
  spreadNonFinite(d, out);
}

}  // namespace mvn
