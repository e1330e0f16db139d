// moments.cpp: the exports chunk_rows, moments_scratch, moments and merge (see kernels/README.md).
#include "mvn/moments.hpp"
#include "cpu/export.hpp"
#include "cpu/functions.hpp"

using namespace mvn;

namespace {

enum RowType : i32 { doubleRows = 0, singleRows = 1, singleArithmetic = 2 };

template <class Sum, bool weighted, class Row>
void allGroups(const Row* rows, const f64* weights, const i32* offsets, i32 groups, i32 d, StatisticsRef out,
               char* scratch) {
  for (i64 g = 0; g < groups; ++g) {
    i64 first = offsets[g];
    moments<Sum, weighted>(rows + first * d, weighted ? weights + first : nullptr, offsets[g + 1] - first, d,
                           {out.count + g, out.weight + g, out.mean + g * d, out.scatter + g * d * d}, scratch);
  }
}

template <class Sum, class Row>
void withWeights(const void* rows, const f64* weights, const i32* offsets, i32 groups, i32 d, StatisticsRef out,
                 char* scratch) {
  const Row* x = static_cast<const Row*>(rows);
  if (weights) allGroups<Sum, true>(x, weights, offsets, groups, d, out, scratch);
  else allGroups<Sum, false>(x, weights, offsets, groups, d, out, scratch);
}

}  // namespace

MVN_EXPORT(chunk_rows) i32 chunk_rows(i32 d) { return chunkRows(d); }

MVN_EXPORT(moments_scratch) i32 moments_scratch(i32 row_type, i32 d) {
  switch (row_type) {
    case singleRows: return i32(momentsScratch<f64, f32>(d));
    case singleArithmetic: return i32(momentsScratch<f32, f32>(d));
    default: return i32(momentsScratch<f64, f64>(d));
  }
}

MVN_EXPORT(moments)
void moments(i32 row_type, const void* rows, const f64* weights, const i32* offsets, i32 groups, i32 d, f64* count,
             f64* weight, f64* mean, f64* scatter, char* scratch) {
  StatisticsRef out = {count, weight, mean, scatter};
  switch (row_type) {
    case doubleRows: return withWeights<f64, f64>(rows, weights, offsets, groups, d, out, scratch);
    case singleRows: return withWeights<f64, f32>(rows, weights, offsets, groups, d, out, scratch);
    case singleArithmetic: return withWeights<f32, f32>(rows, weights, offsets, groups, d, out, scratch);
  }
}

MVN_EXPORT(merge) void merge(i32 parts, i32 d, f64* count, f64* weight, f64* mean, f64* scatter) {
  mergeParts(parts, d, {count, weight, mean, scatter});
}
