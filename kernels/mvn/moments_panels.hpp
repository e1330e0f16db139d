// moments_panels.hpp: moments of an item of any number of columns by a warp or a block, through panels of rows.
//
// A panel is some rows of a chunk, shifted, as y[row][column] in shared memory; weights enter as √w y. The upper
// triangle of yᵀy is cut into tiles of 4 × 4: a lane loads 8 numbers of a row for 16 products. Where there are more
// lanes than tiles, slices of lanes share the rows: slice s of n takes rows s, s + n, … of each panel. The sums of a
// chunk stay in scratch, [slice][entry][tile], so that neighbouring lanes meet neighbouring banks; no lane touches
// another's until the chunk is merged.
#pragma once

#include "moments_lanes.hpp"

namespace mvn {

constexpr int tileSide = 4, tileEntries = tileSide * tileSide;

// The shape of an item's work: a function of d, the type of the sums and the team's width, like all that follows.
template <class Sum> struct PanelShape {
  int d, padded, tiles, slices, columnSlices, rows;

  MVN_FN PanelShape(int d, int width) : d(d), padded(roundUp(d, tileSide)) {
    const int side = padded / tileSide;
    tiles = side * (side + 1) / 2;
    slices = max(1, width / tiles);
    columnSlices = max(1, width / d);
    const int bytes = width <= 32 ? 4096 : 16384;  // of a panel: enough loads under way, little enough shared memory
    rows = 8;
    while (rows < 64 && 2 * rows * padded * int(sizeof(Sum)) <= bytes) rows *= 2;
  }
};

template <class Sum> struct PanelWorkspace {
  ItemState state;
  Sum *panel, *shift, *root;  // [rows, padded], [padded], [rows]: y, the shift, √w
  Sum* columnSum;             // [columnSlices, padded]
  Sum* tileSum;               // [slices, 16, tiles]

  MVN_FN PanelWorkspace(Scratch& scratch, const PanelShape<Sum>& shape)
      : state(scratch, shape.padded), panel(scratch.take<Sum>(i64(shape.rows) * shape.padded)),
        shift(scratch.take<Sum>(shape.padded)), root(scratch.take<Sum>(shape.rows)),
        columnSum(scratch.take<Sum>(i64(shape.columnSlices) * shape.padded)),
        tileSum(scratch.take<Sum>(i64(shape.slices) * tileEntries * shape.tiles)) {}
};

// Tile t of the upper triangle, column of tiles by column: t = right (right + 1)/2 + left, left ≤ right.
struct TileAt {
  int left, right;

