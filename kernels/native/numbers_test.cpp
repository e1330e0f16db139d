// numbers_test.cpp: keys and texts are numbered within memory of exactly its size, whichever way the tables grow. What the numbers are is
// tested in test/io/read-codes.test.ts, in JavaScript's memory.
#include <cstring>
#include <map>

#include "check.hpp"
#include "rows/numbers.cpp"

namespace {

// Numbers `rows` keys of `width` words, in tables that begin with room for two and grow as JavaScript grows them.
std::vector<u32> numbersOf(const std::vector<u32>& words, i64 width, const u8* validity, i64 known, i64 stride) {
  const i64 rows = i64(words.size()) / width;
  std::vector<u32> keys(2 * width), slots(4), codes((rows - 1) * stride + 1), places(known);
  Keys table{width, keys.data(), slots.data(), 4, known ? places.data() : nullptr, known, 0, -1};
  for (i64 row = 0; row < rows;) {
    if (2 * table.size == table.slot_count) {
      keys.resize(2 * keys.size());
      slots.assign(2 * slots.size(), 0);
      table.keys = keys.data();
      table.slots = slots.data();
      table.slot_count = i64(slots.size());
      for (i64 code = 0; code < table.size; ++code) {
        if (code == table.none) continue;
        u32 h = 0;
        for (i64 w = 0; w < width; ++w) h = mixed(h, keys[code * width + w]);
        u64 slot = finished(h) % slots.size();
        while (slots[slot]) slot = (slot + 1) % slots.size();
        slots[slot] = u32(code) + 1;
      }
    }
    row = number_keys(&table, words.data(), validity, i32(row), i32(rows), codes.data(), i32(stride));
  }
  std::vector<u32> own;
  for (i64 row = 0; row < rows; ++row) own.push_back(codes[row * stride]);
  return own;
}

std::vector<u32> expectedOf(const std::vector<u32>& words, i64 width, const u8* validity) {
  std::map<std::vector<u32>, u32> numbers;
  std::vector<u32> all;
  for (i64 row = 0; row * width < i64(words.size()); ++row) {
    std::vector<u32> key(words.begin() + row * width, words.begin() + (row + 1) * width);
    if (!isValid(validity, row)) key.clear();
    all.push_back(numbers.emplace(key, u32(numbers.size())).first->second);
  }
  return all;
}

}  // namespace

TEST("keys of any width, valid or not, are numbered in the order in which they are met") {
  FOR_EACH(width, {1, 2, 3, 4, 7}) {
    FOR_EACH(rows, {1, 9, 500}) {
      std::vector<u32> words;
      std::vector<u8> validity((rows + 7) / 8, 0xb7);
      for (i64 row = 0; row < rows; ++row) {
        // The third word is the number of a long text, where keys are texts: it says by itself which it is.
        const u32 number = u32(row * row) % 97, kind = number % 3 == 0, other = u32(width) * 5;
        for (i64 w = 0; w < width; ++w) words.push_back(w == 0 ? number : w == 1 ? kind : w == 2 ? number : other);
      }
      FOR_EACH(known, {0, 1, 40}) {
        FOR_EACH(stride, {1, 3}) {
          CHECK(numbersOf(words, width, nullptr, known, stride) == expectedOf(words, width, nullptr));
          CHECK(numbersOf(words, width, validity.data(), known, stride) == expectedOf(words, width, validity.data()));
        }
      }
    }
  }
}

TEST("long texts are numbered, short ones left, wherever the memory for them ends") {
  std::string heap;
  std::vector<Text> texts;
  std::vector<u64> expected;
  std::map<std::string, u64> numbers;
  for (int row = 0; row < 300; ++row) {
    const std::string text = std::string(9 + row % 17, char('a' + row % 3)) + std::to_string(row % 60);
    Text own{u32(text.size()), 0, {nullptr}};
    own.position = heap.size();
    if (text.size() > Text::INLINE) {
      heap += text;
      expected.push_back(numbers.emplace(text, numbers.size()).first->second);
    } else {
      expected.push_back(own.position);
    }
    texts.push_back(own);
  }
  const std::vector<char> exact(heap.begin(), heap.end());
  std::vector<char> bytes(12);  // one too few for the first
  std::vector<f64> ends(2);
  std::vector<u32> hashes(2), slots(4);
  Texts table{bytes.data(), 12, ends.data(), hashes.data(), slots.data(), 4, 0, 0};
  for (i32 row = 0; row < 300;) {
    if (2 * table.size == table.slot_count) {
      ends.resize(2 * ends.size());
      hashes.resize(2 * hashes.size());
      slots.assign(2 * slots.size(), 0);
      table = {table.bytes, table.byte_count, ends.data(), hashes.data(), slots.data(), i64(slots.size()), table.size, 0};
      for (i64 number = 0; number < table.size; ++number) {
        u64 slot = hashes[number] % slots.size();
        while (slots[slot]) slot = (slot + 1) % slots.size();
        slots[slot] = u32(number) + 1;
      }
    }
    row = number_texts(&table, texts.data(), exact.data(), nullptr, row, 300);
    if (table.needed > 0) {
      bytes.resize(u64(startOf(table, table.size) + table.needed));
      table.bytes = bytes.data();
      table.byte_count = i64(bytes.size());
    }
  }
  for (int row = 0; row < 300; ++row) CHECK(texts[row].position == expected[row]);
  CHECK(table.size == i64(numbers.size()));
}
