// table_test.cpp: columns in memory are shown chunk by chunk, and nothing is read or written beside them. DuckDB is played.
#include <cstring>
#include <memory>

#include "check.hpp"
#include "rows/table.cpp"

struct mvn::duckdb::VectorData {
  std::vector<char> data;
  std::vector<u64> validity;  // only where it was asked for
  std::vector<std::string> texts;
  std::unique_ptr<VectorData> child;
};

struct mvn::duckdb::ChunkData {
  i64 rows = -1;
  std::vector<VectorData> columns;
};

struct mvn::duckdb::LogicalTypeData {
  int code;  // 100 for a list
};

struct mvn::duckdb::TableFunctionData {
  std::string name;
  void* extra = nullptr;
  void (*bind)(BindInfo) = nullptr;
  void (*init)(InitInfo) = nullptr;
  void (*function)(FunctionInfo, Chunk) = nullptr;
};

struct mvn::duckdb::BindInfoData {
  void* extra;
  std::vector<std::pair<std::string, int>> columns;
  u64 rows = 0;
};

namespace {

TableFunctionData taken;  // what was registered
int types = 0;            // that have not been given back
u64 threads = 0;

const TableFunctions FUNCTIONS = {
    .create_table_function = [] { return new TableFunctionData; },
    .destroy_table_function =
        [](TableFunction* function) {
          delete *function;
          *function = nullptr;
        },
    .table_function_set_name = [](TableFunction function, const char* name) { function->name = name; },
    .table_function_set_extra_info = [](TableFunction function, void* extra, void (*)(void*)) { function->extra = extra; },
    .table_function_set_bind = [](TableFunction function, void (*bind)(BindInfo)) { function->bind = bind; },
    .table_function_set_init = [](TableFunction function, void (*init)(InitInfo)) { function->init = init; },
    .table_function_set_function = [](TableFunction function, void (*read)(FunctionInfo, Chunk)) { function->function = read; },
    .register_table_function =
        [](Connection, TableFunction function) {
          taken = *function;
          return function->name == "refused" ? 1 : 0;
        },
    .bind_get_extra_info = [](BindInfo info) { return info->extra; },
    .bind_add_result_column =
        [](BindInfo info, const char* name, LogicalType type) { info->columns.push_back({name, type->code}); },
    .bind_set_cardinality = [](BindInfo info, u64 rows, bool) { info->rows = rows; },
    .init_get_extra_info = [](InitInfo) { return taken.extra; },
    .init_set_max_threads = [](InitInfo, u64 most) { threads = most; },
    .function_get_extra_info = [](FunctionInfo) { return taken.extra; },
    .create_logical_type = [](TypeCode code) { return ++types, new LogicalTypeData{int(code)}; },
    .create_list_type = [](LogicalType) { return ++types, new LogicalTypeData{100}; },
    .destroy_logical_type =
        [](LogicalType* type) {
          --types;
          delete *type;
        },
    .data_chunk_set_size = [](Chunk chunk, u64 rows) { chunk->rows = i64(rows); },
    .data_chunk_get_vector = [](Chunk chunk, u64 column) { return &chunk->columns[column]; },
    .vector_get_data = [](Vector vector) -> void* { return vector->data.data(); },
    .vector_get_validity = [](Vector vector) { return vector->validity.data(); },
    .vector_ensure_validity_writable =
        [](Vector vector) {
          if (vector->validity.empty()) vector->validity.assign((vector->data.size() / 8 + 63) / 64, ~u64(0));
        },
    .vector_assign_string_element_len =
        [](Vector vector, u64 row, const char* text, u64 length) { vector->texts.at(row) = std::string(text, length); },
    .list_vector_reserve = [](Vector vector, u64 values) { vector->child->data.resize(values * 8); },
    .list_vector_set_size = [](Vector vector, u64 values) { CHECK(vector->child->data.size() == values * 8); },
    .list_vector_get_child = [](Vector vector) { return vector->child.get(); },
};

// A chunk of five columns, as DuckDB hands it over: room for 2048 rows.
ChunkData emptyChunk() {
  ChunkData chunk;
  for (i64 kind = 0; kind < 5; ++kind) {
    VectorData vector;
    vector.data.resize(CHUNK_ROWS * 16);
    vector.texts.resize(kind == textKind ? CHUNK_ROWS : 0);
    if (kind == listKind) vector.child = std::make_unique<VectorData>();
    chunk.columns.push_back(std::move(vector));
  }
  return chunk;
}

template <class T> T at(const VectorData& vector, i64 k) {
  T value;
  std::memcpy(&value, vector.data.data() + k * i64(sizeof(T)), sizeof(T));
  return value;
}
bool isValid(const VectorData& vector, i64 k) {
  return vector.validity.empty() || (vector.validity[k / 64] >> k % 64 & 1);
}

// A table with a column of each kind, in memory of exactly its size, and what is read of it.
void checkTable(i64 rows, i64 length) {
  std::vector<f64> whole, real, list;
  std::vector<i32> integer, code;
  for (i64 r = 0; r < rows; ++r) {
    whole.push_back(f64(r) * 1e12);
    integer.push_back(i32(-r));
    real.push_back(r % 7 == 3 ? NAN : r % 11 == 5 ? INFINITY : f64(r) / 3);
    for (i64 e = 0; e < length; ++e) list.push_back((r + e) % 5 == 4 ? NAN : f64(r) + f64(e) / 100);
    code.push_back(r % 4 == 3 ? -1 : i32(r % 4));
  }
  const std::vector<char> texts = {'a', 'b', 'c'};  // "", "ab", "c"
  const std::vector<i64> begins = {0, 0, 2, 3};
  const i64 words = i64(sizeof(Table) + 4 * sizeof(Column));
  std::vector<char> memory(words);
  auto table = reinterpret_cast<Table*>(memory.data());
  table->rows = rows;
  table->next = 99;  // of a reading before
  table->columns = 5;
  const Column columns[] = {{wholeKind, "n", whole.data(), 0, nullptr, nullptr},
                            {integerKind, "i", integer.data(), 0, nullptr, nullptr},
                            {doubleKind, "x", real.data(), 0, nullptr, nullptr},
                            {listKind, "l", list.data(), length, nullptr, nullptr},
                            {textKind, "t", code.data(), 0, begins.data(), texts.data()}};
  std::memcpy(table->column, columns, sizeof columns);
  CHECK(register_table(&FUNCTIONS, nullptr, "fits1", table) == 0 && taken.name == "fits1");
  BindInfoData info{taken.extra, {}, 0};
  taken.bind(&info);
  CHECK(types == 0 && info.rows == u64(rows) && info.columns.size() == 5);
  const int codes[] = {5, 4, 11, 100, 17};
  for (int c = 0; c < 5; ++c) CHECK(info.columns[c].second == codes[c] && info.columns[c].first == columns[c].name);
  taken.init(nullptr);
  CHECK(threads == 1);
  i64 first = 0;
  for (;;) {
    ChunkData chunk = emptyChunk();
    taken.function(nullptr, &chunk);
    CHECK(chunk.rows == std::min(CHUNK_ROWS, rows - first));
    if (chunk.rows <= 0) break;
    for (i64 r = 0; r < chunk.rows; ++r) {
      const i64 row = first + r;
      CHECK(at<i64>(chunk.columns[0], r) == i64(whole[row]) && at<i32>(chunk.columns[1], r) == integer[row]);
      CHECK(isValid(chunk.columns[2], r) == std::isfinite(real[row]));
      if (std::isfinite(real[row])) CHECK(at<f64>(chunk.columns[2], r) == real[row]);
      CHECK(at<u64>(chunk.columns[3], 2 * r) == u64(r * length) && at<u64>(chunk.columns[3], 2 * r + 1) == u64(length));
      for (i64 e = 0; e < length; ++e) {
        const f64 value = list[row * length + e];
        CHECK(isValid(*chunk.columns[3].child, r * length + e) == std::isfinite(value));
        if (std::isfinite(value)) CHECK(at<f64>(*chunk.columns[3].child, r * length + e) == value);
      }
      CHECK(isValid(chunk.columns[4], r) == (code[row] >= 0));
      const char* expected[] = {"", "ab", "c"};
      if (code[row] >= 0) CHECK(chunk.columns[4].texts[r] == expected[code[row]]);
    }
    first += chunk.rows;
  }
  CHECK(first == rows);
}

}  // namespace

TEST("a table is shown whole, in its order, chunk by chunk") {
  FOR_EACH(rows, {0, 1, 63, 64, 2047, 2048, 2049, 5000}) {
    FOR_EACH(length, {1, 3, 64}) checkTable(rows, length);
  }
}

TEST("a table that DuckDB does not take is said to be") {
  Table table{0, 0, 0, {}};
  CHECK(register_table(&FUNCTIONS, nullptr, "refused", &table) == 1);
}
