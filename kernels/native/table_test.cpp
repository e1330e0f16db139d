// table_test.cpp: columns in memory are shown batch by batch, and nothing is read or written beside them. DuckDB is played.
#include <cstring>
#include <memory>

#include "check.hpp"
#include "rows/table.cpp"

namespace {

std::string takenName;
arrow::Stream taken;  // a copy, as DuckDB makes one

int take(Connection, const char* name, arrow::Stream* stream) {
  takenName = name;
  taken = *stream;
  return takenName == "refused" ? 1 : 0;
}

// Memory of exactly the size of a table, and of its schemas.
struct Shown {
  std::vector<char> memory;
  std::vector<arrow::Schema*> schemas;

  Shown(i64 rows, const std::vector<Column>& columns)
      : memory(offsetof(Table, column) + columns.size() * sizeof(Column)), schemas(columns.size()) {
    table().rows = rows;
    table().columns = i64(columns.size());
    table().next = 99;  // of a reading before
    table().schemas = schemas.data();
    for (size_t c = 0; c < columns.size(); ++c) table().column[c] = columns[c];
  }
  Table& table() { return *reinterpret_cast<Table*>(memory.data()); }
};

Column columnOf(Kind kind, const char* name, const void* values, i64 length = 0, const i64* begins = nullptr, const char* texts = nullptr) {
  return {kind, name, values, length, begins, texts, {}, {}, nullptr};
}

template <class T> T at(const arrow::Array& array, int buffer, i64 k) { return static_cast<const T*>(array.buffers[buffer])[k]; }
bool isValid(const arrow::Array& array, i64 k) { return !array.buffers[0] || (at<u8>(array, 0, k / 8) >> k % 8 & 1); }

i64 nullsIn(const arrow::Array& array) {
  i64 nulls = 0;
  for (i64 k = 0; k < array.length; ++k) nulls += !isValid(array, k);
  return nulls;
}

void checkSchema(const std::vector<std::pair<std::string, std::string>>& expected) {
  arrow::Schema root;
  CHECK(taken.get_schema(&taken, &root) == 0 && std::string(root.format) == "+s" && root.release);
  CHECK(root.child_count == i64(expected.size()));
  for (i64 c = 0; c < root.child_count; ++c) {
    const arrow::Schema& child = *root.children[c];
    CHECK(child.format == expected[c].first && child.name == expected[c].second && child.release);
    CHECK(child.flags == 2 && child.child_count == (expected[c].first == "+l"));
    if (child.child_count) CHECK(std::string(child.children[0]->format) == "g");
  }
}

// A table with a column of each kind, in memory of exactly its size, and what is read of it.
void checkTable(i64 rows, i64 length, i64 batch) {
  std::vector<f64> whole, real, list;
  std::vector<i32> integer, code;
  for (i64 r = 0; r < rows; ++r) {
    whole.push_back(r % 13 == 6 ? NAN : f64(r) * 1e12);
    integer.push_back(i32(-r));
    real.push_back(r % 7 == 3 ? NAN : r % 11 == 5 ? INFINITY : f64(r) / 3);
    for (i64 e = 0; e < length; ++e) list.push_back((r + e) % 5 == 4 ? NAN : f64(r) + f64(e) / 100);
    code.push_back(r % 4 == 3 ? -1 : i32(r % 4));
  }
  const std::vector<char> texts = {'a', 'b', 'c'};  // "", "ab", "c"
  const std::vector<i64> begins = {0, 0, 2, 3};
  Shown shown(rows, {columnOf(wholeKind, "n", whole.data()), columnOf(integerKind, "i", integer.data()),
                     columnOf(doubleKind, "x", real.data()), columnOf(listKind, "l", list.data(), length),
                     columnOf(textKind, "t", code.data(), 0, begins.data(), texts.data())});
  CHECK(show_table(take, nullptr, "fits1", &shown.table()) == 0 && takenName == "fits1");
  checkSchema({{"l", "n"}, {"i", "i"}, {"g", "x"}, {"+l", "l"}, {"u", "t"}});
  std::vector<arrow::Array> held;  // as threads hold those that they work on
  i64 first = 0;
  for (;;) {
    arrow::Array read;
    CHECK(taken.get_next(&taken, &read) == 0);
    if (!read.release) break;
    CHECK(read.length == std::min(batch, rows - first) && read.child_count == 5 && read.null_count == 0);
    const auto child = [&](int c) -> const arrow::Array& { return *read.children[c]; };
    for (int c = 0; c < 5; ++c) CHECK(child(c).length == read.length && child(c).null_count == nullsIn(child(c)) && child(c).release);
    const arrow::Array& values = *child(3).children[0];
    CHECK(values.length == read.length * length && values.null_count == nullsIn(values));
    for (i64 r = 0; r < read.length; ++r) {
      const i64 row = first + r;
      CHECK(isValid(child(0), r) == std::isfinite(whole[row]));
      if (std::isfinite(whole[row])) CHECK(at<i64>(child(0), 1, r) == i64(whole[row]));
      CHECK(at<i32>(child(1), 1, r) == integer[row]);
      CHECK(isValid(child(2), r) == std::isfinite(real[row]));
      if (std::isfinite(real[row])) CHECK(at<f64>(child(2), 1, r) == real[row]);
      CHECK(at<i32>(child(3), 1, r) == r * length && at<i32>(child(3), 1, r + 1) == (r + 1) * length);
      for (i64 e = 0; e < length; ++e) {
        const f64 value = list[row * length + e];
        CHECK(isValid(values, r * length + e) == std::isfinite(value));
        if (std::isfinite(value)) CHECK(at<f64>(values, 1, r * length + e) == value);
      }
      const char* expected[] = {"", "ab", "c"};
      const i64 begin = at<i32>(child(4), 1, r), end = at<i32>(child(4), 1, r + 1);
      CHECK(isValid(child(4), r) == (code[row] >= 0));
      const std::string text(static_cast<const char*>(child(4).buffers[2]) + begin, u64(end - begin));
      CHECK(text == (code[row] < 0 ? "" : expected[code[row]]));
    }
    first += read.length;
    held.push_back(read);
  }
  CHECK(first == rows);
  for (arrow::Array& one : held) one.release(&one);  // else the sanitizer finds them
}

}  // namespace

