// real.hpp: number types, and the elementary functions that the kernels use, for every compiler.
//
// The same formula compiles to WebAssembly, to CUDA, to libraries for processors and to tests. In the first two `fma` is the one
// place where they may differ: a device rounds it once, WebAssembly has no such instruction and rounds twice; no compiler
// may contract a·b + c by itself there (-ffp-contract=off, -fmad=false). For a processor it does wherever it likes, which is a
// third of the speed. So nothing here may need a product to be rounded before it is added.
#pragma once

#if defined(__CUDACC__)
#define MVN_FN __device__ __forceinline__
#define MVN_UNROLL _Pragma("unroll")
#elif defined(__clang__)
#define MVN_FN inline __attribute__((always_inline))
#define MVN_UNROLL _Pragma("unroll")
#else
#define MVN_FN inline __attribute__((always_inline))
#define MVN_UNROLL _Pragma("GCC unroll 16")
#endif

// Before a loop of unknown length: how far a device unrolls it, which trades registers for loads under way.
#if defined(__CUDACC__)
#define MVN_PRAGMA(text) _Pragma(#text)
#define MVN_UNROLL_BY(n) MVN_PRAGMA(unroll n)
#else
#define MVN_UNROLL_BY(n)
#endif

// Bytes of a CPU's vectors (simd.hpp).
#if !defined(MVN_VECTOR_BYTES)
#define MVN_VECTOR_BYTES 16
#endif

namespace mvn {

using f64 = double;
using f32 = float;
using i32 = int;
using i64 = long long;
using u8 = unsigned char;

// Largest relative error of one rounding to nearest: 2^-53 and 2^-24.
template <class Real> constexpr Real roundingUnit = Real(0x1p-53);
template <> inline constexpr f32 roundingUnit<f32> = 0x1p-24f;

template <class Real> constexpr Real infinity = Real(__builtin_huge_val());
template <class Real> constexpr Real largestFinite = Real(0x1.fffffffffffffp1023);
template <> inline constexpr f32 largestFinite<f32> = 0x1.fffffep127f;
template <class Real> constexpr Real notANumber = Real(__builtin_nan(""));

// a·b + c
#if defined(__CUDACC__)
MVN_FN f64 fma(f64 a, f64 b, f64 c) { return __fma_rn(a, b, c); }
MVN_FN f32 fma(f32 a, f32 b, f32 c) { return __fmaf_rn(a, b, c); }
#elif defined(__wasm__)
MVN_FN f64 fma(f64 a, f64 b, f64 c) { return a * b + c; }
MVN_FN f32 fma(f32 a, f32 b, f32 c) { return a * b + c; }
#else
MVN_FN f64 fma(f64 a, f64 b, f64 c) { return __builtin_fma(a, b, c); }
MVN_FN f32 fma(f32 a, f32 b, f32 c) { return __builtin_fmaf(a, b, c); }
#endif

MVN_FN f64 sqrt(f64 x) { return __builtin_sqrt(x); }
MVN_FN f32 sqrt(f32 x) { return __builtin_sqrtf(x); }
MVN_FN f64 log(f64 x) { return __builtin_log(x); }
MVN_FN f32 log(f32 x) { return __builtin_logf(x); }
MVN_FN f64 log1p(f64 x) { return __builtin_log1p(x); }
MVN_FN f32 log1p(f32 x) { return __builtin_log1pf(x); }
MVN_FN f64 abs(f64 x) { return __builtin_fabs(x); }
MVN_FN f32 abs(f32 x) { return __builtin_fabsf(x); }

// A NaN in second place is passed over: max(x, NaN) is x, max(NaN, x) is NaN.
template <class T> MVN_FN constexpr T max(T a, T b) { return a < b ? b : a; }
template <class T> MVN_FN constexpr T min(T a, T b) { return b < a ? b : a; }

template <class T> MVN_FN constexpr T roundUp(T n, T unit) { return (n + unit - 1) / unit * unit; }

// A word that somebody else may write at any time.
#if defined(__CUDACC__)
MVN_FN i32 readNow(const i32* word) { return *static_cast<const volatile i32*>(word); }
#else
MVN_FN i32 readNow(const i32* word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }
#endif

// False for NaN and for ±∞.
template <class Real> MVN_FN bool isFinite(Real x) { return x - x == Real(0); }

}  // namespace mvn
