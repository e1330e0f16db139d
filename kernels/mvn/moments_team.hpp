// moments_team.hpp: what the device forms of the moments share: a chunk of rows as a team finds it, and the
// statistics of an item being built chunk by chunk (the formulas of moments_chunk.hpp).
//
// moments_lanes.hpp keeps the sums of few columns in registers, moments_tensor.hpp those of up to 64 columns where a device has matrix
// units for them, and moments_panels.hpp takes any number of columns through panels of rows in shared memory.
#pragma once

#include "merge_team.hpp"
#include "moments_chunk.hpp"

namespace mvn {

// Rows of x from one address, and their weights.
template <class Row> struct RowsOf {
  const Row* x;        // [rows, d]
  const f64* weights;  // [rows], or 0
  int rows;

  MVN_FN RowsOf from(int first, int most, int d) const {
    return {x + i64(first) * d, weights ? weights + first : nullptr, min(most, rows - first)};
  }
};

// chunkOf (moments_chunk.hpp) of weighted rows by a team.
template <class Sum, class Team> MVN_FN Chunk chunkOf(const Team& team, const f64* weights, int rows) {
  typename Team::template PerLane<f64> total, heaviest;
  typename Team::template PerLane<i32> count, row;
  team.lanes([&](int lane) {
    f64 sum = 0, most = 0;
    i32 positive = 0, at = rows;
    MVN_UNROLL_BY(1) for (int r = lane; r < rows; r += team.width) {
      const f64 w = weights[r];
      if (!(w > 0)) continue;
      sum += w;
      ++positive;
      if (w > most) {
        most = w;
        at = r;
      }
    }
    total(lane) = sum;
    count(lane) = positive;
    heaviest(lane) = most;
    row(lane) = at;
  });
  Chunk chunk;
  chunk.weight = team.sum(total);
  chunk.count = team.sum(count);
  const f64 most = team.reduce(heaviest, [](f64 a, f64 b) { return max(a, b); });
  team.lanes([&](int lane) {  // the first row that has it
    if (heaviest(lane) < most) row(lane) = rows;
  });
  const i32 first = team.reduce(row, [](i32 a, i32 b) { return min(a, b); });
  chunk.shiftRow = chunk.count > 0 ? first : 0;
  chunk.unit = sizeof(Sum) == sizeof(f32) && chunk.count > 0 ? most : 1;
  return chunk;
}

// One item's statistics so far, in the team's scratch. Columns are padded to `padded` with zeros.
struct ItemState {
  f64 *origin, *mean;                     // [padded]: x̄ = origin + mean
  f64 *shift, *total, *average, *delta;   // [padded]: the chunk's shift, Σ w y, ȳ, δ

  MVN_FN ItemState(Scratch& scratch, int padded)
      : origin(scratch.take<f64>(padded)), mean(scratch.take<f64>(padded)), shift(scratch.take<f64>(padded)),
        total(scratch.take<f64>(padded)), average(scratch.take<f64>(padded)), delta(scratch.take<f64>(padded)) {}
};

// Count and weight, kept by every lane.
struct ItemWeight {
  f64 count = 0, weight = 0;
};

// The chunk's mean into the item's, from state.shift and state.total. Returns W_p W_q/W for the scatter.
template <class Team>
MVN_FN f64 mergeMean(const Team& team, int d, const Chunk& chunk, ItemWeight& item, const ItemState& state) {
  const bool first = item.count == 0;
  const MergeWeights w = mergeWeights(item.weight, chunk.weight);
  team.each(d, [&](int j) {
    if (first) {
      state.origin[j] = state.shift[j];
      state.mean[j] = 0;
    }
    state.average[j] = state.total[j] / chunk.weight;
    state.delta[j] = ((state.shift[j] - state.origin[j]) + state.average[j]) - state.mean[j];
    state.mean[j] += state.delta[j] * w.share;
  });
  team.sync();
  item.count += f64(chunk.count);
  item.weight += chunk.weight;
  return w.cross;
}

// What the chunk adds to A_ij, from Σ w y_i y_j.
MVN_FN f64 chunkScatter(const ItemState& state, f64 product, f64 cross, int i, int j) {
  return product - state.average[i] * state.total[j] + cross * state.delta[i] * state.delta[j];
}

MVN_FN f64 meanOf(const ItemWeight& item, const ItemState& state, int j) {
  return item.count == 0 ? notANumber<f64> : state.origin[j] + state.mean[j];
}

// An entry of the item's scatter: 0 where it has no rows, NaN where one of the columns has no mean (not `defined`).
MVN_FN f64 entryOf(const ItemWeight& item, bool defined, f64 a) {
  return item.count == 0 ? 0 : defined ? a : notANumber<f64>;
}

// All but the scatter.
template <class Team>
MVN_FN void writeMean(const Team& team, int d, const ItemWeight& item, const ItemState& state, const SlotRef& out) {
  team.each(d, [&](int j) {
    const f64 mean = meanOf(item, state, j);
    const bool finite = isFinite(mean);
    out.mean[j] = finite ? mean : notANumber<f64>;
    if (out.rest) out.rest[j] = finite ? (state.origin[j] - mean) + state.mean[j] : 0;
  });
  team.lanes([&](int lane) {
    if (lane != 0) return;
    *out.count = item.count;
    *out.weight = item.weight;
  });
}

// Writes the item. `entry(i, j)` is A_ij for i ≤ j.
template <class Team, class Entry>
MVN_FN void writeItem(const Team& team, int d, const ItemWeight& item, const ItemState& state, const SlotRef& out,
                      Entry entry) {
  MVN_UNROLL_BY(1) for (int i = 0; i < d; ++i) {
    const bool defined = isFinite(meanOf(item, state, i));
    team.each(i + 1, [&](int j) {
      const f64 value = entryOf(item, defined && isFinite(meanOf(item, state, j)), entry(j, i));
      out.scatter[i64(i) * d + j] = out.scatter[i64(j) * d + i] = value;
    });
  }
  writeMean(team, d, item, state, out);
}

}  // namespace mvn
