// moments_small.hpp: moments of a group of few columns (d ≤ 8), straight from the rows, sums in vector registers.
//
// There are three ways to lay sums out in vectors, and each is the quicker one for some d:
//
// - LaneSums: a vector holds one column of as many rows as it has lanes. Lane l adds up every lanes-th row, and the
//   lanes are added at the end of a chunk. No product below the diagonal is computed, and no vector straddles two rows.
//   Rows that are left over are filled up with copies of the shift, whose y is 0.
// - RowSums: a vector holds neighbouring columns of one row, so that half as many vectors of sums do, and some products
//   below the diagonal come with them. Quicker where the sums of the other form do not fit in the registers.
// - TurnedSums: a vector of four float32 holds neighbouring columns of one row too, and is multiplied by itself and by the
//   others turned by 0 … 3 lanes: a product or two come twice, none of a vector of sums is for nothing. There is one sum
//   of everything, so that no lanes are added at the end.
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
  static constexpr int rows = lanesOf<Sum>, readBeyond = 0;

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

  MVN_FN void addTwo(const Sum* x) {
    add(x);
    add(x + rows * D);
  }
  MVN_FN void join() {}
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
  static constexpr int rows = 1, readBeyond = 0;

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

  MVN_FN void addTwo(const f64* x) {
    add(x);
    add(x + D);
  }
  MVN_FN void join() {}
  MVN_FN f64 sum(int j) const { return sum_[j / 2][j % 2]; }
  MVN_FN f64 product(int i, int j) const { return product_[i][j / 2][j % 2]; }
};

// The same sums of float32, a row at a time. Vector v has columns 4v … 4v+3; beyond the last one, whatever lies there.
template <int D> class TurnedSums {
  static constexpr int vectors = (D + 3) / 4;
  static constexpr bool three = D == 3;  // then columns are turned in a circle of three, and two turns are all
  static constexpr int turns = three ? 2 : 3, sets = vectors == 1 ? 2 : 1;  // sets: for additions not to wait for each other
  f32x4 shift_[vectors], sum_[sets][vectors], product_[sets][vectors][vectors][4];

  template <int turn> MVN_FN static f32x4 turned(f32x4 v) {
    if constexpr (three && turn == 1) return __builtin_shufflevector(v, v, 1, 2, 0, 3);
    return __builtin_shufflevector(v, v, turn % 4, (turn + 1) % 4, (turn + 2) % 4, (turn + 3) % 4);
  }

  template <int set, int turn> MVN_FN void addTurn(const f32x4* left, const f32x4* y) {
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      const f32x4 right = turned<turn>(y[v]);
      if (turn < turns) product_[set][v][v][turn] += left[v] * right;
      MVN_UNROLL for (int u = 0; u < v; ++u) product_[set][u][v][turn] += left[u] * right;
    }
  }

  template <int set> MVN_FN void addProducts(const f32x4* left, const f32x4* y) {
    addTurn<set, 0>(left, y);
    addTurn<set, 1>(left, y);
    if constexpr (!three) addTurn<set, 2>(left, y);
    if constexpr (vectors > 1) addTurn<set, 3>(left, y);
  }

 public:
  static constexpr int rows = 1, readBeyond = vectors * 4 - D;  // numbers after a row

  MVN_FN explicit TurnedSums(const f32* shift) {
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      MVN_UNROLL for (int lane = 0; lane < 4; ++lane) {
        shift_[v][lane] = 4 * v + lane < D ? shift[min(4 * v + lane, D - 1)] : 0.0f;
      }
      MVN_UNROLL for (int set = 0; set < sets; ++set) {
        sum_[set][v] = splat(0.0f);
        MVN_UNROLL for (int u = 0; u < vectors; ++u) {
          MVN_UNROLL for (int turn = 0; turn < 4; ++turn) product_[set][u][v][turn] = splat(0.0f);
        }
      }
    }
  }

  template <int set = 0> MVN_FN void add(const f32* x) {
    f32x4 y[vectors];
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      y[v] = load<f32>(x + 4 * v) - shift_[v];
      sum_[set][v] += y[v];
    }
    addProducts<set>(y, y);
  }

  template <int set = 0> MVN_FN void add(const f32* x, f32x4 weight) {
    f32x4 y[vectors], weighted[vectors];
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      y[v] = keepWhere(weight > splat(0.0f), load<f32>(x + 4 * v) - shift_[v]);
      weighted[v] = weight * y[v];
      sum_[set][v] += weighted[v];
    }
    addProducts<set>(weighted, y);
  }

  // Two rows.
  MVN_FN void addTwo(const f32* x) {
    add<0>(x);
    add<sets - 1>(x + D);
  }

  // Before the sums are read.
  MVN_FN void join() {
    if constexpr (sets == 2) {
      MVN_UNROLL for (int v = 0; v < vectors; ++v) {
        sum_[0][v] += sum_[1][v];
        MVN_UNROLL for (int turn = 0; turn < turns; ++turn) product_[0][v][v][turn] += product_[1][v][v][turn];
      }
    }
  }

  MVN_FN f32 sum(int j) const { return sum_[0][j / 4][j % 4]; }
  // Lane l of turn t is y_l y_{l+t}: in a circle, so that (i, j) of one vector may be found as (j, i).
  MVN_FN f32 product(int i, int j) const {
    const int u = i / 4, v = j / 4, turn = (j - i + 4) % 4;
    if (u == v && turn >= turns) return product_[0][u][u][1][j % 4];
    return product_[0][u][v][turn][i % 4];
  }
};

