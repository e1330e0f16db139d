// moments_tiles.hpp: moments of a group of any number of columns, by register tiles over packed rows.
//
// Rows are packed, shifted, into a panel of strips of `width` columns, each strip contiguous, so that a tile of the
// product streams two of them:
//
//     strip s:  y[0][s·width …], y[1][s·width …], …          tile (i, j):  Σ_r y[r][i…i+h−1]ᵀ y[r][j…j+width−1]
//
// A tile of h × width sums (h: tileRows) leaves registers for its operands. A panel holds some of a chunk's
// rows, which stay in cache; the tiles' sums go on from panel to panel, so how many those are changes no bit.
// Weights enter as √w y on both sides. The scatter is kept tile by tile in scratch (those that reach the upper
// triangle) and unpacked at the end.
#pragma once

#include "moments_chunk.hpp"
#include "rows.hpp"
#include "tile.hpp"

namespace mvn {

// Whether a panel's rows are read once before they are packed, where there is no way to ask for them earlier (RowsAhead).
// From here on the time between two panels is so long that the processor no longer foresees which addresses come next, and
// packing would wait for each line of the cache.
template <class Sum> MVN_FN constexpr bool readsAhead(int d) {
  return !canPrefetch && d >= (sizeof(Sum) == sizeof(f32) ? 32 : 24);
}

// Rows a panel. Where rows are not read ahead, more of them leave the first-level cache, and fewer have a tile's sums loaded
// and stored too often; where they are, a panel should stay in the second-level cache.
constexpr int mostPanelRows = 128;
template <class Sum> MVN_FN constexpr int panelRows(int d) {
  constexpr int least = 32, numbers = 16384;
  return readsAhead<Sum>(d) ? min(mostPanelRows, max(least, numbers / d)) : least;
}

template <class Sum> struct TileWorkspace {
  int strips;
  f64 *origin, *mean;            // [padded d]: as in GroupSums
  f64 *total, *average, *delta;  // [padded d]: Σ w y, ȳ, δ of the chunk
  Sum *shift, *sum;              // [padded d]
  Sum* panel;                    // [strips, panel rows, width]
  Sum* products;                 // [tiles, h, width]: Σ w yᵀy of the chunk
  f64* tiles;                    // [tiles, h, width]: the scatter so far

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

  MVN_FN int tileCount() const { return int(tileValues() / (tileRows * tileWidth<Sum>)); }
  // Values of all tiles: strip s meets the (s + 1)·width rows down to the diagonal.
  MVN_FN i64 tileValues() const { return i64(strips) * (strips + 1) / 2 * tileWidth<Sum> * tileWidth<Sum>; }
};

// Rows of positive weight that are packed together, and their weights and the roots of them where they are weighted.
template <class Sum, class Row> struct PanelRows {
  const Row* from[mostPanelRows];
  Sum weight[mostPanelRows], root[mostPanelRows];
  int count = 0;
};

template <bool weighted, class Sum, class Row>
MVN_FN void selectRows(const Row* x, const f64* weights, int rows, const Chunk& chunk, int d, PanelRows<Sum, Row>& panel) {
  int count = 0;
  for (int r = 0; r < rows; ++r) {
    if constexpr (weighted) {
      if (!(weights[r] > 0)) continue;
      panel.weight[count] = chunk.weightOf<Sum>(weights[r]);
      panel.root[count] = sqrt(panel.weight[count]);
    }
    panel.from[count++] = x + i64(r) * d;
  }
  panel.count = count;
}

// Which lanes of the vector from `column` on hold a column, as a mask.
template <class Sum> MVN_FN auto columnsOf(int column, int d) {
  Vector<Sum> index;
  MVN_UNROLL for (int lane = 0; lane < lanesOf<Sum>; ++lane) index[lane] = Sum(column + lane);
  return index < splat(Sum(d));
}

// Packs `vectors` vectors of columns from `column` on, of all rows, and adds them to the sums, which stay in registers
// meanwhile. Two strips of float64 are a line of the cache. An edge has fewer columns than that: what is read beyond them
// belongs to the rows after, which the last rows may not have; in the panel it is 0.
template <int vectors, bool edge, bool weighted, class Sum, class Row>
MVN_FN void packColumns(const PanelRows<Sum, Row>& rows, int column, int d, Sum* to, TileWorkspace<Sum>& work) {
  constexpr int lanes = lanesOf<Sum>, width = tileWidth<Sum>;
  const int stripSize = panelRows<Sum>(d) * width;
  Vector<Sum> shift[vectors], sum[vectors];
  decltype(columnsOf<Sum>(0, 0)) inside[vectors];
  MVN_UNROLL for (int v = 0; v < vectors; ++v) {
    shift[v] = load<Sum>(work.shift + column + v * lanes);
    sum[v] = load<Sum>(work.sum + column + v * lanes);
    inside[v] = columnsOf<Sum>(column + v * lanes, d);
  }
  Row copied[vectors * lanes] = {};
  const int beyond = edge ? column + vectors * lanes - d : 0, direct = rows.count - (beyond + d - 1) / d;
  for (int r = 0; r < rows.count; ++r, to += width) {
    const Row* from = rows.from[r] + column;
    if (edge && r >= direct) {
      for (int j = column; j < d; ++j) copied[j - column] = rows.from[r][j];
      from = copied;
    }
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      Vector<Sum> y = load<Sum>(from + v * lanes) - shift[v];
      if constexpr (edge) y = keepWhere(inside[v], y);
      if constexpr (weighted) {
        sum[v] += splat(rows.weight[r]) * y;
        y *= splat(rows.root[r]);
      } else {
        sum[v] += y;
      }
      store<Sum>(to + v / 2 * stripSize + v % 2 * lanes, y);
    }
  }
  MVN_UNROLL for (int v = 0; v < vectors; ++v) store<Sum>(work.sum + column + v * lanes, sum[v]);
}

