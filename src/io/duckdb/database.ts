import type duckdbBindings from "@duckdb/node-bindings";
import { shortText } from "../read/vectors.js";
import type { DuckdbLibrary } from "./library.js";
import { holdReady, SETTINGS, TIME_ZONE } from "./settings.js";
import type { LibraryDatabase } from "./shared.js";
import type { SmallRow } from "./small-rows.js";

export type Bindings = typeof duckdbBindings;
type Connection = duckdbBindings.Connection;

export type Vector = duckdbBindings.Vector;

/** One of DuckDB's chunks of at most 2048 rows. */
export type DataChunk = duckdbBindings.DataChunk;

/**
 * An in-memory DuckDB by its binding, where its C interface cannot be had and for rows that are drawn. It works on the binding itself: the package that wraps it takes longer to load
 * (0.1 s) than all of DuckDB.
 */
export class Database {
  readonly bindings: Bindings;
  private readonly database: duckdbBindings.Database;
  /** Open connections, each with what it is doing. */
  private readonly connections = new Map<Connection, Promise<unknown>>();
  private closing: Promise<void> | undefined;

  private constructor(database: duckdbBindings.Database, bindings: Bindings) {
    this.database = database;
    this.bindings = bindings;
  }

  static async open(settings: Readonly<Record<string, string>> = {}): Promise<Database> {
    const { default: bindings } = await import("@duckdb/node-bindings");
    const config = bindings.create_config();
    for (const [name, value] of Object.entries({ ...SETTINGS, ...settings })) {
      bindings.set_config(config, name, value);
    }
    const database = new Database(await bindings.open(":memory:", config), bindings);
    await database.run(TIME_ZONE);
    return database;
  }

  get closed(): boolean {
    return this.closing !== undefined;
  }

  /** Runs statements one after the other, on one connection. */
  async run(...statements: string[]): Promise<void> {
    await this.connected((connection) => this.queried(connection, statements));
  }

  /**
   * All rows of the last statement's small result, whose columns are VARCHAR, BIGINT or DOUBLE. The statements share a connection,
   * and with it what is kept for a connection alone.
   */
  async query(...statements: string[]): Promise<SmallRow[]> {
    return this.connected(async (connection) => {
      const result = await this.queried(connection, statements);
      const rows: SmallRow[] = [];
      for (;;) {
        const chunk = await this.doing(connection, this.bindings.fetch_chunk(result));
        if (!chunk || this.bindings.data_chunk_get_size(chunk) === 0) return rows;
        rows.push(...this.records(result, chunk));
      }
    });
  }

  /**
   * A result chunk by chunk, in order. The next chunk is under way while the caller works on this one. Each stream has a connection of
   * its own: another query on it would cut the stream short without a word.
   */
  async *stream(sql: string, readyBytes: number): AsyncGenerator<DataChunk> {
    const { bindings } = this;
    const connection = await this.connect();
    try {
      await this.queried(connection, [holdReady(readyBytes)]);
      const prepared = await this.doing(connection, bindings.prepare(connection, sql));
      const result = await this.doing(connection, bindings.execute_prepared_streaming(prepared));
      let next = this.doing(connection, bindings.fetch_chunk(result));
      for (let chunk = await next; chunk && bindings.data_chunk_get_size(chunk) > 0; chunk = await next) {
        next = this.doing(connection, bindings.fetch_chunk(result));
        yield chunk;
      }
    } finally {
      await this.disconnect(connection);
    }
  }

  /** Has `fill` append chunks to a table. */
  async append(table: string, fill: (add: (chunk: DataChunk) => void) => Promise<void>): Promise<void> {
    const { bindings } = this;
    await this.connected(async (connection) => {
      const appender = bindings.appender_create(connection, null, table);
      await fill((chunk) => bindings.append_data_chunk(appender, chunk));
      bindings.appender_close_sync(appender);
    });
  }

  /** Ends every query in progress, which then rejects. */
  interrupt(): void {
    for (const connection of this.connections.keys()) this.bindings.interrupt(connection);
  }

  /** Ends every query in progress and gives everything back. */
  close(): Promise<void> {
    this.closing ??= (async () => {
      await Promise.all([...this.connections.keys()].map((connection) => this.disconnect(connection)));
      this.bindings.close_sync(this.database);
    })();
    return this.closing;
  }

