import { Handles, LibraryConnection } from "./connection.js";
import type { DuckdbLibrary } from "./library.js";
import type { MemoryTable } from "./memory-table.js";
import { LibraryResult } from "./result.js";
import { holdReady, SETTINGS, TIME_ZONE } from "./settings.js";
import { rowsOf, type SmallRow } from "./small-rows.js";

const DATABASE = { config: 0, database: 1, error: 2, count: 3 } as const;

/** Of whoever has a part in the process's database, and of what it does there: ends it. */
interface Closed {
  close(): Promise<void>;
}

/**
 * The process's in-memory database by DuckDB's C interface. The first who wants it has it opened, in a thread of Node's pool: it takes 15 ms.
 * It ends when the last has done with it.
 */
class SharedDatabase {
  private static current: SharedDatabase | undefined;
  readonly library: DuckdbLibrary;
  readonly opened: Promise<void>;
  /** What it has been shown, which must stay where it is. */
  readonly tables: MemoryTable[] = [];
  private readonly handles = new Handles(DATABASE.count);
  private parts = 0;

  private constructor(library: DuckdbLibrary) {
    this.library = library;
    this.opened = this.open();
    this.opened.catch(() => undefined); // met where it is awaited
  }

  static join(library: DuckdbLibrary): SharedDatabase {
    SharedDatabase.current ??= new SharedDatabase(library);
    SharedDatabase.current.parts++;
    return SharedDatabase.current;
  }

  get handle(): bigint {
    return this.handles.of(DATABASE.database);
  }

  async leave(): Promise<void> {
    if (--this.parts > 0) return;
    SharedDatabase.current = undefined;
    await this.opened.catch(() => undefined);
    if (this.handle !== 0n) await this.library.duckdb.close.later(this.handles.at(DATABASE.database));
  }

  private async open(): Promise<void> {
    const { duckdb } = this.library;
    const { handles } = this;
    duckdb.create_config(handles.at(DATABASE.config));
    const config = handles.of(DATABASE.config);
    for (const [name, value] of Object.entries(SETTINGS)) duckdb.set_config(config, name, value);
    const [database, error] = [handles.at(DATABASE.database), handles.at(DATABASE.error)];
    const failed = await duckdb.open_ext.later(":memory:", database, config, error);
    duckdb.destroy_config(handles.at(DATABASE.config));
    if (failed) throw new Error("DuckDB does not open a database in memory");
    const connection = new LibraryConnection(this.library, this.handle);
    try {
      await connection.run(TIME_ZONE);
    } finally {
      await connection.close();
    }
  }
}

/** A part in that database, with what is done by it. */
export class LibraryDatabase {
  private readonly shared: SharedDatabase;
  private readonly doings = new Set<Closed>();
  private closing: Promise<void> | undefined;

  constructor(library: DuckdbLibrary) {
    this.shared = SharedDatabase.join(library);
  }

  get closed(): boolean {
    return this.closing !== undefined;
  }

  /**
   * A result to be read in blocks, of a query on a connection of its own.
   *
   * @throws Error with DuckDB's message
   */
  result(sql: string, readyBytes: number): Promise<LibraryResult> {
    return this.resultOf([holdReady(readyBytes)], sql);
  }

  /**
   * All rows of the last statement's small result, whose columns are VARCHAR, BIGINT or DOUBLE. The statements share a connection,
   * and with it what is kept for a connection alone.
   */
  async query(...statements: string[]): Promise<SmallRow[]> {
    const result = await this.resultOf(statements.slice(0, -1), statements[statements.length - 1]);
    try {
      return await rowsOf(result);
    } finally {
      this.doings.delete(result);
      await result.close();
    }
  }

  /**
   * Runs a statement that reads a table in memory, once.
   *
   * @throws Error with DuckDB's message; the signal's reason where it aborts
   */
  async runOn(table: MemoryTable, sql: string, signal?: AbortSignal): Promise<void> {
    const connection = new LibraryConnection(this.shared.library, await this.opened());
    this.doings.add(connection);
    const interrupt = (): void => connection.interrupt();
    signal?.addEventListener("abort", interrupt);
    try {
      signal?.throwIfAborted();
      this.shared.tables.push(table);
      connection.show(table);
      await connection.run(sql);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", interrupt);
      this.doings.delete(connection);
      await connection.close();
    }
  }

  /** Ends what is being done by it and gives everything back. */
  close(): Promise<void> {
    this.closing ??= (async () => {
      await this.shared.opened.catch(() => undefined);
      await Promise.all([...this.doings].map((one) => one.close()));
      await this.shared.leave();
    })();
    return this.closing;
  }

  private async resultOf(statements: readonly string[], sql: string): Promise<LibraryResult> {
    const result = new LibraryResult(this.shared.library, await this.opened(), statements, sql);
    this.doings.add(result);
    try {
      await result.begun;
    } catch (error) {
      this.doings.delete(result);
      await result.close();
      throw error;
    }
    return result;
  }

  /** The database's handle. */
  private async opened(): Promise<bigint> {
    await this.shared.opened;
    if (this.closing) throw new Error("the database is closed");
    return this.shared.handle;
  }
}
