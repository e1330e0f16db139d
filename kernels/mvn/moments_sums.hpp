// moments_sums.hpp: Σ w y and Σ w yᵀy over the rows of a chunk of few columns (d ≤ 8), in vector registers.
//
// There are three ways to lay sums out in vectors, and each is the quicker one for some d:
//
// - LaneSums: a vector holds one column of as many rows as it has lanes. Lane l adds up every lanes-th row, and the
//   lanes are added at the end of a chunk. No product below the diagonal is computed, and no vector straddles two rows.
//   Rows that are left over are filled up with copies of the shift, whose y is 0.
// - RowSums: a vector holds neighbouring columns of one row, so that half as many vectors of sums do, and some products
//   below the diagonal come with them. Quicker where the sums of the other form do not fit in the registers.
// - TurnedSums: a vector of four or eight neighbouring columns of one row is multiplied by itself and by the others turned
//   by some lanes: hardly a product comes twice. Every lane is a sum of its own, so that no lanes are added at the end.
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
  static constexpr int rows = lanesOf<Sum>, readBeyond = 0, readBefore = 0;

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

// The same sums of float64, two columns a vector, a row at a time.
template <int D> class RowSums {
  static constexpr int vectors = D / 2;
  static_assert(D % 2 == 0, "a vector must not straddle two rows");
  f64v shift_[vectors], sum_[vectors], product_[D][vectors];

  // Row i of the products, from the vector with column i on.
  MVN_FN void addProducts(const f64v* left, const f64v* y) {
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      const f64v even = broadcastLane<0>(left[v]), odd = broadcastLane<1>(left[v]);
      MVN_UNROLL for (int j = v; j < vectors; ++j) {
        product_[2 * v][j] += even * y[j];
        product_[2 * v + 1][j] += odd * y[j];
      }
    }
  }

 public:
  static constexpr int rows = 1, readBeyond = 0, readBefore = 0;

  MVN_FN explicit RowSums(const f64* shift) {
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      shift_[v] = load<f64>(shift + 2 * v);
      sum_[v] = splat(0.0);
      MVN_UNROLL for (int i = 0; i < D; ++i) product_[i][v] = splat(0.0);
    }
  }

  MVN_FN void add(const f64* x) {
    f64v y[vectors];
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      y[v] = load<f64>(x + 2 * v) - shift_[v];
      sum_[v] += y[v];
    }
    addProducts(y, y);
  }

  MVN_FN void add(const f64* x, f64 weight) {
    f64v y[vectors], weighted[vectors];
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      y[v] = keepWhere(splat(weight) > splat(0.0), load<f64>(x + 2 * v) - shift_[v]);
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

// The same sums, a row at a time. Vector v has the columns from L·v on, L lanes; beyond the last one, whatever lies there.
template <int D, class Real> class TurnedSums {
  static constexpr int lanes = D <= 4 ? 4 : lanesOf<Real>, vectors = (D + lanes - 1) / lanes;
  using V = typename VectorOfLanes<Real, lanes>::type;
  // Lanes are turned in a circle: of the columns where they are in one vector. Half of its turns have all of its products.
  static constexpr int circle = vectors == 1 ? D : lanes, turns = circle / 2 + 1;
  static constexpr int sets = vectors == 1 ? 2 : 1;  // of sums, for additions not to wait for each other
  V shift_[vectors], sum_[sets][vectors], product_[sets][vectors][vectors][lanes];

  template <int turn, int... I> MVN_FN static V turned(V v, LaneNumbers<I...>) {
    return __builtin_shufflevector(v, v, (I < circle ? (I + turn) % circle : I)...);
  }

  // Lane l gets lane l + n, where there is one.
  template <int n, int... I> MVN_FN static V shifted(V v, LaneNumbers<I...>) {
    return __builtin_shufflevector(v, v, (I + n)...);
  }

  template <bool last> MVN_FN static V columns(const Real* x, int v) {
    constexpr int missing = vectors * lanes - D;
    if (!last || v < vectors - 1) return load<Real, V>(x + lanes * v);
    return shifted<missing>(load<Real, V>(x + D - lanes), LanesOf<lanes>{});
  }

  template <int set, int turn> MVN_FN void addTurns(const V* left, const V* y) {
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      const V right = turned<turn>(y[v], LanesOf<lanes>{});
      if (turn < turns) product_[set][v][v][turn] += left[v] * right;
      MVN_UNROLL for (int u = 0; u < v; ++u) product_[set][u][v][turn] += left[u] * right;
    }
    if constexpr (turn + 1 < (vectors == 1 ? turns : lanes)) addTurns<set, turn + 1>(left, y);
  }

 public:
  static constexpr int rows = 1, readBeyond = vectors * lanes - D;  // numbers after a row
  static constexpr int readBefore = lanes > D ? lanes - D : 0;      // a last row

  MVN_FN explicit TurnedSums(const Real* shift) {
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      MVN_UNROLL for (int lane = 0; lane < lanes; ++lane) {
        shift_[v][lane] = lanes * v + lane < D ? shift[min(lanes * v + lane, D - 1)] : Real(0);
      }
      MVN_UNROLL for (int set = 0; set < sets; ++set) {
        sum_[set][v] = V{};
        MVN_UNROLL for (int u = 0; u < vectors; ++u) {
          MVN_UNROLL for (int turn = 0; turn < lanes; ++turn) product_[set][u][v][turn] = V{};
        }
      }
    }
  }

  // `last`: nothing is read behind the row, and as much as is missing before it.
  template <int set = 0, bool last = false> MVN_FN void add(const Real* x) {
    V y[vectors];
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      y[v] = columns<last>(x, v) - shift_[v];
      sum_[set][v] += y[v];
    }
    addTurns<set, 0>(y, y);
  }

  template <int set = 0, bool last = false> MVN_FN void add(const Real* x, Real weight) {
    V y[vectors], weighted[vectors];
    MVN_UNROLL for (int v = 0; v < vectors; ++v) {
      y[v] = keepWhere(weight - V{} > V{}, columns<last>(x, v) - shift_[v]);
      weighted[v] = weight * y[v];
      sum_[set][v] += weighted[v];
    }
    addTurns<set, 0>(weighted, y);
  }

  // Two rows.
  MVN_FN void addTwo(const Real* x) {
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

  MVN_FN Real sum(int j) const { return sum_[0][j / lanes][j % lanes]; }
  // Lane l of turn t is y_l y_{l+t}: in a circle, so that (i, j) of one vector may be found as (j, i).
  MVN_FN Real product(int i, int j) const {
    const int u = i / lanes, v = j / lanes, turn = (j - i + circle) % circle;
    if (u == v && turn >= turns) return product_[0][u][u][circle - turn][j % lanes];
    return product_[0][u][v][turn][i % lanes];
  }
};

// Which form. With two lanes, measured in WebAssembly, whose engines have 15 registers to give away; with more, TurnedSums
// reads rows as they lie.
template <int D, class Sum> constexpr bool byRows = lanesOf<Sum> == 2 && D % 2 == 0 && D >= 4;
template <int D, class Sum>
constexpr bool byTurns = lanesOf<Sum> == 4 && sizeof(Sum) == sizeof(f32) ? D == 3 || D == 4 || D >= 6
                                                                         : lanesOf<Sum> > 2 && D >= 2;
template <int D, class Sum, bool = byRows<D, Sum>, bool = byTurns<D, Sum>> struct ChunkSumsOf {
  using type = LaneSums<D, Sum>;
};
template <int D, class Sum> struct ChunkSumsOf<D, Sum, true, false> { using type = RowSums<D>; };
template <int D, class Sum> struct ChunkSumsOf<D, Sum, false, true> { using type = TurnedSums<D, Sum>; };
template <int D, class Sum> using ChunkSums = typename ChunkSumsOf<D, Sum>::type;

}  // namespace mvn