  private async connected<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.connect();
    try {
      return await work(connection);
    } finally {
      await this.disconnect(connection);
    }
  }

  private async connect(): Promise<Connection> {
    if (this.closed) throw new Error("the database is closed");
    const connection = await this.bindings.connect(this.database);
    this.connections.set(connection, Promise.resolve());
    return connection;
  }

  /** The last statement's result. */
  private async queried(
    connection: Connection,
    statements: readonly string[],
  ): Promise<duckdbBindings.Result> {
    for (const sql of statements.slice(0, -1)) {
      await this.doing(connection, this.bindings.query(connection, sql));
    }
    return this.doing(connection, this.bindings.query(connection, statements[statements.length - 1]));
  }

  private doing<T>(connection: Connection, work: Promise<T>): Promise<T> {
    // Whoever awaits `work` meets its failure; here it only counts that it is over.
    this.connections.set(
      connection,
      work.catch(() => undefined),
    );
    return work;
  }

  /** Ends what the connection is doing before it is closed: closing under a running query would pull away its memory. */
  private async disconnect(connection: Connection): Promise<void> {
    const work = this.connections.get(connection);
    if (work === undefined) return;
    this.bindings.interrupt(connection);
    await work;
    if (this.connections.delete(connection)) this.bindings.disconnect_sync(connection);
  }

  private records(result: duckdbBindings.Result, chunk: DataChunk): Record<string, string | number | null>[] {
    const { bindings } = this;
    const records = Array.from(
      { length: bindings.data_chunk_get_size(chunk) },
      (): Record<string, string | number | null> => ({}),
    );
    for (let i = 0; i < bindings.column_count(result); i++) {
      const name = bindings.column_name(result, i);
      const values = this.valuesOf(
        bindings.data_chunk_get_vector(chunk, i),
        bindings.column_type(result, i),
        records.length,
      );
      records.forEach((record, row) => {
        record[name] = values[row];
      });
    }
    return records;
  }

  private valuesOf(vector: duckdbBindings.Vector, type: number, rows: number): (string | number | null)[] {
    const { bindings } = this;
    const { VARCHAR, BIGINT, DOUBLE } = bindings.Type;
    const validity = bindings.vector_get_validity(vector, 8 * Math.ceil(rows / 64));
    const bytes = bindings.vector_get_data(vector, rows * (type === VARCHAR ? 16 : 8));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const valueAt: Record<number, (row: number) => string | number> = {
      [VARCHAR]: (row) => textAt(bindings, bytes, row),
      [BIGINT]: (row) => Number(view.getBigInt64(row * 8, true)),
      [DOUBLE]: (row) => view.getFloat64(row * 8, true),
    };
    const at = valueAt[type];
    if (!at) throw new Error(`a query's result has a column of type ${bindings.Type[type]}`);
    return Array.from({ length: rows }, (_, row) =>
      bindings.validity_row_is_valid(validity, row) ? at(row) : null,
    );
  }
}

/** A database that files are read with. */
export type RowDatabase = Database | LibraryDatabase;

/** By DuckDB's C interface if that can be had. */
export async function openRowDatabase(): Promise<RowDatabase> {
  return (await libraryDatabase()) ?? (await Database.open());
}

let library: Promise<DuckdbLibrary | undefined> | undefined;

/**
 * A part in the process's database by DuckDB's C interface, where that and our code for it can be had: else everything goes by the binding,
 * only slower.
 */
export async function libraryDatabase(): Promise<LibraryDatabase | undefined> {
  library ??= import("./library.js").then(({ DuckdbLibrary }) => new DuckdbLibrary()).catch(() => undefined);
  const found = await library;
  if (!found) return undefined;
  const { LibraryDatabase } = await import("./shared.js");
  return new LibraryDatabase(found);
}

/** A DuckDB string: its length, then its bytes or, of a long one, four of them and their address. */
function textAt(bindings: Bindings, bytes: Uint8Array, row: number): string {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const [length, at] = [words[4 * row], bytes.byteOffset + 16 * row + 8];
  const long = (): Uint8Array => bindings.get_data_from_pointer(bytes.buffer as ArrayBuffer, at, length);
  return shortText(words, 4 * row) ?? Buffer.from(long()).toString();
}

/** A text as an SQL literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A list of texts as an SQL literal. */
export const literals = (texts: readonly string[]): string => `[${texts.map(literal).join(", ")}]`;

/** A name as an SQL identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A path as an SQL literal that names this very file, whatever pattern characters are in its name. */
export const pathLiteral = (path: string): string => literal(path.replace(/[*?[]/g, "[$&]"));

/** The n-th column, by position: a file's own column names never enter SQL. */
export const column = (position: number): string => `c${position}`;
