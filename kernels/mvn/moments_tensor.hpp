// moments_tensor.hpp: moments of an item by one warp, on devices with matrix units for float64.
//
// Such a unit multiplies 8×4 by 4×8, C ← C + AB: lane l brings A[l/4][l%4] and B[l%4][l/4] and keeps two neighbours of C,
// row l/4, columns 2(l%4) and 2(l%4) + 1. With B = Y, four shifted rows of eight columns, and A = Yᵀ, a lane brings the same
// number to both sides: column l/4 of row l%4. So every number is read, shifted and summed by one lane, once, and goes from
// memory to the unit as it is.
//
// Columns are taken as strips of eight. C is a tile of the scatter's upper triangle, one for every pair of strips; it stays in
// registers from the first row to the last. Of fewer than five columns several rows lie side by side in a strip, and the blocks
// on the diagonal of the tile are added in the end.
#pragma once

#include "moments_team.hpp"

namespace mvn {

constexpr int stripColumns = 8, unitRows = 4;

// Strips of columns, and the columns that a row takes of a strip: fewer than eight where rows lie side by side.
template <int S, int W> struct TensorForm {
  static constexpr int strips = S, tiles = S * (S + 1) / 2, width = W;
  static constexpr int beside = stripColumns / W;  // rows in a strip
  static constexpr int rows = unitRows * beside;   // of one product
  // Products whose rows are on their way together, as far as registers reach.
  static constexpr int together = S == 1 ? 8 : S <= 4 ? 4 : S <= 6 ? 2 : 1;
  // Strips that have all their columns in every case: the form is the smallest for its d.
  static constexpr int full = S <= 4 ? S - 1 : S - 2;

  MVN_FN static constexpr int tile(int left, int right) { return right * (right + 1) / 2 + left; }
};

// What a lane has to do with a product: one row of it, one column of every strip.
template <class Form> struct TensorPlace {
  int row, column;       // within the product's rows; within a strip, as a column of the data
  int left, right;       // row and first column in a tile

  MVN_FN explicit TensorPlace(int lane) {
    const int place = lane / unitRows, line = lane % unitRows;
    row = line * Form::beside + place / Form::width;
    column = place % Form::width;
    left = place;
    right = 2 * line;
  }
  MVN_FN int columnOf(int strip) const { return strip * stripColumns + column; }
  MVN_FN bool has(int strip, int d) const { return strip < Form::full || columnOf(strip) < d; }
};

// The item so far, as a lane has it: tiles of A, and of its columns the item's mean as origin + mean (moments_chunk.hpp), the
// chunk's shift and Σ w y.
template <class Form> struct TensorLane {
  f64 scatter[Form::tiles][2];
  f64 origin[Form::strips], mean[Form::strips], shift[Form::strips], total[Form::strips];
};

template <class Form> struct TensorRows {
  f64 y[Form::together][Form::strips], weight[Form::together];
};

template <class Form, class Team> using TensorLanes = typename Team::template PerLane<TensorLane<Form>>;

// Adds rows from `first` on, as many as are read together; `whole` says that there are so many.
template <class Form, bool weighted, bool whole, class Team, class Row>
MVN_FN void addTensorRows(const Team& team, int d, const RowsOf<Row>& rows, int first, TensorLanes<Form, Team>& item) {
  typename Team::template PerLane<TensorRows<Form>> taken;
  team.lanes([&](int lane) {
    const TensorPlace<Form> place(lane);
    TensorLane<Form>& own = item(lane);
    TensorRows<Form>& to = taken(lane);
    Row x[Form::together][Form::strips];
    bool counts[Form::together];
    const Row* from = rows.x + i64(first + place.row) * d + place.column;
    MVN_UNROLL for (int u = 0; u < Form::together; ++u, from += i64(Form::rows) * d) {
      const int row = first + u * Form::rows + place.row;
      counts[u] = whole || row < int(rows.rows);
      if constexpr (weighted) to.weight[u] = counts[u] ? rows.weights[row] : 0;
      MVN_UNROLL for (int s = 0; s < Form::strips; ++s) {
        x[u][s] = counts[u] && place.has(s, d) ? from[s * stripColumns] : Row(0);
      }
    }
    MVN_UNROLL for (int u = 0; u < Form::together; ++u) {
      if constexpr (weighted) {
        counts[u] = to.weight[u] > 0;  // else as absent, whatever the row holds
        if (!counts[u]) to.weight[u] = 0;
      }
      MVN_UNROLL for (int s = 0; s < Form::strips; ++s) {
        const f64 y = (whole && !weighted) || counts[u] ? f64(x[u][s]) - own.shift[s] : 0;
        own.total[s] = weighted ? fma(to.weight[u], y, own.total[s]) : own.total[s] + y;
        to.y[u][s] = y;
      }
    }
  });
  MVN_UNROLL for (int u = 0; u < Form::together; ++u) {
    MVN_UNROLL for (int right = 0; right < Form::strips; ++right) {
      MVN_UNROLL for (int left = 0; left <= right; ++left) {
        team.multiplyAdd([&](int lane) -> auto& { return item(lane).scatter[Form::tile(left, right)]; },
                         [&](int lane) {
                           const TensorRows<Form>& own = taken(lane);
                           return weighted ? own.weight[u] * own.y[u][left] : own.y[u][left];
                         },
                         [&](int lane) { return taken(lane).y[u][right]; });
      }
    }
  }
}

// Of a value that lanes have for their own columns, the two for the columns of a tile that a lane keeps.
template <class Team, class Value> MVN_FN auto valuesRight(const Team& team, Value value) {
  struct Two {
    f64 at[2];
  };
  typename Team::template PerLane<f64> own;
  typename Team::template PerLane<Two> two;
  team.lanes([&](int lane) { own(lane) = value(lane); });
  MVN_UNROLL for (int e = 0; e < 2; ++e) {
    auto other = team.shuffle(own, [&](int lane) { return (lane % unitRows * 2 + e) * unitRows; });
    team.lanes([&](int lane) { two(lane).at[e] = other(lane); });
  }
  return two;
}

// The chunk's sums into the item's, by the formulas of moments_chunk.hpp; A has got Σ w yᵀy already.
template <class Form, class Team>
MVN_FN void mergeTensorChunk(const Team& team, const Chunk& chunk, ItemWeight& weight, TensorLanes<Form, Team>& item) {
  typename Team::template PerLane<f64> sum;
  struct Deviation {
    f64 average[Form::strips], delta[Form::strips];
  };
  typename Team::template PerLane<Deviation> deviation;
  const bool first = weight.count == 0;
  const MergeWeights w = mergeWeights(weight.weight, chunk.weight);
  MVN_UNROLL for (int s = 0; s < Form::strips; ++s) {
    team.lanes([&](int lane) { sum(lane) = item(lane).total[s]; });
    MVN_UNROLL for (int m = 1; m < warpLanes; m *= 2) {
      if (m >= unitRows && m < unitRows * Form::width) continue;  // another column
      auto other = team.shuffle(sum, [&](int lane) { return lane ^ m; });
      team.lanes([&](int lane) { sum(lane) += other(lane); });
    }
    team.lanes([&](int lane) {
      TensorLane<Form>& own = item(lane);
      if (first) {
        own.origin[s] = own.shift[s];
        own.mean[s] = 0;
      }
      const f64 average = sum(lane) / chunk.weight;
      const f64 delta = ((own.shift[s] - own.origin[s]) + average) - own.mean[s];
      own.mean[s] += delta * w.share;
      deviation(lane).average[s] = average;
      deviation(lane).delta[s] = delta;
    });
    auto totals = valuesRight(team, [&](int lane) { return sum(lane); });
    auto deltas = valuesRight(team, [&](int lane) { return deviation(lane).delta[s]; });
    team.lanes([&](int lane) {
      const TensorPlace<Form> place(lane);
      MVN_UNROLL for (int e = 0; e < 2; ++e) {
        if (place.left >= Form::width || place.right + e >= Form::width) continue;  // once, in the first block
        MVN_UNROLL for (int left = 0; left <= s; ++left) {
          f64& a = item(lane).scatter[Form::tile(left, s)][e];
          a = (a - deviation(lane).average[left] * totals(lane).at[e]) +
              w.cross * deviation(lane).delta[left] * deltas(lane).at[e];
        }
      }
    });
  }
  weight.count += f64(chunk.count);
  weight.weight += chunk.weight;
}

// The blocks on the diagonal of a tile into the first: their lanes differ in these bits.
template <class Form, class Team> MVN_FN void foldTensorBlocks(const Team& team, TensorLanes<Form, Team>& item) {
  if constexpr (Form::width == 1) {
    team.lanes([&](int lane) {  // one entry of a row is on the diagonal
      f64* row = item(lane).scatter[0];
      if (lane / unitRows % 2) row[0] = row[1];
    });
  }
  typename Team::template PerLane<f64> value;
  MVN_UNROLL for (int e = 0; e < 2; ++e) {
    team.lanes([&](int lane) { value(lane) = item(lane).scatter[0][e]; });
    MVN_UNROLL for (int rows = Form::width; rows < stripColumns; rows *= 2) {
      const int bits = rows * unitRows | rows / 2;
      auto other = team.shuffle(value, [&](int lane) { return lane ^ bits; });
      team.lanes([&](int lane) { value(lane) += other(lane); });
    }
    team.lanes([&](int lane) { item(lane).scatter[0][e] = value(lane); });
  }
}

template <class Form, class Team>
MVN_FN void writeTensorItem(const Team& team, int d, const ItemWeight& weight, TensorLanes<Form, Team>& item,
                            const SlotRef& out) {
  const bool empty = weight.count == 0;
  MVN_UNROLL for (int s = 0; s < Form::strips; ++s) {
    const auto meanOf = [&](int lane, int strip) {
      return empty ? notANumber<f64> : item(lane).origin[strip] + item(lane).mean[strip];
    };
    auto means = valuesRight(team, [&](int lane) { return meanOf(lane, s); });
    team.lanes([&](int lane) {
      const TensorPlace<Form> place(lane);
      if (place.left >= Form::width) return;
      MVN_UNROLL for (int e = 0; e < 2; ++e) {
        const int j = s * stripColumns + place.right + e;
        if (place.right + e >= Form::width || j >= d) continue;
        MVN_UNROLL for (int left = 0; left <= s; ++left) {
          const int i = place.columnOf(left);
          if (i > j) continue;
          const bool defined = isFinite(meanOf(lane, left)) && isFinite(means(lane).at[e]);
          const f64 value = empty ? 0 : defined ? item(lane).scatter[Form::tile(left, s)][e] : notANumber<f64>;
          out.scatter[i64(i) * d + j] = out.scatter[i64(j) * d + i] = value;
        }
      }
      const int column = place.columnOf(s);
      if (place.right != 0 || column >= d) return;
      const f64 mean = meanOf(lane, s);
      const bool finite = isFinite(mean);
      out.mean[column] = finite ? mean : notANumber<f64>;
      if (out.rest) out.rest[column] = finite ? (item(lane).origin[s] - mean) + item(lane).mean[s] : 0;
    });
  }
  team.lanes([&](int lane) {
    if (lane != 0) return;
    *out.count = weight.count;
    *out.weight = weight.weight;
  });
}

template <class Form, bool weighted, class Team, class Row>
MVN_FN void momentsTensor(const Team& team, int d, const RowsOf<Row>& rows, const SlotRef& out) {
  TensorLanes<Form, Team> item;
  team.lanes([&](int lane) {
    MVN_UNROLL for (int t = 0; t < Form::tiles; ++t) item(lane).scatter[t][0] = item(lane).scatter[t][1] = 0;
  });
  ItemWeight weight;
  const int most = chunkRows(d);
  for (i64 begin = 0; begin < rows.rows; begin += most) {
    const RowsOf<Row> part = rows.from(begin, most, d);
    Chunk chunk = chunkOf(part.rows);
    if constexpr (weighted) chunk = chunkOf<f64>(team, part.weights, int(part.rows));
    if (chunk.count == 0) continue;
    team.lanes([&](int lane) {
      const TensorPlace<Form> place(lane);
      MVN_UNROLL for (int s = 0; s < Form::strips; ++s) {
        item(lane).shift[s] = place.has(s, d) ? f64(part.x[chunk.shiftRow * d + place.columnOf(s)]) : 0;
        item(lane).total[s] = 0;
      }
    });
    constexpr int step = Form::together * Form::rows;
    int first = 0;
    MVN_UNROLL_BY(1) for (; first + step <= int(part.rows); first += step) {
      addTensorRows<Form, weighted, true>(team, d, part, first, item);
    }
    MVN_UNROLL_BY(1) for (; first < int(part.rows); first += step) {
      addTensorRows<Form, weighted, false>(team, d, part, first, item);
    }
    mergeTensorChunk<Form>(team, chunk, weight, item);
  }
  if constexpr (Form::width < stripColumns) foldTensorBlocks<Form>(team, item);
  writeTensorItem<Form>(team, d, weight, item, out);
}

}  // namespace mvn
