// moments_tensor.hpp: moments of an item by one warp, on devices with matrix units for float64.
//
// Such a unit multiplies 8×4 by 4×8, C ← C + AB: lane l brings A[l/4][l%4] and B[l%4][l/4] and keeps two neighbours of C,
// row l/4, columns 2(l%4) and 2(l%4) + 1. With B = Y, four shifted rows of eight columns, and A = Yᵀ, a lane brings the same
// number to both sides: column l/4 of row l%4. So every number is shifted and summed by one lane, once, and goes to the unit as it is.
//
// Columns are taken as strips of eight. C is a tile of the scatter's upper triangle, one for every pair of strips; it stays in
// registers from the first row to the last. Rows come through shared memory, ahead of their use (pieces_ahead.hpp).
#pragma once

#include "moments_team.hpp"

namespace mvn {

constexpr int stripColumns = 8, unitRows = 4;

template <int S> struct TensorForm {
  static constexpr int strips = S, tiles = S * (S + 1) / 2, padded = S * stripColumns;
  // Products whose numbers are read together.
  static constexpr int together = S <= 2 ? 4 : S <= 4 ? 2 : 1;
  // Strips that have all their columns in every case: the form is the smallest for its d.
  static constexpr int full = S <= 4 ? S - 1 : S - 2;

  MVN_FN static constexpr int tile(int left, int right) { return right * (right + 1) / 2 + left; }
};

// What a lane has to do with a product: one row of it and one column of every strip; of a tile one row and two columns.
template <class Form> struct TensorPlace {
  int row, column;

  MVN_FN explicit TensorPlace(int lane) : row(lane % unitRows), column(lane / unitRows) {}
  MVN_FN int rowOf(int strip) const { return strip * stripColumns + column; }
  MVN_FN int columnOf(int strip, int e) const { return strip * stripColumns + 2 * row + e; }
  MVN_FN static bool has(int strip, int column, int d) { return strip < Form::full || strip * stripColumns + column < d; }
};

// The item so far, as a lane has it: tiles of A, and of its columns the chunk's shift and Σ w y.
template <class Form> struct TensorLane {
  f64 scatter[Form::tiles][2];
  f64 shift[Form::strips], total[Form::strips];
};

template <class Form> struct TensorRows {
  f64 y[Form::together][Form::strips], weight[Form::together];
};

template <class Form, class Team> using TensorLanes = typename Team::template PerLane<TensorLane<Form>>;

// C ← C + AB and C' ← C' + A'B, at once where a team's unit can.
template <class Team, class Upper, class Lower, class Above, class Below, class Right>
MVN_FN void multiplyAddPair(const Team& team, Upper upper, Lower lower, Above above, Below below, Right right) {
  if constexpr (requires { team.multiplyAddPair(upper, lower, above, below, right); }) {
    team.multiplyAddPair(upper, lower, above, below, right);
  } else {
    team.multiplyAdd(upper, above, right);
    team.multiplyAdd(lower, below, right);
  }
}

// Adds rows from `first` on, as many as are read together; `whole` says that there are so many.
template <class Form, bool weighted, bool whole, class Team, class Row>
MVN_FN void addTensorRows(const Team& team, int d, const RowsOf<Row>& rows, int first, TensorLanes<Form, Team>& item) {
  typename Team::template PerLane<TensorRows<Form>> taken;
  team.lanes([&](int lane) {
    const TensorPlace<Form> place(lane);
    TensorLane<Form>& own = item(lane);
    TensorRows<Form>& to = taken(lane);
    const Row* from = rows.x + (first + place.row) * d + place.column;
    MVN_UNROLL for (int u = 0; u < Form::together; ++u, from += unitRows * d) {
      const int row = first + u * unitRows + place.row;
      bool counts = whole || row < rows.rows;
      if constexpr (weighted) {
        to.weight[u] = counts ? rows.weights[row] : 0;
        counts = to.weight[u] > 0;  // else as absent, whatever the row holds
        if (!counts) to.weight[u] = 0;
      }
      MVN_UNROLL for (int s = 0; s < Form::strips; ++s) {
        const bool has = place.has(s, place.column, d);
        f64 y = 0;
        if constexpr (whole) {
          // Read by every lane, without a column the row's first number: around a branch each load would wait for the one before. What comes of
          // it stays in columns that there are not.
          const f64 number = f64(from[has ? s * stripColumns : -place.column]) - own.shift[s];
          y = counts ? number : 0;
        } else if (counts && has) {
          y = f64(from[s * stripColumns]) - own.shift[s];
        }
        own.total[s] = weighted ? fma(to.weight[u], y, own.total[s]) : own.total[s] + y;
        to.y[u][s] = y;
      }
    }
  });
  MVN_UNROLL for (int u = 0; u < Form::together; ++u) {
    MVN_UNROLL for (int right = 0; right < Form::strips; ++right) {
      const auto tile = [&](int left) {
        return [&, left](int lane) -> auto& { return item(lane).scatter[Form::tile(left, right)]; };
      };
      const auto columns = [&](int left) {
        return [&, left](int lane) {
          const TensorRows<Form>& own = taken(lane);
          return weighted ? own.weight[u] * own.y[u][left] : own.y[u][left];
        };
      };
      const auto ofRight = [&](int lane) { return taken(lane).y[u][right]; };
      MVN_UNROLL for (int left = 0; left + 1 <= right; left += 2) {
        multiplyAddPair(team, tile(left), tile(left + 1), columns(left), columns(left + 1), ofRight);
      }
      if (right % 2 == 0) team.multiplyAdd(tile(right), columns(right), ofRight);
    }
  }
}

template <class Form, bool weighted, class Team, class Row>
MVN_FN void addTensorPiece(const Team& team, int d, const RowsOf<Row>& rows, TensorLanes<Form, Team>& item) {
  constexpr int step = Form::together * unitRows;
  int first = 0;
  MVN_UNROLL_BY(1) for (; first + step <= rows.rows; first += step) {
    addTensorRows<Form, weighted, true>(team, d, rows, first, item);
  }
  if (first < rows.rows) addTensorRows<Form, weighted, false>(team, d, rows, first, item);
}

// f(left, right, e, A_ij) for a lane's entries of the upper triangle, i = rowOf(left), j = columnOf(right, e).
template <class Form, class F>
MVN_FN void eachTensorEntry(int d, const TensorPlace<Form>& place, TensorLane<Form>& own, F f) {
  MVN_UNROLL for (int right = 0; right < Form::strips; ++right) {
    MVN_UNROLL for (int left = 0; left <= right; ++left) {
      MVN_UNROLL for (int e = 0; e < 2; ++e) {
        const int i = place.rowOf(left), j = place.columnOf(right, e);
        if (i <= j && j < d) f(left, right, e, own.scatter[Form::tile(left, right)][e]);
      }
    }
  }
}

// The chunk's sums into the item's; A has got Σ w yᵀy already.
template <class Form, class Team>
MVN_FN void mergeTensorChunk(const Team& team, int d, const Chunk& chunk, ItemWeight& weight, TensorLanes<Form, Team>& item,
                             const ItemState& state) {
  typename Team::template PerLane<f64> sum;
  MVN_UNROLL for (int s = 0; s < Form::strips; ++s) {
    team.lanes([&](int lane) { sum(lane) = item(lane).total[s]; });
    MVN_UNROLL for (int m = 1; m < unitRows; m *= 2) {
      auto other = team.shuffle(sum, [&](int lane) { return lane ^ m; });
      team.lanes([&](int lane) { sum(lane) += other(lane); });
    }
    team.lanes([&](int lane) {
      const TensorPlace<Form> place(lane);
      if (place.row != 0) return;
      state.shift[s * stripColumns + place.column] = item(lane).shift[s];
      state.total[s * stripColumns + place.column] = sum(lane);
    });
  }
  team.sync();
  const f64 cross = mergeMean(team, d, chunk, weight, state);
  team.lanes([&](int lane) {
    const TensorPlace<Form> place(lane);
    eachTensorEntry<Form>(d, place, item(lane), [&](int left, int right, int e, f64& a) {
      a = chunkScatter(state, a, cross, place.rowOf(left), place.columnOf(right, e));
    });
  });
}

template <class Form, bool weighted, class Team, class Row, class Source>
MVN_FN void addTensorChunk(const Team& team, int d, const RowsOf<Row>& rows, Source& source, ItemWeight& weight,
                           TensorLanes<Form, Team>& item, const ItemState& state) {
  Chunk chunk = chunkOf(rows.rows);
  if constexpr (weighted) chunk = chunkOf<f64>(team, rows.weights, rows.rows);
  MVN_UNROLL_BY(1) for (int first = 0; first < rows.rows; first += source.rows) {
    const RowsOf<Row> piece = source.take(team, rows.from(first, source.rows, d));
    if (first == 0) {
      const Row* shift = weighted ? rows.x + chunk.shiftRow * d : piece.x;
      team.lanes([&](int lane) {
        const TensorPlace<Form> place(lane);
        MVN_UNROLL for (int s = 0; s < Form::strips; ++s) {
          item(lane).shift[s] = place.has(s, place.column, d) ? f64(shift[s * stripColumns + place.column]) : 0;
          item(lane).total[s] = 0;
        }
      });
    }
    addTensorPiece<Form, weighted>(team, d, piece, item);
  }
  if (chunk.count > 0) mergeTensorChunk<Form>(team, d, chunk, weight, item, state);
}

template <class Form, class Team>
MVN_FN void writeTensor(const Team& team, int d, const ItemWeight& weight, TensorLanes<Form, Team>& item,
                        const ItemState& state, const SlotRef& out) {
  team.lanes([&](int lane) {
    const TensorPlace<Form> place(lane);
    bool rows[Form::strips], columns[Form::strips][2];  // read first: what follows writes where anything may lie
    const auto has = [&](int j) { return j < d && isFinite(meanOf(weight, state, j)); };
    MVN_UNROLL for (int s = 0; s < Form::strips; ++s) {
      rows[s] = has(place.rowOf(s));
      MVN_UNROLL for (int e = 0; e < 2; ++e) columns[s][e] = has(place.columnOf(s, e));
    }
    eachTensorEntry<Form>(d, place, item(lane), [&](int left, int right, int e, f64 a) {
      const int i = place.rowOf(left), j = place.columnOf(right, e);
      out.scatter[i * d + j] = out.scatter[j * d + i] = entryOf(weight, rows[left] && columns[right][e], a);
    });
  });
  writeMean(team, d, weight, state, out);
}

// outOf() is where the results go, asked for in the end: five addresses are too many to keep meanwhile.
template <class Form, bool weighted, class Team, class Row, class Source, class OutOf>
MVN_FN void momentsTensor(const Team& team, int d, const RowsOf<Row>& rows, Source& source, OutOf outOf,
                          const ItemState& state) {
  TensorLanes<Form, Team> item;
  team.lanes([&](int lane) {
    MVN_UNROLL for (int t = 0; t < Form::tiles; ++t) item(lane).scatter[t][0] = item(lane).scatter[t][1] = 0;
  });
  ItemWeight weight;
  const int most = chunkRows(d);
  MVN_UNROLL_BY(1) for (int begin = 0; begin < rows.rows; begin += most) {
    addTensorChunk<Form, weighted>(team, d, rows.from(begin, most, d), source, weight, item, state);
  }
  writeTensor<Form>(team, d, weight, item, state, outOf());
}

}  // namespace mvn
