import { addressOf, type DuckdbLibrary } from "./duckdb-library.js";

/**
 * Where DuckDB's handles lie in `places`, in words of eight bytes. A result takes six, the last of which is its own memory; with the two after it,
 * `result` is the Cursor of kernels/rows/rows.cpp.
 */
const PLACE = { config: 0, database: 1, connection: 2, prepared: 3, error: 4, other: 5, result: 11 } as const;
const MEMORY = 5;
const WAITING = 6;
const PLACES = 20;

/** The result of one query in an in-memory database of its own, read in threads of Node's pool. */
export class LibraryResult {
  /** Whether the query has begun: rejects with DuckDB's message where it cannot. */
  readonly begun: Promise<void>;
  private readonly library: DuckdbLibrary;
  private readonly places = new BigUint64Array(new ArrayBuffer(8 * PLACES));
  private working: Promise<unknown> = Promise.resolve();
  private closing: Promise<void> | undefined;

  /**
   * @param settings of the database
   * @param statements to run before the query
   */
  constructor(
    library: DuckdbLibrary,
    settings: Readonly<Record<string, string>>,
    statements: readonly string[],
    sql: string,
  ) {
    this.library = library;
    this.begun = this.begin(settings, statements, sql);
    this.begun.catch(() => undefined); // met where it is awaited
  }

  /** Fills the block at this address with what comes next. */
  async read(block: bigint): Promise<void> {
    await this.doing(this.library.read(this.at(PLACE.result), block));
    const message = this.library.duckdb.result_error(this.at(PLACE.result));
    if (typeof message === "string") throw new Error(message);
  }

  /** Has what is being done reject. */
  interrupt(): void {
    const connection = this.places[PLACE.connection];
    if (connection !== 0n && !this.closing) this.library.duckdb.interrupt(connection);
  }

  /** Ends what is being done and gives everything back. */
  close(): Promise<void> {
    if (this.closing) return this.closing;
    this.interrupt();
    this.closing = this.freed();
    return this.closing;
  }

  private async freed(): Promise<void> {
    // Whoever awaits them meets their failures.
    await this.begun.catch(() => undefined);
    await this.working.catch(() => undefined);
    const { duckdb } = this.library;
    if (this.places[PLACE.result + WAITING] !== 0n)
      duckdb.destroy_data_chunk(this.at(PLACE.result + WAITING));
    if (this.places[PLACE.result + MEMORY] !== 0n) duckdb.destroy_result(this.at(PLACE.result));
    if (this.places[PLACE.prepared] !== 0n) duckdb.destroy_prepare(this.at(PLACE.prepared));
    if (this.places[PLACE.connection] !== 0n) duckdb.disconnect(this.at(PLACE.connection));
    if (this.places[PLACE.database] !== 0n) await duckdb.close.later(this.at(PLACE.database));
  }

  private async begin(
    settings: Readonly<Record<string, string>>,
    statements: readonly string[],
    sql: string,
  ): Promise<void> {
    await this.open(settings);
    for (const statement of statements) await this.run(statement);
    await this.execute(sql);
  }

  private async open(settings: Readonly<Record<string, string>>): Promise<void> {
    const { duckdb } = this.library;
    duckdb.create_config(this.at(PLACE.config));
    const config = this.places[PLACE.config];
    for (const [name, value] of Object.entries(settings)) duckdb.set_config(config, name, value);
    const opened = duckdb.open_ext.later(":memory:", this.at(PLACE.database), config, this.at(PLACE.error));
    const failed = await this.doing(opened);
    duckdb.destroy_config(this.at(PLACE.config));
    if (failed) throw new Error("DuckDB does not open a database in memory");
    if (duckdb.connect(this.places[PLACE.database], this.at(PLACE.connection))) {
      throw new Error("DuckDB does not connect to its database");
    }
  }

  private async run(sql: string): Promise<void> {
    const { duckdb } = this.library;
    const other = this.at(PLACE.other);
    const failed = await this.doing(duckdb.query.later(this.places[PLACE.connection], sql, other));
    const message = failed ? duckdb.result_error(other) : null;
    duckdb.destroy_result(other);
    if (failed) throw new Error(String(message));
  }

  private async execute(sql: string): Promise<void> {
    const { duckdb } = this.library;
    const [connection, result] = [this.places[PLACE.connection], this.at(PLACE.result)];
    if (await this.doing(duckdb.prepare.later(connection, sql, this.at(PLACE.prepared)))) {
      throw new Error(String(duckdb.prepare_error(this.places[PLACE.prepared])));
    }
    const prepared = this.places[PLACE.prepared];
    if (await this.doing(duckdb.execute_prepared_streaming.later(prepared, result))) {
      throw new Error(String(duckdb.result_error(result)));
    }
  }

  private async doing<T>(work: Promise<T>): Promise<T> {
    if (this.closing) throw new Error("the database is closed");
    this.working = work;
    return work;
  }

  private at(place: number): bigint {
    return addressOf(this.places) + BigInt(8 * place);
  }
}
