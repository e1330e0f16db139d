// DuckDB's C interface, called through koffi, for what its binding for Node is slow at: every chunk of a result costs that a promise and a copy.
// https://duckdb.org/docs/stable/clients/c/api
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { arch, platform } from "node:process";
import koffi from "koffi";
import { ADDRESS as address, callOf, type LibraryCall, TEXT as text } from "../../library-calls.js";
import { LIBRARY_ENDING } from "../../shared-library.js";
import { addressOf, memoryOf } from "../../steady-memory.js";
import { type RowsLibrary, rowsLibrary } from "../rows-library.js";

const state = "int32_t";

/** What is called from here: the type of its answer, and of what it takes. */
const CALLED = {
  create_config: [state, address],
  set_config: [state, address, text, text],
  destroy_config: ["void", address],
  open_ext: [state, text, address, address, address],
  close: ["void", address],
  connect: [state, address, address],
  interrupt: ["void", address],
  disconnect: ["void", address],
  query: [state, address, text, address],
  prepare: [state, address, text, address],
  prepare_error: [text, address],
  destroy_prepare: ["void", address],
  execute_prepared_streaming: [state, address, address],
  result_error: [text, address],
  column_count: ["int64_t", address],
  column_name: [text, address, "int64_t"],
  column_type: [state, address, "int64_t"],
  destroy_result: ["void", address],
  destroy_data_chunk: ["void", address],
} as const satisfies Record<string, readonly string[]>;

/** What kernels/rows/rows.cpp calls: in the order of Functions in kernels/rows/duckdb.hpp. */
const READING = [
  "fetch_chunk",
  "destroy_data_chunk",
  "data_chunk_get_size",
  "data_chunk_get_vector",
  "vector_get_data",
  "vector_get_validity",
];

/** What kernels/rows/table.cpp calls: in the order of TableFunctions in kernels/rows/duckdb.hpp. */
const SHOWING = [
  "create_table_function",
  "destroy_table_function",
  "table_function_set_name",
  "table_function_set_extra_info",
  "table_function_set_bind",
  "table_function_set_init",
  "table_function_set_function",
  "register_table_function",
  "bind_get_extra_info",
  "bind_add_result_column",
  "bind_set_cardinality",
  "init_get_extra_info",
  "init_set_max_threads",
  "function_get_extra_info",
  "create_logical_type",
  "create_list_type",
  "destroy_logical_type",
  "data_chunk_set_size",
  "data_chunk_get_vector",
  "vector_get_data",
  "vector_get_validity",
  "vector_ensure_validity_writable",
  "vector_assign_string_element_len",
  "list_vector_reserve",
  "list_vector_set_size",
  "list_vector_get_child",
];

export class DuckdbLibrary {
  readonly duckdb: Readonly<Record<keyof typeof CALLED, LibraryCall>>;
  private readonly rows: RowsLibrary;
  private readonly reading: BigUint64Array;
  private readonly showing: BigUint64Array;

  /**
   * DuckDB's library, which comes with its binding, and ours that reads from it.
   *
   * @throws Error where there is no such library for this platform, or it does not load
   */
  constructor() {
    this.rows = rowsLibrary();
    const duckdb = koffi.load(duckdbFile(), { lazy: true }); // most of its functions are never called
    const called = Object.entries(CALLED).map(([name, [answer, ...types]]) => [
      name,
      callOf(duckdb, `duckdb_${name}`, answer, types),
    ]);
    this.duckdb = Object.fromEntries(called) as DuckdbLibrary["duckdb"];
    const addressesOf = (names: readonly string[]) => {
      const addresses = new BigUint64Array(memoryOf(8 * names.length));
      names.forEach((name, i) => {
        addresses[i] = duckdb.symbol(`duckdb_${name}`) as bigint;
      });
      return addresses;
    };
    this.reading = addressesOf(READING);
    this.showing = addressesOf(SHOWING);
  }

  /**
   * Makes a table in memory (see memory-table.ts) known to the database of a connection, as a function without parameters.
   *
   * @throws Error where DuckDB does not take it
   */
  show(connection: bigint, name: string, table: bigint): void {
    if (this.rows.registerTable(addressOf(this.showing), connection, name, table)) {
      throw new Error(`DuckDB does not take the table function ${name}`);
    }
  }

  /** Fills a block (see blocks.ts) with rows of a result. */
  async read(result: bigint, block: bigint): Promise<void> {
    await this.rows.readRows.later(addressOf(this.reading), result, block);
  }
}

function duckdbFile(): string {
  const binding = createRequire(import.meta.url).resolve("@duckdb/node-bindings");
  const own = createRequire(binding).resolve(`@duckdb/node-bindings-${platform}-${arch}/package.json`);
  return join(dirname(own), `${platform === "win32" ? "" : "lib"}duckdb.${LIBRARY_ENDING}`);
}
