// moments_small.hpp: moments of a group of few columns (d ≤ 8), straight from the rows, sums in vector registers.
//
// Each row is read once as ⌈D/lanes⌉ vectors; product[i] takes y_i·y from the vector that holds column i on, so that
// what is computed below the diagonal fills up a vector and no more. A vector that reaches past its row reads the
// next row's first values: they stay in lanes that nobody looks at. The last rows, where that would leave the rows'
// memory, are copied first.
#pragma once

#include "moments_chunk.hpp"
#include "simd.hpp"

namespace mvn {

// Σ w y and the upper triangle of Σ w yᵀy over the rows of a chunk.
template <int D, class Sum> struct ChunkSums {
  static constexpr int lanes = lanesOf<Sum>;
  static constexpr int vectors = (D + lanes - 1) / lanes;
  static constexpr int padded = vectors * lanes;
  Vector<Sum> sum[vectors];
  Vector<Sum> product[D][vectors];

  MVN_FN void clear() {
    MVN_UNROLL for (int v = 0; v < vectors; ++v) sum[v] = splat(Sum(0));
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      MVN_UNROLL for (int v = i / lanes; v < vectors; ++v) product[i][v] = splat(Sum(0));
    }
  }

  MVN_FN void add(const ChunkSums& other) {
    MVN_UNROLL for (int v = 0; v < vectors; ++v) sum[v] += other.sum[v];
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      MVN_UNROLL for (int v = i / lanes; v < vectors; ++v) product[i][v] += other.product[i][v];
    }
  }

  template <int I> MVN_FN void addProducts(const Vector<Sum>* y, const Vector<Sum>* weighted) {
    if constexpr (I < D) {
      Vector<Sum> left = broadcast<I % lanes>(weighted[I / lanes]);
      MVN_UNROLL for (int v = I / lanes; v < vectors; ++v) product[I][v] += left * y[v];
      addProducts<I + 1>(y, weighted);
    }
  }

  template <class Row> MVN_FN void addRow(const Row* x, const Vector<Sum>* shift) {
    Vector<Sum> y[vectors];
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      y[v] = load<Sum>(x + v * lanes) - shift[v];
      sum[v] += y[v];
    }
    addProducts<0>(y, y);
  }

  template <class Row> MVN_FN void addRow(const Row* x, const Vector<Sum>* shift, Sum weight) {
    Vector<Sum> y[vectors], weighted[vectors];
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      y[v] = load<Sum>(x + v * lanes) - shift[v];
      weighted[v] = splat(weight) * y[v];
      sum[v] += weighted[v];
    }
    addProducts<0>(y, weighted);
  }
};

// The group's statistics so far. The mean is relative to `origin`; of the scatter there is the upper triangle.
template <int D> struct GroupSums {
  f64 count = 0, weight = 0;
  f64 origin[D], mean[D], scatter[D][D];

  template <class Sum> MVN_FN void merge(const Chunk& chunk, const f64* shift, const ChunkSums<D, Sum>& sums) {
    constexpr int lanes = lanesOf<Sum>;
    if (count == 0) {
      for (int i = 0; i < D; ++i) {
        origin[i] = shift[i];
        mean[i] = 0;
        for (int j = i; j < D; ++j) scatter[i][j] = 0;
      }
    }
    MergeWeights w = mergeWeights(weight, chunk.weight);
    f64 total[D], average[D], delta[D];  // Σ w y, ȳ, δ
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      total[i] = chunk.unit * f64(sums.sum[i / lanes][i % lanes]);
      average[i] = total[i] / chunk.weight;
      delta[i] = ((shift[i] - origin[i]) + average[i]) - mean[i];
      mean[i] += delta[i] * w.share;
    }
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      f64 crossed = w.cross * delta[i];
      MVN_UNROLL for (int j = i; j < D; ++j) {
        f64 product = chunk.unit * f64(sums.product[i][j / lanes][j % lanes]);
        scatter[i][j] += (product - average[i] * total[j]) + crossed * delta[j];
      }
    }
    count += f64(chunk.count);
    weight += chunk.weight;
  }
};

template <int D, class Sum, bool weighted, class Row>
MVN_FN void addChunk(const Row* x, const f64* weights, int rows, GroupSums<D>& group) {
  using Sums = ChunkSums<D, Sum>;
  Chunk chunk;
  if constexpr (weighted) chunk = chunkOf<Sum>(weights, rows);
  else chunk = chunkOf<Sum>(rows);
  if (chunk.count == 0) return;

  f64 shift[D];
  Sum padded[Sums::padded] = {};
  for (int j = 0; j < D; ++j) {
    padded[j] = Sum(x[chunk.shiftRow * D + j]);
    shift[j] = f64(padded[j]);
  }
  Vector<Sum> shifts[Sums::vectors];
  MVN_UNROLL for (int v = 0; v < Sums::vectors; ++v) shifts[v] = load<Sum>(padded + v * Sums::lanes);

  // Rows whose vectors would reach past the last one.
  constexpr int tail = (Sums::padded - D + D - 1) / D;
  int direct = max(0, rows - tail);
  Row end[tail * D + Sums::padded] = {};
  for (int e = 0; e < (rows - direct) * D; ++e) end[e] = x[direct * D + e];

  Sums sums;
  sums.clear();
  if constexpr (weighted) {
    for (int r = 0; r < rows; ++r) {
      if (!(weights[r] > 0)) continue;
      const Row* row = r < direct ? x + r * D : end + (r - direct) * D;
      sums.addRow(row, shifts, Sum(sizeof(Sum) == sizeof(f32) ? weights[r] / chunk.unit : weights[r]));
    }
  } else {
    int r = 0;
    if constexpr (D <= 2) {  // too few sums to keep the adders busy: every second row has its own
      Sums odd;
      odd.clear();
      for (; r + 2 <= direct; r += 2) {
        sums.addRow(x + r * D, shifts);
        odd.addRow(x + r * D + D, shifts);
      }
      sums.add(odd);
    } else if constexpr (D >= 5) {  // more sums than registers: two rows a visit to those in memory
      for (; r + 2 <= direct; r += 2) {
        sums.addRow(x + r * D, shifts);
        sums.addRow(x + r * D + D, shifts);
      }
    }
    for (; r < direct; ++r) sums.addRow(x + r * D, shifts);
    for (; r < rows; ++r) sums.addRow(end + (r - direct) * D, shifts);
  }
  group.merge(chunk, shift, sums);
}

template <int D, class Sum, bool weighted, class Row>
inline void momentsSmall(const Row* x, const f64* weights, i64 rows, StatisticsRef out) {
  constexpr int most = chunkRowsIn<Sum>(D);
  GroupSums<D> group;
  for (i64 r = 0; r < rows; r += most) {
    addChunk<D, Sum, weighted>(x + r * D, weighted ? weights + r : nullptr, int(min<i64>(most, rows - r)), group);
  }
  *out.count = group.count;
  *out.weight = group.weight;
  if (group.count == 0) return writeEmpty(D, out);
  MVN_UNROLL for (int i = 0; i < D; ++i) {
    out.mean[i] = group.origin[i] + group.mean[i];
    MVN_UNROLL for (int j = i; j < D; ++j) out.scatter[i * D + j] = out.scatter[j * D + i] = group.scatter[i][j];
  }
  spreadNonFinite(D, out);
}

}  // namespace mvn
