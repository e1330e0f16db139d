import { rm } from "node:fs/promises";
import { DuckDBInstance, quotedString } from "@duckdb/node-api";
import { ChunkAppender, type Column } from "../../io/write/chunks.js";
import { DUCKDB_SETTINGS, PARQUET_OPTIONS } from "../../io/write/parquet.js";
import { removeAtExit } from "../../io/write/whole.js";
import type { SimulateOptions } from "../../simulate.js";
import { DRAWN_ROWS, drawnRows, GROUP_COLUMN, variableNames } from "./write.js";

/** What DuckDB may hold in memory of rows not yet written; the rest waits in a folder beside the file. */
const MEMORY_LIMIT = "512MB";

/** Writes simulated rows as Parquet: `group` BIGINT, x1 … xd DOUBLE. */
export async function writeSimulatedParquet(
  data: SimulateOptions,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const spill = `${file}.spill`;
  removeAtExit(spill);
  const instance = await DuckDBInstance.create(":memory:", {
    ...DUCKDB_SETTINGS,
    memory_limit: MEMORY_LIMIT,
    temp_directory: spill,
  });
  const connection = await instance.connect();
  const interrupt = (): void => connection.interrupt();
  signal.addEventListener("abort", interrupt);
  try {
    const window = new ColumnWindow(data.dims);
    const appender = await ChunkAppender.create(connection, "rows", window.columns);
    for (const { group, rows, x } of drawnRows(data)) {
      for (let row = 0; row < rows; row++) {
        window.push(group, x, row);
        if (window.rows === DRAWN_ROWS) await window.flush(appender, signal);
      }
    }
    await window.flush(appender, signal);
    appender.close();
    await connection.run(`COPY rows TO ${quotedString(file)} (${PARQUET_OPTIONS})`);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", interrupt);
    connection.closeSync();
    instance.closeSync();
    await rm(spill, { recursive: true, force: true });
  }
}

/** Rows turned into columns, a window at a time. */
class ColumnWindow {
  rows = 0;
  readonly columns: readonly Column[];
  readonly #groups = new Int32Array(DRAWN_ROWS);
  readonly #variables: readonly Float64Array[];

  constructor(dims: number) {
    this.#variables = Array.from({ length: dims }, () => new Float64Array(DRAWN_ROWS));
    this.columns = [
      { name: `"${GROUP_COLUMN}"`, type: "BIGINT", values: this.#groups },
      ...variableNames(dims).map((name, j): Column => ({ name, type: "DOUBLE", values: this.#variables[j] })),
    ];
  }

  push(group: number, x: Float64Array, row: number): void {
    const d = this.#variables.length;
    this.#groups[this.rows] = group;
    for (let j = 0; j < d; j++) this.#variables[j][this.rows] = x[row * d + j];
    this.rows++;
  }

  /** Hands the window's rows on; gives the event loop its turn, so that an interrupt is heard. */
  async flush(appender: ChunkAppender, signal: AbortSignal): Promise<void> {
    appender.append(this.rows, signal);
    this.rows = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
