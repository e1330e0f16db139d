// What this machine can do at most with what the kernels are compiled to: WebAssembly SIMD, or the processor's own vectors.
#include "cpu/export.hpp"
#include "mvn/simd.hpp"

using namespace mvn;

// Reads `bytes` (a multiple of 512) from memory, in eight independent sums. The sum is returned so that no load can be left out.
MVN_EXPORT(read) f64 read(const f64* from, i32 bytes) {
  constexpr int lanes = lanesOf<f64>;
  f64v sum[8] = {};
  for (const f64* end = from + bytes / 8; from < end; from += 8 * lanes)
    for (int k = 0; k < 8; k++) sum[k] += load<f64>(from + k * lanes);
  for (int k = 1; k < 8; k++) sum[0] += sum[k];
  return sumLanes(sum[0]);
}

// `steps` × 12 independent a ← a·c + b: 24 floating-point operations a lane and step. Twelve chains hide the latencies and fit the
// sixteen registers of an x86 processor with both constants.
template <class Real> MVN_FN f64 multiplyAdd(i32 steps, Real c, Real b) {
  Vector<Real> a[12];
  for (int k = 0; k < 12; k++) a[k] = splat(Real(k));
  const Vector<Real> factor = splat(c), term = splat(b);
  for (int i = 0; i < steps; i++)
    for (int k = 0; k < 12; k++) a[k] = a[k] * factor + term;
  f64 sum = 0;
  for (int k = 0; k < 12; k++) sum += f64(sumLanes(a[k]));
  return sum;
}
MVN_EXPORT(multiply_add_f64) f64 multiply_add_f64(i32 steps, f64 c, f64 b) { return multiplyAdd<f64>(steps, c, b); }
MVN_EXPORT(multiply_add_f32) f64 multiply_add_f32(i32 steps, f32 c, f32 b) { return multiplyAdd<f32>(steps, c, b); }

MVN_EXPORT(lanes_f64) i32 lanes_f64() { return lanesOf<f64>; }
MVN_EXPORT(lanes_f32) i32 lanes_f32() { return lanesOf<f32>; }
