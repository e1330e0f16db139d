import type { Bindings, Database, DataChunk, RowDatabase, Vector } from "../duckdb/database.js";
import { INLINE_BYTES, READY_BYTES } from "../duckdb/settings.js";
import type { Chunk, KeyStorage, KeyVector, RealVector, Validity } from "./table.js";
import { isValid } from "./vectors.js";

/** Bytes of a key's element. */
const WIDTH = { int64: 8, float64: 8, text: 16 };

/** What a query is to give of each row. */
export interface ChunkLayout {
  /** SQL of the d variables as DOUBLE */
  readonly variables: readonly string[];
  /** SQL of the weights as DOUBLE */
  readonly weights: string | undefined;
  /** SQL of the group columns, and how their values arrive */
  readonly keys: readonly { readonly sql: string; readonly storage: KeyStorage }[];
}

/**
 * The rows of a table by chunks: each is good until the next but one is asked for.
 *
 * @param readyBytes what DuckDB may hold ready
 */
export async function* streamChunks(
  database: RowDatabase,
  table: string,
  layout: ChunkLayout,
  readyBytes = READY_BYTES,
): AsyncGenerator<Chunk> {
  if (!("result" in database)) {
    yield* chunksByBinding(database, table, layout, readyBytes);
    return;
  }
  const { blocksOf } = await import("../duckdb/blocks.js");
  const sql = `SELECT ${[...layout.variables, ...others(layout)]} FROM ${table}`;
  const result = await database.result(sql, readyBytes);
  yield* blocksOf(result, layout);
}

/**
 * As DuckDB's binding gives them, of at most 2048 rows. The variables of a row come as a list, so that they lie side by side: DuckDB turns
 * columns into rows in its own threads, and one copy brings a chunk's variables over, instead of one for each.
 */
export async function* chunksByBinding(
  database: Database,
  table: string,
  layout: ChunkLayout,
  readyBytes = READY_BYTES,
): AsyncGenerator<Chunk> {
  const cells = [`[${layout.variables}]`, ...others(layout)];
  for await (const chunk of database.stream(`SELECT ${cells} FROM ${table}`, readyBytes)) {
    yield chunkOf(database.bindings, chunk, layout);
  }
}

/** SQL of what follows the variables. */
const others = ({ weights, keys }: ChunkLayout): string[] => [
  ...(weights === undefined ? [] : [weights]),
  ...keys.map(({ sql }) => sql),
];

function chunkOf(bindings: Bindings, chunk: DataChunk, { variables, weights, keys }: ChunkLayout): Chunk {
  const rows = bindings.data_chunk_get_size(chunk);
  const vector = (column: number) => bindings.data_chunk_get_vector(chunk, column);
  const first = weights === undefined ? 1 : 2;
  return {
    rows,
    values: realsOf(
      bindings,
      valuesIn(bindings, vector(0), rows * variables.length),
      rows * variables.length,
    ),
    weights: weights === undefined ? undefined : realsOf(bindings, vector(1), rows),
    keys: keys.map(({ storage }, i) => keysOf(bindings, vector(first + i), rows, storage)),
  };
}

/** The values of a list column whose lists follow each other without gaps, as they do where a query makes them. */
function valuesIn(bindings: Bindings, lists: Vector, values: number): Vector {
  const size = bindings.list_vector_get_size(lists);
  if (size !== values) throw new Error(`DuckDB gave ${size} values of variables where ${values} belong`);
  return bindings.list_vector_get_child(lists);
}

function realsOf(bindings: Bindings, vector: Vector, length: number): RealVector {
  const { buffer, byteOffset } = bindings.vector_get_data(vector, length * 8);
  return {
    values: new Float64Array(buffer as ArrayBuffer, byteOffset, length),
    validity: validityOf(bindings, vector, length),
  };
}

function keysOf(bindings: Bindings, vector: Vector, rows: number, storage: KeyStorage): KeyVector {
  const validity = validityOf(bindings, vector, rows);
  const { buffer, byteOffset, byteLength } = bindings.vector_get_data(vector, rows * WIDTH[storage]);
  const words = new Uint32Array(buffer as ArrayBuffer, byteOffset, byteLength / 4);
  return { words, heap: storage === "text" ? heapOf(bindings, words, validity) : NO_BYTES, validity };
}

/** A whole number of 64-bit words, which is how the engine keeps the bits. */
const validityOf = (bindings: Bindings, vector: Vector, length: number): Validity =>
  bindings.vector_get_validity(vector, 8 * Math.ceil(length / 64)) ?? undefined;

/**
 * Fetches the long texts and puts their positions in place of their addresses. Neighbours in a column are mostly
 * neighbours in memory, so a few calls fetch them all.
 */
function heapOf(bindings: Bindings, words: Uint32Array, validity: Validity): Uint8Array {
  const runs: Uint8Array[] = [];
  let run = { address: 0, bytes: 0 };
  let position = 0;
  const fetch = () => {
    if (run.bytes === 0) return;
    const pointer = new Uint32Array([run.address, run.address / 2 ** 32]);
    runs.push(bindings.get_data_from_pointer(pointer.buffer, 0, run.bytes));
  };
  for (let row = 0; row * 4 < words.length; row++) {
    const length = words[row * 4];
    if (length <= INLINE_BYTES || !isValid(validity, row)) continue;
    const address = words[row * 4 + 2] + words[row * 4 + 3] * 2 ** 32;
    if (address !== run.address + run.bytes) {
      fetch();
      run = { address, bytes: 0 };
    }
    run.bytes += length;
    words[row * 4 + 2] = position;
    position += length;
  }
  fetch();
  return runs.length === 1 ? runs[0] : Buffer.concat(runs);
}

const NO_BYTES = new Uint8Array(0);
