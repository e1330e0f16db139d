import { addressOf, memoryOf } from "../../steady-memory.js";
import type { DuckdbLibrary } from "./library.js";

/** A number of handles, in memory that C writes to. */
class Handles {
  private readonly words: BigUint64Array;

  constructor(count: number) {
    this.words = new BigUint64Array(memoryOf(8 * count));
  }

  /** Where handle i lies. */
  at(i: number): bigint {
    return addressOf(this.words) + BigInt(8 * i);
  }

  /** Handle i, 0n where there is none. */
  of(i: number): bigint {
    return this.words[i];
  }
}

const DATABASE = { config: 0, database: 1, error: 2, count: 3 } as const;

/** An in-memory database by DuckDB's C interface. It opens in a thread of Node's pool. */
export class LibraryDatabase {
  private readonly library: DuckdbLibrary;
  private readonly handles = new Handles(DATABASE.count);
  private readonly opened: Promise<void>;
  private readonly results = new Set<LibraryResult>();
  private closing: Promise<void> | undefined;

  constructor(library: DuckdbLibrary, settings: Readonly<Record<string, string>>) {
    this.library = library;
    this.opened = this.open(settings);
    this.opened.catch(() => undefined); // met where it is awaited
  }

  /**
   * The result of a query on a connection of its own, on which the statements are run before.
   *
   * @throws Error with DuckDB's message
   */
  async result(statements: readonly string[], sql: string): Promise<LibraryResult> {
    await this.opened;
    if (this.closing) throw new Error("the database is closed");
    const result = new LibraryResult(this.library, this.handles.of(DATABASE.database), statements, sql);
    this.results.add(result);
    await result.begun;
    return result;
  }

  /** Ends what is being done and gives everything back. */
  close(): Promise<void> {
    this.closing ??= this.freed();
    return this.closing;
  }

  private async freed(): Promise<void> {
    await this.opened.catch(() => undefined);
    await Promise.all([...this.results].map((result) => result.close()));
    if (this.handles.of(DATABASE.database) !== 0n) {
      await this.library.duckdb.close.later(this.handles.at(DATABASE.database));
    }
  }

  private async open(settings: Readonly<Record<string, string>>): Promise<void> {
    const { duckdb } = this.library;
    const { handles } = this;
    duckdb.create_config(handles.at(DATABASE.config));
    const config = handles.of(DATABASE.config);
    for (const [name, value] of Object.entries(settings)) duckdb.set_config(config, name, value);
    const [database, error] = [handles.at(DATABASE.database), handles.at(DATABASE.error)];
    const failed = await duckdb.open_ext.later(":memory:", database, config, error);
    duckdb.destroy_config(handles.at(DATABASE.config));
    if (failed) throw new Error("DuckDB does not open a database in memory");
  }
}

/**
 * A result takes six words, the last of which is its own memory. With the two after it, `cursor` is the Cursor of kernels/rows/rows.cpp,
 * which begins with the result.
 */
const RESULT = {
  connection: 0,
  prepared: 1,
  other: 2,
  cursor: 8,
  memory: 13,
  waiting: 14,
  count: 16,
} as const;

/** The result of one query, read in threads of Node's pool. */
export class LibraryResult {
  /** Whether the query has begun: rejects with DuckDB's message where it cannot. */
  readonly begun: Promise<void>;
  private readonly library: DuckdbLibrary;
  private readonly handles = new Handles(RESULT.count);
  private working: Promise<unknown> = Promise.resolve();
  private closing: Promise<void> | undefined;

  constructor(library: DuckdbLibrary, database: bigint, statements: readonly string[], sql: string) {
    this.library = library;
    this.begun = this.begin(database, statements, sql);
    this.begun.catch(() => undefined); // met where it is awaited
  }

  /** Fills the block at this address with what comes next. */
  async read(block: bigint): Promise<void> {
    const cursor = this.handles.at(RESULT.cursor);
    await this.doing(this.library.read(cursor, block));
    const message = this.library.duckdb.result_error(cursor);
    if (typeof message === "string") throw new Error(message);
  }

  /** Ends what is being done and gives everything back. */
  close(): Promise<void> {
    if (this.closing) return this.closing;
    const connection = this.handles.of(RESULT.connection);
    if (connection !== 0n) this.library.duckdb.interrupt(connection);
    this.closing = this.freed();
    return this.closing;
  }

  private async freed(): Promise<void> {
    // Whoever awaits them meets their failures.
    await this.begun.catch(() => undefined);
    await this.working.catch(() => undefined);
    const { duckdb } = this.library;
    const { handles } = this;
    if (handles.of(RESULT.waiting) !== 0n) duckdb.destroy_data_chunk(handles.at(RESULT.waiting));
    if (handles.of(RESULT.memory) !== 0n) duckdb.destroy_result(handles.at(RESULT.cursor));
    if (handles.of(RESULT.prepared) !== 0n) duckdb.destroy_prepare(handles.at(RESULT.prepared));
    if (handles.of(RESULT.connection) !== 0n) duckdb.disconnect(handles.at(RESULT.connection));
  }

  private async begin(database: bigint, statements: readonly string[], sql: string): Promise<void> {
    const { duckdb } = this.library;
    if (duckdb.connect(database, this.handles.at(RESULT.connection))) {
      throw new Error("DuckDB does not connect to its database");
    }
    for (const statement of statements) await this.run(statement);
    await this.execute(sql);
  }

  private async run(sql: string): Promise<void> {
    const { duckdb } = this.library;
    const other = this.handles.at(RESULT.other);
    try {
      if (await this.doing(duckdb.query.later(this.handles.of(RESULT.connection), sql, other))) {
        throw new Error(String(duckdb.result_error(other)));
      }
    } finally {
      duckdb.destroy_result(other);
    }
  }

  private async execute(sql: string): Promise<void> {
    const { duckdb } = this.library;
    const { handles } = this;
    const prepare = duckdb.prepare.later(handles.of(RESULT.connection), sql, handles.at(RESULT.prepared));
    if (await this.doing(prepare)) {
      throw new Error(String(duckdb.prepare_error(handles.of(RESULT.prepared))));
    }
    const cursor = handles.at(RESULT.cursor);
    if (await this.doing(duckdb.execute_prepared_streaming.later(handles.of(RESULT.prepared), cursor))) {
      throw new Error(String(duckdb.result_error(cursor)));
    }
  }

  private async doing<T>(work: Promise<T>): Promise<T> {
    this.working = work;
    const done = await work;
    if (this.closing) throw new Error("the database is closed");
    return done;
  }
}
