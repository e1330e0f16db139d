import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { InputError } from "../errors.js";
import { openRowDatabase, type RowDatabase } from "./duckdb/database.js";
import type { ReadContext } from "./read/context.js";
import type { NativeNumbers } from "./read/numbers.js";
import { select, selectSame } from "./read/schema.js";
import { type Part, Rows } from "./read/source.js";
import { spool } from "./read/stdin.js";
import type { Table, TableFile } from "./read/table.js";
import { type ReadOptions, ROW_FORMATS, type RowFormat, type RowSource } from "./rows.js";

interface Reader {
  readonly endings: readonly string[];
  open(file: TableFile, context: ReadContext): Promise<Table>;
}

/** Every format that can be read, by the ending of the file's name. */
const READERS: Readonly<Record<RowFormat, Reader>> = {
  csv: {
    endings: [".csv", ".csv.gz"],
    open: async (file, context) => (await import("./read/csv.js")).openCsv(file, context),
  },
  tsv: {
    endings: [".tsv", ".tsv.gz"],
    open: async (file, context) => (await import("./read/csv.js")).openCsv(file, context, "\t"),
  },
  parquet: {
    endings: [".parquet"],
    open: async (file, context) => (await import("./read/parquet.js")).openParquet(file, context),
  },
};

/** How standard input is named among the files. */
const STDIN = "-";

/**
 * Opens files of one schema as one source of rows: formats are told by the names' endings, `-` is standard input.
 *
 * A row is the values of the variables in float64. Missing are nulls, in text also empty cells and the usual markers (see
 * read/csv.ts); NaN and infinite values are values, which give their group the status `non-finite`, and so is a number in a text file
 * beyond the range of float64. A group key that is missing is a key of its own, null; in text this is the empty cell alone.
 *
 * @throws InputError for files that cannot be read, differ in schema or have no rows, and for columns that are not there or
 *   cannot be used as asked
 */
export async function openRows(files: readonly string[], options: ReadOptions): Promise<RowSource> {
  options.signal?.throwIfAborted();
  if (files.length === 0) throw new InputError("openRows: name at least one file");
  if (files.indexOf(STDIN) !== files.lastIndexOf(STDIN)) {
    throw new InputError('openRows: "-" (standard input) can be named once only');
  }
  const resources = new Resources(options.signal);
  try {
    const tables: Table[] = [];
    for (const file of files) tables.push(await openTable(file, options, resources));
    return new Rows(partsOf(tables, options), options, await nativeNumbers(), () => resources.close());
  } catch (error) {
    await resources.close();
    throw options.signal?.aborted ? options.signal.reason : error;
  }
}

/** Where there is code of the processor's own for them. */
async function nativeNumbers(): Promise<NativeNumbers | undefined> {
  try {
    const { NativeNumbers } = await import("./read/numbers.js");
    return new NativeNumbers();
  } catch {
    return undefined;
  }
}

function partsOf(tables: readonly Table[], options: ReadOptions): Part[] {
  // An untyped file without rows tells no types, so the first one with rows is the measure.
  const table = tables.find((one) => !one.empty);
  if (!table) {
    const which = tables.length === 1 ? tables[0].file : "the files";
    throw new InputError(`${which}: no rows, only the names of columns`);
  }
  const selection = select(table, options);
  const parts = tables.map((other) =>
    other === table ? { table, selection } : { table: other, selection: selectSame(other, table, selection) },
  );
  return parts.filter((part) => !part.table.empty);
}

async function openTable(name: string, options: ReadOptions, resources: Resources): Promise<Table> {
  if (name === STDIN) {
    if (!options.format) {
      throw new InputError(`openRows: standard input (-) needs a format: ${ROW_FORMATS.join(" or ")}`);
    }
    const file = await resources.spooled("standard input", process.stdin);
    return READERS[options.format].open(file, resources);
  }
  const about = await stat(name).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(
      `${name}: ${error.code === "ENOENT" ? "no such file" : `cannot be read: ${error.message}`}`,
    );
  });
  if (about.isDirectory()) throw new InputError(`${name}: is a directory; name the files in it`);
  const reader = READERS[formatOf(name) ?? options.format ?? refuse(name)];
  if (!about.isFile()) return reader.open(await resources.spooled(name, createReadStream(name)), resources);
  if (about.size === 0) throw new InputError(`${name}: the file is empty`);
  return reader.open({ path: resolve(name), name, gzip: /\.gz$/i.test(name) }, resources);
}

function formatOf(name: string): RowFormat | undefined {
  return ROW_FORMATS.find((format) =>
    READERS[format].endings.some((ending) => name.toLowerCase().endsWith(ending)),
  );
}

function refuse(name: string): never {
  const endings = ROW_FORMATS.flatMap((format) => READERS[format].endings);
  throw new InputError(
    `${name}: cannot tell the format by the name's ending; files that can be read end in ${endings.join(", ")}`,
  );
}

/** What the readers of one source hold until it is closed. */
class Resources implements ReadContext {
  readonly signal: AbortSignal | undefined;
  private opened: Promise<RowDatabase> | undefined;
  private readonly removals: (() => Promise<void>)[] = [];
  private readonly abort = () => void this.closeDatabase();

  constructor(signal: AbortSignal | undefined) {
    this.signal = signal;
    signal?.addEventListener("abort", this.abort, { once: true });
  }

  database(): Promise<RowDatabase> {
    this.opened ??= openRowDatabase();
    return this.opened;
  }

  async spooled(name: string, stream: Readable): Promise<TableFile> {
    const { path, bytes, gzip, remove } = await spool(stream, this.signal);
    this.removals.push(remove);
    if (bytes === 0) throw new InputError(`${name}: is empty`);
    return { path, name, gzip };
  }

  async close(): Promise<void> {
    this.signal?.removeEventListener("abort", this.abort);
    await this.closeDatabase();
    for (const remove of this.removals.splice(0)) await remove();
  }

  private async closeDatabase(): Promise<void> {
    // One that could not be opened has been reported where it was asked for.
    const database = await this.opened?.catch(() => undefined);
    await database?.close();
  }
}
