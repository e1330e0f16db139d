// table.cpp: the export show_table (see kernels/README.md). Shows columns that lie in memory to DuckDB as a stream of Arrow's, batch by batch, so that a query
// reads them from where they are: several threads at a time, and yet in their order.
#include <stdlib.h>

#include "cpu/export.hpp"
#include "rows/arrow.hpp"
#include "rows/duckdb.hpp"

namespace {

using namespace mvn;
using namespace mvn::duckdb;

// What lies in a column, in the order of KINDS in src/io/duckdb/memory-table.ts.
enum Kind : i64 {
  wholeKind,    // float64, to be BIGINT; NULL where it is not finite
  integerKind,  // int32
  doubleKind,   // float64; NULL where it is not finite
  listKind,     // `length` float64 a row, each NULL where it is not finite
  textKind,     // int32: which of the texts, or NULL where it is negative
};

// In the order of COLUMN in src/io/duckdb/memory-table.ts.
struct Column {
  i64 kind;
  const char* name;
  const void* values;
  i64 length;
  const i64* begins;  // text t is bytes begins[t] … begins[t+1]−1 of `texts`
  const char* texts;
  arrow::Schema schema, element;  // filled in here, as are all that follow
  arrow::Schema* child;
};

// In the order of TABLE there.
struct Table {
  i64 rows;
  i64 columns;
  i64 next;  // the next row to be read
  arrow::Stream stream;
  arrow::Schema** schemas;  // [columns]
  Column column[1];
};

// Rows of a batch: those of a row group of the file that fits are written to, and of long lists or texts fewer. Ends of texts are 32-bit numbers.
constexpr i64 BATCH_ROWS = 4096, BATCH_VALUES = i64(1) << 24, BATCH_BYTES = i64(1) << 27;

bool isNull(f64 x) { return !(x - x == 0); }

constexpr i64 wholeWords(i64 bytes) { return (bytes + 7) / 8 * 8; }

// The memory of a batch: asked for at once, handed out piece by piece, and given back as a whole.
class Memory {
 public:
  Memory(char* begin) : at(begin) {}

  template <class T> T* take(i64 count) {
    auto taken = reinterpret_cast<T*>(at);
    at += wholeWords(count * i64(sizeof(T)));
    return taken;
  }

