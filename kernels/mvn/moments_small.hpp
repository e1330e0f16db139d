// moments_small.hpp: moments of a group of few columns (d ≤ 8), straight from the rows, with sums in
// vector registers (moments_sums.hpp).
#pragma once

#include "moments_chunk.hpp"
#include "moments_columns.hpp"
#include "moments_sums.hpp"
#include "team.hpp"

namespace mvn {

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

  MVN_FN void write(const StatisticsRef& out) const {
    *out.count = count;
    *out.weight = weight;
    if (count == 0) return writeEmpty(D, out);
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      out.mean[i] = origin[i] + mean[i];
      MVN_UNROLL for (int j = i; j < D; ++j) out.scatter[i * D + j] = out.scatter[j * D + i] = scatter[i][j];
    }
    f64 finite = 0;
    MVN_UNROLL for (int i = 0; i < D; ++i) finite += out.mean[i] - out.mean[i];
    if (finite != 0) spreadNonFinite(D, out);
  }
};

// Weights of `count` rows of the `rows` that go together, and 0 beyond them: one a lane, or that of a single row.
template <int rows, class Sum> MVN_FN auto loadWeights(const f64* weights, int count, const Chunk& chunk) {
  if constexpr (rows == 1) {
    return chunk.weightOf<Sum>(*weights);
  } else {
    Vector<Sum> v = {};
    MVN_UNROLL for (int lane = 0; lane < rows; ++lane) {
      if (lane < count) v[lane] = chunk.weightOf<Sum>(weights[lane]);
    }
    return v;
  }
}

// Rows that follow `count` rows from x some way behind: left to itself, a processor asks for them too late. Groups lie one
// after the other, so that what follows the last row is wanted soon too.
template <int D, class Row> MVN_FN void prefetchRows(const Row* x, int count) {
  constexpr i64 distance = 8192;  // bytes
  prefetch(x + distance / i64(sizeof(Row)), i64(count) * D * i64(sizeof(Row)));
}

// From how many rows on a chunk is dealt out into columns, 0 for never: fewer are not worth the lanes that are added in the end.
template <int D, class Sum>
constexpr int dealtFrom = MVN_VECTOR_BYTES < 64 || D > 4 ? 0 : D <= 3 || sizeof(Sum) == sizeof(f32) ? 32 : 128;

template <int D, class Sum> MVN_FN void addChunkByColumns(const Sum* x, int rows, GroupSums<D>& group) {
  using Sums = ColumnSums<D, Sum>;
  Sums sums(x);
  int r = 0;
  for (; r + Sums::rows <= rows; r += Sums::rows) {
    prefetchRows<D>(x + r * D, Sums::rows);
    sums.add(x + r * D);
  }
  if (r < rows) {
    prefetchRows<D>(x + r * D, rows - r);
    sums.addLast(x + (rows - Sums::rows) * D, rows - r);
  }
  sums.join();
  group.add(chunkOf(rows), x, sums);
}

template <int D, class Sum, bool weighted>
MVN_FN void addChunk(const Sum* x, const f64* weights, int rows, GroupSums<D>& group) {
  using Sums = ChunkSums<D, Sum>;
  constexpr int step = Sums::rows, dealt = dealtFrom<D, Sum>;
  if constexpr (dealt > 0 && !weighted) {
    if (rows >= dealt) return addChunkByColumns<D, Sum>(x, rows, group);
  }
  Chunk chunk = weighted ? chunkOf<Sum>(weights, rows) : chunkOf(rows);
  if (chunk.count == 0) return;

  const Sum* shiftRow = x + chunk.shiftRow * D;
  Sums sums(shiftRow);
  // Nothing is read beyond the chunk: a last row whose vectors are longer than itself is read from before it where there is
  // something, and by way of a copy where not, as are rows that are fewer than go together.
  constexpr int beyond = Sums::readBeyond;
  static_assert(beyond <= D, "no row but the last may be read beyond");
  const int direct = beyond > 0 ? rows - 1 : rows / step * step, left = rows - direct;
  int r = 0;
  // Where there are more sums than registers, twice the rows a visit to those in memory.
  if constexpr ((D >= 5 || lanesOf<Sum> > 2) && !weighted) {
    for (; r + 2 * step <= direct; r += 2 * step) {
      prefetchRows<D>(x + r * D, 2 * step);
      sums.addTwo(x + r * D);
    }
  }
  for (; r < direct; r += step) {
    prefetchRows<D>(x + r * D, step);
    if constexpr (weighted) sums.add(x + r * D, loadWeights<step, Sum>(weights + r, step, chunk));
    else sums.add(x + r * D);
  }
  const auto addCopy = [&] {
    Sum end[step * D + beyond];
    for (int e = 0; e < step * D; ++e) end[e] = e < left * D ? x[direct * D + e] : shiftRow[e % D];
    for (int e = 0; e < beyond; ++e) end[step * D + e] = 0;
    if constexpr (weighted) sums.add(end, loadWeights<step, Sum>(weights + direct, left, chunk));
    else sums.add(end);
  };
  if constexpr (beyond > 0) {
    if (direct * D < Sums::readBefore) addCopy();
    else if constexpr (weighted) sums.template add<0, true>(x + direct * D, chunk.weightOf<Sum>(weights[direct]));
    else sums.template add<0, true>(x + direct * D);
  } else if (left > 0) {
    addCopy();
  }
  sums.join();
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
inline void momentsSmall(const Row* x, const f64* weights, i64 rows, const StatisticsRef& out, char* block) {
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
      constexpr int some = 16;
      for (int r = 0; r < length; r += some) {
        const Row* own = x + (first + r) * D;
        const int count = min(some, length - r);
        prefetchRows<D>(own, count);
        for (int e = 0; e < count * D; ++e) converted[r * D + e] = Sum(own[e]);
      }
      from = converted;
    }
    if constexpr (calls) callAddChunk<D, Sum, weighted>(from, chunkWeights, length, group);
    else addChunk<D, Sum, weighted>(from, chunkWeights, length, group);
  }
  group.write(out);
}

}  // namespace mvn
