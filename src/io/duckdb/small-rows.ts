import type { ChunkLayout } from "../read/chunks.js";
import type { KeyStorage, KeyVector } from "../read/table.js";
import { isValid, shortText } from "../read/vectors.js";
import { Block } from "./blocks.js";
import type { LibraryResult } from "./result.js";

/** One row of a small result, by the names of its columns. */
export type SmallRow = Record<string, string | number | null>;

/** How a column arrives, by duckdb_type: BIGINT, DOUBLE, VARCHAR. */
const STORAGE: Readonly<Record<number, KeyStorage>> = { 5: "int64", 11: "float64", 17: "text" };

/** All rows of a result of few. */
export async function rowsOf(result: LibraryResult): Promise<SmallRow[]> {
  const { columns } = result;
  const keys = columns.map(({ name, type }) => {
    const storage = STORAGE[type];
    if (!storage) throw new Error(`a query's result has the column ${name} of DuckDB's type ${type}`);
    return { sql: name, storage };
  });
  const layout: ChunkLayout = { variables: [], weights: undefined, keys };
  const rows: SmallRow[] = [];
  const block = new Block(layout); // one is enough: nobody works on it while another is filled
  for (await block.fill(result); block.rows > 0; await block.fill(result)) {
    const chunk = block.chunk();
    for (let r = 0; r < chunk.rows; r++) {
      const values = chunk.keys.map((vector, k) => [keys[k].sql, valueAt(vector, r, keys[k].storage)]);
      rows.push(Object.fromEntries(values) as SmallRow);
    }
  }
  return rows;
}

function valueAt({ words, heap, validity }: KeyVector, row: number, storage: KeyStorage): SmallRow[string] {
  if (!isValid(validity, row)) return null;
  if (storage === "int64") return Number(new BigInt64Array(words.slice(2 * row, 2 * row + 2).buffer)[0]);
  if (storage === "float64") return new Float64Array(words.slice(2 * row, 2 * row + 2).buffer)[0];
  const [length, begin] = [words[4 * row], words[4 * row + 2]];
  return shortText(words, 4 * row) ?? Buffer.from(heap.subarray(begin, begin + length)).toString();
}
