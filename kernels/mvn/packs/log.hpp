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
MVN_FN f64v logOf(f64v x) {
  using u64v = unsigned long long __attribute__((vector_size(sizeof(f64v))));
  constexpr f64 high = 0x1.62e42fefa0000p-1, low = 0x1.cf79abc9e3b39p-40;  // log 2: k·high is exact
  constexpr u64v bias = u64v{} + (0x3ffull << 52), rootHalf = u64v{} + 0x3fe6a09e667f3bcdull;  // the bits of √½
  constexpr u64v shifter = u64v{} + 0x4330000000000000ull;  // the bits of 2^52: with n for its last ones, 2^52 + n
  const u64v bits = (u64v)x, biased = (bits - rootHalf + bias) >> 52;  // k + 1023
  const f64v f = (f64v)(bits + bias - (biased << 52)) - splat(1.0);
  const f64v power = (f64v)(biased | shifter) - splat(0x1p52 + 1023);
  const f64v s = f / (f + splat(2.0)), z = s * s, w = z * z;
  f64v odd = splat(2.0 / 19), even = splat(2.0 / 21);
  MVN_UNROLL for (int n = 15; n >= 3; n -= 4) {
    odd = odd * w + splat(2.0 / n);
    even = even * w + splat(2.0 / (n + 2));
  }
  const f64v r = z * odd + w * even;
  return power * splat(high) + (f - (s * (f - r) - power * splat(low)));
}

}  // namespace mvn
