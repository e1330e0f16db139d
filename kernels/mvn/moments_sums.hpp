// moments_sums.hpp: Σ w y and Σ w yᵀy over the rows of a chunk of few columns (d ≤ 8), in vector registers.
//
// There are three ways to lay sums out in vectors, and each is the quicker one for some d:
//
// - LaneSums: a vector holds one column of as many rows as it has lanes. Lane l adds up every lanes-th row, and the
//   lanes are added at the end of a chunk. No product below the diagonal is computed, and no vector straddles two rows.
//   Rows that are left over are filled up with copies of the shift, whose y is 0.
// - RowSums: a vector holds neighbouring columns of one row, so that half as many vectors of sums do, and some products
//   below the diagonal come with them. Quicker where the sums of the other form do not fit in the registers.
// - TurnedSums: a vector of four float32 holds neighbouring columns of one row too, and is multiplied by itself and by
//   the others turned by 0 … 3 lanes: hardly a product comes twice. Every lane is a sum of its own, so that no lanes are
//   added at the end: 1.2 to 1.3 times as fast as LaneSums.
#pragma once

#include "rows.hpp"
#include "simd.hpp"

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
  static constexpr int turns = three ? 2 : 3;
  static constexpr int sets = vectors == 1 ? 2 : 1;  // of sums, for additions not to wait for each other
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

}  // namespace mvn