  MVN_FN explicit TileAt(int t) {
    right = int((sqrt(f32(8 * t + 1)) - 1) / 2);
    while (right * (right + 1) / 2 > t) --right;
    while ((right + 1) * (right + 2) / 2 <= t) ++right;
    left = t - right * (right + 1) / 2;
  }
};

// y ← (x − shift) √w for the rows of a panel, `width` numbers a load: consecutive lanes read consecutive addresses.
template <int width, bool weighted, class Team, class Sum, class Row>
MVN_FN void fillPanel(const Team& team, const PanelShape<Sum>& shape, const RowsOf<Row>& rows,
                      const PanelWorkspace<Sum>& work) {
  const int packs = shape.d / width;  // of a row
  team.lanes([&](int lane) {
    int r = lane / packs, c = lane % packs;
    const int down = team.width / packs, right = team.width % packs;
    MVN_UNROLL_BY(4) while (r < rows.rows) {
      const int column = c * width;
      const auto pack = *reinterpret_cast<const Pack<Row, width>*>(rows.x + i64(r) * shape.d + column);
      Sum* to = work.panel + r * shape.padded + column;
      MVN_UNROLL for (int v = 0; v < width; ++v) {
        Sum y = Sum(pack.at[v]) - work.shift[column + v];
        if constexpr (weighted) y = work.root[r] > Sum(0) ? y * work.root[r] : Sum(0);  // whatever the row holds
        to[v] = y;
      }
      r += down;
      c += right;
      if (c >= packs) {
        c -= packs;
        ++r;
      }
    }
  });
  team.sync();
}

template <bool weighted, class Team, class Sum, class Row>
MVN_FN void loadPanel(const Team& team, const PanelShape<Sum>& shape, const Chunk& chunk, const RowsOf<Row>& rows,
                      const PanelWorkspace<Sum>& work) {
  if constexpr (weighted) {
    team.each(rows.rows, [&](int r) {
      const f64 w = rows.weights[r];
      work.root[r] = w > 0 ? sqrt(chunk.weightOf<Sum>(w)) : Sum(0);
    });
    team.sync();
  }
  switch (loadWidth<Row>(shape.d)) {
    case 4: return fillPanel<sizeof(Row) == sizeof(f32) ? 4 : 2, weighted>(team, shape, rows, work);
    case 2: return fillPanel<2, weighted>(team, shape, rows, work);
    default: return fillPanel<1, weighted>(team, shape, rows, work);
  }
}

// Σ w y of the panel's rows, a column and a slice of the rows at a time.
template <bool weighted, class Team, class Sum>
MVN_FN void addColumns(const Team& team, const PanelShape<Sum>& shape, int rows, const PanelWorkspace<Sum>& work) {
  team.each(shape.columnSlices * shape.d, [&](int e) {
    const int slice = e / shape.d, column = e % shape.d;
    Sum* sum = work.columnSum + slice * shape.padded + column;
    Sum total = *sum;
    MVN_UNROLL_BY(2) for (int r = slice; r < rows; r += shape.columnSlices) {
      const Sum y = work.panel[r * shape.padded + column];
      total = weighted ? fma(work.root[r], y, total) : total + y;
    }
    *sum = total;
  });
}

// Σ w yᵀy of the panel's rows, a tile and a slice of the rows at a time.
template <class Team, class Sum>
MVN_FN void addTiles(const Team& team, const PanelShape<Sum>& shape, int rows, const PanelWorkspace<Sum>& work) {
  using Four = Pack<Sum, 16 / sizeof(Sum)>;  // one load; two of them for four float64
  team.each(shape.slices * shape.tiles, [&](int e) {
    const int slice = e / shape.tiles, t = e % shape.tiles;
    const TileAt tile(t);
    Sum* sums = work.tileSum + i64(slice) * tileEntries * shape.tiles + t;
    Sum acc[tileEntries], a[tileSide], b[tileSide];
    MVN_UNROLL for (int k = 0; k < tileEntries; ++k) acc[k] = sums[k * shape.tiles];
    const Sum *left = work.panel + tile.left * tileSide, *right = work.panel + tile.right * tileSide;
    MVN_UNROLL_BY(1) for (int r = slice; r < rows; r += shape.slices) {
      constexpr int width = 16 / int(sizeof(Sum));
      MVN_UNROLL for (int v = 0; v < tileSide; v += width) {
        const auto l = *reinterpret_cast<const Four*>(left + r * shape.padded + v);
        const auto m = *reinterpret_cast<const Four*>(right + r * shape.padded + v);
        MVN_UNROLL for (int k = 0; k < width; ++k) a[v + k] = l.at[k], b[v + k] = m.at[k];
      }
      MVN_UNROLL for (int i = 0; i < tileSide; ++i) {
        MVN_UNROLL for (int j = 0; j < tileSide; ++j) acc[i * tileSide + j] = fma(a[i], b[j], acc[i * tileSide + j]);
      }
    }
    MVN_UNROLL for (int k = 0; k < tileEntries; ++k) sums[k * shape.tiles] = acc[k];
  });
  team.sync();
}

// A's upper triangle in `scatter` gets the chunk's share.
template <class Team, class Sum>
MVN_FN void mergeTiles(const Team& team, const PanelShape<Sum>& shape, f64 unit, f64 cross, bool first,
                       const PanelWorkspace<Sum>& work, f64* scatter) {
  team.each(shape.tiles * tileEntries, [&](int e) {
    const int t = e / tileEntries, k = e % tileEntries;
    const TileAt tile(t);
    const int i = tile.left * tileSide + k / tileSide, j = tile.right * tileSide + k % tileSide;
    if (i > j || j >= shape.d) return;
    const Sum* sum = work.tileSum + k * shape.tiles + t;
    f64 product = 0;
    MVN_UNROLL_BY(1) for (int s = 0; s < shape.slices; ++s) product += f64(sum[i64(s) * tileEntries * shape.tiles]);
    f64* to = scatter + i64(i) * shape.d + j;
    const f64 own = chunkScatter(work.state, unit * product, cross, i, j);
    *to = first ? own : *to + own;
  });
  team.sync();
}

template <bool weighted, class Team, class Sum, class Row>
MVN_FN void addPanelsChunk(const Team& team, const PanelShape<Sum>& shape, const RowsOf<Row>& rows, ItemWeight& item,
                           const PanelWorkspace<Sum>& work, f64* scatter) {
  Chunk chunk = chunkOf(rows.rows);
  if constexpr (weighted) chunk = chunkOf<Sum>(team, rows.weights, rows.rows);
  if (chunk.count == 0) return;
  team.each(shape.d, [&](int j) {
    const Sum shift = Sum(rows.x[chunk.shiftRow * shape.d + j]);
    work.shift[j] = shift;
    work.state.shift[j] = f64(shift);
  });
  team.each(shape.columnSlices * shape.padded, [&](int e) { work.columnSum[e] = 0; });
  team.each(shape.slices * tileEntries * shape.tiles, [&](int e) { work.tileSum[e] = 0; });
  team.sync();
  for (int first = 0; first < rows.rows; first += shape.rows) {
    const RowsOf<Row> part = rows.from(first, shape.rows, shape.d);
    loadPanel<weighted>(team, shape, chunk, part, work);
    addColumns<weighted>(team, shape, part.rows, work);
    addTiles(team, shape, part.rows, work);
  }
  team.each(shape.d, [&](int j) {
    f64 total = 0;
    MVN_UNROLL_BY(1) for (int s = 0; s < shape.columnSlices; ++s) total += f64(work.columnSum[s * shape.padded + j]);
    work.state.total[j] = chunk.unit * total;
  });
  const bool first = item.count == 0;
  const f64 cross = mergeMean(team, shape.d, chunk, item, work.state);
  mergeTiles(team, shape, chunk.unit, cross, first, work, scatter);
}

template <class Sum, bool weighted, class Team, class Row>
MVN_FN void momentsPanels(const Team& team, int d, const RowsOf<Row>& rows, const SlotRef& out, Scratch scratch) {
  const PanelShape<Sum> shape(d, team.width);
  const PanelWorkspace<Sum> work(scratch, shape);
  const int padding = shape.padded - d;
  team.each(shape.rows * padding, [&](int e) { work.panel[e / padding * shape.padded + d + e % padding] = 0; });
  ItemWeight item;
  const int most = chunkRowsIn<Sum>(d);
  for (int first = 0; first < rows.rows; first += most) {
    addPanelsChunk<weighted>(team, shape, rows.from(first, most, d), item, work, out.scatter);
  }
  writeItem(team, d, item, work.state, out, [&](int i, int j) { return out.scatter[i64(i) * d + j]; });
}

}  // namespace mvn
