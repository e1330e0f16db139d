import { describe, expect, it } from "vitest";
import { Batch } from "../../src/batch.js";
import type { CodedRows } from "../../src/engine.js";
import { nativeProvider, openNative } from "../../src/engines/native/provider.js";
import { referenceProvider } from "../../src/engines/reference/provider.js";
import { expectRelative } from "../support/close.js";
import { Random } from "../support/random.js";

const { available } = await nativeProvider.probe();

/** Rows of groups in no order; groups appear as the rows go by. */
function rowsOf(rows: number, dims: number, groups: number, weighted: boolean): CodedRows {
  const random = new Random(rows + dims);
  return {
    rows,
    x: Float64Array.from({ length: rows * dims }, () => 100 + random.normal()),
    codes: Uint32Array.from({ length: rows }, (_, r) =>
      Math.floor(random.uniform() * Math.min(groups, 1 + (r * groups) / (rows / 2))),
    ),
    ...(weighted && { weights: Float64Array.from({ length: rows }, () => random.uniform()) }),
  };
}

/** Blocks of so many rows, each with the number of groups by its end. */
function* blocksOf({ rows, x, codes, weights }: CodedRows, length: number): Generator<[CodedRows, number]> {
  const dims = x.length / rows;
  let groups = 0;
  for (let from = 0; from < rows; from += length) {
    const to = Math.min(rows, from + length);
    for (const code of codes.subarray(from, to)) groups = Math.max(groups, code + 1);
    const block = { rows: to - from, x: x.slice(from * dims, to * dims), codes: codes.slice(from, to) };
    yield [weights ? { ...block, weights: weights.slice(from, to) } : block, groups];
  }
}

async function accumulated(all: CodedRows, length: number, threads: number, groups: number) {
  await using engine = await openNative({ threads });
  const dims = all.x.length / all.rows;
  const accumulator = engine.accumulate!({ dims, weighted: all.weights !== undefined });
  for (const [block, met] of blocksOf(all, length)) await accumulator.add(block, met);
  return accumulator.statistics(groups);
}

describe.runIf(available)("an accumulator", () => {
  it.each([
    { dims: 1, groups: 9000, weighted: false },
    { dims: 3, groups: 50, weighted: true },
    { dims: 8, groups: 5000, weighted: false },
    { dims: 70, groups: 40, weighted: true },
  ])(
    "sums what a batch of the same rows sums: $groups groups of $dims, weighted: $weighted",
    async (shape) => {
      const { dims, groups, weighted } = shape;
      const all = rowsOf(20_000, dims, groups, weighted);
      const got = await accumulated(all, 700, 2, groups);
      const reference = await referenceProvider.create({});
      const batch = Batch.fromCodes(all.x, all.codes, {
        dims,
        groups,
        ...(all.weights && { weights: all.weights }),
      });
      await using session = await reference.open(batch);
      const want = await session.statistics();
      expect(got.count).toEqual(want.count);
      expectRelative(got.weight, want.weight, 1e-13);
      for (const field of ["mean", "scatter"] as const) expectRelative(got[field], want[field], 1e-12);
      const again = await accumulated(all, 6000, 1, groups);
      for (const field of ["count", "weight", "mean", "scatter"] as const)
        expect(again[field]).toEqual(got[field]);
    },
  );

  it("of groups that have had no rows yet has them empty", async () => {
    await using engine = await openNative({ threads: 2 });
    const statistics = await engine.accumulate!({ dims: 2, weighted: false }).statistics(3);
    expect([...statistics.count]).toEqual([0, 0, 0]);
    expect(statistics.mean.every(Number.isNaN)).toBe(true);
    expect(statistics.scatter.every((value) => value === 0)).toBe(true);
  });

  it("is refused by an engine that has been closed", async () => {
    const engine = await openNative({ threads: 1 });
    await engine.close();
    expect(() => engine.accumulate!({ dims: 2, weighted: false })).toThrow("the engine is closed");
  });

  it("says how much memory it lacks", async () => {
    await using engine = await openNative({ threads: 1 });
    expect(() => engine.accumulate!({ dims: 3_000_000, weighted: false })).toThrow(
      /^native: \d+ MiB for the statistics of groups of 3000000 columns cannot be had/,
    );
  });
});
