import { addressOf, memoryOf } from "../../steady-memory.js";
import type { ChunkLayout } from "../read/chunks.js";
import type { Chunk, KeyStorage, KeyVector } from "../read/table.js";
import type { LibraryResult } from "./result.js";

/** Bytes of a block's rows, as near as its number of rows comes to it: worth a call, and still in a cache when they are copied. */
const BLOCK_BYTES = 2 ** 20;

/** The most rows of one of DuckDB's chunks. */
const CHUNK_ROWS = 2048;

/** At first, for each column of texts; longer ones make it grow. */
const HEAP_BYTES = 2 ** 20;

/** The words of a block, in the order of Block in kernels/rows/rows.cpp. A validity is its address, and whether it has a null. */
const FIELDS = {
  capacity: 0,
  dims: 1,
  keys: 2,
  values: 3,
  valuesValidity: 4,
  weights: 6,
  weightsValidity: 7,
  rows: 9,
  heapNeeded: 10,
  firstKey: 11,
} as const;
const KEY_FIELDS = { text: 0, values: 1, validity: 2, heap: 4, heapBytes: 5, heapUsed: 6, words: 7 } as const;

/** One that the caller works on, the one before, which may still be in use, and two that are being filled meanwhile. */
const BLOCKS = 4;

/** The rows of a result by blocks: each is good until the next but one is asked for. */
export async function* blocksOf(result: LibraryResult, layout: ChunkLayout): AsyncGenerator<Chunk> {
  const blocks = Array.from({ length: BLOCKS }, () => new Block(layout));
  let filling = Promise.resolve(); // one after the other
  const fill = (n: number): Promise<void> => {
    filling = filling.then(() => blocks[n % BLOCKS].fill(result));
    filling.catch(() => undefined); // met where it is awaited
    return filling;
  };
  const ahead = [fill(0), fill(1)];
  try {
    for (let n = 0; ; n++) {
      await ahead.shift();
      const block = blocks[n % BLOCKS];
      if (block.rows === 0) return;
      ahead.push(fill(n + 2));
      yield block.chunk();
    }
  } finally {
    await result.close();
  }
}

/** Memory for rows, which kernels/rows/rows.cpp fills. */
export class Block {
  private readonly layout: ChunkLayout;
  private readonly fields: BigInt64Array;
  private readonly values: Float64Array;
  private readonly valuesValidity: Uint8Array;
  private readonly weights: Float64Array;
  private readonly weightsValidity: Uint8Array;
  private readonly keys: Keys[];

  constructor(layout: ChunkLayout) {
    const { variables, weights, keys } = layout;
    const dims = variables.length;
    this.layout = layout;
    const capacity = Math.max(CHUNK_ROWS, dims === 0 ? 0 : Math.floor(BLOCK_BYTES / (8 * dims)));
    this.fields = new BigInt64Array(memoryOf(8 * (FIELDS.firstKey + KEY_FIELDS.words * keys.length)));
    this.values = new Float64Array(memoryOf(8 * capacity * dims));
    this.valuesValidity = new Uint8Array(memoryOf((capacity * dims) / 8));
    this.weights = new Float64Array(memoryOf(weights === undefined ? 0 : 8 * capacity));
    this.weightsValidity = new Uint8Array(memoryOf(this.weights.length / 8));
    this.set(FIELDS.capacity, capacity);
    this.set(FIELDS.dims, dims);
    this.set(FIELDS.keys, keys.length);
    this.set(FIELDS.values, addressOf(this.values));
    this.set(FIELDS.valuesValidity, addressOf(this.valuesValidity));
    if (weights !== undefined) this.set(FIELDS.weights, addressOf(this.weights));
    this.set(FIELDS.weightsValidity, addressOf(this.weightsValidity));
    this.keys = keys.map(({ storage }, k) => {
      const first = FIELDS.firstKey + k * KEY_FIELDS.words;
      return new Keys(this.fields.subarray(first, first + KEY_FIELDS.words), storage, capacity);
    });
  }

  get rows(): number {
    return Number(this.fields[FIELDS.rows]);
  }

  /** Takes in what comes next. */
  async fill(result: LibraryResult): Promise<void> {
    do {
      const needed = Number(this.fields[FIELDS.heapNeeded]);
      for (const keys of this.keys) keys.grow(needed);
      await result.read(addressOf(this.fields));
    } while (this.fields[FIELDS.heapNeeded] !== 0n);
  }

  chunk(): Chunk {
    const { rows, fields, layout, values, weights } = this;
    const dims = layout.variables.length;
    return {
      rows,
      values: {
        values: values.subarray(0, rows * dims),
        validity: fields[FIELDS.valuesValidity + 1] === 0n ? undefined : this.valuesValidity,
      },
      weights:
        layout.weights === undefined
          ? undefined
          : {
              values: weights.subarray(0, rows),
              validity: fields[FIELDS.weightsValidity + 1] === 0n ? undefined : this.weightsValidity,
            },
      keys: this.keys.map((keys) => keys.vector(rows)),
    };
  }

  private set(field: number, value: number | bigint): void {
    this.fields[field] = BigInt(value);
  }
}

/** Memory for the values of a group column. */
class Keys {
  private readonly fields: BigInt64Array;
  private readonly words: Uint32Array;
  private readonly validity: Uint8Array;
  private readonly width: number;
  private heap = new Uint8Array(0);

  constructor(fields: BigInt64Array, storage: KeyStorage, capacity: number) {
    const isText = storage === "text";
    this.fields = fields;
    this.width = isText ? 4 : 2;
    this.words = new Uint32Array(memoryOf(4 * this.width * capacity));
    this.validity = new Uint8Array(memoryOf(capacity / 8));
    fields[KEY_FIELDS.text] = BigInt(isText);
    fields[KEY_FIELDS.values] = addressOf(this.words);
    fields[KEY_FIELDS.validity] = addressOf(this.validity);
    if (isText) this.grow(HEAP_BYTES);
  }

  /** Makes room for long texts of so many bytes. */
  grow(bytes: number): void {
    if (this.width === 2 || bytes <= this.heap.length) return;
    this.heap = new Uint8Array(memoryOf(2 * bytes));
    this.fields[KEY_FIELDS.heap] = addressOf(this.heap);
    this.fields[KEY_FIELDS.heapBytes] = BigInt(this.heap.length);
  }

  vector(rows: number): KeyVector {
    return {
      words: this.words.subarray(0, this.width * rows),
      heap: this.heap,
      validity: this.fields[KEY_FIELDS.validity + 1] === 0n ? undefined : this.validity,
    };
  }
}