TEST("a table is shown whole, in its order, batch by batch") {
  FOR_EACH(rows, {0, 1, 7, 8, 9, 4095, 4096, 4097, 9000}) {
    FOR_EACH(length, {1, 3, 64}) checkTable(rows, length, 4096);
  }
}

TEST("batches of long lists have fewer rows") { checkTable(40, 1 << 20, 16); }

TEST("batches of long texts have fewer rows, and one of a text that is longer still has it alone") {
  const i64 size = BATCH_BYTES / 2 + 1;
  const std::vector<char> texts(3 * size, 'x');
  const std::vector<i64> begins = {0, size, 3 * size};
  const std::vector<i32> codes = {0, -1, 1, 0};
  Shown shown(4, {columnOf(textKind, "t", codes.data(), 0, begins.data(), texts.data())});
  CHECK(show_table(take, nullptr, "fits1", &shown.table()) == 0);
  const i64 rows[] = {2, 1, 1}, bytes[] = {size, 2 * size, size};
  for (int k = 0; k < 3; ++k) {
    arrow::Array read;
    CHECK(taken.get_next(&taken, &read) == 0);
    CHECK(read.length == rows[k] && at<i32>(*read.children[0], 1, rows[k]) == bytes[k]);
    read.release(&read);
  }
}

TEST("without anything null there are no bits") {
  const std::vector<f64> x = {1, 2, 3};
  Shown shown(3, {columnOf(doubleKind, "x", x.data()), columnOf(listKind, "l", x.data(), 1)});
  CHECK(show_table(take, nullptr, "fits1", &shown.table()) == 0);
  arrow::Array read;
  CHECK(taken.get_next(&taken, &read) == 0);
  CHECK(!read.children[0]->buffers[0] && read.children[0]->buffers[1] == x.data());
  CHECK(!read.children[1]->children[0]->buffers[0] && read.children[1]->children[0]->buffers[1] == x.data());
  read.release(&read);
  CHECK(!read.release);
}

TEST("a table that DuckDB does not take is said to be") {
  Shown shown(0, {});
  CHECK(show_table(take, nullptr, "refused", &shown.table()) == 1);
}
