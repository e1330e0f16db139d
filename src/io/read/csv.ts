import { InputError } from "../../errors.js";
import { column, literal, literals, pathLiteral, type RowDatabase } from "../duckdb/database.js";
import { streamChunks } from "./chunks.js";
import { type ReadContext, unreadable } from "./context.js";
import { DELIMITERS, fieldsOf, recordAt } from "./csv-text.js";
import type { Chunk, Selection, Table, TableColumn, TableFile } from "./table.js";
import { hasNull, tailOf } from "./vectors.js";

/** Cells of a variable or weight that count as missing, beside the empty one. NaN is not among them: it is a number's value. */
const MISSING_MARKERS = ["NA", "N/A", "n/a", "#N/A", "<NA>", "NULL", "null", "None"] as const;

/** Rows from which a column's type is guessed. */
const SAMPLE_ROWS = 20480;

/** Bytes read at a time for the sample: DuckDB's least, twice its longest line (2 MB). */
const SAMPLE_BUFFER = 4 * 2 ** 20;

/** Bytes that each of DuckDB's threads parses at a time, and its longest line. Its own 32 MB take several times that in memory and are no faster. */
const SCAN_BUFFER = 2 * 2 ** 20;

/** Bytes of rows that may be ready: each of its threads gives those of all its buffer at once. With 12 MB a file takes an eighth longer. */
const READY_BYTES = 20 * 2 ** 20;

/** A column counts as numeric where at least this share of the sampled cells are numbers; the others are then bad cells. */
const NUMERIC_SHARE = 0.5;

const LONGEST_MARKER = Math.max(...MISSING_MARKERS.map(({ length }) => length));

const MISSING_CELLS = `missing are: an empty cell, ${MISSING_MARKERS.join(", ")}`;

const KEY = { type: "VARCHAR", storage: "text", untyped: true } as const;

/** Comma- or tab-separated text (RFC 4180, UTF-8, a header line; also with `;` or `|`). */
export async function openCsv(file: TableFile, context: ReadContext, delimiter?: string): Promise<Table> {
  const header = await headerOf(file);
  const separator = delimiter ?? delimiterOf(header);
  return new CsvTable(
    file,
    context,
    await context.database(),
    fieldsOf(header, separator),
    separator,
  ).inspected();
}

async function headerOf(file: TableFile): Promise<string> {
  try {
    const header = await recordAt(file, 0, false);
    if (header && header.text !== "") return header.text;
  } catch (error) {
    throw new InputError(`${file.name}: cannot be read: ${(error as Error).message}`);
  }
  throw new InputError(`${file.name}: line 1 is empty, expected the names of the columns`);
}

/** The one that separates most names. */
function delimiterOf(header: string): string {
  const counts = DELIMITERS.map((delimiter) => fieldsOf(header, delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))];
}

class CsvTable implements Table {
  readonly file: string;
  readonly rows = undefined;
  columns: readonly TableColumn[] = [];
  empty = false;
  private readonly source: TableFile;
  private readonly context: ReadContext;
  private readonly database: RowDatabase;
  private readonly names: readonly string[];
  private readonly delimiter: string;

  constructor(
    source: TableFile,
    context: ReadContext,
    database: RowDatabase,
    names: readonly string[],
    delimiter: string,
  ) {
    this.file = source.name;
    this.context = context;
    this.source = source;
    this.database = database;
    // The name that DuckDB and others give to a column without one, such as the row names of a data frame.
    this.names = names.map((name, i) => (name === "" ? `column${i}` : name));
    this.delimiter = delimiter;
  }

