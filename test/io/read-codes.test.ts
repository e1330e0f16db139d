import { describe, expect, it } from "vitest";
import { CodeTable } from "../../src/io/read/codes.js";
import { NativeNumbers } from "../../src/io/read/numbers.js";
import type { KeyVector } from "../../src/io/read/table.js";
import { TextTable } from "../../src/io/read/texts.js";
import { hasNull, isValid, tailOf } from "../../src/io/read/vectors.js";

/** More than any first capacity, several times over. */
const MANY = 20_000;

/** Tables by code of the processor's own, where there is such code for this platform: here there must be. */
const BY = [
  ["JavaScript", undefined],
  ["native code", new NativeNumbers()],
] as const;

describe.each(BY)("a table of codes by %s", (_, native) => {
  const codesOf = (table: CodeTable, words: Uint32Array, validity?: Uint8Array) => {
    const rows = words.length / table.width;
    const codes = new Uint32Array(rows);
    table.codeEach(words, validity, rows, codes, 0, 1);
    return codes;
  };

  it.each([1, 2, 3, 4])("numbers keys of %i words in order of first appearance", (width) => {
    const table = new CodeTable(width, "other", native);
    // Keys that differ in one word alone, each word in turn.
    const words = new Uint32Array(MANY * width);
    for (let i = 0; i < MANY; i++) words[i * width + (i % width)] = i * 65_536 + 1;
    const expected = Uint32Array.from({ length: MANY }, (_, i) => i);
    for (let pass = 0; pass < 2; pass++) expect(codesOf(table, words)).toEqual(expected);
    expect(table.keys.subarray(0, MANY * width)).toEqual(words);
  });

  it("numbers whole numbers, large, small and negative, that come again and again", () => {
    const table = new CodeTable(2, "whole", native);
    const whole = (i: number) => BigInt((i * 7919) % MANY) * [1n, -1n, 1_000_003n, 1n << 40n][i % 4];
    const values = Array.from({ length: 5 * MANY }, (_, i) => whole(i));
    const numbers = new Map<bigint, number>();
    const expected = values.map((value) => {
      if (!numbers.has(value)) numbers.set(value, numbers.size);
      return numbers.get(value)!;
    });
    const words = new Uint32Array(BigInt64Array.from(values).buffer);
    expect(codesOf(table, words)).toEqual(Uint32Array.from(expected));
    expect(table.size).toBe(numbers.size);
  });

  it("gives what is not valid a code that no key has, whatever lies under it and however the table grows", () => {
    const table = new CodeTable(2, "whole", native);
    const rows = 2 * MANY;
    const isNull = (row: number) => row % 2 === 1;
    const validity = new Uint8Array(rows / 8).fill(0x55);
    // Under a null lies the key before it, the one after it, or one that comes nowhere else.
    const words = Uint32Array.from({ length: 2 * rows }, (_, w) => {
      const row = w >> 1;
      if (w % 2 === 1) return 0;
      return isNull(row) ? [row >> 1, (row >> 1) + 1, 7_000_000 + row][row % 3] : row >> 1;
    });
    const codeOf = (row: number) => (isNull(row) ? 1 : row >> 1 === 0 ? 0 : (row >> 1) + 1);
    const expected = Uint32Array.from({ length: rows }, (_, row) => codeOf(row));
    for (let pass = 0; pass < 2; pass++) expect(codesOf(table, words, validity)).toEqual(expected);
    expect([table.none, table.size]).toEqual([1, MANY + 1]);
  });

  it("numbers texts, of which the long ones have a number already", () => {
    const table = new CodeTable(4, "text", native);
    // Length, bytes or the first four of them, number: of twelve bytes, a third word that is no number.
    const short = [12, 7, 1, 9];
    const long = [13, 7, 1, 0];
    const other = [13, 7, 2 ** 31, 0];
    const words = Uint32Array.from([short, long, other, short, other, long].flat());
    for (let pass = 0; pass < 2; pass++) expect([...codesOf(table, words)]).toEqual([0, 1, 2, 0, 2, 1]);
  });

  it("puts codes where they belong among those of other columns", () => {
    const table = new CodeTable(2, "other", native);
    const codes = new Uint32Array(9).fill(9);
    table.codeEach(Uint32Array.of(5, 0, 5, 0, 4, 0), undefined, 3, codes, 1, 3);
    expect([...codes]).toEqual([9, 0, 9, 9, 0, 9, 9, 1, 9]);
  });
});

