// moments_small.hpp: moments of a group of few columns (d ≤ 8), straight from the rows, sums in vector registers.
//
// There are two ways to lay sums out in vectors, and each is the quicker one for some d:
//
// - LaneSums: a vector holds one column of as many rows as it has lanes. Lane l adds up every lanes-th row, and the
//   lanes are added at the end of a chunk. No product below the diagonal is computed, and no vector straddles two rows.
//   Rows that are left over are filled up with copies of the shift, whose y is 0.
// - RowSums: a vector holds neighbouring columns of one row, so that half as many vectors of sums do, and some products
//   below the diagonal come with them. Quicker where the sums of the other form do not fit in the registers.
#pragma once

#include "moments_chunk.hpp"
#include "rows.hpp"
#include "simd.hpp"
#include "team.hpp"

namespace mvn {

// Σ w y_j and Σ w y_i y_j (i ≤ j) over rows of a chunk, `rows` of them at a time, lane by lane.
template <int D, class Sum> class LaneSums {
  static constexpr int products = D * (D + 1) / 2;
  Vector<Sum> shift_[D], sum_[D], product_[products];

  MVN_FN void addProducts(const Vector<Sum>* left, const Vector<Sum>* y) {
    int k = 0;
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      MVN_UNROLL for (int j = i; j < D; ++j) product_[k++] += left[i] * y[j];
    }
  }

 public:
  static constexpr int rows = lanesOf<Sum>;

  MVN_FN explicit LaneSums(const Sum* shift) {
    MVN_UNROLL for (int j = 0; j < D; ++j) shift_[j] = splat(shift[j]);
    MVN_UNROLL for (Vector<Sum>& v : sum_) v = splat(Sum(0));
    MVN_UNROLL for (Vector<Sum>& v : product_) v = splat(Sum(0));
  }

  MVN_FN void add(const Sum* x) {
    Vector<Sum> y[D];
    MVN_UNROLL for (int j = 0; j < D; ++j) {
      y[j] = loadStrided<D>(x + j) - shift_[j];
      sum_[j] += y[j];
    }
    addProducts(y, y);
  }

  // The same with a weight a lane; a row of weight 0 is masked, as it may hold NaN.
  MVN_FN void add(const Sum* x, Vector<Sum> weight) {
    Vector<Sum> y[D], weighted[D];
    MVN_UNROLL for (int j = 0; j < D; ++j) {
      y[j] = keepWhere(weight > splat(Sum(0)), loadStrided<D>(x + j) - shift_[j]);
      weighted[j] = weight * y[j];
      sum_[j] += weighted[j];
    }
    addProducts(weighted, y);
  }

  MVN_FN Sum sum(int j) const { return sumLanes(sum_[j]); }
  MVN_FN Sum product(int i, int j) const { return sumLanes(product_[i * D - i * (i + 1) / 2 + j]); }
};

// The same sums, a row at a time.
template <int D> class RowSums {
  static constexpr int vectors = D / 2;
  static_assert(D % 2 == 0, "a vector must not straddle two rows");
  f64x2 shift_[vectors], sum_[vectors], product_[D][vectors];

  // Row i of the products, from the vector with column i on.
  MVN_FN void addProducts(const f64x2* left, const f64x2* y) {
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      const f64x2 even = broadcastLane<0>(left[v]), odd = broadcastLane<1>(left[v]);
      MVN_UNROLL for (int j = v; j < vectors; ++j) {
        product_[2 * v][j] += even * y[j];
        product_[2 * v + 1][j] += odd * y[j];
      }
    }
  }

 public:
  static constexpr int rows = 1;

  MVN_FN explicit RowSums(const f64* shift) {
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      shift_[v] = load<f64>(shift + 2 * v);
      sum_[v] = splat(0.0);
      MVN_UNROLL for (int i = 0; i < D; ++i) product_[i][v] = splat(0.0);
    }
  }

  MVN_FN void add(const f64* x) {
    f64x2 y[vectors];
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      y[v] = load<f64>(x + 2 * v) - shift_[v];
      sum_[v] += y[v];
    }
    addProducts(y, y);
  }

  MVN_FN void add(const f64* x, f64x2 weight) {
    f64x2 y[vectors], weighted[vectors];
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      y[v] = keepWhere(weight > splat(0.0), load<f64>(x + 2 * v) - shift_[v]);
      weighted[v] = weight * y[v];
      sum_[v] += weighted[v];
    }
    addProducts(weighted, y);
  }

  MVN_FN f64 sum(int j) const { return sum_[j / 2][j % 2]; }
  MVN_FN f64 product(int i, int j) const { return product_[i][j / 2][j % 2]; }
};

// Measured in WebAssembly, whose engines have 15 registers to give away.
template <int D, class Sum> constexpr bool byRows = sizeof(Sum) == sizeof(f64) && D % 2 == 0 && D >= 4;
template <int D, class Sum, bool = byRows<D, Sum>> struct ChunkSumsOf { using type = LaneSums<D, Sum>; };
template <int D, class Sum> struct ChunkSumsOf<D, Sum, true> { using type = RowSums<D>; };
template <int D, class Sum> using ChunkSums = typename ChunkSumsOf<D, Sum>::type;

