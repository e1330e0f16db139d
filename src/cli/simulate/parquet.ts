import { rm } from "node:fs/promises";
import { type DataChunk, literal } from "../../io/duckdb/database.js";
import type { MemoryColumn } from "../../io/duckdb/memory-table.js";
import { chunksOf, createTable } from "../../io/write/chunks.js";
import { PARQUET_OPTIONS, withDatabase } from "../../io/write/parquet.js";
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
  const settings = { memory_limit: MEMORY_LIMIT, temp_directory: spill };
  try {
    await withDatabase(settings, signal, async (database) => {
      const window = new ColumnWindow(data.dims);
      await createTable(database, "rows", window.columns);
      await database.append("rows", async (add) => {
        for (const { group, rows, x } of drawnRows(data)) {
          for (let row = 0; row < rows; row++) {
            window.push(group, x, row);
            if (window.rows === DRAWN_ROWS) await window.flush(add, signal);
          }
        }
        await window.flush(add, signal);
      });
      await database.run(`COPY rows TO ${literal(file)} (${PARQUET_OPTIONS})`);
    });
  } finally {
    await rm(spill, { recursive: true, force: true });
  }
}

/** Rows turned into columns, a window at a time. */
class ColumnWindow {
  rows = 0;
  readonly columns: readonly MemoryColumn[];
  readonly #groups = new Float64Array(DRAWN_ROWS);
  readonly #variables: readonly Float64Array[];

  constructor(dims: number) {
    this.#variables = Array.from({ length: dims }, () => new Float64Array(DRAWN_ROWS));
    this.columns = [
      { name: `"${GROUP_COLUMN}"`, type: "BIGINT", values: this.#groups },
      ...variableNames(dims).map(
        (name, j): MemoryColumn => ({ name, type: "DOUBLE", values: this.#variables[j] }),
      ),
    ];
  }

  push(group: number, x: Float64Array, row: number): void {
    const d = this.#variables.length;
    this.#groups[this.rows] = group;
    for (let j = 0; j < d; j++) this.#variables[j][this.rows] = x[row * d + j];
    this.rows++;
  }

  /** Hands the window's rows on; gives the event loop its turn, so that an interrupt is heard. */
  async flush(add: (chunk: DataChunk) => void, signal: AbortSignal): Promise<void> {
    for (const chunk of chunksOf(this.columns, this.rows)) add(chunk);
    signal.throwIfAborted();
    this.rows = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
