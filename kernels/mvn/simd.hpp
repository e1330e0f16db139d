// simd.hpp: 16-byte vectors of a CPU (WebAssembly SIMD128, SSE2), as the compilers' own vector types.
//
// Vector<f64> has 2 lanes, Vector<f32> has 4. Operators work lane by lane; nothing here needs alignment.
#pragma once

#include "real.hpp"

#if !defined(__CUDACC__)

namespace mvn {

using f64x2 = f64 __attribute__((vector_size(16)));
using f32x4 = f32 __attribute__((vector_size(16)));
using f32x2 = f32 __attribute__((vector_size(8)));

template <class Real> struct VectorOf;
template <> struct VectorOf<f64> { using type = f64x2; };
template <> struct VectorOf<f32> { using type = f32x4; };
template <class Real> using Vector = typename VectorOf<Real>::type;

template <class Real> constexpr int lanesOf = 16 / int(sizeof(Real));

MVN_FN f64x2 splat(f64 a) { return f64x2{a, a}; }
MVN_FN f32x4 splat(f32 a) { return f32x4{a, a, a, a}; }

MVN_FN f64 sumLanes(f64x2 v) { return v[0] + v[1]; }
MVN_FN f32 sumLanes(f32x4 v) { return (v[0] + v[1]) + (v[2] + v[3]); }

// v where the mask (of a comparison) holds, 0 elsewhere, whatever v is there.
template <class Mask, class V> MVN_FN V keepWhere(Mask mask, V v) { return (V)((Mask)v & mask); }

// load<Real>(p): consecutive numbers from p, widened to Real.
template <class Real> MVN_FN Vector<Real> load(const Real* p) {
  Vector<Real> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class Real> MVN_FN f64x2 load(const f32* p) requires(sizeof(Real) == 8) {
  f32x2 v;
  __builtin_memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, f64x2);
}

// loadColumns<D>(x, y): as many rows of D numbers as a vector has lanes, from x on; y[j] is column j, one row a lane.
template <int D> MVN_FN void loadColumns(const f64* x, f64x2* y) {
  MVN_UNROLL for (int j = 0; j < D; ++j) y[j] = f64x2{x[j], x[D + j]};
}

// Loading a lane of four costs as much as two shuffles, so the rows are loaded whole and taken apart: number e of them
// is lane e % 4 of vector e / 4.
template <int D, int J> MVN_FN f32x4 columnOf(const f32x4* rows) {
  constexpr int a = J, b = D + J, c = 2 * D + J, d = 3 * D + J;
  f32x4 ab = __builtin_shufflevector(rows[a / 4], rows[b / 4], a % 4, a % 4, 4 + b % 4, 4 + b % 4);
  f32x4 cd = __builtin_shufflevector(rows[c / 4], rows[d / 4], c % 4, c % 4, 4 + d % 4, 4 + d % 4);
  return __builtin_shufflevector(ab, cd, 0, 2, 4, 6);
}
template <int D, int J> MVN_FN void takeColumns(const f32x4* rows, f32x4* y) {
  if constexpr (J < D) {
    y[J] = columnOf<D, J>(rows);
    takeColumns<D, J + 1>(rows, y);
  }
}
template <int D> MVN_FN void loadColumns(const f32* x, f32x4* y) {
  f32x4 rows[D];
  MVN_UNROLL for (int v = 0; v < D; ++v) rows[v] = load<f32>(x + 4 * v);
  takeColumns<D, 0>(rows, y);
}

// Lane i of v in every lane.
template <int I> MVN_FN f64x2 broadcastLane(f64x2 v) { return __builtin_shufflevector(v, v, I, I); }

template <class Real> MVN_FN void store(Real* p, Vector<Real> v) { __builtin_memcpy(p, &v, sizeof v); }

}  // namespace mvn

#endif
