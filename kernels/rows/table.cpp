// table.cpp: the export register_table (see kernels/README.md). Shows columns that lie in memory to DuckDB as a table, chunk by chunk, so that a query
// reads them from where they are.
#include "cpu/export.hpp"
#include "mvn/real.hpp"
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
};

struct Table {
  i64 rows;
  i64 next;  // the next row to be read
  i64 columns;
  Column column[1];
};

constexpr i64 CHUNK_ROWS = 2048;

// Of the one library in the process. A callback is told no more than what it may ask these for.
TableFunctions api;

bool isNull(f64 x) { return !(x - x == 0); }

LogicalType typeOf(i64 kind) {
  if (kind != listKind) {
    return api.create_logical_type(kind == wholeKind     ? TypeCode::BIGINT
                                      : kind == integerKind ? TypeCode::INTEGER
                                      : kind == doubleKind  ? TypeCode::DOUBLE
                                                            : TypeCode::VARCHAR);
  }
  LogicalType element = api.create_logical_type(TypeCode::DOUBLE);
  LogicalType list = api.create_list_type(element);
  api.destroy_logical_type(&element);
  return list;
}

void setNull(Vector vector, i64 row) {
  api.vector_ensure_validity_writable(vector);
  api.vector_get_validity(vector)[row / 64] &= ~(u64(1) << row % 64);
}

void fillDoubles(Vector vector, const f64* from, i64 count) {
  __builtin_memcpy(api.vector_get_data(vector), from, u64(count) * sizeof(f64));
  for (i64 k = 0; k < count; ++k) {
    if (isNull(from[k])) setNull(vector, k);
  }
}

// A list vector holds where each list begins in its child, and how long it is.
void fillLists(Vector vector, const f64* from, i64 length, i64 count) {
  auto entries = static_cast<u64*>(api.vector_get_data(vector));
  for (i64 r = 0; r < count; ++r) {
    entries[2 * r] = u64(r * length);
    entries[2 * r + 1] = u64(length);
  }
  api.list_vector_reserve(vector, u64(count * length));
  api.list_vector_set_size(vector, u64(count * length));
  fillDoubles(api.list_vector_get_child(vector), from, count * length);
}

void fillTexts(Vector vector, const Column& column, const i32* from, i64 count) {
  for (i64 r = 0; r < count; ++r) {
    if (from[r] < 0) {
      setNull(vector, r);
      continue;
    }
    const i64 begin = column.begins[from[r]], end = column.begins[from[r] + 1];
    api.vector_assign_string_element_len(vector, u64(r), column.texts + begin, u64(end - begin));
  }
}

void fill(Vector vector, const Column& column, i64 first, i64 count) {
  const auto reals = static_cast<const f64*>(column.values);
  const auto integers = static_cast<const i32*>(column.values);
  switch (column.kind) {
    case wholeKind: {
      auto to = static_cast<i64*>(api.vector_get_data(vector));
      for (i64 r = 0; r < count; ++r) {
        if (isNull(reals[first + r])) setNull(vector, r);
        else to[r] = i64(reals[first + r]);
      }
      return;
    }
    case integerKind:
      __builtin_memcpy(api.vector_get_data(vector), integers + first, u64(count) * sizeof(i32));
      return;
    case doubleKind: return fillDoubles(vector, reals + first, count);
    case listKind: return fillLists(vector, reals + first * column.length, column.length, count);
    default: return fillTexts(vector, column, integers + first, count);
  }
}

void bind(BindInfo info) {
  const auto& table = *static_cast<const Table*>(api.bind_get_extra_info(info));
  for (i64 c = 0; c < table.columns; ++c) {
    LogicalType type = typeOf(table.column[c].kind);
    api.bind_add_result_column(info, table.column[c].name, type);
    api.destroy_logical_type(&type);
  }
  api.bind_set_cardinality(info, u64(table.rows), true);
}

// One thread reads it, in the order of the rows.
void begin(InitInfo info) {
  static_cast<Table*>(api.init_get_extra_info(info))->next = 0;
  api.init_set_max_threads(info, 1);
}

void read(FunctionInfo info, Chunk chunk) {
  auto& table = *static_cast<Table*>(api.function_get_extra_info(info));
  const i64 left = table.rows - table.next, count = left < CHUNK_ROWS ? left : CHUNK_ROWS;
  for (i64 c = 0; c < table.columns && count > 0; ++c) {
    fill(api.data_chunk_get_vector(chunk, u64(c)), table.column[c], table.next, count);
  }
  table.next += count;
  api.data_chunk_set_size(chunk, u64(count));
}

void forget(void*) {}

}  // namespace

// The table is known on the connection's database by its name and two brackets, and must stay where it is until the database is closed.
// Not 0: DuckDB does not take it.
MVN_EXPORT(register_table)
i32 register_table(const TableFunctions* functions, Connection connection, const char* name, Table* table) {
  api = *functions;
  TableFunction function = api.create_table_function();
  api.table_function_set_name(function, name);
  api.table_function_set_extra_info(function, table, forget);
  api.table_function_set_bind(function, bind);
  api.table_function_set_init(function, begin);
  api.table_function_set_function(function, read);
  const i32 state = api.register_table_function(connection, function);
  api.destroy_table_function(&function);
  return state;
}
