/**
 * The seam between formats and rows: a reader opens one file as a `Table`, and gives its rows as chunks of columns. A new
 * format is a new `TableReader` in the registry of ../read.ts.
 */

/** How a group column's values arrive: eight bytes a row, or DuckDB's sixteen-byte strings. */
export type KeyStorage = "int64" | "float64" | "text";

/** What a group column's values are, beyond how they are stored. */
export interface KeyType {
  /** SQL name, e.g. `INTEGER`. */
  readonly type: string;
  readonly storage: KeyStorage;
  /** Text of an untyped file: whether it is numbers or dates is told by all its values, at the end. */
  readonly untyped?: boolean;
}

export interface TableColumn {
  readonly name: string;
  /** As it is named to the user. */
  readonly type: string;
  /** A variable by default. */
  readonly numeric: boolean;
  /** Can be read as numbers where that is asked for; of an untyped file this may fail at a cell. */
  readonly readable: boolean;
  /** A value, for messages. */
  readonly example?: string;
  /** Undefined where values of this type cannot name a group. */
  readonly key: KeyType | undefined;
}

/** Positions of the columns to read. */
export interface Selection {
  readonly variables: readonly number[];
  readonly weights: number | undefined;
  readonly groupBy: readonly number[];
}

/** Validity as a bit a row, least significant first; undefined: every row has a value. What lies under a 0 is noise. */
export type Validity = Uint8Array | undefined;

/** Numbers, with the validity of each. */
export interface RealVector {
  readonly values: Float64Array;
  readonly validity: Validity;
}

export interface KeyVector {
  /**
   * Two words a row (int64, float64), or four (text: its length in bytes, then either its bytes or, beyond `INLINE_BYTES`, the
   * first four of them and the position of all in `heap`).
   */
  readonly words: Uint32Array;
  readonly heap: Uint8Array;
  readonly validity: Validity;
}

/** Consecutive rows. */
export interface Chunk {
  readonly rows: number;
  /** [rows, d], row-major: the variables */
  readonly values: RealVector;
  /** [rows], where weights were asked for */
  readonly weights: RealVector | undefined;
  readonly keys: readonly KeyVector[];
}

/** One opened file. */
export interface Table {
  /** As the user named it. */
  readonly file: string;
  readonly columns: readonly TableColumn[];
  /** Where it is known before reading. */
  readonly rows: number | undefined;
  /** No row at all; the types of an untyped file are then unknown. */
  readonly empty: boolean;
  /** All rows, in the file's order. */
  scan(selection: Selection): AsyncIterable<Chunk>;
  /** Where row `row` (from 0) is, as a person finds it: `stations.csv:17`, `stations.parquet: row 16`. */
  place(row: number): Promise<string>;
  /** What stands in a cell that is not a value, for messages. */
  cell(row: number, position: number): Promise<string>;
}

/** A file to be opened: the path that is read and the name that is said. */
export interface TableFile {
  readonly path: string;
  readonly name: string;
  readonly gzip: boolean;
}
