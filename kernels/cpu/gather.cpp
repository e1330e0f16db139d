// gather.cpp: the export gather (see kernels/README.md).
//
// Rows that lie apart take as long as memory takes. To read ahead of the row being copied makes it slower: the processor has several
// on their way by itself.
#include "mvn/real.hpp"
#include "cpu/export.hpp"

using namespace mvn;

MVN_EXPORT(gather)
void gather(const u8* rows, const unsigned* order, i32 count, i32 row_bytes, u8* to) {
  for (i32 r = 0; r < count; ++r) {
    const u8* from = rows + i64(order[r]) * row_bytes;
    i32 b = 0;
    for (; b + 16 <= row_bytes; b += 16) __builtin_memcpy(to + b, from + b, 16);
    for (; b < row_bytes; ++b) to[b] = from[b];
    to += row_bytes;
  }
}
