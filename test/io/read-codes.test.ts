import { describe, expect, it } from "vitest";
import { CodeTable } from "../../src/io/read/codes.js";
import { TextTable } from "../../src/io/read/texts.js";
import { hasNull, isValid, tailOf } from "../../src/io/read/vectors.js";

/** More than any first capacity, several times over. */
const MANY = 20_000;

describe("a table of codes", () => {
  it.each([1, 2, 3, 4])("numbers keys of %i words in order of first appearance", (width) => {
    const table = new CodeTable(width);
    // Keys that differ in one word alone, each word in turn.
    const words = new Uint32Array(MANY * width);
    for (let i = 0; i < MANY; i++) words[i * width + (i % width)] = i * 65_536 + 1;
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < MANY; i++) expect(table.code(words, i * width)).toBe(i);
    }
    expect(table.keys.subarray(0, MANY * width)).toEqual(words);
  });

  it("gives a reserved code to no key, also after it has grown", () => {
    const table = new CodeTable(2);
    expect(table.reserve()).toBe(0);
    for (let i = 1; i < MANY; i++) expect(table.code(Uint32Array.of(i, 0), 0)).toBe(i);
    expect(table.code(Uint32Array.of(0, 0), 0)).toBe(MANY);
  });
});

describe("a table of texts", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  it("keeps texts apart that have the same hash", () => {
    // A known collision of FNV-1a in 32 bits.
    const table = new TextTable();
    expect(table.number(bytes("declinate"), 0, 9)).toBe(0);
    expect(table.number(bytes("macallums"), 0, 9)).toBe(1);
    expect(table.number(bytes("declinate"), 0, 9)).toBe(0);
  });

  it("numbers many texts and gives each back", () => {
    const table = new TextTable();
    const text = (i: number) => `text "${i}" é`.repeat(1 + (i % 3));
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < MANY; i++) {
        const own = bytes(`..${text(i)}.`);
        expect(table.number(own, 2, own.length - 1)).toBe(i);
      }
    }
    for (let i = 0; i < MANY; i++) expect(table.text(i)).toBe(text(i));
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
