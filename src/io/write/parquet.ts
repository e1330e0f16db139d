import { STATUSES } from "../../status.js";
import { Database, identifier, libraryDatabase, literal } from "../duckdb/database.js";
import type { MemoryColumn } from "../duckdb/memory-table.js";
import type { GroupType, GroupValue } from "../rows.js";
import { type FitsResult, SCALAR_COLUMNS } from "./result.js";

/** SQL types that a key's text is turned back into; all others (enumerations, say) stay text. */
const RESTORABLE =
  /^(BOOLEAN|U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(\d+, ?\d+\)|DATE|TIME|TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?|UUID)$/;

const WHOLE = /^U?(TINYINT|SMALLINT|INTEGER|BIGINT)$/;

/**
 * Floating-point numbers hardly repeat: looking for a dictionary of them takes most of the time (1e5 groups of d = 8: 2.2 s with, 0.8 s
 * without) and saves no space.
 */
export const PARQUET_OPTIONS = "FORMAT parquet, DICTIONARY_SIZE_LIMIT 1";

/** Groups of one row group of fits: several threads write, and each in its cache (1e5 groups of d = 8: half the processor time). */
const FITS_OPTIONS = `${PARQUET_OPTIONS}, ROW_GROUP_SIZE 4096`;

/**
 * Parquet, one row a group: the group columns in the types that they were read in, the scalars of the CSV file, `mean` a list of
 * d and `covariance` a list of d·d doubles, row by row. What is not finite is null.
 */
export async function writeParquet(result: FitsResult, file: string, signal?: AbortSignal): Promise<void> {
  const library = await libraryDatabase();
  if (!library) return writeByBinding(result, file, signal);
  const { MemoryTable } = await import("../duckdb/memory-table.js");
  try {
    const table = new MemoryTable(`fits${++tables}`, result.fits.groups, columnsOf(result));
    await library.runOn(table, copyOf(table.name, result, file), signal);
  } finally {
    await library.close();
  }
}

/** So far: no two of a database have one name. */
let tables = 0;

/** The same by DuckDB's binding, which first copies the fits into a table of the database's. */
export async function writeByBinding(result: FitsResult, file: string, signal?: AbortSignal): Promise<void> {
  const { chunksOf, createTable } = await import("./chunks.js");
  await withDatabase({}, signal, async (database) => {
    const columns = columnsOf(result);
    await createTable(database, "fits", columns);
    await database.append("fits", async (add) => {
      for (const chunk of chunksOf(columns, result.fits.groups)) {
        signal?.throwIfAborted();
        add(chunk);
      }
    });
    await database.run(copyOf("fits", result, file));
  });
}

const copyOf = (from: string, { groups }: FitsResult, file: string): string =>
  `COPY (SELECT ${selection(groups.types)} FROM ${from}) TO ${literal(file)} (${FITS_OPTIONS})`;

/** A database for as long as `work` takes; an abort ends what it is doing. */
export async function withDatabase(
  settings: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
  work: (database: Database) => Promise<void>,
): Promise<void> {
  const database = await Database.open(settings);
  const interrupt = (): void => database.interrupt();
  signal?.addEventListener("abort", interrupt);
  try {
    await work(database);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", interrupt);
    await database.close();
  }
}

/** Fits as columns: keys k0, k1, … as whole numbers or text, then everything else in its own type. */
function columnsOf({ fits, groups }: FitsResult): MemoryColumn[] {
  const d = fits.dims;
  return [
    ...groups.types.map(({ type }, i) => keyColumn(`k${i}`, type, fits.groups, (g) => groups.key(g)[i])),
    { name: "n", type: "BIGINT", values: fits.count },
    { name: "status", type: "VARCHAR", codes: Int32Array.from(fits.statusCode), texts: STATUSES },
    { name: "log_likelihood", type: "DOUBLE", values: fits.logLikelihood },
    { name: "aic", type: "DOUBLE", values: fits.aic },
    { name: "bic", type: "DOUBLE", values: fits.bic },
    { name: "iterations", type: "INTEGER", values: fits.iterations },
    { name: "residual", type: "DOUBLE", values: fits.residual },
    { name: "gap", type: "DOUBLE", values: fits.gap },
    { name: "mean", type: "DOUBLE[]", values: fits.mean, length: d },
    { name: "covariance", type: "DOUBLE[]", values: fits.covariance, length: d * d },
  ];
}

function keyColumn(name: string, type: string, groups: number, key: (g: number) => GroupValue): MemoryColumn {
  const whole = WHOLE.test(type) ? wholeNumbers(groups, key) : undefined;
  if (whole) return { name, type: "BIGINT", values: whole };
  const codes = new Int32Array(groups);
  const texts: string[] = [];
  for (let g = 0; g < groups; g++) {
    const value = key(g);
    codes[g] = value === null ? -1 : texts.push(String(value)) - 1;
  }
  return { name, type: "VARCHAR", codes, texts };
}

/** The keys as numbers, NaN for null, if each is one: to write and read them as text takes several times as long. */
function wholeNumbers(groups: number, key: (g: number) => GroupValue): Float64Array | undefined {
  const values = new Float64Array(groups);
  for (let g = 0; g < groups; g++) {
    const value = key(g);
    if (typeof value !== "number" && value !== null) return undefined;
    values[g] = value ?? Number.NaN;
  }
  return values;
}

function selection(types: readonly GroupType[]): string {
  const keys = types.map(({ name, type }, i) => {
    const key = RESTORABLE.test(type) ? `CAST(k${i} AS ${type})` : `k${i}`;
    return `${key} AS ${identifier(name)}`;
  });
  return [...keys, ...SCALAR_COLUMNS, "mean", "covariance"].join(", ");
}
