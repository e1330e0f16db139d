// gather.cpp: the export gather (see kernels/README.md).
#include <wasm_simd128.h>

#include "mvn/real.hpp"
#include "wasm/export.hpp"

using namespace mvn;

namespace {

// Rows ahead of the one being copied whose first word is read: their way from memory takes as long as copying so many.
constexpr i32 ahead = 24;

}  // namespace

MVN_EXPORT(gather)
void gather(const u8* rows, const unsigned* order, i32 count, i32 row_bytes, u8* to) {
  u8 touched = 0;
  for (i32 r = 0; r < count; ++r) {
    if (r + ahead < count) touched ^= *static_cast<const volatile u8*>(rows + i64(order[r + ahead]) * row_bytes);
    const u8* from = rows + i64(order[r]) * row_bytes;
    i32 b = 0;
    for (; b + 16 <= row_bytes; b += 16) wasm_v128_store(to + b, wasm_v128_load(from + b));
    for (; b < row_bytes; ++b) to[b] = from[b];
    to += row_bytes;
  }
  (void)touched;
}
