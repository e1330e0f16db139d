import { addressOf, memoryOf } from "../../steady-memory.js";

/** A column in memory: row r holds values[r], or `length` values from r·length on, or texts[codes[r]], where a negative code is NULL. */
export type MemoryColumn =
  | { readonly name: string; readonly type: "BIGINT" | "DOUBLE"; readonly values: Float64Array }
  | { readonly name: string; readonly type: "INTEGER"; readonly values: Int32Array }
  | {
      readonly name: string;
      readonly type: "DOUBLE[]";
      readonly values: Float64Array;
      readonly length: number;
    }
  | {
      readonly name: string;
      readonly type: "VARCHAR";
      readonly codes: Int32Array;
      readonly texts: readonly string[];
    };

/** The words of a table, and of each of its columns after them, in the order of Table and Column in kernels/rows/table.cpp, which fills those that have no name here. */
const TABLE = { rows: 0, columns: 1, schemas: 8, words: 9 } as const;
const COLUMN = { kind: 0, name: 1, values: 2, length: 3, begins: 4, texts: 5, words: 25 } as const;
const KINDS = ["BIGINT", "INTEGER", "DOUBLE", "DOUBLE[]", "VARCHAR"];

/**
 * Columns that DuckDB reads from where they lie, as it reads a table. Numbers that are not finite are NULL. Must be held as long as a
 * database knows it.
 */
export class MemoryTable {
  readonly name: string;
  readonly #words: BigInt64Array;
  /** What the words point to. */
  readonly #held: ArrayBufferView[] = [];

  /** @param name the program's own, never the data's, as are those of the columns */
  constructor(name: string, rows: number, columns: readonly MemoryColumn[]) {
    this.name = name;
    this.#words = new BigInt64Array(memoryOf(8 * (TABLE.words + COLUMN.words * columns.length)));
    this.#words[TABLE.rows] = BigInt(rows);
    this.#words[TABLE.columns] = BigInt(columns.length);
    this.#words[TABLE.schemas] = this.#hold(new BigUint64Array(memoryOf(8 * columns.length)));
    columns.forEach((column, i) => {
      this.#describe(column, TABLE.words + i * COLUMN.words);
    });
  }

  get address(): bigint {
    return addressOf(this.#words);
  }

  #describe(column: MemoryColumn, at: number): void {
    const words = this.#words;
    words[at + COLUMN.kind] = BigInt(KINDS.indexOf(column.type));
    words[at + COLUMN.name] = this.#hold(Buffer.from(`${column.name}\0`));
    words[at + COLUMN.values] = this.#hold(column.type === "VARCHAR" ? column.codes : column.values);
    if (column.type === "DOUBLE[]") words[at + COLUMN.length] = BigInt(column.length);
    if (column.type !== "VARCHAR") return;
    const { texts } = column;
    const begins = new BigInt64Array(texts.length + 1);
    let end = 0;
    for (let t = 0; t < texts.length; t++) {
      end += Buffer.byteLength(texts[t]);
      begins[t + 1] = BigInt(end);
    }
    words[at + COLUMN.begins] = this.#hold(begins);
    words[at + COLUMN.texts] = this.#hold(Buffer.from(texts.join("")));
  }

  #hold(array: ArrayBufferView): bigint {
    this.#held.push(array);
    return addressOf(array);
  }
}
