import type { CodedRows } from "../engine.js";

/**
 * Rows of a table on their way to statistics: what every reader gives, whatever the format. `openRows` (read.ts) opens files
 * as a `RowSource`, `accumulate` (../stream/accumulate.ts) turns one into `Statistics`.
 */

/** The formats that can be named for standard input, and by which readers are found. */
export const ROW_FORMATS = ["csv", "tsv", "parquet"] as const;

export type RowFormat = (typeof ROW_FORMATS)[number];

/** What to do with a row that lacks a variable or its weight. */
export type MissingPolicy = "error" | "drop";

export interface ReadOptions {
  /** Columns that name the group, in order; none: all rows are one group. */
  readonly groupBy: readonly string[];
  /** The d variables, in order; default: every numeric column not used otherwise, in the file's order. */
  readonly columns?: readonly string[];
  /** A column of finite weights wᵢ ≥ 0. */
  readonly weights?: string;
  readonly missing: MissingPolicy;
  /** The format of standard input, which has no ending to tell it. */
  readonly format?: RowFormat;
  /** Ends reading: the call in progress rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * One group column's value in a key. Whole numbers are numbers as far as they are exact (2^53) and bigints beyond; dates and
 * times are ISO 8601 text; `null` is the missing key.
 */
export type GroupValue = string | number | bigint | boolean | null;

/** A group column: its name and its SQL type, from which a writer can restore it (`VARCHAR`, `BIGINT`, `DATE`, …). */
export interface GroupType {
  readonly name: string;
  readonly type: string;
}

/** The groups met so far, in order of first appearance. */
export interface GroupIndex {
  readonly size: number;
  /** One for each group column. For text formats the types are known for certain only when all rows are read. */
  readonly types: readonly GroupType[];
  /** The key of group `i`: one value for each group column. */
  key(i: number): readonly GroupValue[];
}

/** Opened files: their schema is checked, their rows are still to be read. */
export interface RowSource {
  /** The d variables, in order. */
  readonly columns: readonly string[];
  readonly groupBy: readonly string[];
  /** Whether each row has a weight. */
  readonly weighted: boolean;
  /** Grows while rows are read. A group whose rows were all dropped is among them. */
  readonly groups: GroupIndex;
  /** Rows read so far, those dropped included. */
  readonly rows: number;
  /** Rows left out so far because a variable or the weight was missing. */
  readonly dropped: number;
  /** All rows there are, where the format tells it in advance. */
  readonly expectedRows?: number;
  /** The rows, once, in the order of the files. The arrays of a block are good until the next but one is asked for. */
  blocks(): AsyncIterable<CodedRows>;
  /** Gives back files, memory and temporary files. May be called at any time, and again. */
  close(): Promise<void>;
}
