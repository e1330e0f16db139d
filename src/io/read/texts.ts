import { INLINE_BYTES } from "../duckdb/settings.js";
import type { NativeNumbers } from "./numbers.js";
import type { KeyVector } from "./table.js";
import { isValid } from "./vectors.js";

const FIRST_CAPACITY = 1024;
const FIRST_BYTES = 1 << 16;

/**
 * Numbers distinct texts from 0 in order of first appearance, by their bytes. Open addressing, at most half full. kernels/rows/numbers.cpp
 * does the same with the same memory, but for the hash.
 */
export class TextTable {
  size = 0;
  /** The texts one after the other; number n lies from ends[n−1] to ends[n]. */
  bytes = new Uint8Array(FIRST_BYTES);
  private words = wordsOf(this.bytes);
  ends = new Float64Array(FIRST_CAPACITY);
  hashes = new Int32Array(FIRST_CAPACITY);
  /** Number + 1, or 0 where free. */
  slots = new Uint32Array(2 * FIRST_CAPACITY);
  private readonly native: NativeNumbers | undefined;
  /** Where texts were last looked up, and its words. */
  private asked: { readonly bytes: Uint8Array; readonly words: DataView } = {
    bytes: this.bytes,
    words: this.words,
  };

  constructor(native?: NativeNumbers) {
    this.native = native;
  }

  /** Puts a number in place of each long text's position, so that equal texts have equal words. */
  numberEach(vector: KeyVector, rows: number): void {
    const { words, heap, validity } = vector;
    if (this.native) {
      for (let row = 0; row < rows; ) {
        if (this.isFull) this.grow();
        const { reached, needed } = this.native.numberTexts(this, vector, row, rows);
        if (needed > 0) this.makeRoom(needed);
        row = reached;
      }
      return;
    }
    for (let row = 0; row < rows; row++) {
      const length = words[row * 4];
      if (length <= INLINE_BYTES || !isValid(validity, row)) continue;
      const from = words[row * 4 + 2];
      words[row * 4 + 2] = this.number(heap, from, from + length);
      words[row * 4 + 3] = 0;
    }
  }

  /** The number of the text at bytes[from … to−1], a new one if it was not met before. */
  private number(bytes: Uint8Array, from: number, to: number): number {
    if (this.asked.bytes !== bytes) this.asked = { bytes, words: wordsOf(bytes) };
    const { words } = this.asked;
    const h = hash(bytes, words, from, to);
    const mask = this.slots.length - 1;
    for (let slot = h & mask; ; slot = (slot + 1) & mask) {
      const number = this.slots[slot] - 1;
      if (number < 0) {
        this.slots[slot] = this.size + 1;
        return this.append(bytes.subarray(from, to), h);
      }
      if (this.hashes[number] === h && this.isAt(number, bytes, words, from, to)) return number;
    }
  }

  text(number: number): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(
      this.bytes.subarray(this.start(number), this.ends[number]),
    );
  }

  private start(number: number): number {
    return number === 0 ? 0 : this.ends[number - 1];
  }

  private isAt(number: number, bytes: Uint8Array, words: DataView, from: number, to: number): boolean {
    let own = this.start(number);
    if (this.ends[number] - own !== to - from) return false;
    let other = from;
    for (; other + 4 <= to; own += 4, other += 4) {
      if (this.words.getUint32(own, true) !== words.getUint32(other, true)) return false;
    }
    for (; other < to; own++, other++) if (this.bytes[own] !== bytes[other]) return false;
    return true;
  }

  private append(text: Uint8Array, h: number): number {
    this.makeRoom(text.length);
    const number = this.size++;
    const start = this.start(number);
    this.bytes.set(text, start);
    this.ends[number] = start + text.length;
    this.hashes[number] = h;
    if (this.isFull) this.grow();
    return number;
  }

  private get isFull(): boolean {
    return this.size === this.ends.length;
  }

  /** Room for so many bytes behind those of all texts. */
  private makeRoom(bytes: number): void {
    let length = this.bytes.length;
    while (this.start(this.size) + bytes > length) length *= 2;
    if (length === this.bytes.length) return;
    this.bytes = resized(this.bytes, new Uint8Array(length));
    this.words = wordsOf(this.bytes);
  }

  private grow(): void {
    this.ends = resized(this.ends, new Float64Array(2 * this.size));
    this.hashes = resized(this.hashes, new Int32Array(2 * this.size));
    this.slots = new Uint32Array(2 * this.slots.length);
    const mask = this.slots.length - 1;
    for (let number = 0; number < this.size; number++) {
      let slot = this.hashes[number] & mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
      this.slots[slot] = number + 1;
    }
  }
}

function resized<T extends Uint8Array | Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Reads four bytes at a time, wherever they begin. */
const wordsOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/** The multiply-and-shift mixing of MurmurHash3 (Appleby 2011), four bytes at a time and the last ones each by itself. */
function hash(bytes: Uint8Array, words: DataView, from: number, to: number): number {
  let h = to - from;
  let i = from;
  for (; i + 4 <= to; i += 4) {
    h = Math.imul(h ^ words.getUint32(i, true), 0x85ebca6b);
    h ^= h >>> 13;
  }
  for (; i < to; i++) {
    h = Math.imul(h ^ bytes[i], 0x85ebca6b);
    h ^= h >>> 13;
  }
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
