// simd.hpp: vectors of a CPU, as the compilers' own vector types.
//
// MVN_VECTOR_BYTES is how long they are: 16 (WebAssembly SIMD128, SSE2, NEON) unless the build says 32 (AVX2) or 64
// (AVX-512). Vector<f64> has 2, 4 or 8 lanes, Vector<f32> has 4 or 8: with sixteen, what is beyond the last column would
// cost more than they save. Operators work lane by lane; nothing here needs alignment.
#pragma once

#include "real.hpp"

#if !defined(__CUDACC__)

namespace mvn {

template <class Real> constexpr int lanesOf = MVN_VECTOR_BYTES / int(sizeof(Real));
template <> inline constexpr int lanesOf<f32> = min(8, MVN_VECTOR_BYTES / 4);

using f64v = f64 __attribute__((vector_size(lanesOf<f64> * 8)));
using f32v = f32 __attribute__((vector_size(lanesOf<f32> * 4)));

template <class Real> struct VectorOf;
template <> struct VectorOf<f64> { using type = f64v; };
template <> struct VectorOf<f32> { using type = f32v; };
template <class Real> using Vector = typename VectorOf<Real>::type;

MVN_FN f64v splat(f64 a) { return a - f64v{}; }
MVN_FN f32v splat(f32 a) { return a - f32v{}; }

template <class V> struct ElementOf;
template <> struct ElementOf<f64v> { using type = f64; };
template <> struct ElementOf<f32v> { using type = f32; };
template <class V> using Element = typename ElementOf<V>::type;
template <class V> constexpr int lanesIn = lanesOf<Element<V>>;

// x in every lane.
template <class V> MVN_FN V all(Element<V> x) { return splat(x); }

template <class V> MVN_FN V rootOf(V v) {
#if defined(__clang__)
  return __builtin_elementwise_sqrt(v);
#else
  for (int lane = 0; lane < lanesIn<V>; ++lane) v[lane] = sqrt(v[lane]);
  return v;
#endif
}

// Whether x > 0 and finite in each lane, as a mask. (Not by x < ∞: clang makes a test of bits of that, lane by lane.)
template <class V> MVN_FN auto isPositive(V x) { return (x > all<V>(0)) & (x <= all<V>(largestFinite<Element<V>>)); }

// Asks for `bytes` from p on, in steps of a line of the cache, long before they are used; where p is no memory nothing
// happens. WebAssembly has no instruction for it.
#if defined(__wasm__)
constexpr bool canPrefetch = false;
#else
constexpr bool canPrefetch = true;
#endif
template <class T> MVN_FN void prefetch(const T* p, i64 bytes) {
  if constexpr (canPrefetch) {
    for (i64 at = 0; at < bytes; at += 64) __builtin_prefetch(reinterpret_cast<const char*>(p) + at, 0, 3);
  }
}

// n lanes, where a form has use for so many whatever the processor has.
template <class Real, int n> struct VectorOfLanes {
  typedef Real type __attribute__((vector_size(n * sizeof(Real))));
};

// (v₀ + v₁) + (v₂ + v₃), and so on.
template <class V> MVN_FN auto sumLanes(V v) {
  constexpr int lanes = sizeof(V) / sizeof(v[0]);
  auto sums = v;
  MVN_UNROLL for (int n = lanes / 2; n > 0; n /= 2) {
    MVN_UNROLL for (int lane = 0; lane < n; ++lane) sums[lane] = sums[2 * lane] + sums[2 * lane + 1];
  }
  return sums[0];
}

// |v|
MVN_FN f64v magnitude(f64v v) {
  using Bits = i64 __attribute__((vector_size(sizeof(f64v))));
  return (f64v)((Bits)v & ~(Bits)splat(-0.0));
}

// v where the mask (of a comparison) holds, 0 elsewhere, whatever v is there.
template <class Mask, class V> MVN_FN V keepWhere(Mask mask, V v) { return (V)((Mask)v & mask); }

// Whether the mask holds in some lane.
template <class Mask> MVN_FN bool anyLane(Mask mask) {
  constexpr int lanes = sizeof(Mask) / sizeof(mask[0]);
  auto any = mask[0];
  MVN_UNROLL for (int lane = 1; lane < lanes; ++lane) any |= mask[lane];
  return any != 0;
}

// load<Real>(p): consecutive numbers from p, widened to Real.
template <class Real, class V = Vector<Real>> MVN_FN V load(const Real* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class Real> MVN_FN f64v load(const f32* p) requires(sizeof(Real) == 8) {
  using Half = f32 __attribute__((vector_size(sizeof(f64v) / 2)));
  Half v;
  __builtin_memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, f64v);
}

// p[0], p[Stride], … , one a lane.
template <int Stride, class Real> MVN_FN Vector<Real> loadStrided(const Real* p) {
  Vector<Real> v;
  MVN_UNROLL for (int lane = 0; lane < lanesOf<Real>; ++lane) v[lane] = p[lane * Stride];
  return v;
}

// LanesOf<n>{}: the numbers 0 … n−1 as a type.
template <int... I> struct LaneNumbers {};
template <int N, int... I> struct CountLanes : CountLanes<N - 1, N - 1, I...> {};
template <int... I> struct CountLanes<0, I...> { using type = LaneNumbers<I...>; };
template <int N> using LanesOf = typename CountLanes<N>::type;

// Lane I of v in every lane.
template <int I, int... J> MVN_FN f64v broadcastLane(f64v v, LaneNumbers<J...>) {
  return __builtin_shufflevector(v, v, (J - J + I)...);
}
template <int I> MVN_FN f64v broadcastLane(f64v v) { return broadcastLane<I>(v, LanesOf<lanesOf<f64>>{}); }

template <class Real> MVN_FN void store(Real* p, Vector<Real> v) { __builtin_memcpy(p, &v, sizeof v); }

}  // namespace mvn

#endif
