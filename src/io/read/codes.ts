const FIRST_CAPACITY = 1024;

/**
 * Numbers distinct keys from 0 in order of first appearance. A key is a fixed number of 32-bit words.
 *
 * Open addressing with linear probing, at most half full. The keys themselves lie one after the other, so that the table of
 * slots can be remade from them when it grows.
 */
export class CodeTable {
  readonly width: number;
  /** [size, width] and room to spare */
  keys: Uint32Array;
  size = 0;
  /** Code + 1, or 0 where free. */
  private slots: Uint32Array;

  constructor(width: number) {
    this.width = width;
    this.keys = new Uint32Array(FIRST_CAPACITY * width);
    this.slots = new Uint32Array(2 * FIRST_CAPACITY);
  }

  /** The code of the key at `words[at]`, a new one if it was not met before. */
  code(words: Uint32Array, at: number): number {
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

  /** The codes of `count` keys that lie one after the other, into `codes[first + i·stride]`. */
  codeEach(words: Uint32Array, count: number, codes: Uint32Array, first: number, stride: number): void {
    const { width } = this;
    for (let i = 0, at = 0, to = first; i < count; i++, at += width, to += stride) {
      // Neighbours are often in the same group.
      codes[to] =
        i > 0 && isSame(words, at - width, words, at, width) ? codes[to - stride] : this.code(words, at);
    }
  }

  /** A code that no key has: for what is not a key. */
  reserve(): number {
    const none = new Uint32Array(this.width);
    this.reserved.add(this.size);
    return this.append(none, 0);
  }

  private readonly reserved = new Set<number>();

  private append(words: Uint32Array, at: number): number {
    const { width } = this;
    const code = this.size++;
    for (let w = 0; w < width; w++) this.keys[code * width + w] = words[at + w];
    if (2 * this.size === this.slots.length) this.grow();
    return code;
  }

  private grow(): void {
    const { width } = this;
    const keys = new Uint32Array(2 * this.keys.length);
    keys.set(this.keys);
    this.keys = keys;
    this.slots = new Uint32Array(2 * this.slots.length);
    const mask = this.slots.length - 1;
    for (let code = 0; code < this.size; code++) {
      if (this.reserved.has(code)) continue;
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
