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
