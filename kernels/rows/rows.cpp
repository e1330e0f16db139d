// rows.cpp: the export read_rows (see kernels/README.md). Puts the chunks of a DuckDB result, columns of at most 2048 values, together into
// blocks of rows that are read with one call.
#include "cpu/export.hpp"
#include "mvn/real.hpp"
#include "rows/duckdb.hpp"

namespace {

using namespace mvn;
using namespace mvn::duckdb;

// What is turned from columns into rows at a time stays in a core's caches.
constexpr i64 TILE_ROWS = 256, TILE_COLUMNS = 64;

// Bits, 1 where there is a value. They are as they were found until there is a null.
struct Validity {
  u64* bits;
  i64 has_null;

  void clear(i64 at, i64 size) {
    if (!has_null) {
      __builtin_memset(bits, 0xff, u64((size + 63) / 64 * 8));
      has_null = 1;
    }
    bits[at / 64] &= ~(u64(1) << at % 64);
  }

  // The bits of a vector go to first, first + stride, … of `size`.
  void take(const u64* from, i64 rows, i64 first, i64 stride, i64 size) {
    if (!from) return;
    for (i64 r = 0; r < rows; r += 64) {
      u64 missing = ~from[r / 64];
      if (rows - r < 64) missing &= (u64(1) << (rows - r)) - 1;
      for (; missing; missing &= missing - 1) clear(first + (r + __builtin_ctzll(missing)) * stride, size);
    }
  }
};

// A group column: eight bytes a value, or a Text.
struct Key {
  i64 text;
  u8* values;
  Validity validity;
  char* heap;  // long texts, one after the other
  i64 heap_bytes;
  i64 heap_used;
};

// In the order of FIELDS and KEY_FIELDS in src/io/duckdb/blocks.ts.
struct Block {
  i64 capacity;
  i64 dims;
  i64 keys;
  f64* values;  // [capacity, dims]
  Validity values_validity;
  f64* weights;  // [capacity], 0 for none
  Validity weights_validity;
  i64 rows;         // out
  i64 heap_needed;  // out: bytes of the long texts of a chunk for which no heap is large enough
  Key key[1];
};

// How far a result has been read.
struct Cursor {
  Result result;
  Chunk waiting;  // the chunk that had no room in the block before
  i64 ended;      // no chunk will follow
};

bool isValid(const u64* bits, i64 row) { return !bits || (bits[row / 64] >> row % 64 & 1); }

// Columns into rows of `dims` values.
void turn(const f64* const* columns, i64 count, i64 rows, i64 dims, f64* to) {
  for (i64 tile = 0; tile < rows; tile += TILE_ROWS) {
    const i64 end = tile + TILE_ROWS < rows ? tile + TILE_ROWS : rows;
    for (i64 j = 0; j < count; ++j) {
      const f64* from = columns[j];
      for (i64 r = tile; r < end; ++r) to[r * dims + j] = from[r];
    }
  }
}

i64 longBytes(const Text* texts, const u64* valid, i64 rows) {
  i64 bytes = 0;
  for (i64 r = 0; r < rows; ++r) {
    if (texts[r].length > Text::INLINE && isValid(valid, r)) bytes += texts[r].length;
  }
  return bytes;
}

void takeTexts(Key& key, const Text* from, const u64* valid, i64 rows, i64 first) {
  auto to = reinterpret_cast<Text*>(key.values) + first;
  for (i64 r = 0; r < rows; ++r) {
    to[r] = from[r];
    if (from[r].length <= Text::INLINE || !isValid(valid, r)) continue;
    __builtin_memcpy(key.heap + key.heap_used, from[r].bytes, from[r].length);
    to[r].position = u64(key.heap_used);
    key.heap_used += from[r].length;
  }
}

class Reader {
 public:
  Reader(const Functions& functions, Block& block) : duckdb(functions), block(block) {}

  // Whether the chunk was taken in.
  bool take(Chunk chunk, i64 rows) {
    const i64 first_key = block.dims + (block.weights ? 1 : 0);
    if (block.rows + rows > block.capacity || !hasHeap(chunk, first_key, rows)) return false;
    takeValues(chunk, rows);
    if (block.weights) {
      const Vector vector = vectorOf(chunk, block.dims);
      __builtin_memcpy(block.weights + block.rows, duckdb.vector_get_data(vector), u64(rows) * sizeof(f64));
      block.weights_validity.take(duckdb.vector_get_validity(vector), rows, block.rows, 1, block.capacity);
    }
    for (i64 k = 0; k < block.keys; ++k) takeKey(block.key[k], vectorOf(chunk, first_key + k), rows);
    block.rows += rows;
    return true;
  }

 private:
  const Functions& duckdb;
  Block& block;

  Vector vectorOf(Chunk chunk, i64 column) { return duckdb.data_chunk_get_vector(chunk, u64(column)); }

  bool hasHeap(Chunk chunk, i64 first_key, i64 rows) {
    for (i64 k = 0; k < block.keys; ++k) {
      const Key& key = block.key[k];
      if (!key.text) continue;
      const Vector vector = vectorOf(chunk, first_key + k);
      const auto texts = static_cast<const Text*>(duckdb.vector_get_data(vector));
      const i64 bytes = longBytes(texts, duckdb.vector_get_validity(vector), rows);
      if (key.heap_used + bytes <= key.heap_bytes) continue;
      if (block.rows == 0) block.heap_needed = bytes;
      return false;
    }
    return true;
  }

  void takeValues(Chunk chunk, i64 rows) {
    const i64 dims = block.dims;
    const i64 size = block.capacity * dims;
    const i64 at = block.rows * dims;
    const f64* columns[TILE_COLUMNS];
    for (i64 first = 0; first < dims; first += TILE_COLUMNS) {
      const i64 count = dims - first < TILE_COLUMNS ? dims - first : TILE_COLUMNS;
      for (i64 j = 0; j < count; ++j) {
        const Vector vector = vectorOf(chunk, first + j);
        columns[j] = static_cast<const f64*>(duckdb.vector_get_data(vector));
        block.values_validity.take(duckdb.vector_get_validity(vector), rows, at + first + j, dims, size);
      }
      turn(columns, count, rows, dims, block.values + at + first);
    }
  }

  void takeKey(Key& key, Vector vector, i64 rows) {
    const void* from = duckdb.vector_get_data(vector);
    const u64* valid = duckdb.vector_get_validity(vector);
    key.validity.take(valid, rows, block.rows, 1, block.capacity);
    if (key.text) return takeTexts(key, static_cast<const Text*>(from), valid, rows, block.rows);
    __builtin_memcpy(key.values + block.rows * 8, from, u64(rows) * 8);
  }
};

}  // namespace

MVN_EXPORT(read_rows)
void read_rows(const Functions* functions, Cursor* cursor, Block* block) {
  block->rows = 0;
  block->heap_needed = 0;
  block->values_validity.has_null = block->weights_validity.has_null = 0;
  for (i64 k = 0; k < block->keys; ++k) block->key[k].validity.has_null = block->key[k].heap_used = 0;
  Reader reader(*functions, *block);
  while (!cursor->ended) {
    Chunk chunk = cursor->waiting ? cursor->waiting : functions->fetch_chunk(cursor->result);
    cursor->waiting = nullptr;
    const i64 rows = chunk ? i64(functions->data_chunk_get_size(chunk)) : 0;
    cursor->ended = rows == 0;
    if (rows > 0 && !reader.take(chunk, rows)) {
      cursor->waiting = chunk;
      return;
    }
    if (chunk) functions->destroy_data_chunk(&chunk);
  }
}