  /** Looks at the first rows to tell numbers from text. */
  async inspected(): Promise<this> {
    const all = this.names.map((_, i) => i);
    const names = all.map(column);
    const numbers = names.map((c) => `TRY_CAST(${c} AS DOUBLE) AS ${c}_number`);
    // What is a number needs no other test, and most cells are.
    const counts = names.flatMap((c) => [
      `count(${c}_number) AS ${c}_numbers`,
      `count(${c}) FILTER (${c}_number IS NULL AND NOT (${isMarker(c)})) AS ${c}_others`,
      `count(*) FILTER (${c}_number IS NULL AND lower(${c}) IN ('true', 'false')) AS ${c}_booleans`,
      `min(${c}) FILTER (${c}_number IS NULL AND NOT (${isMarker(c)})) AS ${c}_example`,
    ]);
    const from = this.table(new Map(), "nullstr=''", "ignore_errors=true", `buffer_size=${SAMPLE_BUFFER}`);
    const sql = `SELECT count(*) AS sampled, ${counts} FROM (SELECT *, ${numbers} FROM (SELECT * FROM ${from} LIMIT ${SAMPLE_ROWS}))`;
    try {
      if (this.source.gzip) await this.avoidTwoThreads();
      const [sample] = await this.database.query(sql);
      this.empty = Number(sample.sampled) === 0 && (await recordAt(this.source, 1, false)) === undefined;
      this.columns = all.map((i) => this.columnFrom(sample, i));
      return this;
    } catch (error) {
      throw await this.explained(error, { variables: [], weights: undefined, groupBy: all });
    }
  }

  /**
   * With two threads DuckDB 1.5 keeps, in every second run or so, what it has decompressed until the file ends: 1.1 GB of a file of 1.5. With
   * one, three or more it did in none of 26; three on two cores take a tenth longer.
   */
  private async avoidTwoThreads(): Promise<void> {
    const [setting] = await this.database.query("SELECT current_setting('threads')::BIGINT AS threads");
    if (setting.threads === 2) await this.database.query("SET threads = 3", "SELECT 1::BIGINT AS done");
  }

  async *scan(selection: Selection): AsyncGenerator<Chunk> {
    try {
      yield* this.chunks(selection);
    } catch (error) {
      throw await this.explained(error, selection);
    }
  }

  async place(row: number): Promise<string> {
    const record = await this.record(row);
    return record ? `${this.file}:${record.line}` : `${this.file}: row ${row + 1}`;
  }

  async cell(row: number, position: number): Promise<string> {
    const record = await this.record(row);
    const text = record ? fieldsOf(record.text, this.delimiter)[position] : undefined;
    return text ? `"${text}"` : "an empty cell";
  }

  private record(row: number) {
    return recordAt(this.source, row + 1, this.names.length === 1);
  }

  private columnFrom(sample: Record<string, unknown>, i: number): TableColumn {
    const [numbers, others, booleans] = ["numbers", "others", "booleans"].map((what) =>
      Number(sample[`${column(i)}_${what}`]),
    );
    const cells = numbers + others;
    const boolean = cells > 0 && booleans === cells;
    const numeric = boolean || (numbers > 0 && numbers >= NUMERIC_SHARE * cells);
    const example = sample[`${column(i)}_example`];
    return {
      name: this.names[i],
      type: boolean ? "BOOLEAN" : numeric ? "DOUBLE" : "VARCHAR",
      numeric,
      readable: numeric || numbers > 0 || cells === 0,
      ...(typeof example === "string" ? { example } : {}),
      key: KEY,
    };
  }

  /**
   * In a group column "NA" is a name like any other, but DuckDB has one list of null texts for all columns. So the markers
   * are null everywhere as long as no group key is null; from the first chunk on where one is, they are picked out of the
   * variables alone, which takes a sixth longer.
   */
  private async *chunks(selection: Selection): AsyncGenerator<Chunk> {
    let done = 0;
    let ambiguous = false;
    for await (const chunk of this.markersAreNull(selection)) {
      ambiguous = chunk.keys.some(({ validity }) => hasNull(validity, chunk.rows));
      if (ambiguous) break;
      yield chunk;
      done += chunk.rows;
    }
    if (!ambiguous) return;
    let skip = done;
    for await (const chunk of this.markersPickedOut(selection)) {
      if (skip < chunk.rows) yield skip === 0 ? chunk : tailOf(chunk, skip);
      skip = Math.max(0, skip - chunk.rows);
    }
  }

  private markersAreNull(selection: Selection): AsyncGenerator<Chunk> {
    return this.stream(this.typed(selection), selection, (i) => `CAST(${column(i)} AS DOUBLE)`);
  }

  private markersPickedOut(selection: Selection): AsyncGenerator<Chunk> {
    return this.stream(this.table(new Map(), "nullstr=''", `buffer_size=${SCAN_BUFFER}`), selection, (i) => {
      const cell = `CAST(${column(i)} AS ${this.numberType(i)})`;
      return `CAST(CASE WHEN ${isMarker(column(i))} THEN NULL ELSE ${cell} END AS DOUBLE)`;
    });
  }

