// moments_lanes.hpp: moments of an item of very few columns by some lanes of a warp, sums in registers.
//
// Lane l of W takes rows l, l + W, …: neighbouring lanes read neighbouring rows, each in loads as wide as its row
// allows. At the end of a chunk the lanes' sums are added and merged.
#pragma once

#include "moments_team.hpp"

namespace mvn {

// As many numbers as one load of a device takes.
template <class Real, int N> struct alignas(N * sizeof(Real)) Pack {
  Real at[N];
};

// The widest load, in numbers, that divides a row of D and is aligned in every one: 16 bytes at most.
template <class Row> MVN_FN constexpr int loadWidth(int d) {
  constexpr int most = 16 / int(sizeof(Row));
  return d % most == 0 ? most : d % 2 == 0 ? 2 : 1;
}

template <int D, class Row> MVN_FN void loadRow(const Row* from, Row* row) {
  constexpr int width = loadWidth<Row>(D);
  MVN_UNROLL for (int j = 0; j < D; j += width) {
    const auto pack = *reinterpret_cast<const Pack<Row, width>*>(from + j);
    MVN_UNROLL for (int v = 0; v < width; ++v) row[j + v] = pack.at[v];
  }
}

// Σ w y_j, and behind them Σ w y_i y_j (i ≤ j, row by row), over the rows of a lane.
template <int D, class Sum> struct LanePartial {
  static constexpr int size = D + D * (D + 1) / 2;
  Sum at[size];

  MVN_FN void clear() {
    MVN_UNROLL for (int k = 0; k < size; ++k) at[k] = 0;
  }
  template <class Row> MVN_FN void add(const Row* row, const Sum* shift, Sum weight) {
    Sum y[D];
    MVN_UNROLL for (int j = 0; j < D; ++j) {
      y[j] = Sum(row[j]) - shift[j];
      at[j] = fma(weight, y[j], at[j]);
    }
    int k = D;
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      const Sum left = weight * y[i];
      MVN_UNROLL for (int j = i; j < D; ++j, ++k) at[k] = fma(left, y[j], at[k]);
    }
  }
};

// Entry (i, j), i ≤ j, of an upper triangle row by row.
template <int D> MVN_FN int triangleAt(int i, int j) { return i * D - i * (i + 1) / 2 + j; }

template <int D> struct LanesWorkspace {
  static constexpr int products = D * (D + 1) / 2;
  ItemState state;
  f64 *product, *scatter;  // [products]: the chunk's Σ w y_i y_j, and A so far

  MVN_FN explicit LanesWorkspace(Scratch& scratch)
      : state(scratch, D), product(scratch.take<f64>(products)), scatter(scratch.take<f64>(products)) {}
};

// The chunk's sums, every one over all lanes, into the workspace. A column's total is written by the lane that reads it;
// mergeMean() has a barrier before the products are read.
template <int D, class Sum, class Team, class Sums>
MVN_FN void addLanes(const Team& team, f64 unit, Sums& sums, const LanesWorkspace<D>& work) {
  constexpr int size = LanePartial<D, Sum>::size;
  MVN_UNROLL for (int k = 0; k < size; ++k) {
    typename Team::template PerLane<Sum> part;
    team.lanes([&](int lane) { part(lane) = sums(lane).at[k]; });
    const f64 total = unit * f64(team.sum(part));
    f64* to = k < D ? work.state.total + k : work.product + (k - D);
    team.lanes([&](int lane) {
      if (lane == (k & (team.width - 1))) *to = total;
    });
  }
}

template <int D, class Sum, bool weighted, class Team, class Row>
MVN_FN void addLanesChunk(const Team& team, const RowsOf<Row>& rows, ItemWeight& item, const LanesWorkspace<D>& work) {
  Chunk chunk = chunkOf(rows.rows);
  if constexpr (weighted) chunk = chunkOf<Sum>(team, rows.weights, int(rows.rows));
  if (chunk.count == 0) return;
  const Row* shiftRow = rows.x + chunk.shiftRow * D;
  typename Team::template PerLane<LanePartial<D, Sum>> sums;
  team.lanes([&](int lane) {
    Row row[D];
    Sum shift[D];
    loadRow<D>(shiftRow, row);
    MVN_UNROLL for (int j = 0; j < D; ++j) shift[j] = Sum(row[j]);
    sums(lane).clear();
    MVN_UNROLL_BY(2) for (int r = lane; r < int(rows.rows); r += team.width) {
      Sum weight = 1;
      if constexpr (weighted) {
        if (!(rows.weights[r] > 0)) continue;  // whatever the row holds
        weight = chunk.weightOf<Sum>(rows.weights[r]);
      }
      loadRow<D>(rows.x + i64(r) * D, row);
      sums(lane).add(row, shift, weight);
    }
    if (lane == 0) {
      MVN_UNROLL for (int j = 0; j < D; ++j) work.state.shift[j] = f64(shift[j]);
    }
  });
  addLanes<D, Sum>(team, chunk.unit, sums, work);
  const bool first = item.count == 0;
  const f64 cross = mergeMean(team, D, chunk, item, work.state);
  team.each(D, [&](int i) {
    for (int j = i; j < D; ++j) {
      const int at = triangleAt<D>(i, j);
      const f64 own = chunkScatter(work.state, work.product[at], cross, i, j);
      work.scatter[at] = first ? own : work.scatter[at] + own;
    }
  });
}

template <int D, class Sum, bool weighted, class Team, class Row>
MVN_FN void momentsLanes(const Team& team, const RowsOf<Row>& rows, const SlotRef& out, Scratch scratch) {
  const LanesWorkspace<D> work(scratch);
  ItemWeight item;
  constexpr int most = chunkRowsIn<Sum>(D);
  for (i64 first = 0; first < rows.rows; first += most) {
    addLanesChunk<D, Sum, weighted>(team, rows.from(first, most, D), item, work);
  }
  writeItem(team, D, item, work.state, out, [&](int i, int j) { return work.scatter[triangleAt<D>(i, j)]; });
}

}  // namespace mvn
