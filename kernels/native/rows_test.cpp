// rows_test.cpp: a result's chunks are put together into blocks of rows, and nothing is written beside them. DuckDB is played.
#include "check.hpp"
#include "rows/rows.cpp"

struct mvn::duckdb::VectorData {
  std::vector<u64> words;  // two each for a text
  std::vector<u64> validity;
};

struct mvn::duckdb::ChunkData {
  i64 rows;
  std::vector<VectorData> columns;
};

namespace {

std::vector<ChunkData>* result;  // what is still to be fetched, the next one first
int held = 0;                    // chunks that were fetched and not yet given back

const Functions FUNCTIONS = {
    [](Result) -> Chunk {
      if (result->empty()) return nullptr;
      Chunk chunk = new ChunkData(result->front());
      result->erase(result->begin());
      ++held;
      return chunk;
    },
    [](Chunk* chunk) {
      delete *chunk;
      *chunk = nullptr;
      --held;
    },
    [](Chunk chunk) { return u64(chunk->rows); },
    [](Chunk chunk, u64 column) -> Vector { return &chunk->columns[column]; },
    [](Vector vector) -> void* { return vector->words.data(); },
    [](Vector vector) { return vector->validity.empty() ? nullptr : vector->validity.data(); },
};

u64 bitsOf(f64 x) { return __builtin_bit_cast(u64, x); }
f64 valueAt(i64 row, i64 column) { return f64(row) + f64(column) / 1000; }

// Rows first … first+rows−1. Every seventh value of column 0 is null where `nulls`; bits after the last row are 0, as they may be.
ChunkData numbers(i64 first, i64 rows, i64 dims, bool nulls) {
  ChunkData chunk{rows, std::vector<VectorData>(dims)};
  for (i64 j = 0; j < dims; ++j) {
    for (i64 r = 0; r < rows; ++r) chunk.columns[j].words.push_back(bitsOf(valueAt(first + r, j)));
  }
  if (nulls) {
    chunk.columns[0].validity.assign((rows + 63) / 64, 0);
    for (i64 r = 0; r < rows; ++r) {
      if ((first + r) % 7 != 0) chunk.columns[0].validity[r / 64] |= u64(1) << r % 64;
    }
  }
  return chunk;
}

// A block of numbers alone, in memory of just its size.
struct Numbers {
  std::vector<f64> values;
  std::vector<u64> validity;
  Block block{};

  Numbers(i64 capacity, i64 dims) : values(capacity * dims), validity((capacity * dims + 63) / 64) {
    block.capacity = capacity;
    block.dims = dims;
    block.values = values.data();
    block.values_validity.bits = validity.data();
  }
};

}  // namespace

TEST("columns become rows, and a chunk that has no room comes first in the next block") {
  FOR_EACH(dims, {1, 3, 64, 65, 130}) {
    std::vector<ChunkData> chunks{numbers(0, 2048, dims, false), numbers(2048, 700, dims, false), numbers(2748, 5, dims, false)};
    result = &chunks;
    Cursor cursor{};
    i64 row = 0;
    FOR_EACH(expected, {2048, 705, 0, 0}) {
      Numbers numbers(2048, dims);
      read_rows(&FUNCTIONS, &cursor, &numbers.block);
      CHECK(numbers.block.rows == expected);
      CHECK(!numbers.block.values_validity.has_null);
      for (i64 r = 0; r < numbers.block.rows; ++r, ++row) {
        for (i64 j = 0; j < dims; ++j) CHECK(numbers.values[r * dims + j] == valueAt(row, j));
      }
    }
    CHECK(row == 2753);
    CHECK(held == 0);
  }
}

TEST("nulls are at their own values and at no others") {
  FOR_EACH(dims, {1, 2, 5}) {
    std::vector<ChunkData> chunks{numbers(0, 100, dims, false), numbers(100, 77, dims, true), numbers(177, 30, dims, false)};
    result = &chunks;
    Cursor cursor{};
    Numbers numbers(207, dims);
    read_rows(&FUNCTIONS, &cursor, &numbers.block);
    CHECK(numbers.block.rows == 207);
    CHECK(numbers.block.values_validity.has_null);
    for (i64 r = 0; r < 207; ++r) {
      for (i64 j = 0; j < dims; ++j) {
        const bool null = j == 0 && r >= 100 && r < 177 && r % 7 == 0;
        CHECK(isValid(numbers.validity.data(), r * dims + j) == !null);
      }
    }
    CHECK(held == 0);
  }
}

TEST("long texts go where there is room for them, and say how much they need where there is none") {
  const std::string texts[] = {"short", "a text of twenty two b", "another, of twenty two", "null and long, not read"};
  ChunkData chunk{4, std::vector<VectorData>(2)};
  chunk.columns[0].words.assign(4, bitsOf(1));
  for (const std::string& text : texts) {
    Text stored{u32(text.size()), 0, {text.data()}};
    if (text.size() <= Text::INLINE) __builtin_memcpy(&stored.start, text.data(), text.size());
    u64 words[2];
    __builtin_memcpy(words, &stored, sizeof stored);
    chunk.columns[1].words.insert(chunk.columns[1].words.end(), words, words + 2);
  }
  chunk.columns[1].validity = {0b0111};
  std::vector<ChunkData> chunks{chunk, chunk};
  result = &chunks;
  Cursor cursor{};
  Numbers numbers(100, 1);
  std::vector<u8> values(100 * sizeof(Text));
  std::vector<u64> validity(2);
  Block& block = numbers.block;
  block.keys = 1;
  Key& key = block.key[0];
  key = {1, values.data(), {validity.data(), 0}, nullptr, 0, 0};

  read_rows(&FUNCTIONS, &cursor, &block);
  CHECK(block.rows == 0);
  CHECK(block.heap_needed == 44);

  std::vector<char> heap(60);  // for one chunk, not for two
  key.heap = heap.data();
  key.heap_bytes = i64(heap.size());
  FOR_EACH(expected, {4, 4, 0}) {
    read_rows(&FUNCTIONS, &cursor, &block);
    CHECK(block.rows == expected);
    CHECK(block.heap_needed == 0);
    if (expected == 0) break;
    const auto stored = reinterpret_cast<const Text*>(values.data());
    CHECK(std::string(reinterpret_cast<const char*>(&stored[0].start), 5) == texts[0]);
    for (int r = 1; r < 3; ++r) {
      CHECK(std::string(heap.data() + stored[r].position, stored[r].length) == texts[r]);
    }
    CHECK(key.heap_used == 44);
    CHECK(validity[0] % 16 == 0b0111);
  }
  CHECK(held == 0);
}