// Reads a number of every line of the cache, so that all lines of the panel are on their way at once.
template <class Sum, class Row> MVN_FN void readRows(const PanelRows<Sum, Row>& rows, int d) {
  constexpr int line = 64 / sizeof(Row);
  for (int r = 0; r < rows.count; ++r) {
    for (int j = 0; j < d; j += line) asm volatile("" ::"r"(rows.from[r][j]));
  }
}

template <bool weighted, class Sum, class Row>
MVN_FN void packPanel(const PanelRows<Sum, Row>& rows, int d, TileWorkspace<Sum>& work) {
  constexpr int width = tileWidth<Sum>;
  const int stripSize = panelRows<Sum>(d) * width;
  Sum* to = work.panel;
  int column = 0;
  for (; column + 2 * width <= d; column += 2 * width, to += 2 * stripSize) {
    packColumns<4, false, weighted>(rows, column, d, to, work);
  }
  for (; column + width <= d; column += width, to += stripSize) packColumns<2, false, weighted>(rows, column, d, to, work);
  if (column < d) packColumns<2, true, weighted>(rows, column, d, to, work);
}

// The tiles on the diagonal of a strip, from its row `i` on: of those below the first vector, that one is left out.
template <int i, class Sum, class Add> MVN_FN void addDiagonal(const Add& add, const Sum* strip) {
  add(Index<max(0, min(tileRows, lanesOf<Sum> - i))>{}, strip + i, strip);
  if constexpr (i + tileRows < tileWidth<Sum>) addDiagonal<i + tileRows>(add, strip);
}

// Rows that are needed soon, asked for a share at a time while others are worked on.
class RowsAhead {
 public:
  MVN_FN RowsAhead(const void* from, i64 bytes, int shares)
      : at_(static_cast<const char*>(from)), share_((bytes / shares + line) / line * line), left_(bytes) {}

  MVN_FN void fetchShare() {
    prefetch(at_, min(share_, left_));
    at_ += share_;
    left_ -= share_;
  }

 private:
  static constexpr int line = 64;
  const char* at_;
  i64 share_, left_;
};

// Adds the products of the panel's rows to those of the chunk, or begins them.
template <class Sum> MVN_FN void multiplyPanel(bool first, int packed, int d, RowsAhead ahead, TileWorkspace<Sum>& work) {
  constexpr int width = tileWidth<Sum>;
  const int stripSize = panelRows<Sum>(d) * width;
  Sum* sums = work.products;
  const auto add = [&]<int whole>(Index<whole>, const Sum* left, const Sum* right) {
    ahead.fetchShare();
    Tile<Sum> tile{};
    if (!first) tile = loadTile(sums);
    addProduct<whole>(tile, left, right, packed);
    storeTile(sums, tile);
    sums += tileRows * width;
  };
  const Sum* right = work.panel;
  for (int s = 0; s < work.strips; ++s, right += stripSize) {
    const Sum* left = work.panel;
    for (int t = 0; t < s; ++t, left += stripSize) {
      MVN_UNROLL for (int i = 0; i < width; i += tileRows) add(Index<tileRows>{}, left + i, right);
    }
    addDiagonal<0>(add, right);
  }
}

// Chan's merge of the chunk's products, tile by tile (the formulas of moments_chunk.hpp).
template <class Sum> MVN_FN void mergeTiles(const Chunk& chunk, f64 cross, TileWorkspace<Sum>& work) {
  constexpr int width = tileWidth<Sum>, lanes = lanesOf<f64>;
  const f64v unit = splat(chunk.unit);
  const Sum* product = work.products;
  f64* tile = work.tiles;
  for (int s = 0; s < work.strips; ++s) {
    const f64 *total = work.total + s * width, *delta = work.delta + s * width;
    for (int i = 0; i < (s + 1) * width; ++i, product += width, tile += width) {
      const f64v average = splat(work.average[i]), crossed = splat(cross * work.delta[i]);
      MVN_UNROLL for (int j = 0; j < width; j += lanes) {
        f64v own = unit * load<f64>(product + j) - average * load<f64>(total + j);
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
inline void momentsTiles(const Row* x, const f64* weights, i64 rows, int d, const StatisticsRef& out, char* block) {
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
    if (count == 0) {
      for (i64 e = 0; e < work.tileValues(); ++e) work.tiles[e] = 0;
    }
    for (int at = 0; at < length; at += panel) {
      int some = min(panel, length - at);
      PanelRows<Sum, Row> selected;
      selectRows<weighted>(from + i64(at) * d, weighted ? weights + first + at : nullptr, some, chunk, d, selected);
      if (readsAhead<Sum>(d)) readRows(selected, d);
      packPanel<weighted>(selected, d, work);
      // Behind the last row of the group the next one's follow.
      const RowsAhead ahead(x + (first + at + some) * d, i64(panel) * d * i64(sizeof(Row)), work.tileCount());
      multiplyPanel(at == 0, selected.count, d, ahead, work);
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
