// moments.hpp: count, weight, mean and scatter of one group's rows, in one pass.
//
//     W = Σ wₐ,   x̄ = Σ wₐ Xₐ / W,   A = Σ wₐ (Xₐ − x̄)ᵀ(Xₐ − x̄)
//
// Rows are taken in chunks, each shifted by a row of its own, and the chunks merged in their order (moments_chunk.hpp);
// the boundaries depend on the group alone. Up to 8 columns the sums stay in registers (moments_small.hpp), beyond
// that the product goes by tiles (moments_tiles.hpp).
//
// - A row of weight 0 is as absent, whatever it holds.
// - A column of equal values has scatter exactly 0.
// - A column with a NaN or an infinite value has mean NaN, and NaN in its row and column of A; the others are
//   untouched. So has one whose values are so large (about 1e305; in float32 sums 1e36) that a chunk's sum overflows.
//   Where only squares overflow (1e154; 1e19) the mean is right and A has infinities or NaN as they come.
#pragma once

#include "moments_small.hpp"
#include "moments_tiles.hpp"

namespace mvn {

constexpr int largestSmall = 8;

// Bytes.
template <class Sum, class Row> inline i64 momentsScratch(int d) {
  Scratch count;
  if (d <= largestSmall) takeConverted<Sum, Row>(count, d);
  else TileWorkspace<Sum>(count, d);
  return count.used;
}

// x: [rows, d]; weights: [rows], read only where `weighted`; block: momentsScratch<Sum, Row>(d) bytes, aligned as Scratch::alignment says.
template <class Sum, bool weighted, class Row>
inline void moments(const Row* x, const f64* weights, i64 rows, int d, const StatisticsRef& out, char* block) {
  switch (d) {
    case 1: return momentsSmall<1, Sum, weighted>(x, weights, rows, out, block);
    case 2: return momentsSmall<2, Sum, weighted>(x, weights, rows, out, block);
    case 3: return momentsSmall<3, Sum, weighted>(x, weights, rows, out, block);
    case 4: return momentsSmall<4, Sum, weighted>(x, weights, rows, out, block);
    case 5: return momentsSmall<5, Sum, weighted>(x, weights, rows, out, block);
    case 6: return momentsSmall<6, Sum, weighted>(x, weights, rows, out, block);
    case 7: return momentsSmall<7, Sum, weighted>(x, weights, rows, out, block);
    case 8: return momentsSmall<8, Sum, weighted>(x, weights, rows, out, block);
    default: return momentsTiles<Sum, weighted>(x, weights, rows, d, out, block);
  }
}

}  // namespace mvn
