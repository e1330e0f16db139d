import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Batch } from "../src/batch.js";
import { InputError } from "../src/errors.js";
import { offsetsOf } from "./support/gaussians.js";

/** The rows of each group, with their weights. */
const groupsOf = ({ x, offsets, dims, weights }: Batch): number[][] =>
  Array.from({ length: offsets.length - 1 }, (_, g) => [
    ...x.subarray(offsets[g] * dims, offsets[g + 1] * dims),
    ...(weights?.subarray(offsets[g], offsets[g + 1]) ?? []),
  ]);

describe("Batch", () => {
  it("refers to the caller's array and copies no rows", () => {
    const x = new Float64Array(12);
    expect(Batch.fromOffsets(x, [0, 2, 6], { dims: 2 }).x).toBe(x);
    expect(Batch.fromDense(x, { groups: 3, rows: 2, dims: 2 }).x).toBe(x);
  });

  it("keeps float32 rows as they are and makes float64 of plain numbers", () => {
    expect(Batch.fromOffsets(new Float32Array(2), [0, 1], { dims: 2 }).dtype).toBe("float32");
    expect(Batch.fromCodes(new Float32Array(2), [0], { dims: 2 }).dtype).toBe("float32");
    expect(Batch.fromOffsets([1, 2], [0, 1], { dims: 2 }).dtype).toBe("float64");
  });

  it("of a dense array is that of equally spaced offsets", () => {
    const size = fc.integer({ min: 0, max: 5 });
    fc.assert(
      fc.property(size, size, fc.integer({ min: 1, max: 4 }), (groups, rows, dims) => {
        const x = Float64Array.from({ length: groups * rows * dims }, (_, e) => e);
        const dense = Batch.fromDense(x, { groups, rows, dims });
        const ragged = Batch.fromOffsets(x, offsetsOf(Array(groups).fill(rows)), { dims });
        expect(dense).toEqual(ragged);
        expect([dense.groups, dense.rows]).toEqual([groups, groups * rows]);
      }),
    );
  });

  it("of rows with codes is that of the rows sorted by code, in their order", () => {
    const codes = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 40 });
    fc.assert(
      fc.property(codes, fc.integer({ min: 1, max: 3 }), fc.boolean(), (code, dims, weighted) => {
        const x = Float64Array.from({ length: code.length * dims }, (_, e) => e);
        const weights = code.map((_, row) => row / 2);
        const got = Batch.fromCodes(x, code, { dims, groups: 7, ...(weighted ? { weights } : {}) });
        const want = Array.from({ length: 7 }, (_, g) => {
          const rows = [...code.keys()].filter((row) => code[row] === g);
          return [
            ...rows.flatMap((row) => [...x.subarray(row * dims, (row + 1) * dims)]),
            ...(weighted ? rows.map((row) => weights[row]) : []),
          ];
        });
        expect(groupsOf(got)).toEqual(want);
      }),
    );
  });

  it("has as many groups as the largest code says, unless told", () => {
    expect(Batch.fromCodes([1, 2], [3, 0], { dims: 1 }).groups).toBe(4);
    expect(Batch.fromCodes([1, 2], [3, 0], { dims: 1, groups: 9 }).groups).toBe(9);
    expect(Batch.fromCodes([], [], { dims: 1 }).groups).toBe(0);
  });

  const ragged = (offsets: number[], weights?: number[]) => () =>
    Batch.fromOffsets(new Float64Array(8), offsets, weights ? { dims: 2, weights } : { dims: 2 });
  const coded = (codes: number[], groups?: number) => () =>
    Batch.fromCodes(
      new Float64Array(codes.length),
      codes,
      groups === undefined ? { dims: 1 } : { dims: 1, groups },
    );

  it.each([
    [ragged([]), "Batch.fromOffsets: offsets must have length B+1, at least 1, got 0"],
    [ragged([1, 4]), "Batch.fromOffsets: offsets must start at 0, got 1"],
    [ragged([0, 3, 2, 4]), "Batch.fromOffsets: offsets must not decrease, got 2 after 3 at index 2"],
    [ragged([0, 1.5, 4]), "Batch.fromOffsets: offsets must be whole numbers, got 1.5 at index 1"],
    [ragged([0, Number.NaN]), "Batch.fromOffsets: offsets must be whole numbers, got NaN at index 1"],
    [ragged([0, 3]), "Batch.fromOffsets: x must have length 6 (3 rows of 2 values), got 8"],
    [ragged([0, 4], [1, 1]), "Batch.fromOffsets: weights must have length 4 (one a row), got 2"],
    [ragged([0, 4], [1, 1, -0.5, 1]), "Batch.fromOffsets: weights must not be negative, got -0.5 at row 2"],
    [
      ragged([0, 4], [1, 1, 1, Infinity]),
      "Batch.fromOffsets: weights must be finite numbers, got Infinity at row 3",
    ],
    [
      ragged([0, 4], [Number.NaN, 1, 1, 1]),
      "Batch.fromOffsets: weights must be finite numbers, got NaN at row 0",
    ],
    [coded([0, -1]), "Batch.fromCodes: codes must be whole numbers from 0, got -1 at row 1"],
    [coded([0, 2], 2), "Batch.fromCodes: codes must be whole numbers from 0 to 1, got 2 at row 1"],
    [coded([0.5]), "Batch.fromCodes: codes must be whole numbers from 0, got 0.5 at row 0"],
    [
      () => Batch.fromCodes([1, 2, 3], [0, 0], { dims: 2 }),
      "Batch.fromCodes: x must have length 4 (2 codes of 2 values), got 3",
    ],
    [
      () => Batch.fromCodes([1, 2], [0, 0], { dims: 1, weights: [1, -2] }),
      "Batch.fromCodes: weights must not be negative, got -2 at row 1",
    ],
    [
      () => Batch.fromDense([1], { groups: 1.5, rows: 1, dims: 1 }),
      "Batch.fromDense: groups must be a whole number of at least 0, got 1.5",
    ],
    [
      () => Batch.fromDense([1], { groups: 1, rows: -1, dims: 1 }),
      "Batch.fromDense: rows must be a whole number of at least 0, got -1",
    ],
    [
      () => Batch.fromDense([1], { groups: 1, rows: 1, dims: 0 }),
      "Batch.fromDense: dims must be a whole number of at least 1, got 0",
    ],
    [
      () => Batch.fromOffsets(new Int32Array(2) as unknown as Float64Array, [0, 1], { dims: 2 }),
      "Batch.fromOffsets: x must be a Float64Array, a Float32Array or an array of numbers, got Int32Array",
    ],
  ])("refuses a wrong call: %#", (call, message) => {
    expect(call).toThrow(InputError);
    expect(call).toThrow(new InputError(message));
  });
});
