import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import type duckdbBindings from "@duckdb/node-bindings";
import {
  type Chunk,
  INLINE_BYTES,
  type KeyStorage,
  type KeyVector,
  type RealVector,
  type Validity,
} from "./table.js";
import { isValid } from "./vectors.js";

type Bindings = typeof duckdbBindings;

/** Extensions are never fetched, and nothing is ever spilled to disk. */
const SETTINGS = {
  autoinstall_known_extensions: "false",
  autoload_known_extensions: "false",
  temp_directory: "",
};

/** Bytes of a vector's element. */
const WIDTH = { int64: 8, float64: 8, text: 16 };

/** What a query's columns hold: the reals first, then the keys. */
export interface ChunkLayout {
  readonly reals: number;
  readonly keys: readonly KeyStorage[];
}

/** An in-memory DuckDB, used to read files. */
export class Database {
  private readonly instance: DuckDBInstance;
  private readonly bindings: Bindings;
  /** Open connections, each with what it is doing. */
  private readonly connections = new Map<DuckDBConnection, Promise<unknown>>();
  private closing: Promise<void> | undefined;

  private constructor(instance: DuckDBInstance, bindings: Bindings) {
    this.instance = instance;
    this.bindings = bindings;
  }

  static async open(): Promise<Database> {
    const [{ DuckDBInstance }, { default: bindings }] = await Promise.all([
      import("@duckdb/node-api"),
      import("@duckdb/node-bindings"),
    ]);
    const database = new Database(await DuckDBInstance.create(":memory:", SETTINGS), bindings);
    // Times with a zone are written in UTC, whatever the machine's own.
    await database.query("SET GLOBAL TimeZone = 'UTC'");
    return database;
  }

  get closed(): boolean {
    return this.closing !== undefined;
  }

  /**
   * All rows of the last statement's small result; BIGINT comes as bigint. The statements share a connection, and with it
   * what is kept for a connection alone.
   */
  async query(...statements: string[]): Promise<Record<string, unknown>[]> {
    const connection = await this.connect();
    try {
      let rows: Record<string, unknown>[] = [];
      for (const sql of statements) {
        const result = await this.doing(connection, connection.runAndReadAll(sql));
        rows = result.getRowObjectsJS();
      }
      return rows;
    } finally {
      await this.disconnect(connection);
    }
  }

  /**
   * A result chunk by chunk, as raw columns. The next chunk is under way while the caller works on this one. Each stream
   * has a connection of its own: another query on it would cut the stream short without a word.
   */
  async *stream(sql: string, layout: ChunkLayout): AsyncGenerator<Chunk> {
    const connection = await this.connect();
    try {
      const result = await this.doing(connection, connection.stream(sql));
      let next = this.doing(connection, result.fetchChunk());
      for (let chunk = await next; chunk && chunk.rowCount > 0; chunk = await next) {
        next = this.doing(connection, result.fetchChunk());
        yield this.columnsOf(chunk.chunk, chunk.rowCount, layout);
      }
    } finally {
      await this.disconnect(connection);
    }
  }

  /** Ends every query in progress, which then rejects, and gives everything back. */
  close(): Promise<void> {
    this.closing ??= (async () => {
      await Promise.all([...this.connections.keys()].map((connection) => this.disconnect(connection)));
      this.instance.closeSync();
    })();
    return this.closing;
  }

  private async connect(): Promise<DuckDBConnection> {
    if (this.closed) throw new Error("the database is closed");
    const connection = await this.instance.connect();
    this.connections.set(connection, Promise.resolve());
    return connection;
  }

  private doing<T>(connection: DuckDBConnection, work: Promise<T>): Promise<T> {
    // Whoever awaits `work` meets its failure; here it only counts that it is over.
    this.connections.set(
      connection,
      work.catch(() => undefined),
    );
    return work;
  }

  /** Ends what the connection is doing before it is closed: closing under a running query would pull away its memory. */
  private async disconnect(connection: DuckDBConnection): Promise<void> {
    const work = this.connections.get(connection);
    if (work === undefined) return;
    connection.interrupt();
    await work;
    if (this.connections.delete(connection)) connection.closeSync();
  }

  private columnsOf(
    chunk: Parameters<Bindings["data_chunk_get_vector"]>[0],
    rows: number,
    layout: ChunkLayout,
  ): Chunk {
    const { bindings } = this;
    const reals: RealVector[] = [];
    const keys: KeyVector[] = [];
    for (let column = 0; column < layout.reals + layout.keys.length; column++) {
      const vector = bindings.data_chunk_get_vector(chunk, column);
      // A whole number of 64-bit words, which is how the engine keeps the bits.
      const validity: Validity = bindings.vector_get_validity(vector, 8 * Math.ceil(rows / 64)) ?? undefined;
      const storage = column < layout.reals ? "float64" : layout.keys[column - layout.reals];
      const bytes = bindings.vector_get_data(vector, rows * WIDTH[storage]);
      const buffer = bytes.buffer as ArrayBuffer;
      if (column < layout.reals) {
        reals.push({ values: new Float64Array(buffer, bytes.byteOffset, rows), validity });
        continue;
      }
      const words = new Uint32Array(buffer, bytes.byteOffset, bytes.byteLength / 4);
      const heap = storage === "text" ? this.heapOf(words, validity) : NO_BYTES;
      keys.push({ words, heap, validity });
    }
    return { rows, reals, keys };
  }

  /**
   * Fetches the long texts and puts their positions in place of their addresses. Neighbours in a column are mostly
   * neighbours in memory, so a few calls fetch them all.
   */
  private heapOf(words: Uint32Array, validity: Validity): Uint8Array {
    const runs: Uint8Array[] = [];
    let run = { address: 0, bytes: 0 };
    let position = 0;
    const fetch = () => {
      if (run.bytes === 0) return;
      const pointer = new Uint32Array([run.address, run.address / 2 ** 32]);
      runs.push(this.bindings.get_data_from_pointer(pointer.buffer, 0, run.bytes));
    };
    for (let row = 0; row * 4 < words.length; row++) {
      const length = words[row * 4];
      if (length <= INLINE_BYTES || !isValid(validity, row)) continue;
      const address = words[row * 4 + 2] + words[row * 4 + 3] * 2 ** 32;
      if (address !== run.address + run.bytes) {
        fetch();
        run = { address, bytes: 0 };
      }
      run.bytes += length;
      words[row * 4 + 2] = position;
      position += length;
    }
    fetch();
    return runs.length === 1 ? runs[0] : Buffer.concat(runs);
  }
}

const NO_BYTES = new Uint8Array(0);

/** A text as an SQL literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A list of texts as an SQL literal. */
export const literals = (texts: readonly string[]): string => `[${texts.map(literal).join(", ")}]`;

/** A path as an SQL literal that names this very file, whatever pattern characters are in its name. */
export const pathLiteral = (path: string): string => literal(path.replace(/[*?[]/g, "[$&]"));

/** The n-th column, by position: a file's own column names never enter SQL. */
export const column = (position: number): string => `c${position}`;
