// specialise.hpp: the dimensions that have code of their own.
//
// Measured in WebAssembly: rows of 1 … 4 and 8 numbers kept in registers halve the time of a fit or more, and each such
// dimension costs about 25 KB. The dimensions between gain less.
#pragma once

#include "dimension.hpp"

namespace mvn {

// f(Fixed<d>) or f(Dynamic).
template <class Team, class F> MVN_FN auto withDimension(const Team&, int d, F f) {
  if constexpr (Team::simd) {
    switch (d) {
      case 1: return f(Fixed<1>{});
      case 2: return f(Fixed<2>{});
      case 3: return f(Fixed<3>{});
      case 4: return f(Fixed<4>{});
      case 8: return f(Fixed<8>{});
    }
  }
  return f(Dynamic{d});
}

}  // namespace mvn
