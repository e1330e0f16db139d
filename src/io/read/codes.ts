import { INLINE_BYTES } from "../duckdb/settings.js";
import type { NativeNumbers } from "./numbers.js";
import type { Validity } from "./table.js";
import { isValid } from "./vectors.js";

const FIRST_CAPACITY = 1024;

/** 4 MiB of address space, of which a page is taken where a number in it is met. */
const KNOWN = 2 ** 20;

/** What keys are: whole numbers and long texts, which have a number each, say by themselves where their code is kept. */
export type KeyKind = "whole" | "text" | "other";

/**
 * Numbers distinct keys from 0 in order of first appearance. A key is a fixed number of 32-bit words.
 *
 * Open addressing with linear probing, at most half full. The keys themselves lie one after the other, so that the table of
 * slots can be remade from them when it grows. kernels/rows/numbers.cpp does the same with the same memory, several times as fast.
 */
export class CodeTable {
  readonly width: number;
  /** [size, width] and room to spare */
  keys: Uint32Array;
  size = 0;
  /** The code of what has no key, or −1. */
  none = -1;
  /** Code + 1, or 0 where free. */
  slots: Uint32Array;
  /** Code + 1 of the first whole numbers, or of the first long texts, or 0: they need no hashing. */
  readonly known: Uint32Array | undefined;
  private readonly kind: KeyKind;
  private readonly native: NativeNumbers | undefined;

  constructor(width: number, kind: KeyKind = "other", native?: NativeNumbers) {
    this.width = width;
    this.kind = kind;
    this.keys = new Uint32Array(FIRST_CAPACITY * width);
    this.slots = new Uint32Array(2 * FIRST_CAPACITY);
    this.native = native;
    if (kind !== "other") this.known = new Uint32Array(KNOWN);
  }

  /** The codes of `count` keys that lie one after the other, into `codes[first + i·stride]`. */
  codeEach(
    words: Uint32Array,
    validity: Validity,
    count: number,
    codes: Uint32Array,
    first: number,
    stride: number,
  ): void {
    if (this.native) {
      const to = codes.subarray(first);
      for (let i = 0; i < count; ) {
        if (this.isFull) this.grow();
        i = this.native.numberKeys(this, words, validity, i, count, to, stride);
      }
      return;
    }
    const { width } = this;
    let before = -1; // neighbours are often in the same group
    for (let i = 0, at = 0, to = first; i < count; i++, at += width, to += stride) {
      if (!isValid(validity, i)) {
        codes[to] = this.codeOfNone();
        continue;
      }
      codes[to] =
        before >= 0 && isSame(words, before * width, words, at, width)
          ? codes[first + before * stride]
          : this.code(words, at);
      before = i;
    }
  }

  /** The code of the key at `words[at]`, a new one if it was not met before. */
  private code(words: Uint32Array, at: number): number {
    const { known } = this;
    const place = this.placeOf(words, at);
    if (!known || place < 0 || place >= known.length) return this.find(words, at);
    if (known[place] === 0) known[place] = this.find(words, at) + 1;
    return known[place] - 1;
  }

  /** Among what is known, or −1. */
  private placeOf(words: Uint32Array, at: number): number {
    if (this.kind === "whole") return words[at + 1] === 0 ? words[at] : -1;
    return this.kind === "text" && words[at] > INLINE_BYTES ? words[at + 2] : -1;
  }

  private codeOfNone(): number {
    if (this.none < 0) {
      this.none = this.size;
      this.append(new Uint32Array(this.width), 0);
    }
    return this.none;
  }

  private find(words: Uint32Array, at: number): number {
    const { width, slots, keys } = this;
    const mask = slots.length - 1;
    for (let slot = hash(words, at, width) & mask; ; slot = (slot + 1) & mask) {
      const taken = slots[slot];
      if (taken === 0) {
        slots[slot] = this.size + 1;
        return this.append(words, at);
      }
      if (isSame(keys, (taken - 1) * width, words, at, width)) return taken - 1;
    }
  }

  private append(words: Uint32Array, at: number): number {
    const { width } = this;
    const code = this.size++;
    for (let w = 0; w < width; w++) this.keys[code * width + w] = words[at + w];
    if (this.isFull) this.grow();
    return code;
  }

  private get isFull(): boolean {
    return 2 * this.size === this.slots.length;
  }

  private grow(): void {
    const { width } = this;
    const keys = new Uint32Array(2 * this.keys.length);
    keys.set(this.keys);
    this.keys = keys;
    this.slots = new Uint32Array(2 * this.slots.length);
    const mask = this.slots.length - 1;
    for (let code = 0; code < this.size; code++) {
      if (code === this.none) continue;
      let slot = hash(keys, code * width, width) & mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
      this.slots[slot] = code + 1;
    }
  }
}

function isSame(a: Uint32Array, atA: number, b: Uint32Array, atB: number, width: number): boolean {
  for (let w = 0; w < width; w++) if (a[atA + w] !== b[atB + w]) return false;
  return true;
}

/** The multiply-and-shift mixing of MurmurHash3 (Appleby 2011) over the words of a key. */
function hash(words: Uint32Array, at: number, width: number): number {
  let h = 0;
  for (let w = 0; w < width; w++) {
    h = Math.imul(h ^ words[at + w], 0x85ebca6b);
    h ^= h >>> 13;
  }
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
