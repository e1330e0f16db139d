import { Batch } from "../batch.js";
import type { BatchLayout } from "../engine.js";
import { InputError } from "../errors.js";
import { checkedOffsets, checkWeights, type RealArray, requireCount } from "../layout.js";
import { PRECISIONS, type Precision } from "../methods.js";
import type { Statistics } from "../statistics.js";
import { Stint } from "./stint.js";

/** An engine's memory, handed out in blocks: a block is the number under which it is given back. */
export interface LentMemory {
  /** @throws EngineError where so many bytes cannot be had; `purpose` begins the message */
  take(bytes: number, purpose: string): number;
  give(block: number): void;
  spanOf(block: number): { readonly buffer: SharedArrayBuffer; readonly byteOffset: number };
}

/** What one step of the check of weights looks at. */
const STEP = 2 ** 20;

/** A batch whose rows lie in an engine's memory: the caller fills `x` (and `weights`), and the engine reads them in place. */
export class ResidentBatch extends Batch {
  readonly #memory: LentMemory;
  readonly #blocks: readonly number[];
  #released = false;
  #readers = 0;

  private constructor(
    memory: LentMemory,
    blocks: number[],
    x: RealArray,
    offsets: Float64Array,
    dims: number,
    weights: Float64Array | undefined,
  ) {
    super(x, offsets, dims, weights);
    this.#memory = memory;
    this.#blocks = blocks;
  }

  /**
   * @throws InputError  where the layout is not one
   * @throws EngineError where the memory cannot hold it
   */
  static allocate(memory: LentMemory, layout: BatchLayout): ResidentBatch {
    const place = "allocate";
    const { dims, dtype = "float64", weighted = false } = layout;
    requireCount(place, "dims", dims, 1);
    const offsets = checkedOffsets(place, layout.offsets);
    if (!PRECISIONS.includes(dtype)) {
      throw new InputError(
        `${place}: dtype must be one of ${PRECISIONS.join(", ")}, got ${JSON.stringify(dtype)}`,
      );
    }
    const rows = offsets[offsets.length - 1];
    const values = rows * dims;
    const purpose = `a batch of ${rows} rows of ${dims} values`;
    const blocks = [memory.take(values * (dtype === "float64" ? 8 : 4), purpose)];
    try {
      if (weighted) blocks.push(memory.take(rows * 8, `${purpose}, their weights`));
    } catch (error) {
      memory.give(blocks[0]);
      throw error;
    }
    const { buffer, byteOffset } = memory.spanOf(blocks[0]);
    const x =
      dtype === "float64"
        ? new Float64Array(buffer, byteOffset, values)
        : new Float32Array(buffer, byteOffset, values);
    const beside = weighted ? memory.spanOf(blocks[1]) : undefined;
    const weights = beside && new Float64Array(beside.buffer, beside.byteOffset, rows);
    return new ResidentBatch(memory, blocks, x, offsets, dims, weights);
  }

  get released(): boolean {
    return this.#released;
  }

  /** The blocks of the rows and of the weights. */
  get blocks(): readonly number[] {
    return this.#blocks;
  }

  /** Whether the rows lie in this memory. */
  liesIn(memory: LentMemory): boolean {
    return this.#memory === memory;
  }

  /** Keeps the memory while the engine reads it; the function returned ends that. */
  hold(): () => void {
    this.#readers++;
    return () => {
      this.#readers--;
      this.#giveBack();
    };
  }

  /** Gives the memory back to the engine: leave `x` and `weights` alone from then on. A second time does nothing. */
  release(): void {
    this.#released = true;
    this.#giveBack();
  }

  #giveBack(): void {
    if (!this.#released || this.#readers > 0) return;
    for (const block of this.#blocks) this.#memory.give(block);
  }

  /**
   * Weights are the caller's to fill, so they are checked when the batch is used.
   *
   * @throws InputError where one is negative or not finite
   */
  async checkWeights(place: string): Promise<void> {
    const { weights } = this;
    if (!weights) return;
    const stint = new Stint();
    for (let first = 0; first < weights.length; first += STEP) {
      const some = weights.subarray(first, first + STEP);
      if (!some.every((weight) => weight >= 0 && weight < Infinity)) checkWeights(place, weights);
      if (stint.over) await stint.rest();
    }
  }
}

/**
 * What every engine that lends memory checks before it opens a session.
 *
 * @throws InputError where the precision is none, the batch has been released, or its weights are not weights
 */
export async function checkOpening(source: Batch | Statistics, precision: Precision): Promise<void> {
  if (!PRECISIONS.includes(precision)) {
    const got = JSON.stringify(precision);
    throw new InputError(`open: precision must be one of ${PRECISIONS.join(", ")}, got ${got}`);
  }
  if (!(source instanceof ResidentBatch)) return;
  if (source.released) throw new InputError("open: the batch has been released");
  await source.checkWeights("open");
}
