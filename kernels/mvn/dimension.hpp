// dimension.hpp: the number of columns d, either known to the compiler or not.
//
// A kernel takes `Dim d` and writes `for (int i = 0; i < d; ++i)`. With Fixed<D> such loops unroll and small matrices
// live in registers; with Dynamic the same source serves every d.
#pragma once

#include "real.hpp"

namespace mvn {

template <int D> struct Fixed {
  static constexpr int atMost = D;  // for arrays on the stack: `Real y[Dim::atMost]`
  static constexpr bool isFixed = true;
  MVN_FN constexpr operator int() const { return D; }
};

struct Dynamic {
  static constexpr bool isFixed = false;
  int d;
  MVN_FN constexpr operator int() const { return d; }
};

}  // namespace mvn
