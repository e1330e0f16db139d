// specialise.hpp: the dimensions for which evaluateGroup() and the taking in of rows have code of their own.
//
// Rows of up to 8 numbers fit in registers: half the time of the general code. float32 has only two of them, for the
// size of the module. (Fits of small groups go by packs, see packs/fit.hpp.)
#pragma once

#include "dimension.hpp"

namespace mvn {

// f(Fixed<d>) or f(Dynamic), for arithmetic in Real.
template <class Real, class Team, class F> MVN_FN auto withDimension(const Team&, int d, F f) {
  if constexpr (Team::simd) {
    switch (d) {
      case 4: return f(Fixed<4>{});
      case 8: return f(Fixed<8>{});
    }
    if constexpr (sizeof(Real) == sizeof(f64)) {
      switch (d) {
        case 1: return f(Fixed<1>{});
        case 2: return f(Fixed<2>{});
        case 3: return f(Fixed<3>{});
        case 5: return f(Fixed<5>{});
        case 6: return f(Fixed<6>{});
        case 7: return f(Fixed<7>{});
      }
    }
  }
  return f(Dynamic{d});
}

}  // namespace mvn
