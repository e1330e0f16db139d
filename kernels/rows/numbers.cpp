// numbers.cpp: the exports number_keys and number_texts (see kernels/README.md). Keys and texts get numbers in the order in which they are first met, by
// the tables of src/io/read/codes.ts and texts.ts, which hold their memory: where a table must grow, a call ends early.
#include "cpu/export.hpp"
#include "mvn/real.hpp"
#include "rows/duckdb.hpp"

namespace {

using namespace mvn;
using namespace mvn::duckdb;

// Slots hold number + 1, or 0 where they are free; at most half of them are taken, and there is room for no more keys.
// In the order of KEYS in src/io/read/numbers.ts.
struct Keys {
  i64 width;  // words of a key
  u32* keys;
  u32* slots;
  i64 slot_count;
  u32* known;  // number + 1 of whole numbers, and of long texts by theirs, or 0: the first `known_count` need no hashing
  i64 known_count;
  i64 size;  // in and out
  i64 none;  // in and out: the number of what has no key, or −1
};

// In the order of TEXTS there. Text n lies from ends[n−1] to ends[n].
struct Texts {
  char* bytes;
  i64 byte_count;
  f64* ends;
  u32* hashes;
  u32* slots;
  i64 slot_count;
  i64 size;    // in and out
  i64 needed;  // out: bytes of the text for which there is no room, or 0
};

constexpr u32 mixed(u32 h, u32 word) {
  h = (h ^ word) * 0x85ebca6bu;
  return h ^ h >> 13;
}

constexpr u32 finished(u32 h) {
  h *= 0xc2b2ae35u;
  return h ^ h >> 16;
}

bool isValid(const u8* bits, i64 row) { return !bits || (bits[row / 8] >> row % 8 & 1); }

// `Width`: of a key, 0 for any.
template <int Width> class KeyNumbers {
 public:
  explicit KeyNumbers(Keys& table) : table(table), width(Width ? Width : table.width), mask(u32(table.slot_count - 1)) {}

  bool isFull() const { return 2 * table.size == table.slot_count; }

  u32 numberOfNone() {
    if (table.none < 0) {
      table.none = table.size;
      for (i64 w = 0; w < width; ++w) table.keys[table.size * width + w] = 0;
      ++table.size;
    }
    return u32(table.none);
  }

  u32 number(const u32* key) {
    const i64 place = placeOf(key);
    if (place < 0 || place >= table.known_count) return find(key);
    u32& known = table.known[place];
    if (known == 0) known = find(key) + 1;
    return known - 1;
  }

  bool isSame(const u32* a, const u32* b) const {
    u32 difference = 0;
    for (i64 w = 0; w < width; ++w) difference |= a[w] ^ b[w];
    return difference == 0;
  }

 private:
  Keys& table;
  const i64 width;
  const u32 mask;

  // Among what is known, or −1.
  static i64 placeOf(const u32* key) {
    if constexpr (Width == 2) return key[1] == 0 ? i64(key[0]) : -1;
    if constexpr (Width == 4) return key[0] > Text::INLINE ? i64(key[2]) : -1;
    return -1;
  }

  u32 find(const u32* key) {
    u32 h = 0;
    for (i64 w = 0; w < width; ++w) h = mixed(h, key[w]);
    for (u32 slot = finished(h) & mask;; slot = (slot + 1) & mask) {
      const u32 taken = table.slots[slot];
      if (taken == 0) {
        table.slots[slot] = u32(table.size) + 1;
        __builtin_memcpy(table.keys + table.size * width, key, u64(width) * sizeof(u32));
        return u32(table.size++);
      }
      if (isSame(table.keys + i64(taken - 1) * width, key)) return taken - 1;
    }
  }
};

template <int Width>
i32 numberKeys(Keys& table, const u32* words, const u8* validity, i64 row, i64 rows, u32* codes, i64 stride) {
  KeyNumbers<Width> numbers(table);
  const i64 width = Width ? Width : table.width;
  const u32* before = nullptr;  // neighbours are often in the same group
  u32 code = 0;
  for (; row < rows && !numbers.isFull(); ++row) {
    const u32* key = words + row * width;
    if (!isValid(validity, row)) {
      codes[row * stride] = numbers.numberOfNone();
      continue;
    }
    if (!before || !numbers.isSame(before, key)) code = numbers.number(key);
    codes[row * stride] = code;
    before = key;
  }
  return i32(row);
}

u64 wordAt(const char* bytes) {
  u64 word;
  __builtin_memcpy(&word, bytes, sizeof word);
  return word;
}

// Of texts of nine bytes or more, eight at a time; the last eight may overlap those before them. Nobody else hashes texts of these tables.
u32 hashOf(const char* text, i64 length) {
  u64 h = u64(length);
  const auto mix = [&](u64 word) {
    h = (h ^ word) * 0x9e3779b97f4a7c15u;
    h ^= h >> 32;
  };
  for (i64 i = 0; i + 8 < length; i += 8) mix(wordAt(text + i));
  mix(wordAt(text + length - 8));
  return finished(u32(h));
}

bool isSame(const char* a, const char* b, i64 length) {
  u64 difference = wordAt(a + length - 8) ^ wordAt(b + length - 8);
  for (i64 i = 0; i + 8 < length; i += 8) difference |= wordAt(a + i) ^ wordAt(b + i);
  return difference == 0;
}

i64 startOf(const Texts& table, i64 number) { return number == 0 ? 0 : i64(table.ends[number - 1]); }

bool isAt(const Texts& table, i64 number, const char* text, i64 length) {
  const i64 start = startOf(table, number);
  return i64(table.ends[number]) - start == length && isSame(table.bytes + start, text, length);
}

// The number of a text, or −1 where there is no room for its bytes.
i64 numberOf(Texts& table, const char* text, i64 length) {
  const u32 h = hashOf(text, length), mask = u32(table.slot_count - 1);
  for (u32 slot = h & mask;; slot = (slot + 1) & mask) {
    const u32 taken = table.slots[slot];
    if (taken != 0) {
      if (table.hashes[taken - 1] == h && isAt(table, taken - 1, text, length)) return taken - 1;
      continue;
    }
    const i64 start = startOf(table, table.size);
    if (start + length > table.byte_count) {
      table.needed = length;
      return -1;
    }
    __builtin_memcpy(table.bytes + start, text, u64(length));
    table.ends[table.size] = f64(start + length);
    table.hashes[table.size] = h;
    table.slots[slot] = u32(table.size) + 1;
    return table.size++;
  }
}

}  // namespace

MVN_EXPORT(number_keys)
i32 number_keys(Keys* table, const u32* words, const u8* validity, i32 row, i32 rows, u32* codes, i32 stride) {
  switch (table->width) {
    case 2: return numberKeys<2>(*table, words, validity, row, rows, codes, stride);
    case 4: return numberKeys<4>(*table, words, validity, row, rows, codes, stride);
    default: return numberKeys<0>(*table, words, validity, row, rows, codes, stride);
  }
}

MVN_EXPORT(number_texts)
i32 number_texts(Texts* table, Text* texts, const char* heap, const u8* validity, i32 row, i32 rows) {
  table->needed = 0;
  for (; row < rows && 2 * table->size < table->slot_count; ++row) {
    Text& text = texts[row];
    if (text.length <= Text::INLINE || !isValid(validity, row)) continue;
    const i64 number = numberOf(*table, heap + text.position, text.length);
    if (number < 0) break;
    text.position = u64(number);
  }
  return row;
}
