import { openRows } from "../../src/io/read.js";
import type { GroupType, GroupValue, ReadOptions } from "../../src/io/rows.js";

export const READ: ReadOptions = { groupBy: [], missing: "error" };

export interface ReadRows {
  readonly columns: readonly string[];
  readonly x: number[][];
  readonly weights: number[];
  /** Of each row. */
  readonly codes: number[];
  readonly keys: (readonly GroupValue[])[];
  readonly types: readonly GroupType[];
  readonly rows: number;
  readonly dropped: number;
  readonly blocks: number;
}

/** Reads everything, into plain arrays. */
export async function readAll(
  files: string | string[],
  options: Partial<ReadOptions> = {},
): Promise<ReadRows> {
  const source = await openRows([files].flat(), { ...READ, ...options });
  try {
    const d = source.columns.length;
    const read = { x: [] as number[][], codes: [] as number[], weights: [] as number[], blocks: 0 };
    for await (const block of source.blocks()) {
      read.blocks++;
      for (let row = 0; row < block.rows; row++) {
        read.x.push([...block.x.subarray(row * d, row * d + d)]);
        read.codes.push(block.codes[row]);
        if (block.weights) read.weights.push(block.weights[row]);
      }
    }
    const { columns, groups, rows, dropped } = source;
    const keys = Array.from({ length: groups.size }, (_, i) => groups.key(i));
    return { ...read, columns, keys, types: groups.types, rows, dropped };
  } finally {
    await source.close();
  }
}

/** The message with which reading ends. */
export async function refusal(files: string | string[], options: Partial<ReadOptions> = {}): Promise<string> {
  try {
    await readAll(files, options);
  } catch (error) {
    if ((error as Error).name === "InputError") return (error as Error).message;
    throw error;
  }
  throw new Error("was read without a word");
}
