// duckdb.hpp: what is called of DuckDB's C interface (https://duckdb.org/docs/stable/clients/c/api).
#pragma once

namespace mvn::duckdb {

using u32 = unsigned;
using u64 = unsigned long long;

struct ChunkData;
struct VectorData;
using Chunk = ChunkData*;
using Vector = VectorData*;
using Connection = struct ConnectionData*;
using LogicalType = struct LogicalTypeData*;
using TableFunction = struct TableFunctionData*;
using BindInfo = struct BindInfoData*;
using InitInfo = struct InitInfoData*;
using FunctionInfo = struct FunctionInfoData*;

// duckdb_result, which is handed over by value.
struct Result {
  u64 deprecated[5];
  void* internal;
};

// The functions, found by whoever has loaded the library: in the order of READING in src/io/duckdb/library.ts.
struct Functions {
  Chunk (*fetch_chunk)(Result);
  void (*destroy_data_chunk)(Chunk*);
  u64 (*data_chunk_get_size)(Chunk);
  Vector (*data_chunk_get_vector)(Chunk, u64);
  void* (*vector_get_data)(Vector);
  u64* (*vector_get_validity)(Vector);
};

// duckdb_type
enum class TypeCode : int { INTEGER = 4, BIGINT = 5, DOUBLE = 11, VARCHAR = 17 };

// What tables in memory need of them: in the order of SHOWING there.
struct TableFunctions {
  TableFunction (*create_table_function)();
  void (*destroy_table_function)(TableFunction*);
  void (*table_function_set_name)(TableFunction, const char*);
  void (*table_function_set_extra_info)(TableFunction, void*, void (*)(void*));
  void (*table_function_set_bind)(TableFunction, void (*)(BindInfo));
  void (*table_function_set_init)(TableFunction, void (*)(InitInfo));
  void (*table_function_set_function)(TableFunction, void (*)(FunctionInfo, Chunk));
  int (*register_table_function)(Connection, TableFunction);
  void* (*bind_get_extra_info)(BindInfo);
  void (*bind_add_result_column)(BindInfo, const char*, LogicalType);
  void (*bind_set_cardinality)(BindInfo, u64, bool);
  void* (*init_get_extra_info)(InitInfo);
  void (*init_set_max_threads)(InitInfo, u64);
  void* (*function_get_extra_info)(FunctionInfo);
  LogicalType (*create_logical_type)(TypeCode);
  LogicalType (*create_list_type)(LogicalType);
  void (*destroy_logical_type)(LogicalType*);
  void (*data_chunk_set_size)(Chunk, u64);
  Vector (*data_chunk_get_vector)(Chunk, u64);
  void* (*vector_get_data)(Vector);
  u64* (*vector_get_validity)(Vector);
  void (*vector_ensure_validity_writable)(Vector);
  void (*vector_assign_string_element_len)(Vector, u64, const char*, u64);
  void (*list_vector_reserve)(Vector, u64);
  void (*list_vector_set_size)(Vector, u64);
  Vector (*list_vector_get_child)(Vector);
};

// A text: its bytes lie in it to INLINE of them, else where it points.
struct Text {
  static constexpr u32 INLINE = 12;
  u32 length;
  u32 start;
  union {
    const char* bytes;
    u64 position;
  };
};

}  // namespace mvn::duckdb
