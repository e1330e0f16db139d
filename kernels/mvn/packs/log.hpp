// log.hpp: the natural logarithm of a pack.
#pragma once

#include "mvn/packs/pack.hpp"

namespace mvn {

// log x for positive normal numbers, to about 1 ulp:
//
//     x = 2^k m,  m in [√½, √2),  s = (m − 1)/(m + 1)
//     log x = k log 2 + 2 artanh s,  2 artanh s = f − s (f − r),  f = m − 1,  r = 2 (s²/3 + s⁴/5 + …)
//
// |s| ≤ 0.172, so that the first term left out of the series is below 2^-57 of the sum.
MVN_FN f64x2 logOf(f64x2 x) {
  using u64x2 = unsigned long long __attribute__((vector_size(16)));
  constexpr f64 high = 0x1.62e42fefa0000p-1, low = 0x1.cf79abc9e3b39p-40;  // log 2: k·high is exact
  constexpr u64x2 bias = u64x2{} + (0x3ffull << 52), rootHalf = u64x2{} + 0x3fe6a09e667f3bcdull;  // the bits of √½
  constexpr u64x2 shifter = u64x2{} + 0x4330000000000000ull;  // the bits of 2^52: with n for its last ones, 2^52 + n
  const u64x2 bits = (u64x2)x, biased = (bits - rootHalf + bias) >> 52;  // k + 1023
  const f64x2 f = (f64x2)(bits + bias - (biased << 52)) - splat(1.0);
  const f64x2 power = (f64x2)(biased | shifter) - splat(0x1p52 + 1023);
  const f64x2 s = f / (f + splat(2.0)), z = s * s, w = z * z;
  f64x2 odd = splat(2.0 / 19), even = splat(2.0 / 21);
  MVN_UNROLL for (int n = 15; n >= 3; n -= 4) {
    odd = odd * w + splat(2.0 / n);
    even = even * w + splat(2.0 / (n + 2));
  }
  const f64x2 r = z * odd + w * even;
  return power * splat(high) + (f - (s * (f - r) - power * splat(low)));
}

}  // namespace mvn
