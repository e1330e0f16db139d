import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Batch } from "../src/batch.js";
import { transpose } from "../src/engines/reference/matrix.js";
import { moments } from "../src/engines/reference/moments.js";
import { rowsOf } from "../src/engines/reference/rows.js";
import { InputError } from "../src/errors.js";
import { Statistics, type StatisticsFields } from "../src/statistics.js";
import { expectClose, expectSameBits } from "./support/close.js";
import { Random } from "./support/random.js";

const D = 3;

/** The statistics of `rows` seeded rows about `offset`, as one group. */
function statisticsOfRows(seed: number, rows: number, offset = 0): Statistics {
  const x = new Random(seed).normals(rows * D).map((value) => value + offset);
  const one = moments(rowsOf(Batch.fromOffsets(x, [0, rows], { dims: D }), 0), D);
  return Statistics.from({
    dims: D,
    groups: 1,
    dtype: "float64",
    count: Float64Array.of(one.count),
    weight: Float64Array.of(one.weight),
    mean: one.mean,
    scatter: one.scatter,
  });
}

/** To 1e-12 of the scatter: 40 rows about 10, so that the largest term is some 4000 and cancels to about 40. */
function expectEqual(got: Statistics, want: Statistics): void {
  expect([...got.count, ...got.weight]).toEqual([...want.count, ...want.weight]);
  const scale = 100 * Math.max(1, want.count[0]);
  expectClose(got.mean, want.mean, 1e-12, "mean");
  expectClose(got.scatter, want.scatter, 1e-12 * scale, "scatter");
}

const part = fc.record({
  seed: fc.nat(),
  rows: fc.integer({ min: 0, max: 40 }),
  offset: fc.integer({ min: -10, max: 10 }),
});

describe("Statistics", () => {
  it("merge in any order and any nesting to the same", () => {
    fc.assert(
      fc.property(part, part, part, (p, q, r) => {
        const [a, b, c] = [p, q, r].map(({ seed, rows, offset }) => statisticsOfRows(seed, rows, offset));
        expectEqual(a.merge(b), b.merge(a));
        expectEqual(a.merge(b).merge(c), a.merge(b.merge(c)));
      }),
    );
  });

  it("subtract what was merged", () => {
    fc.assert(
      fc.property(part, part, (p, q) => {
        const [a, b] = [p, q].map(({ seed, rows, offset }) => statisticsOfRows(seed, rows, offset));
        expectEqual(a.merge(b).subtract(b), a);
      }),
    );
  });

  it("merge with none is the same, bit for bit", () => {
    const some = statisticsOfRows(1, 9, 4);
    for (const merged of [some.merge(Statistics.empty(1, D)), Statistics.empty(1, D).merge(some)]) {
      expectSameBits(merged.scatter, some.scatter, "scatter");
      expectSameBits(merged.mean, some.mean, "mean");
    }
  });

  it("keep the scatter symmetric, bit for bit", () => {
    for (let seed = 0; seed < 40; seed += 2) {
      const [a, b] = [statisticsOfRows(seed, 9, 4), statisticsOfRows(seed + 1, 5, -1)];
      const merged = a.merge(b);
      expectSameBits(transpose(merged.scatter, D), merged.scatter, "merged");
      const rest = merged.subtract(b);
      expectSameBits(transpose(rest.scatter, D), rest.scatter, "rest");
    }
  });

  it("leave the operands alone", () => {
    const [a, b] = [statisticsOfRows(1, 9), statisticsOfRows(2, 5)];
    const [mean, scatter] = [a.mean.slice(), b.scatter.slice()];
    a.merge(b);
    expectSameBits(a.mean, mean, "mean");
    expectSameBits(b.scatter, scatter, "scatter");
  });

  it("without any row left are empty", () => {
    const all = statisticsOfRows(3, 7);
    expect(all.subtract(all)).toEqual(Statistics.empty(1, D));
  });

  it("of rows in both storages are judged by the coarser", () => {
    const coarse = Statistics.empty(1, D, "float32");
    expect(statisticsOfRows(1, 5).merge(coarse).dtype).toBe("float32");
    expect(coarse.merge(statisticsOfRows(1, 5)).dtype).toBe("float32");
    expect(statisticsOfRows(1, 5).merge(statisticsOfRows(2, 5)).dtype).toBe("float64");
  });

  const fields = (changes: Partial<StatisticsFields>): StatisticsFields => ({
    ...Statistics.empty(2, D),
    ...changes,
  });

  it.each([
    [{ dims: 0 }, "Statistics.from: dims must be a whole number of at least 1, got 0"],
    [{ groups: -1 }, "Statistics.from: groups must be a whole number of at least 0, got -1"],
    [{ count: new Float64Array(3) }, "Statistics.from: count must have length 2 (one a group), got 3"],
    [{ weight: new Float64Array(1) }, "Statistics.from: weight must have length 2 (one a group), got 1"],
    [{ mean: new Float64Array(5) }, "Statistics.from: mean must have length 6 (d a group), got 5"],
    [{ scatter: new Float64Array(6) }, "Statistics.from: scatter must have length 18 (d·d a group), got 6"],
    [
      { count: Float64Array.of(1, -1) },
      "Statistics.from: count must be finite and not negative, got -1 at group 1",
    ],
    [
      { weight: Float64Array.of(Number.NaN, 1) },
      "Statistics.from: weight must be finite and not negative, got NaN at group 0",
    ],
  ])("refuse wrong fields: %#", (changes, message) => {
    expect(() => Statistics.from(fields(changes))).toThrow(new InputError(message));
  });

  it("refuse others of another shape, and to lose more rows than there are", () => {
    const [some, more] = [statisticsOfRows(1, 5), statisticsOfRows(2, 8)];
    expect(() => some.merge(Statistics.empty(2, D))).toThrow(
      new InputError("Statistics.merge: both must have the same groups and dims, got 1 × 3 and 2 × 3"),
    );
    expect(() => some.subtract(more)).toThrow(
      new InputError(
        "Statistics.subtract: cannot take 8 rows of weight 8 from 5 rows of weight 5 at group 0",
      ),
    );
  });
});
