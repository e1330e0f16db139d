// moments_chunk.hpp: what the two forms of the moments share: a chunk of rows, and a group's statistics being built.
//
// A chunk's rows are shifted by one of its own: y = x − shift. Its sums Σ w y and Σ w yᵀy give, in float64,
//
//     ȳ   = Σ w y / W_c
//     A_c = Σ w yᵀy − ȳᵀ(Σ w y)
//
// and are merged into the group by Chan's formula (merge.hpp). The group's mean is carried relative to the group's
// first shift and added to it once, at the end: a mean of 1e8 beside a spread of 1 costs no digit on the way.
#pragma once

#include "merge.hpp"

namespace mvn {

// How many rows share a shift. More rows cost digits where the shift is an outlier (up to the factor of their number);
// fewer cost time. d alone decides, so that a result does not depend on who computes it.
MVN_FN constexpr int chunkRows(int d) { return d <= 32 ? 256 : 128; }

// Sums in float32 lose digits with every addend, so fewer rows are added up before float64 takes over.
template <class Sum> MVN_FN constexpr int chunkRowsIn(int d) {
  constexpr int single = 128;
  return sizeof(Sum) == sizeof(f32) ? min(single, chunkRows(d)) : chunkRows(d);
}

// Rows of a chunk that count, and the one that shifts them.
struct Chunk {
  i64 shiftRow;  // index of the shift
  f64 weight;    // W_c
  f64 unit;      // weights are divided by it before they enter the sums
  i64 count;     // rows of positive weight

  template <class Sum> MVN_FN Sum weightOf(f64 w) const { return Sum(sizeof(Sum) == sizeof(f32) ? w / unit : w); }
};

// Without weights the shift is the first row.
MVN_FN Chunk chunkOf(i64 rows) { return {0, f64(rows), 1, rows}; }

// With weights it is the row of largest weight (the first of them): a light outlier in its place would cost digits
// without bound. Float32 sums take weights relative to it, so that they neither overflow nor vanish.
template <class Sum> MVN_FN Chunk chunkOf(const f64* weights, i64 rows) {
  Chunk chunk = {0, 0, 1, 0};
  for (i64 r = 0; r < rows; ++r) {
    if (!(weights[r] > 0)) continue;
    chunk.weight += weights[r];
    ++chunk.count;
    if (weights[r] > weights[chunk.shiftRow]) chunk.shiftRow = r;
  }
  if (sizeof(Sum) == sizeof(f32) && chunk.count > 0) chunk.unit = weights[chunk.shiftRow];
  return chunk;
}

// A group without rows: mean NaN, scatter 0.
MVN_FN void writeEmpty(int d, StatisticsRef out) {
  for (int j = 0; j < d; ++j) out.mean[j] = notANumber<f64>;
  for (i64 e = 0; e < i64(d) * d; ++e) out.scatter[e] = 0;
}

// A column whose mean is not finite has no scatter either; the other columns stay as they are.
MVN_FN void spreadNonFinite(int d, StatisticsRef out) {
  for (int j = 0; j < d; ++j) {
    if (isFinite(out.mean[j])) continue;
    out.mean[j] = notANumber<f64>;
    for (int i = 0; i < d; ++i) out.scatter[i64(i) * d + j] = out.scatter[i64(j) * d + i] = notANumber<f64>;
  }
}

}  // namespace mvn
