// What this machine can do at most in the runtime of the kernels: WebAssembly SIMD, 128 bits, no fused multiply-add.
#include <wasm_simd128.h>

#define EXPORT(name) extern "C" __attribute__((export_name(#name)))

// Reads `bytes` (a multiple of 128) from memory, in eight independent sums. The sum is returned so that no load can be left out.
EXPORT(read) double read(const double* from, int bytes) {
  v128_t sum[8] = {};
  for (const double* end = from + bytes / 8; from < end; from += 16)
    for (int k = 0; k < 8; k++) sum[k] = wasm_f64x2_add(sum[k], wasm_v128_load(from + 2 * k));
  v128_t all = sum[0];
  for (int k = 1; k < 8; k++) all = wasm_f64x2_add(all, sum[k]);
  return wasm_f64x2_extract_lane(all, 0) + wasm_f64x2_extract_lane(all, 1);
}

// `steps` × 12 independent a ← a·c + b on two float64 or four float32 lanes: 48 and 96 floating-point operations a step. Twelve
// chains hide the latencies of × and + and fit the sixteen registers of an x86 processor with both constants.
EXPORT(multiply_add_f64) double multiply_add_f64(int steps, double c, double b) {
  v128_t a[12];
  for (int k = 0; k < 12; k++) a[k] = wasm_f64x2_splat(k);
  const v128_t factor = wasm_f64x2_splat(c), term = wasm_f64x2_splat(b);
  for (int i = 0; i < steps; i++)
    for (int k = 0; k < 12; k++) a[k] = wasm_f64x2_add(wasm_f64x2_mul(a[k], factor), term);
  double sum = 0;
  for (int k = 0; k < 12; k++) sum += wasm_f64x2_extract_lane(a[k], 0) + wasm_f64x2_extract_lane(a[k], 1);
  return sum;
}

EXPORT(multiply_add_f32) double multiply_add_f32(int steps, float c, float b) {
  v128_t a[12];
  for (int k = 0; k < 12; k++) a[k] = wasm_f32x4_splat(static_cast<float>(k));
  const v128_t factor = wasm_f32x4_splat(c), term = wasm_f32x4_splat(b);
  for (int i = 0; i < steps; i++)
    for (int k = 0; k < 12; k++) a[k] = wasm_f32x4_add(wasm_f32x4_mul(a[k], factor), term);
  double sum = 0;
  for (int k = 0; k < 12; k++)
    sum += wasm_f32x4_extract_lane(a[k], 0) + wasm_f32x4_extract_lane(a[k], 1) + wasm_f32x4_extract_lane(a[k], 2) +
           wasm_f32x4_extract_lane(a[k], 3);
  return sum;
}
