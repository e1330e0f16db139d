import { addressOf, memoryOf } from "../../steady-memory.js";
import type { DuckdbLibrary } from "./library.js";
import type { MemoryTable } from "./memory-table.js";

/** A number of handles, in memory that C writes to. */
export class Handles {
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

/** A result takes six words, the last of which is its own memory. */
const CONNECTION = { connection: 0, other: 2, count: 8 } as const;

/** Runs one statement after the other, each in a thread of Node's pool. */
export class LibraryConnection {
  private readonly library: DuckdbLibrary;
  private readonly handles = new Handles(CONNECTION.count);
  private working: Promise<unknown> = Promise.resolve();
  private closing: Promise<void> | undefined;

  constructor(library: DuckdbLibrary, database: bigint) {
    this.library = library;
    if (library.duckdb.connect(database, this.handles.at(CONNECTION.connection))) {
      throw new Error("DuckDB does not connect to its database");
    }
  }

  get handle(): bigint {
    return this.handles.of(CONNECTION.connection);
  }

  /** @throws Error with DuckDB's message */
  async run(sql: string): Promise<void> {
    const { duckdb } = this.library;
    const other = this.handles.at(CONNECTION.other);
    try {
      if (await this.doing(duckdb.query.later(this.handle, sql, other))) {
        throw new Error(String(duckdb.result_error(other)));
      }
    } finally {
      duckdb.destroy_result(other);
    }
  }

  show(table: MemoryTable): void {
    this.library.show(this.handle, table.name, table.address);
  }

  interrupt(): void {
    this.library.duckdb.interrupt(this.handle);
  }

  /** Ends what is being done, then runs `giveBack` and closes the connection. */
  close(giveBack: () => void = () => undefined): Promise<void> {
    this.closing ??= (async () => {
      this.interrupt();
      await this.working.catch(() => undefined); // whoever awaits it meets its failure
      giveBack();
      this.library.duckdb.disconnect(this.handles.at(CONNECTION.connection));
    })();
    return this.closing;
  }

  /** @throws Error where the connection has been closed meanwhile */
  async doing<T>(work: Promise<T>): Promise<T> {
    this.working = work;
    const done = await work;
    if (this.closing) throw new Error("the database is closed");
    return done;
  }
}
