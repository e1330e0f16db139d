import duckdb from "@duckdb/node-bindings";
import type { Database, DataChunk } from "../duckdb/database.js";
import type { MemoryColumn } from "../duckdb/memory-table.js";

const { VARCHAR, BIGINT, INTEGER, DOUBLE } = duckdb.Type;

const TYPES: Readonly<Record<MemoryColumn["type"], () => duckdb.LogicalType>> = {
  VARCHAR: () => duckdb.create_logical_type(VARCHAR),
  BIGINT: () => duckdb.create_logical_type(BIGINT),
  INTEGER: () => duckdb.create_logical_type(INTEGER),
  DOUBLE: () => duckdb.create_logical_type(DOUBLE),
  "DOUBLE[]": () => duckdb.create_list_type(duckdb.create_logical_type(DOUBLE)),
};

/** Rows of one data chunk. */
const CHUNK_ROWS = 2048;

/** Creates a table of these columns. Its and its columns' names are the program's own, never the data's. */
export async function createTable(
  database: Database,
  table: string,
  columns: readonly MemoryColumn[],
): Promise<void> {
  await database.run(
    `CREATE TABLE ${table} (${columns.map(({ name, type }) => `${name} ${type}`).join(", ")})`,
  );
}

/**
 * Rows 0 … rows−1 of every column as chunks of DuckDB: numbers are copied as bytes, not value by value (1e5 rows of 72 doubles take
 * 0.1 s instead of seconds). What is not finite becomes NULL.
 */
export function* chunksOf(columns: readonly MemoryColumn[], rows: number): Generator<DataChunk> {
  const types = columns.map(({ type }) => TYPES[type]());
  for (let from = 0; from < rows; from += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, rows - from);
    const chunk = duckdb.create_data_chunk(types);
    duckdb.data_chunk_set_size(chunk, count);
    columns.forEach((column, i) => {
      fill(duckdb.data_chunk_get_vector(chunk, i), column, from, count);
    });
    yield chunk;
  }
}

function fill(vector: duckdb.Vector, column: MemoryColumn, from: number, count: number): void {
  const to = from + count;
  switch (column.type) {
    case "VARCHAR":
      fillText(vector, column, from, count);
      break;
    case "BIGINT":
      fillWhole(vector, column.values.subarray(from, to));
      break;
    case "INTEGER":
      copy(vector, column.values.subarray(from, to));
      break;
    case "DOUBLE":
      fillDoubles(vector, column.values.subarray(from, to));
      break;
    case "DOUBLE[]":
      fillLists(vector, column.values.subarray(from * column.length, to * column.length), column.length);
  }
}

function fillText(
  vector: duckdb.Vector,
  { codes, texts }: Extract<MemoryColumn, { type: "VARCHAR" }>,
  from: number,
  count: number,
): void {
  const nulls: number[] = [];
  for (let i = 0; i < count; i++) {
    const code = codes[from + i];
    if (code < 0) nulls.push(i);
    else duckdb.vector_assign_string_element(vector, i, texts[code]);
  }
  setNulls(vector, nulls, count);
}

function fillWhole(vector: duckdb.Vector, values: Float64Array): void {
  copy(
    vector,
    BigInt64Array.from(values, (value) => (Number.isFinite(value) ? BigInt(value) : 0n)),
  );
  setNulls(vector, notFinite(values), values.length);
}

function fillDoubles(vector: duckdb.Vector, values: Float64Array): void {
  copy(vector, values);
  setNulls(vector, notFinite(values), values.length);
}

function notFinite(values: Float64Array): number[] {
  const found: number[] = [];
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) found.push(i);
  return found;
}

/** Lists of equal length: entries (offset, length) in the vector, all values in its child. */
function fillLists(vector: duckdb.Vector, values: Float64Array, length: number): void {
  const entries = BigUint64Array.from({ length: (2 * values.length) / length }, (_, i) =>
    BigInt(i % 2 === 0 ? (i / 2) * length : length),
  );
  duckdb.list_vector_reserve(vector, values.length);
  duckdb.list_vector_set_size(vector, values.length);
  copy(vector, entries);
  fillDoubles(duckdb.list_vector_get_child(vector), values);
}

function copy(
  vector: duckdb.Vector,
  values: Float64Array | Int32Array | BigInt64Array | BigUint64Array,
): void {
  // Results may lie in shared memory, which the binding does not take.
  const own = values.buffer instanceof ArrayBuffer ? values : values.slice();
  duckdb.copy_data_to_vector(vector, 0, own.buffer as ArrayBuffer, own.byteOffset, own.byteLength);
}

/** The validity mask: one bit a row, 1 where there is a value. */
function setNulls(vector: duckdb.Vector, nulls: readonly number[], count: number): void {
  if (nulls.length === 0) return;
  const mask = new Uint8Array(8 * Math.ceil(count / 64)).fill(0xff);
  for (const i of nulls) mask[i >> 3] &= ~(1 << (i & 7));
  duckdb.vector_ensure_validity_writable(vector);
  duckdb.copy_data_to_vector_validity(vector, 0, mask.buffer, 0, mask.byteLength);
}