// Measured in WebAssembly, whose engines have 15 registers to give away.
template <int D, class Sum> constexpr bool byRows = sizeof(Sum) == sizeof(f64) && D % 2 == 0 && D >= 4;
template <int D, class Sum> constexpr bool byTurns = sizeof(Sum) == sizeof(f32) && (D == 3 || D == 4 || D >= 6);
template <int D, class Sum, bool = byRows<D, Sum>, bool = byTurns<D, Sum>> struct ChunkSumsOf {
  using type = LaneSums<D, Sum>;
};
template <int D, class Sum> struct ChunkSumsOf<D, Sum, true, false> { using type = RowSums<D>; };
template <int D, class Sum> struct ChunkSumsOf<D, Sum, false, true> { using type = TurnedSums<D>; };
template <int D, class Sum> using ChunkSums = typename ChunkSumsOf<D, Sum>::type;

// The group's statistics so far. The mean is relative to `origin`; of the scatter there is the upper triangle.
template <int D> struct GroupSums {
  f64 count = 0, weight = 0;
  f64 origin[D], mean[D], scatter[D][D];

  template <class Sum, class Sums> MVN_FN void add(const Chunk& chunk, const Sum* shift, const Sums& sums) {
    f64 total[D], average[D];  // Σ w y, ȳ
    const f64 share = 1 / chunk.weight;
    MVN_UNROLL for (int i = 0; i < D; ++i) {
      total[i] = chunk.unit * f64(sums.sum(i));
      average[i] = total[i] * share;
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

  MVN_FN void write(StatisticsRef out) const {
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
  // Nothing is read beyond the chunk: the last row goes by way of `end` where its vectors are longer than itself.
  const int direct = Sums::readBeyond > 0 ? rows - 1 : rows / step * step, left = rows - direct;
  int r = 0;
  // Where there are more sums than registers, twice the rows a visit to those in memory.
  if constexpr ((D >= 5 || sizeof(Sum) == sizeof(f32)) && !weighted) {
    for (; r + 2 * step <= direct; r += 2 * step) sums.addTwo(x + r * D);
  }
  for (; r < direct; r += step) {
    if constexpr (weighted) sums.add(x + r * D, loadWeights<step, Sum>(weights + r, step, chunk));
    else sums.add(x + r * D);
  }
  if (left > 0) {
    Sum end[step * D + Sums::readBeyond];
    for (int e = 0; e < step * D; ++e) end[e] = e < left * D ? x[direct * D + e] : shiftRow[e % D];
    for (int e = 0; e < Sums::readBeyond; ++e) end[step * D + e] = 0;
    if constexpr (weighted) sums.add(end, loadWeights<step, Sum>(weights + direct, left, chunk));
    else sums.add(end);
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