 private:
  char* at;
};

constexpr i64 MOST_BUFFERS = 3;

// Of a column in a batch of `count` rows, at most; `more` are bytes of texts, or of bits for the numbers of lists.
i64 bytesOf(i64 count, i64 more) {
  const i64 array = i64(sizeof(arrow::Array)) + MOST_BUFFERS * i64(sizeof(void*)) + i64(sizeof(arrow::Array*));
  const i64 bits = wholeWords(count / 8 + 1), ends = wholeWords(4 * (count + 1)), wholes = 8 * count;
  return 2 * array + bits + ends + wholes + wholeWords(more + 1);
}

// Of one text, 0 where it is NULL.
i64 textBytes(const Column& column, i32 code) { return code < 0 ? 0 : column.begins[code + 1] - column.begins[code]; }

i64 textBytes(const Column& column, i64 first, i64 count) {
  const auto codes = static_cast<const i32*>(column.values) + first;
  i64 bytes = 0;
  for (i64 r = 0; r < count; ++r) bytes += textBytes(column, codes[r]);
  return bytes;
}

void releasePart(arrow::Array* array) { array->release = nullptr; }

// `buffers` are taken from memory, the first of them empty: everything is there.
arrow::Array* arrayOf(Memory& memory, i64 length, i64 buffers) {
  auto array = memory.take<arrow::Array>(1);
  *array = {length, 0, 0, buffers, 0, memory.take<const void*>(buffers), nullptr, nullptr, releasePart, nullptr};
  array->buffers[0] = nullptr;
  return array;
}

// Marks what is null, if anything is.
template <class IsNull> void markNulls(Memory& memory, arrow::Array& array, const IsNull& isNullAt) {
  i64 nulls = 0;
  for (i64 k = 0; k < array.length; ++k) nulls += isNullAt(k);
  array.null_count = nulls;
  if (nulls == 0) return;
  auto bits = memory.take<u8>((array.length + 7) / 8);
  __builtin_memset(bits, 0, u64(array.length + 7) / 8);
  for (i64 k = 0; k < array.length; ++k) bits[k / 8] |= u8(!isNullAt(k) << k % 8);
  array.buffers[0] = bits;
}

arrow::Array* doublesOf(Memory& memory, const f64* values, i64 count) {
  arrow::Array* array = arrayOf(memory, count, 2);
  markNulls(memory, *array, [=](i64 k) { return isNull(values[k]); });
  array->buffers[1] = values;
  return array;
}

arrow::Array* wholesOf(Memory& memory, const f64* values, i64 count) {
  arrow::Array* array = arrayOf(memory, count, 2);
  markNulls(memory, *array, [=](i64 k) { return isNull(values[k]); });
  auto wholes = memory.take<i64>(count);
  for (i64 r = 0; r < count; ++r) wholes[r] = isNull(values[r]) ? 0 : i64(values[r]);
  array->buffers[1] = wholes;
  return array;
}

arrow::Array* listsOf(Memory& memory, const f64* values, i64 length, i64 count) {
  arrow::Array* array = arrayOf(memory, count, 2);
  auto ends = memory.take<i32>(count + 1);
  for (i64 r = 0; r <= count; ++r) ends[r] = i32(r * length);
  array->buffers[1] = ends;
  array->child_count = 1;
  array->children = memory.take<arrow::Array*>(1);
  array->children[0] = doublesOf(memory, values, count * length);
  return array;
}

arrow::Array* textsOf(Memory& memory, const Column& column, const i32* codes, i64 count) {
  arrow::Array* array = arrayOf(memory, count, 3);
  markNulls(memory, *array, [=](i64 k) { return codes[k] < 0; });
  auto ends = memory.take<i32>(count + 1);
  ends[0] = 0;
  for (i64 r = 0; r < count; ++r) ends[r + 1] = ends[r] + i32(textBytes(column, codes[r]));
  auto texts = memory.take<char>(ends[count]);
  for (i64 r = 0; r < count; ++r) {
    if (codes[r] >= 0) __builtin_memcpy(texts + ends[r], column.texts + column.begins[codes[r]], u64(ends[r + 1] - ends[r]));
  }
  array->buffers[1] = ends;
  array->buffers[2] = texts;
  return array;
}

// Bytes of texts, or those of the bits that say which numbers of a list are null.
i64 valueBytes(const Column& column, i64 first, i64 count) {
  if (column.kind == textKind) return textBytes(column, first, count);
  return column.kind == listKind ? count * column.length / 8 : 0;
}

// How many rows the batch has that begins with row `first`.
i64 rowsFrom(const Table& table, i64 first) {
  i64 count = BATCH_ROWS;
  for (i64 c = 0; c < table.columns; ++c) {
    while (count > 1 && table.column[c].length * count > BATCH_VALUES) count /= 2;
  }
  if (table.rows - first < count) count = table.rows - first;
  for (i64 c = 0; c < table.columns; ++c) {
    const Column& column = table.column[c];
    while (count > 1 && column.kind == textKind && textBytes(column, first, count) > BATCH_BYTES) count /= 2;
  }
  return count;
}

arrow::Array* arrayOf(Memory& memory, const Column& column, i64 first, i64 count) {
  const auto reals = static_cast<const f64*>(column.values);
  const auto integers = static_cast<const i32*>(column.values);
  switch (column.kind) {
    case wholeKind: return wholesOf(memory, reals + first, count);
    case integerKind: {
      arrow::Array* array = arrayOf(memory, count, 2);
      array->buffers[1] = integers + first;
      return array;
    }
    case doubleKind: return doublesOf(memory, reals + first, count);
    case listKind: return listsOf(memory, reals + first * column.length, column.length, count);
    default: return textsOf(memory, column, integers + first, count);
  }
}

void releaseBatch(arrow::Array* array) {
  array->release = nullptr;
  free(array->own);
}

Table& tableOf(const arrow::Stream* stream) { return *static_cast<Table*>(stream->own); }

// Of all columns side by side: their memory first, then what lies in it.
int readBatch(arrow::Stream* stream, arrow::Array* batch) {
  constexpr int outOfMemory = 12;  // ENOMEM
  Table& table = tableOf(stream);
  *batch = {};
  const i64 first = table.next, count = rowsFrom(table, first);
  if (count == 0) return 0;
  i64 bytes = 2 * (table.columns + 1) * i64(sizeof(void*));
  for (i64 c = 0; c < table.columns; ++c) bytes += bytesOf(count, valueBytes(table.column[c], first, count));
  auto begin = static_cast<char*>(malloc(u64(bytes)));
  if (!begin) return outOfMemory;
  Memory memory(begin);
  auto buffers = memory.take<const void*>(1);
  buffers[0] = nullptr;
  auto children = memory.take<arrow::Array*>(table.columns);
  for (i64 c = 0; c < table.columns; ++c) children[c] = arrayOf(memory, table.column[c], first, count);
  *batch = {count, 0, 0, 1, table.columns, buffers, children, nullptr, releaseBatch, begin};
  table.next += count;
  return 0;
}

// Schemas lie in the table, and are there as long as it is.
void keep(arrow::Schema*) {}

int describe(arrow::Stream* stream, arrow::Schema* schema) {
  Table& table = tableOf(stream);
  *schema = {"+s", "", nullptr, 0, table.columns, table.schemas, nullptr, keep, nullptr};
  return 0;
}

void describe(Column& column) {
  const char* formats[] = {"l", "i", "g", "+l", "u"};
  column.element = {"g", "item", nullptr, arrow::NULLABLE, 0, nullptr, nullptr, keep, nullptr};
  column.child = &column.element;
  const i64 children = column.kind == listKind ? 1 : 0;
  column.schema = {formats[column.kind], column.name, nullptr, arrow::NULLABLE, children, &column.child, nullptr, keep, nullptr};
}

const char* lastError(arrow::Stream*) { return "no memory for the next rows"; }

void forget(arrow::Stream* stream) { stream->release = nullptr; }

}  // namespace

// Known on the connection's database by its name; it must stay where it is until the database is closed, and is read once. Not 0: DuckDB does not take it.
MVN_EXPORT(show_table)
i32 show_table(int (*arrow_scan)(Connection, const char*, arrow::Stream*), Connection connection, const char* name, Table* table) {
  for (i64 c = 0; c < table->columns; ++c) {
    describe(table->column[c]);
    table->schemas[c] = &table->column[c].schema;
  }
  table->next = 0;
  table->stream = {describe, readBatch, lastError, forget, table};
  return arrow_scan(connection, name, &table->stream);
}
