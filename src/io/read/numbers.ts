// Numbers of keys and texts by code of the processor's own: kernels/rows/numbers.cpp.
import { addressOf, memoryOf } from "../../steady-memory.js";
import { rowsLibrary } from "../rows-library.js";
import type { CodeTable } from "./codes.js";
import type { KeyVector, Validity } from "./table.js";
import type { TextTable } from "./texts.js";

/** In the order of Keys and Texts there. */
const KEYS = {
  width: 0,
  keys: 1,
  slots: 2,
  slotCount: 3,
  known: 4,
  knownCount: 5,
  size: 6,
  none: 7,
  count: 8,
};
const TEXTS = {
  bytes: 0,
  byteCount: 1,
  ends: 2,
  hashes: 3,
  slots: 4,
  slotCount: 5,
  size: 6,
  needed: 7,
  count: 8,
};

/** Works on the tables' own memory. What it is given lies in memory that does not move: of a block, or large. */
export class NativeNumbers {
  /** @throws Error where there is no such code for this platform */
  readonly #library = rowsLibrary();
  readonly #keys = new BigInt64Array(memoryOf(8 * KEYS.count));
  readonly #texts = new BigInt64Array(memoryOf(8 * TEXTS.count));

  /** Numbers keys from row `row` on into codes[row·stride]; gives the row where the table has to grow, or `rows`. */
  numberKeys(
    table: CodeTable,
    words: Uint32Array,
    validity: Validity,
    row: number,
    rows: number,
    codes: Uint32Array,
    stride: number,
  ): number {
    const fields = this.#keys;
    fields[KEYS.width] = BigInt(table.width);
    fields[KEYS.keys] = addressOf(table.keys);
    fields[KEYS.slots] = addressOf(table.slots);
    fields[KEYS.slotCount] = BigInt(table.slots.length);
    fields[KEYS.known] = table.known ? addressOf(table.known) : 0n;
    fields[KEYS.knownCount] = BigInt(table.known?.length ?? 0);
    fields[KEYS.size] = BigInt(table.size);
    fields[KEYS.none] = BigInt(table.none);
    const bits = validity ? addressOf(validity) : 0n;
    const [own, from, to] = [addressOf(fields), addressOf(words), addressOf(codes)];
    const reached = this.#library.numberKeys(own, from, bits, row, rows, to, stride);
    table.size = Number(fields[KEYS.size]);
    table.none = Number(fields[KEYS.none]);
    return Number(reached);
  }

  /**
   * Puts the numbers of long texts in place of their positions, from row `row` on: as far as `reached`, where the table has to grow or has
   * no room for a text of `needed` bytes.
   */
  numberTexts(
    table: TextTable,
    { words, heap, validity }: KeyVector,
    row: number,
    rows: number,
  ): { readonly reached: number; readonly needed: number } {
    const fields = this.#texts;
    fields[TEXTS.bytes] = addressOf(table.bytes);
    fields[TEXTS.byteCount] = BigInt(table.bytes.length);
    fields[TEXTS.ends] = addressOf(table.ends);
    fields[TEXTS.hashes] = addressOf(table.hashes);
    fields[TEXTS.slots] = addressOf(table.slots);
    fields[TEXTS.slotCount] = BigInt(table.slots.length);
    fields[TEXTS.size] = BigInt(table.size);
    const bits = validity ? addressOf(validity) : 0n;
    const [own, from, texts] = [addressOf(fields), addressOf(words), addressOf(heap)];
    const reached = this.#library.numberTexts(own, from, texts, bits, row, rows);
    table.size = Number(fields[TEXTS.size]);
    return { reached: Number(reached), needed: Number(fields[TEXTS.needed]) };
  }
}
