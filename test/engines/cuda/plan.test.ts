import { describe, expect, it } from "vitest";
import { extraSlots, type Plan, planRows, slices, type Words } from "../../../src/engines/cuda/plan.js";
import { shares } from "../../../src/engines/cuda/shares.js";
import { Random } from "../../support/random.js";

const numbers = ({ view }: Words): number[] =>
  Array.from({ length: view.length / 2 }, (_, i) => {
    expect(view[2 * i + 1]).toBe(0); // the upper half of 64 bits
    return view[2 * i];
  });

function offsetsOf(sizes: readonly number[]): Float64Array {
  const offsets = new Float64Array(sizes.length + 1);
  for (let g = 0; g < sizes.length; g++) offsets[g + 1] = offsets[g] + sizes[g];
  return offsets;
}

/** Plays a plan on sets of rows: the rows that end in each group's slot, in order. */
function played(plan: Plan): Map<number, number[]> {
  const [first, length, target] = [plan.first, plan.length, plan.target].map(numbers);
  const slots = new Map<number, number[]>();
  for (const window of plan.windows) {
    for (let item = window.item; item < window.item + window.items; item++) {
      const begin = window.firstRow + first[item];
      expect(first[item] + length[item]).toBeLessThanOrEqual(window.rows);
      expect(slots.has(target[item])).toBe(false);
      slots.set(
        target[item],
        Array.from({ length: length[item] }, (_, row) => begin + row),
      );
    }
  }
  for (const level of plan.levels) {
    const merged = new Map<number, number[]>();
    const [from, parts, to] = [level.first, level.parts, level.target].map(numbers);
    from.forEach((slot, i) => {
      const rows = Array.from({ length: parts[i] }, (_, part) => slots.get(slot + part) ?? []).flat();
      merged.set(to[i], rows);
    });
    for (const [slot, rows] of merged) slots.set(slot, rows);
  }
  return slots;
}

describe("the plan for rows", () => {
  const sizes = [3, 0, 64, 65, 1000, 7, 64 * 9 + 1, 0];
  const offsets = offsetsOf(sizes);

  it.each([
    [0, 8, 40],
    [0, 8, 100_000],
    [2, 7, 200],
    [3, 3, 10],
  ])(
    "of groups %i to %i, windows of %i rows: every row once, in its group, in order",
    (from, to, windowRows) => {
      const plan = planRows({ offsets, from, to, partRows: 64, mergeParts: 3, windowRows });
      const slots = played(plan);
      for (let g = from; g < to; g++) {
        const want = Array.from({ length: sizes[g] }, (_, row) => offsets[g] + row);
        expect(slots.get(g - from)).toEqual(want);
      }
      expect(Math.max(-1, ...slots.keys())).toBeLessThan(plan.slots);
      const extra = sizes.slice(from, to).reduce((sum, n) => sum + extraSlots(n, 64, 3), 0);
      expect(plan.slots).toBe(to - from + extra);
      expect(plan.windows.reduce((sum, { groups }) => sum + groups, 0)).toBe(to - from);
    },
  );

  it("keeps windows to their rows, but for a part that is longer", () => {
    const { windows } = planRows({ offsets, from: 0, to: 8, partRows: 64, mergeParts: 3, windowRows: 40 });
    for (const { rows } of windows) expect(rows).toBeLessThanOrEqual(64);
  });

  it("reads no part of a merge after its slot was written in the same launch", () => {
    const { levels } = planRows({ offsets, from: 0, to: 8, partRows: 8, mergeParts: 2, windowRows: 1000 });
    for (const { first, parts, target } of levels) {
      const [from, many, to] = [first, parts, target].map(numbers);
      const read = new Set(from.flatMap((slot, i) => Array.from({ length: many[i] }, (_, k) => slot + k)));
      for (const slot of to) expect(read.has(slot)).toBe(false);
    }
  });
});

it("slices hold every group once, in order, within the bytes where one group allows it", () => {
  const random = new Random(1);
  const bytes = Array.from({ length: 200 }, () => random.integer(1, 50));
  const ranges = slices(200, 40, (g) => bytes[g]);
  expect(ranges[0].from).toBe(0);
  expect(ranges.at(-1)?.to).toBe(200);
  ranges.forEach(({ from, to }, i) => {
    if (i > 0) expect(from).toBe(ranges[i - 1].to);
    const sum = bytes.slice(from, to).reduce((a, b) => a + b, 0);
    expect(sum <= 40 || to - from === 1).toBe(true);
  });
});

describe("the shares of devices", () => {
  const load = { groups: 1000, dims: 2, offsets: offsetsOf(Array(1000).fill(10)), rowBytes: 16 };

  it("are about equal, and hold every group once", () => {
    const cut = shares(load, 3, true);
    expect(cut.map(({ to, from }) => to - from)).toEqual([334, 333, 333]);
    expect(cut.map(({ device }) => device)).toEqual([0, 1, 2]);
  });

  it("are by bytes, not by groups", () => {
    const offsets = offsetsOf([9000, ...Array(999).fill(1)]);
    expect(shares({ ...load, offsets }, 2, true)).toEqual([
      { device: 0, from: 0, to: 1 },
      { device: 1, from: 1, to: 1000 },
    ]);
  });

  it("are of one device where nobody has named more and little is to be done", () => {
    expect(shares(load, 8, false)).toEqual([{ device: 0, from: 0, to: 1000 }]);
    expect(shares({ ...load, rowBytes: 16e4 }, 8, false)).toHaveLength(8);
  });

  it("are at most one a group, and one of nothing", () => {
    expect(shares({ ...load, groups: 2, offsets: offsetsOf([5, 5]) }, 8, true)).toHaveLength(2);
    expect(shares({ ...load, groups: 0, offsets: offsetsOf([]) }, 8, true)).toEqual([
      { device: 0, from: 0, to: 0 },
    ]);
  });
});
