import { Batch } from "../batch.js";
import type { Control } from "../engine.js";
import type { RowSource } from "./rows.js";

/** All rows of a source in memory, sorted by group: for work that needs the rows themselves. */
export async function collect(source: RowSource, { onProgress }: Control = {}): Promise<Batch> {
  const dims = source.columns.length;
  const x = new Growing<Float64Array>((length) => new Float64Array(length));
  const codes = new Growing<Uint32Array>((length) => new Uint32Array(length));
  const weights = new Growing<Float64Array>((length) => new Float64Array(length));
  for await (const block of source.blocks()) {
    x.append(block.x.subarray(0, block.rows * dims));
    codes.append(block.codes.subarray(0, block.rows));
    if (block.weights) weights.append(block.weights.subarray(0, block.rows));
    onProgress?.(source.rows, source.expectedRows ?? 0);
  }
  const shape = { dims, groups: source.groups.size };
  const own = weights.length > 0 ? { ...shape, weights: weights.values() } : shape;
  return Batch.fromCodes(x.values(), codes.values(), own);
}

/** A typed array that doubles when it is full. */
class Growing<Values extends Float64Array | Uint32Array> {
  length = 0;
  #room: Values;
  readonly #make: (length: number) => Values;

  constructor(make: (length: number) => Values) {
    this.#make = make;
    this.#room = make(1024);
  }

  append(values: Values): void {
    const length = this.length + values.length;
    if (length > this.#room.length) {
      const larger = this.#make(Math.max(length, 2 * this.#room.length));
      larger.set(this.#room.subarray(0, this.length));
      this.#room = larger;
    }
    this.#room.set(values, this.length);
    this.length = length;
  }

  values(): Values {
    return this.#room.subarray(0, this.length) as Values;
  }
}
