import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ITEM, planGroups, planRows, renewed, SPLIT, sliceRows } from "../../../src/engines/threads/plan.js";

const CHUNK = 256;

function planOf(sizes: readonly number[], dims: number, threads: number, inPlace = false) {
  const offsets = new Float64Array(sizes.length + 1);
  sizes.forEach((size, g) => {
    offsets[g + 1] = offsets[g] + size;
  });
  const shape = { offsets, dims, chunkRows: CHUNK, rowBytes: 8 * dims, groupBytes: 1000, threads, inPlace };
  return { plan: planRows(shape), offsets };
}

const itemsOf = ({ items }: { items: Float64Array }) =>
  Array.from({ length: items.length / ITEM.words }, (_, i) => {
    const [group, groups, firstRow, endRow, split, part] = items.subarray(i * ITEM.words);
    return { group, groups, firstRow, endRow, split, part };
  });

/** Sizes up to some slices at d = 64 and beyond the most parts. */
const anySizes = fc.array(fc.oneof(fc.nat(50), fc.integer({ min: 0, max: 20_000 }), fc.constant(2_000_000)), {
  maxLength: 40,
});

describe("a plan over rows", () => {
  it("covers every row and every group once, in order, within what windows hold", () => {
    fc.assert(
      fc.property(
        anySizes,
        fc.constantFrom(1, 8, 64, 2000),
        fc.integer({ min: 1, max: 9 }),
        (sizes, d, threads) => {
          const { plan, offsets } = planOf(sizes, d, threads);
          let row = 0;
          let group = 0;
          for (const item of itemsOf(plan)) {
            expect(item.firstRow).toBe(row);
            row = item.endRow;
            expect(item.group).toBe(group);
            expect(item.groups).toBeLessThanOrEqual(plan.mostGroups);
            if (item.endRow === offsets[item.group + item.groups]) group += item.groups;
            const rows = item.endRow - item.firstRow;
            expect(item.groups > 1 ? rows : Math.min(rows, plan.sliceRows)).toBeLessThanOrEqual(
              plan.mostRows,
            );
          }
          expect(row).toBe(offsets[sizes.length]);
          expect(group).toBe(sizes.length);
        },
      ),
    );
  });

  it("cuts a group by its rows and d alone", () => {
    const cuts = (sizes: number[], which: number, threads: number, inPlace: boolean) => {
      const { plan, offsets } = planOf(sizes, 16, threads, inPlace);
      return itemsOf(plan)
        .filter((item) => item.group === which && item.split >= 0)
        .map((item) => [item.firstRow - offsets[which], item.endRow - offsets[which], item.part]);
    };
    const alone = cuts([500_000], 0, 1, false);
    expect(alone.length).toBeGreaterThan(8);
    expect(cuts([3, 500_000, 7], 1, 16, true)).toEqual(alone);
  });

  it("cuts at chunks, and counts the parts of every split group", () => {
    const { plan } = planOf([10, 3_000_000, 5, 900_000], 8, 2);
    const items = itemsOf(plan);
    const splits = plan.splits.length / SPLIT.words;
    let partials = 0;
    for (let split = 0; split < splits; split++) {
      const parts = items.filter((item) => item.split === split);
      const at = split * SPLIT.words;
      expect(plan.splits[at + SPLIT.missing]).toBe(parts.length);
      expect(plan.splits[at + SPLIT.parts]).toBe(parts.length);
      expect(plan.splits[at + SPLIT.first]).toBe(partials);
      expect(parts.map((item) => item.part)).toEqual(parts.map((_, i) => i));
      for (const item of parts.slice(0, -1)) expect((item.endRow - item.firstRow) % CHUNK).toBe(0);
      partials += parts.length;
    }
    expect(splits).toBe(2);
    expect(plan.partials).toBe(partials);
    expect(sliceRows(8, CHUNK) % CHUNK).toBe(0);
  });

  it("gives every thread several items where there are groups enough", () => {
    for (const threads of [1, 2, 8]) {
      expect(itemsOf(planOf(Array(1000).fill(2), 2, threads).plan).length).toBeGreaterThanOrEqual(
        8 * threads,
      );
    }
  });

  it("counts missing parts afresh for every call", () => {
    const { plan } = planOf([2_000_000, 10, 2_000_000], 8, 2);
    const missing = Array.from(plan.splits);
    const first = renewed(plan);
    expect(missing[SPLIT.missing]).toBeGreaterThan(1);
    first.splits.fill(0);
    expect(Array.from(renewed(plan).splits)).toEqual(missing);
  });

  it("keeps what an item's groups read and write within a cache", () => {
    const items = itemsOf(planOf(Array(100_000).fill(2), 2, 1, true).plan);
    expect(Math.max(...items.map((item) => item.groups * 1000))).toBeLessThanOrEqual(2 ** 20);
  });
});

describe("a plan over statistics", () => {
  it("covers every group once", () => {
    fc.assert(
      fc.property(
        fc.nat(5000),
        fc.integer({ min: 1, max: 10 ** 7 }),
        fc.integer({ min: 1, max: 9 }),
        (groups, bytes, threads) => {
          const plan = planGroups(groups, bytes, threads);
          let next = 0;
          for (const item of itemsOf(plan)) {
            expect(item.group).toBe(next);
            expect(item.groups).toBeLessThanOrEqual(plan.mostGroups);
            next += item.groups;
          }
          expect(next).toBe(groups);
        },
      ),
    );
  });
});
