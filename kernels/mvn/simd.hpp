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

// |v|
MVN_FN f64x2 magnitude(f64x2 v) {
  using Bits = i64 __attribute__((vector_size(16)));
  return (f64x2)((Bits)v & ~(Bits)splat(-0.0));
}

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

// loadStrided<Stride>(p): p[0], p[Stride], … , one a lane.
template <int Stride> MVN_FN f64x2 loadStrided(const f64* p) { return f64x2{p[0], p[Stride]}; }
template <int Stride> MVN_FN f32x4 loadStrided(const f32* p) {
  return f32x4{p[0], p[Stride], p[2 * Stride], p[3 * Stride]};
}

// Lane i of v in every lane.
template <int I> MVN_FN f64x2 broadcastLane(f64x2 v) { return __builtin_shufflevector(v, v, I, I); }

template <class Real> MVN_FN void store(Real* p, Vector<Real> v) { __builtin_memcpy(p, &v, sizeof v); }

}  // namespace mvn

#endif
