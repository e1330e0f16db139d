import { InputError } from "../../errors.js";
import { column, pathLiteral, type RowDatabase } from "../duckdb/database.js";
import { streamChunks } from "./chunks.js";
import { type ReadContext, unreadable } from "./context.js";
import type { Chunk, KeyType, Selection, Table, TableColumn, TableFile } from "./table.js";

const NUMERIC = /^(U?(TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\)|BOOLEAN)$/;

/** Types whose values fit a BIGINT. */
const WHOLE = /^((TINY|SMALL|BIG|UTINY|USMALL)INT|U?INTEGER|BOOLEAN)$/;

/** Types that name a group by their SQL text. */
const TEXTUAL =
  /^(VARCHAR|UUID|DATE|TIME|TIME WITH TIME ZONE|TIMESTAMP.*|UBIGINT|DECIMAL\(.*\)|ENUM\(.*\))$/s;

/** Apache Parquet. */
export async function openParquet(file: TableFile, context: ReadContext): Promise<Table> {
  const database = await context.database();
  const path = pathLiteral(file.path);
  try {
    const [described, [metadata]] = await Promise.all([
      database.query(`DESCRIBE FROM read_parquet(${path}, hive_partitioning=false)`),
      database.query(`SELECT sum(num_rows)::DOUBLE AS rows FROM parquet_file_metadata(${path})`),
    ]);
    const columns = described.map(({ column_name, column_type }) =>
      columnFrom(String(column_name), String(column_type)),
    );
    return new ParquetTable(file, context, database, columns, Number(metadata.rows));
  } catch (error) {
    if (context.signal?.aborted) throw context.signal.reason;
    throw unreadable(file.name, "Parquet", error);
  }
}

function columnFrom(name: string, type: string): TableColumn {
  const numeric = NUMERIC.test(type);
  return { name, type, numeric, readable: numeric, key: keyType(type) };
}

function keyType(type: string): KeyType | undefined {
  if (WHOLE.test(type)) return { type, storage: "int64" };
  if (type === "FLOAT" || type === "DOUBLE") return { type, storage: "float64" };
  if (!TEXTUAL.test(type)) return undefined;
  return { type: type.startsWith("ENUM") ? "VARCHAR" : type, storage: "text" };
}

const SQL_TYPE = { int64: "BIGINT", float64: "DOUBLE", text: "VARCHAR" };

class ParquetTable implements Table {
  readonly file: string;
  readonly columns: readonly TableColumn[];
  readonly rows: number;
  readonly empty: boolean;
  private readonly source: TableFile;
  private readonly context: ReadContext;
  private readonly database: RowDatabase;

  constructor(
    source: TableFile,
    context: ReadContext,
    database: RowDatabase,
    columns: readonly TableColumn[],
    rows: number,
  ) {
    this.file = source.name;
    this.source = source;
    this.context = context;
    this.database = database;
    this.columns = columns;
    this.rows = rows;
    this.empty = rows === 0;
  }

  async *scan({ variables, weights, groupBy }: Selection): AsyncGenerator<Chunk> {
    const number = (i: number) => `CAST(${column(i)} AS DOUBLE)`;
    const names = this.columns.map((_, i) => column(i));
    const file = `read_parquet(${pathLiteral(this.source.path)}, hive_partitioning=false)`;
    try {
      yield* streamChunks(this.database, `${file} AS rows(${names})`, {
        variables: variables.map(number),
        weights: weights === undefined ? undefined : number(weights),
        keys: groupBy.map((i) => {
          const { storage } = this.columns[i].key!;
          return { sql: `CAST(${column(i)} AS ${SQL_TYPE[storage]})`, storage };
        }),
      });
    } catch (error) {
      if (this.context.signal?.aborted) throw this.context.signal.reason;
      if (error instanceof InputError || this.database.closed) throw error;
      throw unreadable(this.file, "Parquet", error);
    }
  }

  async place(row: number): Promise<string> {
    return `${this.file}: row ${row + 1}`;
  }

  async cell(): Promise<string> {
    return "null";
  }
}
