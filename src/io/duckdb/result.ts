import { Handles, LibraryConnection } from "./connection.js";
import type { DuckdbLibrary } from "./library.js";

/** With the two words after the result, `cursor` is the Cursor of kernels/rows/rows.cpp. */
const RESULT = { prepared: 0, cursor: 1, memory: 6, waiting: 7, count: 9 } as const;

/** The result of one query, read in threads of Node's pool. */
export class LibraryResult {
  /** Whether the query has begun: rejects with DuckDB's message where it cannot. */
  readonly begun: Promise<void>;
  private readonly library: DuckdbLibrary;
  private readonly connection: LibraryConnection;
  private readonly handles = new Handles(RESULT.count);

  constructor(library: DuckdbLibrary, database: bigint, statements: readonly string[], sql: string) {
    this.library = library;
    this.connection = new LibraryConnection(library, database);
    this.begun = this.begin(statements, sql);
    this.begun.catch(() => undefined); // met where it is awaited
  }

  /** Name and type, as a code of DuckDB's, of each column; once the query has begun. */
  get columns(): readonly { readonly name: string; readonly type: number }[] {
    const { duckdb } = this.library;
    const cursor = this.handles.at(RESULT.cursor);
    return Array.from({ length: Number(duckdb.column_count(cursor)) }, (_, i) => ({
      name: String(duckdb.column_name(cursor, i)),
      type: Number(duckdb.column_type(cursor, i)),
    }));
  }

  /** Fills the block at this address with what comes next. */
  async read(block: bigint): Promise<void> {
    const cursor = this.handles.at(RESULT.cursor);
    await this.connection.doing(this.library.read(cursor, block));
    const message = this.library.duckdb.result_error(cursor);
    if (typeof message === "string") throw new Error(message);
  }

  /** Ends what is being done and gives everything back. */
  async close(): Promise<void> {
    const { duckdb } = this.library;
    const { handles } = this;
    await this.connection.close(() => {
      if (handles.of(RESULT.waiting) !== 0n) duckdb.destroy_data_chunk(handles.at(RESULT.waiting));
      if (handles.of(RESULT.memory) !== 0n) duckdb.destroy_result(handles.at(RESULT.cursor));
      if (handles.of(RESULT.prepared) !== 0n) duckdb.destroy_prepare(handles.at(RESULT.prepared));
    });
  }

  private async begin(statements: readonly string[], sql: string): Promise<void> {
    const { duckdb } = this.library;
    const { handles, connection } = this;
    for (const statement of statements) await connection.run(statement);
    const prepare = duckdb.prepare.later(connection.handle, sql, handles.at(RESULT.prepared));
    if (await connection.doing(prepare)) {
      throw new Error(String(duckdb.prepare_error(handles.of(RESULT.prepared))));
    }
    const cursor = handles.at(RESULT.cursor);
    const prepared = handles.of(RESULT.prepared);
    if (await connection.doing(duckdb.execute_prepared_streaming.later(prepared, cursor))) {
      throw new Error(String(duckdb.result_error(cursor)));
    }
  }
}
