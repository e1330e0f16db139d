// moments_small.hpp: moments of a group of few columns (d ≤ 8), straight from the rows, sums in vector registers.
//
// A vector holds one column of as many rows as it has lanes: lane l adds up every lanes-th row, and the lanes are added
// at the end of a chunk. So no product below the diagonal is computed, and none that straddles two rows. Rows that are
// left over are filled up with copies of the shift, whose y is 0.
#pragma once

#include "moments_chunk.hpp"
#include "simd.hpp"
#include "team.hpp"

namespace mvn {

// Lane by lane, Σ w y_j and Σ w y_i y_j (i ≤ j) over rows of a chunk.
template <int D, class Sum> struct ChunkSums {
  static constexpr int products = D * (D + 1) / 2;
  Vector<Sum> sum[D], product[products];

  MVN_FN ChunkSums() {
    MVN_UNROLL for (Vector<Sum>& v : sum) v = splat(Sum(0));
    MVN_UNROLL for (Vector<Sum>& v : product) v = splat(Sum(0));
  }

  // As many rows as a vector has lanes, from x on.
  MVN_FN void addRows(const Sum* x, const Vector<Sum>* shift) {
    Vector<Sum> y[D];
    MVN_UNROLL for (int j = 0; j < D; ++j) {
      y[j] = loadStrided<D>(x + j) - shift[j];
      sum[j] += y[j];
    }
    addProducts(y, y);
  }

  // The same with a weight each; a row of weight 0 is masked, as it may hold NaN.
  MVN_FN void addRows(const Sum* x, const Vector<Sum>* shift, Vector<Sum> weight) {
    Vector<Sum> y[D], weighted[D];
    MVN_UNROLL for (int j = 0; j < D; ++j) {
      y[j] = keepWhere(weight > splat(Sum(0)), loadStrided<D>(x + j) - shift[j]);
      weighted[j] = weight * y[j];
      sum[j] += weighted[j];
    }
    addProducts(weighted, y);
  }

 private:
  MVN_FN void addProducts(const Vector<Sum>* left, const Vector<Sum>* y) {
    int k = 0;
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      MVN_UNROLL for (int j = i; j < D; ++j) product[k++] += left[i] * y[j];
    }
  }
};

// The group's statistics so far. The mean is relative to `origin`; of the scatter there is the upper triangle.
template <int D> struct GroupSums {
  f64 count = 0, weight = 0;
  f64 origin[D], mean[D], scatter[D][D];

  template <class Sum> MVN_FN void merge(const Chunk& chunk, const f64* shift, const ChunkSums<D, Sum>& sums) {
    MergeWeights w = mergeWeights(weight, chunk.weight);
    f64 total[D], average[D], delta[D];  // Σ w y, ȳ, δ
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      if (count == 0) {
        origin[i] = shift[i];
        mean[i] = 0;
        for (int j = i; j < D; ++j) scatter[i][j] = 0;
      }
      total[i] = chunk.unit * f64(sumLanes(sums.sum[i]));
      average[i] = total[i] / chunk.weight;
      delta[i] = ((shift[i] - origin[i]) + average[i]) - mean[i];
      mean[i] += delta[i] * w.share;
    }
    const Vector<Sum>* product = sums.product;
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      f64 crossed = w.cross * delta[i];
      MVN_UNROLL for (int j = i; j < D; ++j) {
        f64 own = chunk.unit * f64(sumLanes(*product++)) - average[i] * total[j];
        scatter[i][j] += own + crossed * delta[j];
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

// Weights of `count` rows, and 0 in the lanes beyond them.
template <class Sum> MVN_FN Vector<Sum> loadWeights(const f64* weights, int count, const Chunk& chunk) {
  Vector<Sum> v = {};
  MVN_UNROLL for (int lane = 0; lane < lanesOf<Sum>; ++lane) {
    if (lane < count) v[lane] = chunk.weightOf<Sum>(weights[lane]);
  }
  return v;
}

template <int D, class Sum, bool weighted>
MVN_FN void addChunk(const Sum* x, const f64* weights, int rows, GroupSums<D>& group) {
  constexpr int lanes = lanesOf<Sum>;
  Chunk chunk = weighted ? chunkOf<Sum>(weights, rows) : chunkOf(rows);
  if (chunk.count == 0) return;

  const Sum* shiftRow = x + chunk.shiftRow * D;
  f64 shift[D];
  Vector<Sum> shifts[D];
  MVN_UNROLL for (int j = 0; j < D; ++j) {
    shift[j] = f64(shiftRow[j]);
    shifts[j] = splat(shiftRow[j]);
  }
  int direct = rows / lanes * lanes, left = rows - direct;
  Sum end[lanes * D];
  for (int e = 0; e < lanes * D; ++e) end[e] = e < left * D ? x[direct * D + e] : shiftRow[e % D];

  ChunkSums<D, Sum> sums;
  if constexpr (weighted) {
    for (int r = 0; r < direct; r += lanes) {
      sums.addRows(x + r * D, shifts, loadWeights<Sum>(weights + r, lanes, chunk));
    }
    if (left > 0) sums.addRows(end, shifts, loadWeights<Sum>(weights + direct, left, chunk));
  } else {
    int r = 0;
    if constexpr (D >= 5) {  // more sums than registers: twice the rows a visit to those in memory
      for (; r + 2 * lanes <= direct; r += 2 * lanes) {
        sums.addRows(x + r * D, shifts);
        sums.addRows(x + (r + lanes) * D, shifts);
      }
    }
    for (; r < direct; r += lanes) sums.addRows(x + r * D, shifts);
    if (left > 0) sums.addRows(end, shifts);
  }
  group.merge(chunk, shift, sums);
}

// Rows of another type than the sums are converted first, a chunk at a time: [chunk rows, d] of scratch.
template <class Sum, class Row> MVN_FN Sum* takeConverted(Scratch& scratch, int d) {
  return sizeof(Row) == sizeof(Sum) ? nullptr : scratch.take<Sum>(i64(chunkRowsIn<Sum>(d)) * d);
}

template <int D, class Sum, bool weighted, class Row>
inline void momentsSmall(const Row* x, const f64* weights, i64 rows, StatisticsRef out, char* block) {
  constexpr int most = chunkRowsIn<Sum>(D);
  Scratch scratch(block);
  Sum* converted = takeConverted<Sum, Row>(scratch, D);
  GroupSums<D> group;
  for (i64 first = 0; first < rows; first += most) {
    int length = int(min<i64>(most, rows - first));
    const f64* chunkWeights = weighted ? weights + first : nullptr;
    if constexpr (sizeof(Row) == sizeof(Sum)) {
      readAhead(x + first * D, length * D);
      addChunk<D, Sum, weighted>(x + first * D, chunkWeights, length, group);
    } else {
      for (int e = 0; e < length * D; ++e) converted[e] = Sum(x[first * D + e]);
      addChunk<D, Sum, weighted>(converted, chunkWeights, length, group);
    }
  }
  group.write(out);
}

}  // namespace mvn