  private stream(table: string, selection: Selection, number: (i: number) => string): AsyncGenerator<Chunk> {
    const { variables, weights, groupBy } = selection;
    const layout = {
      variables: variables.map(number),
      weights: weights === undefined ? undefined : number(weights),
      keys: groupBy.map((i) => ({ sql: column(i), storage: KEY.storage })),
    };
    return streamChunks(this.database, table, layout, READY_BYTES);
  }

  /** The file with its variables and weights as numbers. */
  private typed(selection: Selection, ...options: string[]): string {
    const types = new Map(realsOf(selection).map((i) => [i, this.numberType(i)]));
    const markers = `nullstr=${literals(["", ...MISSING_MARKERS])}`;
    return this.table(types, markers, `buffer_size=${SCAN_BUFFER}`, ...options);
  }

  private numberType(position: number): string {
    return this.columns[position].type === "BOOLEAN" ? "BOOLEAN" : "DOUBLE";
  }

  /** The file as a table of columns c0, c1, …: text, but for the types given. */
  private table(types: ReadonlyMap<number, string>, ...options: string[]): string {
    const columns = this.names.map((_, i) => `${column(i)}: ${literal(types.get(i) ?? "VARCHAR")}`);
    const settings = [
      "auto_detect=false",
      "header=true",
      `delim=${literal(this.delimiter)}`,
      `quote='"'`,
      `escape='"'`,
      `compression=${this.source.gzip ? "'gzip'" : "'none'"}`,
      "hive_partitioning=false",
      `columns={${columns.join(", ")}}`,
      ...options,
    ];
    return `read_csv(${pathLiteral(this.source.path)}, ${settings.join(", ")})`;
  }

  /** The error as a person can use it: the first bad place in the file, found by reading it once more with all faults noted. */
  private async explained(error: unknown, selection: Selection): Promise<unknown> {
    if (this.context.signal?.aborted) return this.context.signal.reason;
    if (this.database.closed || error instanceof InputError) return error;
    const cells = [...realsOf(selection), ...selection.groupBy].map((i) => `count(${column(i)})`);
    const noting = this.typed(selection, "store_rejects=true", "rejects_limit=0");
    try {
      const [first] = await this.database.query(
        `SELECT ${cells} FROM ${noting}`,
        "SELECT line::BIGINT AS line, column_idx::BIGINT AS column_idx, error_type::VARCHAR AS error_type, error_message FROM reject_errors ORDER BY line, byte_position LIMIT 1",
      );
      if (first) return new InputError(this.fault(first));
    } catch {
      // The file cannot be read even with its faults noted: then the first error says most.
    }
    return unreadable(this.file, "CSV", error);
  }

  private fault(reject: Record<string, unknown>): string {
    const place = `${this.file}:${reject.line}`;
    const message = String(reject.error_message);
    switch (String(reject.error_type)) {
      case "CAST": {
        const position = Number(reject.column_idx) - 1;
        const text = /Could not convert string "([\s\S]*)" to '/.exec(message)?.[1] ?? "";
        const expected = this.numberType(position) === "BOOLEAN" ? "true or false" : "a number";
        return `${place}: column "${this.names[position]}": expected ${expected}, got "${text}" (${MISSING_CELLS})`;
      }
      case "MISSING COLUMNS":
      case "TOO MANY COLUMNS": {
        const got = /Found: (\d+)/.exec(message)?.[1] ?? "another number";
        return `${place}: expected ${this.names.length} cells, as in the header, got ${got}`;
      }
      case "UNQUOTED VALUE":
        return `${place}: a quoted cell is not closed, or something follows its closing quote`;
      case "INVALID ENCODING":
        return `${place}: not UTF-8 text; convert the file to UTF-8`;
      default:
        return `${place}: ${message.split("\n", 1)[0]}`;
    }
  }
}

/** Not by IN: of a list of so many DuckDB makes a join, after which rows come in any order. */
const isMarker = (cell: string): string =>
  `strlen(${cell}) <= ${LONGEST_MARKER} AND (${MISSING_MARKERS.map((marker) => `${cell} = ${literal(marker)}`).join(" OR ")})`;

const realsOf = ({ variables, weights }: Selection): readonly number[] =>
  weights === undefined ? variables : [...variables, weights];
