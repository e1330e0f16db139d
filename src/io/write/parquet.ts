import { Database, identifier, literal } from "../duckdb/database.js";
import type { GroupType } from "../rows.js";
import { type Column, chunksOf, createTable } from "./chunks.js";
import { type FitsResult, SCALAR_COLUMNS } from "./result.js";

/** SQL types that a key's text is turned back into; all others (enumerations, say) stay text. */
const RESTORABLE =
  /^(BOOLEAN|U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(\d+, ?\d+\)|DATE|TIME|TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?|UUID)$/;

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
  await withDatabase({}, signal, async (database) => {
    await stage(database, result, signal);
    await database.run(
      `COPY (SELECT ${selection(result.groups.types)} FROM fits) TO ${literal(file)} (${FITS_OPTIONS})`,
    );
  });
}

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

/** Fits as a table of DuckDB: keys k0, k1, … as text, then everything else in its own type. */
async function stage(database: Database, result: FitsResult, signal?: AbortSignal): Promise<void> {
  const { fits, groups } = result;
  const d = fits.dims;
  const columns: Column[] = [
    ...groups.types.map(
      (_, i): Column => ({ name: `k${i}`, type: "VARCHAR", text: (g) => keyText(groups.key(g)[i]) }),
    ),
    { name: "n", type: "BIGINT", values: fits.count },
    { name: "status", type: "VARCHAR", text: (g) => fits.status[g] },
    { name: "log_likelihood", type: "DOUBLE", values: fits.logLikelihood },
    { name: "aic", type: "DOUBLE", values: fits.aic },
    { name: "bic", type: "DOUBLE", values: fits.bic },
    { name: "iterations", type: "INTEGER", values: fits.iterations },
    { name: "residual", type: "DOUBLE", values: fits.residual },
    { name: "gap", type: "DOUBLE", values: fits.gap },
    { name: "mean", type: "DOUBLE[]", values: fits.mean, length: d },
    { name: "covariance", type: "DOUBLE[]", values: fits.covariance, length: d * d },
  ];
  await createTable(database, "fits", columns);
  await database.append("fits", async (add) => {
    for (const chunk of chunksOf(columns, fits.groups)) {
      signal?.throwIfAborted();
      add(chunk);
    }
  });
}

function selection(types: readonly GroupType[]): string {
  const keys = types.map(({ name, type }, i) => {
    const key = RESTORABLE.test(type) ? `CAST(k${i} AS ${type})` : `k${i}`;
    return `${key} AS ${identifier(name)}`;
  });
  return [...keys, ...SCALAR_COLUMNS, "mean", "covariance"].join(", ");
}

const keyText = (value: string | number | bigint | boolean | null): string | null =>
  value === null ? null : String(value);
