// moments_lanes.hpp: moments of an item of very few columns by some lanes of a warp, sums in registers.
//
// Lane l of W takes rows l, l + W, …: neighbouring lanes read neighbouring rows, each in loads as wide as its row
// allows, where they lie or where they were copied ahead (pieces_ahead.hpp). At the end of a chunk the lanes' sums are added and merged.
#pragma once

#include "moments_team.hpp"
#include "wide_load.hpp"

namespace mvn {

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
template <int D, class Sum, class Team, class Own>
MVN_FN void addLanes(const Team& team, f64 unit, Own& own, const LanesWorkspace<D>& work) {
  constexpr int size = LanePartial<D, Sum>::size;
  MVN_UNROLL for (int k = 0; k < size; ++k) {
    typename Team::template PerLane<Sum> part;
    team.lanes([&](int lane) { part(lane) = own(lane).sums.at[k]; });
    const f64 total = unit * f64(team.sum(part));
    f64* to = k < D ? work.state.total + k : work.product + (k - D);
    team.lanes([&](int lane) {
      if (lane == (k & (team.width - 1))) *to = total;
    });
  }
}

// What a lane of a chunk has: the shift and its sums.
template <int D, class Sum> struct LaneOfChunk {
  Sum shift[D];
  LanePartial<D, Sum> sums;
};

template <int D, class Sum, bool weighted, class Team, class Row, class Source>
MVN_FN void addLanesChunk(const Team& team, const RowsOf<Row>& rows, Source& source, ItemWeight& item,
                          const LanesWorkspace<D>& work) {
  Chunk chunk = chunkOf(rows.rows);
  if constexpr (weighted) chunk = chunkOf<Sum>(team, rows.weights, rows.rows);
  typename Team::template PerLane<LaneOfChunk<D, Sum>> own;
  for (int first = 0; first < rows.rows; first += source.rows) {
    const RowsOf<Row> piece = source.take(team, rows.from(first, source.rows, D));
    team.lanes([&](int lane) {
      auto& [shift, sums] = own(lane);
      Row row[D];
      if (first == 0) {
        loadRow<D>(weighted ? rows.x + chunk.shiftRow * D : piece.x, row);
        MVN_UNROLL for (int j = 0; j < D; ++j) shift[j] = Sum(row[j]);
        sums.clear();
        if (lane == 0) {
          MVN_UNROLL for (int j = 0; j < D; ++j) work.state.shift[j] = f64(shift[j]);
        }
      }
      MVN_UNROLL_BY(2) for (int r = lane; r < piece.rows; r += team.width) {
        Sum weight = 1;
        if constexpr (weighted) {
          if (!(piece.weights[r] > 0)) continue;  // whatever the row holds
          weight = chunk.weightOf<Sum>(piece.weights[r]);
        }
        loadRow<D>(piece.x + r * D, row);
        sums.add(row, shift, weight);
      }
    });
  }
  if (chunk.count == 0) return;
  addLanes<D, Sum>(team, chunk.unit, own, work);
  const bool first = item.count == 0;
  const f64 cross = mergeMean(team, D, chunk, item, work.state);
  team.each(D * D, [&](int e) {
    const int i = e / D, j = e % D;
    if (i > j) return;
    const int at = triangleAt<D>(i, j);
    const f64 own = chunkScatter(work.state, work.product[at], cross, i, j);
    work.scatter[at] = first ? own : work.scatter[at] + own;
  });
}

// outOf() is where the results go, asked for in the end: five addresses are too many to keep meanwhile.
template <int D, class Sum, bool weighted, class Team, class Row, class Source, class OutOf>
MVN_FN void momentsLanes(const Team& team, const RowsOf<Row>& rows, Source& source, OutOf outOf,
                         const LanesWorkspace<D>& work) {
  ItemWeight item;
  constexpr int most = chunkRowsIn<Sum>(D);
  for (int first = 0; first < rows.rows; first += most) {
    addLanesChunk<D, Sum, weighted>(team, rows.from(first, most, D), source, item, work);
  }
  const SlotRef out = outOf();
  team.sync();
  team.each(D * D, [&](int e) {
    const int i = min(e / D, e % D), j = max(e / D, e % D);
    const bool defined = isFinite(meanOf(item, work.state, i)) && isFinite(meanOf(item, work.state, j));
    out.scatter[e] = entryOf(item, defined, work.scatter[triangleAt<D>(i, j)]);
  });
  writeMean(team, D, item, work.state, out);
}

}  // namespace mvn
