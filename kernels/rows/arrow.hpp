// arrow.hpp: Apache Arrow's interface for data and streams in C (https://arrow.apache.org/docs/format/CDataInterface.html and
// CStreamInterface.html).
#pragma once

#include "mvn/real.hpp"

namespace mvn::arrow {

struct Schema {
  const char* format;
  const char* name;
  const char* metadata;
  i64 flags;
  i64 child_count;
  Schema** children;
  Schema* dictionary;
  void (*release)(Schema*);
  void* own;
};

constexpr i64 NULLABLE = 2;

struct Array {
  i64 length;
  i64 null_count;
  i64 offset;
  i64 buffer_count;
  i64 child_count;
  const void** buffers;  // bits of what is not null, or 0 where all is; ends of lists and texts; values
  Array** children;
  Array* dictionary;
  void (*release)(Array*);
  void* own;
};

struct Stream {
  int (*get_schema)(Stream*, Schema*);
  int (*get_next)(Stream*, Array*);  // released at the end
  const char* (*get_last_error)(Stream*);
  void (*release)(Stream*);
  void* own;
};

}  // namespace mvn::arrow
