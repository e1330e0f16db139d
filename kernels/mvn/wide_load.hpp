// wide_load.hpp: several neighbouring numbers in one load of a device.
#pragma once

#include "real.hpp"

namespace mvn {

// As many numbers as one load takes.
template <class Real, int N> struct alignas(N * sizeof(Real)) Pack {
  Real at[N];
};

// The widest load, in numbers, that divides a row of D and is aligned in every one: 16 bytes at most.
template <class Row> MVN_FN constexpr int loadWidth(int d) {
  constexpr int most = 16 / int(sizeof(Row));
  return d % most == 0 ? most : d % 2 == 0 ? 2 : 1;
}

template <int D, class Row> MVN_FN void loadRow(const Row* from, Row* row) {
  constexpr int width = loadWidth<Row>(D);
  MVN_UNROLL for (int j = 0; j < D; j += width) {
    const auto pack = *reinterpret_cast<const Pack<Row, width>*>(from + j);
    MVN_UNROLL for (int v = 0; v < width; ++v) row[j + v] = pack.at[v];
  }
}

}  // namespace mvn