describe.each(BY)("a table of texts by %s", (_, native) => {
  /** Texts as a block holds them: of long ones, the position in a heap. */
  function vectorOf(texts: readonly (string | null)[]): KeyVector {
    const bytes = texts.map((text) => Buffer.from(text ?? "not valid, and long"));
    const words = new Uint32Array(texts.length * 4);
    const validity = new Uint8Array(Math.ceil(texts.length / 8));
    let at = 3; // no text begins where a word does
    bytes.forEach((text, row) => {
      if (texts[row] !== null) validity[row >> 3] |= 1 << (row & 7);
      words[row * 4] = text.length;
      words[row * 4 + 2] = at;
      if (text.length > 12) at += text.length;
    });
    const long = bytes.filter(({ length }) => length > 12);
    return { words, heap: Buffer.concat([Buffer.from("..."), ...long]), validity };
  }
  const numbersOf = (table: TextTable, texts: readonly (string | null)[]) => {
    const vector = vectorOf(texts);
    const before = vector.words.slice();
    table.numberEach(vector, texts.length);
    return texts.map((text, row) => {
      const own = vector.words.subarray(row * 4, row * 4 + 4);
      if (text !== null && Buffer.byteLength(text) > 12) return own[2];
      expect(own).toEqual(before.subarray(row * 4, row * 4 + 4));
      return undefined;
    });
  };

  it("keeps texts apart that differ in one byte, or in length", () => {
    const texts = ["a long text, one", "a long text, two", "a long text, on", "a long text, one\0"];
    expect(numbersOf(new TextTable(native), [...texts, ...texts])).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
  });

  it("leaves short texts and missing ones alone", () => {
    const texts = ["", "twelve bytes", null, "thirteen byte", null, "thirteen byte"];
    const expected = [undefined, undefined, undefined, 0, undefined, 0];
    expect(numbersOf(new TextTable(native), texts)).toEqual(expected);
  });

  it("numbers many texts, some of them longer than its memory, and gives each back", () => {
    const table = new TextTable(native);
    const text = (i: number) => `the text "${i}" é`.repeat(i % 5000 === 17 ? 10_000 : 1 + (i % 3));
    const texts = Array.from({ length: MANY }, (_, i) => text(i));
    const expected = texts.map((_, i) => i);
    for (let pass = 0; pass < 2; pass++) expect(numbersOf(table, texts)).toEqual(expected);
    for (let i = 0; i < MANY; i++) expect(table.text(i)).toBe(texts[i]);
  });
});

describe("validity", () => {
  it.each([1, 7, 8, 9, 64, 65])("has a null where one of the first %i bits is 0", (rows) => {
    const validity = new Uint8Array(16).fill(0xff);
    expect([hasNull(validity, rows), hasNull(undefined, rows)]).toEqual([false, false]);
    validity[rows >> 3] &= ~(1 << (rows & 7));
    expect(hasNull(validity, rows)).toBe(false);
    expect(hasNull(validity, rows + 1)).toBe(true);
  });

  it.each([1, 8, 13])("and values move along when a chunk loses its first %i rows", (from) => {
    const rows = 40;
    const bit = (i: number) => i % 3 !== 0;
    const bitsOf = (count: number) => {
      const bits = new Uint8Array(Math.ceil(count / 8));
      for (let i = 0; i < count; i++) if (bit(i)) bits[i >> 3] |= 1 << (i & 7);
      return bits;
    };
    const realsOf = (count: number) => ({
      values: Float64Array.from({ length: count }, (_, i) => i),
      validity: bitsOf(count),
    });
    const words = Uint32Array.from({ length: rows * 4 }, (_, i) => i);
    const heap = new Uint8Array(0);
    const tail = tailOf(
      {
        rows,
        values: realsOf(rows * 2),
        weights: realsOf(rows),
        keys: [{ words, heap, validity: undefined }],
      },
      from,
    );
    expect(tail.rows).toBe(rows - from);
    for (const [reals, first] of [
      [tail.values, from * 2],
      [tail.weights!, from],
    ] as const) {
      expect([...reals.values]).toEqual(Array.from({ length: reals.values.length }, (_, i) => first + i));
      reals.values.forEach((_, i) => {
        expect(isValid(reals.validity, i)).toBe(bit(first + i));
      });
    }
    expect(tail.values.values.length).toBe(2 * tail.weights!.values.length);
    expect(tail.keys[0].words[0]).toBe(from * 4);
    expect(tail.keys[0].validity).toBeUndefined();
  });
});
