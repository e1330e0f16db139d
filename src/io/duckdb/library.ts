// DuckDB's C interface, called through koffi, for what its binding for Node is slow at: every chunk of a result costs that a promise and a copy.
// https://duckdb.org/docs/stable/clients/c/api
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { arch, platform } from "node:process";
import koffi from "koffi";
import {
  ADDRESS as address,
  callOf,
  I64 as index,
  type LibraryCall,
  NOTHING as nothing,
  I32 as state,
  TEXT as text,
} from "../../library-calls.js";
import { LIBRARY_ENDING } from "../../shared-library.js";
import { addressOf, memoryOf } from "../../steady-memory.js";
import { type RowsLibrary, rowsLibrary } from "../rows-library.js";

/** What is called from here: the type of its answer, and of what it takes. */
const CALLED = {
  create_config: [state, address],
  set_config: [state, address, text, text],
  destroy_config: [nothing, address],
  open_ext: [state, text, address, address, address],
  close: [nothing, address],
  connect: [state, address, address],
  interrupt: [nothing, address],
  disconnect: [nothing, address],
  query: [state, address, text, address],
  prepare: [state, address, text, address],
  prepare_error: [text, address],
  destroy_prepare: [nothing, address],
  execute_prepared_streaming: [state, address, address],
  result_error: [text, address],
  column_count: [index, address],
  column_name: [text, address, index],
  column_type: [state, address, index],
  destroy_result: [nothing, address],
  destroy_data_chunk: [nothing, address],
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

export class DuckdbLibrary {
  readonly duckdb: Readonly<Record<keyof typeof CALLED, LibraryCall>>;
  private readonly rows: RowsLibrary;
  private readonly reading: BigUint64Array;
  /** DuckDB's function that takes a stream of Arrow's for a table. */
  private readonly arrowScan: bigint;

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
    this.arrowScan = duckdb.symbol("duckdb_arrow_scan") as bigint;
  }

  /**
   * Makes a table in memory (see memory-table.ts) known to the database of a connection.
   *
   * @throws Error where DuckDB does not take it
   */
  show(connection: bigint, name: string, table: bigint): void {
    if (this.rows.showTable(this.arrowScan, connection, name, table)) {
      throw new Error(`DuckDB does not take the table ${name}`);
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