// The group's statistics so far. The mean is relative to `origin`; of the scatter there is the upper triangle.
template <int D> struct GroupSums {
  f64 count = 0, weight = 0;
  f64 origin[D], mean[D], scatter[D][D];

  template <class Sum, class Sums> MVN_FN void add(const Chunk& chunk, const Sum* shift, const Sums& sums) {
    f64 total[D], average[D];  // Σ w y, ȳ
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      total[i] = chunk.unit * f64(sums.sum(i));
      average[i] = total[i] / chunk.weight;
    }
    const auto own = [&](int i, int j) { return chunk.unit * f64(sums.product(i, j)) - average[i] * total[j]; };
    if (count == 0) {
      MVN_UNROLL for (int i = 0; i < D; ++i) {
        origin[i] = f64(shift[i]);
        mean[i] = average[i];
        MVN_UNROLL for (int j = i; j < D; ++j) scatter[i][j] = own(i, j);
      }
    } else {
      MergeWeights w = mergeWeights(weight, chunk.weight);
      f64 delta[D];
      MVN_UNROLL for (int i = 0; i < D; ++i) {
        delta[i] = ((f64(shift[i]) - origin[i]) + average[i]) - mean[i];
        mean[i] += delta[i] * w.share;
      }
      MVN_UNROLL for (int i = 0; i < D; ++i) {
        f64 crossed = w.cross * delta[i];
        MVN_UNROLL for (int j = i; j < D; ++j) scatter[i][j] += own(i, j) + crossed * delta[j];
      }
    }
    count += f64(chunk.count);
    weight += chunk.weight;
  }

  void write(StatisticsRef out) const {
    *out.count = count;
    *out.weight = weight;
    if (count == 0) return writeEmpty(D, out);
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      out.mean[i] = origin[i] + mean[i];
      MVN_UNROLL for (int j = i; j < D; ++j) out.scatter[i * D + j] = out.scatter[j * D + i] = scatter[i][j];
    }
    spreadNonFinite(D, out);
  }
};

// Weights of `count` rows of the `rows` that go together, and 0 beyond them. A single row's is in every lane.
template <int rows, class Sum> MVN_FN Vector<Sum> loadWeights(const f64* weights, int count, const Chunk& chunk) {
  if constexpr (rows == 1) return splat(chunk.weightOf<Sum>(*weights));
  Vector<Sum> v = {};
  MVN_UNROLL for (int lane = 0; lane < rows; ++lane) {
    if (lane < count) v[lane] = chunk.weightOf<Sum>(weights[lane]);
  }
  return v;
}

template <int D, class Sum, bool weighted>
MVN_FN void addChunk(const Sum* x, const f64* weights, int rows, GroupSums<D>& group) {
  using Sums = ChunkSums<D, Sum>;
  constexpr int step = Sums::rows;
  Chunk chunk = weighted ? chunkOf<Sum>(weights, rows) : chunkOf(rows);
  if (chunk.count == 0) return;

  const Sum* shiftRow = x + chunk.shiftRow * D;
  Sums sums(shiftRow);
  int direct = rows / step * step, left = rows - direct, r = 0;
  if constexpr (D >= 5 && !weighted) {  // more sums than registers: twice the rows a visit to those in memory
    for (; r + 2 * step <= direct; r += 2 * step) {
      sums.add(x + r * D);
      sums.add(x + (r + step) * D);
    }
  }
  for (; r < direct; r += step) {
    if constexpr (weighted) sums.add(x + r * D, loadWeights<step, Sum>(weights + r, step, chunk));
    else sums.add(x + r * D);
  }
  if (left > 0) {
    Sum end[step * D];
    for (int e = 0; e < step * D; ++e) end[e] = e < left * D ? x[direct * D + e] : shiftRow[e % D];
    if constexpr (weighted) sums.add(end, loadWeights<step, Sum>(weights + direct, left, chunk));
    else sums.add(end);
  }
  group.add(chunk, shiftRow, sums);
}

// As a function of its own, which rows that are converted first share with those that are not.
template <int D, class Sum, bool weighted>
MVN_CALL void callAddChunk(const Sum* x, const f64* weights, int rows, GroupSums<D>& group) {
  addChunk<D, Sum, weighted>(x, weights, rows, group);
}

// Rows of another type than the sums are converted first, a chunk at a time: [chunk rows, d] of scratch.
template <class Sum, class Row> MVN_FN Sum* takeConverted(Scratch& scratch, int d) {
  return sizeof(Row) == sizeof(Sum) ? nullptr : scratch.take<Sum>(i64(chunkRowsIn<Sum>(d)) * d);
}

template <int D, class Sum, bool weighted, class Row>
inline void momentsSmall(const Row* x, const f64* weights, i64 rows, StatisticsRef out, char* block) {
  constexpr int most = chunkRowsIn<Sum>(D);
  constexpr bool calls = D > 3;  // a call costs a fifth of the time of 50 rows at d = 3, nothing at d = 4
  Scratch scratch(block);
  Sum* converted = takeConverted<Sum, Row>(scratch, D);
  GroupSums<D> group;
  for (i64 first = 0; first < rows; first += most) {
    int length = int(min<i64>(most, rows - first));
    const f64* chunkWeights = weighted ? weights + first : nullptr;
    const Sum* from;
    if constexpr (sizeof(Row) == sizeof(Sum)) {
      from = x + first * D;
    } else {
      for (int e = 0; e < length * D; ++e) converted[e] = Sum(x[first * D + e]);
      from = converted;
    }
    if constexpr (calls) callAddChunk<D, Sum, weighted>(from, chunkWeights, length, group);
    else addChunk<D, Sum, weighted>(from, chunkWeights, length, group);
  }
  group.write(out);
}

}  // namespace mvn
