import { type Database, type DataChunk, INLINE_BYTES } from "../duckdb.js";
import type { Chunk, KeyStorage, KeyVector, RealVector, Validity } from "./table.js";
import { isValid } from "./vectors.js";

/** Bytes of a vector's element. */
const WIDTH = { int64: 8, float64: 8, text: 16 };

/** What a query's columns hold: the reals first, then the keys. */
export interface ChunkLayout {
  readonly reals: number;
  readonly keys: readonly KeyStorage[];
}

/** A query's result chunk by chunk, as raw columns. */
export async function* streamChunks(
  database: Database,
  sql: string,
  layout: ChunkLayout,
): AsyncGenerator<Chunk> {
  for await (const chunk of database.stream(sql)) yield columnsOf(database, chunk, layout);
}

function columnsOf({ bindings }: Database, chunk: DataChunk, layout: ChunkLayout): Chunk {
  const rows = bindings.data_chunk_get_size(chunk);
  const reals: RealVector[] = [];
  const keys: KeyVector[] = [];
  for (let column = 0; column < layout.reals + layout.keys.length; column++) {
    const vector = bindings.data_chunk_get_vector(chunk, column);
    // A whole number of 64-bit words, which is how the engine keeps the bits.
    const validity: Validity = bindings.vector_get_validity(vector, 8 * Math.ceil(rows / 64)) ?? undefined;
    const storage = column < layout.reals ? "float64" : layout.keys[column - layout.reals];
    const bytes = bindings.vector_get_data(vector, rows * WIDTH[storage]);
    const buffer = bytes.buffer as ArrayBuffer;
    if (column < layout.reals) {
      reals.push({ values: new Float64Array(buffer, bytes.byteOffset, rows), validity });
      continue;
    }
    const words = new Uint32Array(buffer, bytes.byteOffset, bytes.byteLength / 4);
    const heap = storage === "text" ? heapOf(bindings, words, validity) : NO_BYTES;
    keys.push({ words, heap, validity });
  }
  return { rows, reals, keys };
}

/**
 * Fetches the long texts and puts their positions in place of their addresses. Neighbours in a column are mostly
 * neighbours in memory, so a few calls fetch them all.
 */
function heapOf(bindings: Database["bindings"], words: Uint32Array, validity: Validity): Uint8Array {
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
