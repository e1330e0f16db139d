import { describe, expect, it } from "vitest";
import { Batch } from "../../src/batch.js";
import type { Statistics } from "../../src/statistics.js";
import { expectClose, expectSameBits, magnitude } from "../support/close.js";
import { gaussianBatch, selectGroups, selectRows } from "../support/gaussians.js";
import { GOLDEN, goldenBatch } from "../support/golden.js";
import { expectScatter, matrixOf, vectorOf } from "../support/matrices.js";
import { Random } from "../support/random.js";
import { MOMENT_TOLERANCE, MOMENT_TOLERANCE_FLOAT32 } from "../support/tolerances.js";
import { DIMENSIONS, openReference, raggedSizes, type Subject, statisticsOf } from "./subject.js";

/** Group by group, to `tolerance` of √(A_ii A_jj); the mean to that share of its size and of the standard deviation. */
function expectStatistics(got: Statistics, want: Statistics, tolerance: number): void {
  const d = want.dims;
  expectSameBits(got.count, want.count, "count");
  for (let g = 0; g < want.groups; g++) {
    const [scatter, mean] = [matrixOf(want.scatter, g, d), vectorOf(want.mean, g, d)];
    expect(got.weight[g]).toBeCloseTo(want.weight[g], 9);
    expectScatter(matrixOf(got.scatter, g, d), scatter, d, tolerance, `scatter of group ${g}`);
    for (let j = 0; j < d; j++) {
      const deviation = Math.sqrt(scatter[j * d + j] / want.weight[g]);
      const scale = Math.abs(mean[j]) + (Number.isFinite(deviation) ? deviation : 0);
      expectClose([got.mean[g * d + j]], [mean[j]], tolerance * scale, `mean of column ${j} of group ${g}`);
    }
  }
}

function expectSameStatistics(got: Statistics, want: Statistics): void {
  for (const name of ["count", "weight", "mean", "scatter"] as const) {
    expectSameBits(got[name], want[name], name);
  }
}

export function statisticsConformance(subject: Subject): void {
  const statistics = (batch: Batch | Statistics) => statisticsOf(subject.engine, batch);
  const reference = async (batch: Batch) => statisticsOf(await openReference(), batch);

  describe("statistics", () => {
    it.each(GOLDEN.map((one) => [one.name, one] as const))(
      "have the golden values: %s",
      async (_, golden) => {
        const got = await statistics(goldenBatch(golden));
        const d = golden.dims;
        golden.groups.forEach((want, g) => {
          expect(got.count[g]).toBe(want.count);
          if (want.count === 0) return;
          expectClose([got.weight[g]], [want.weight], MOMENT_TOLERANCE * want.weight, "weight");
          const mean = vectorOf(got.mean, g, d);
          expectClose(mean, want.mean, MOMENT_TOLERANCE * (magnitude(want.mean) + 1), "mean");
          const scatter = Float64Array.from(want.scatter);
          expectScatter(matrixOf(got.scatter, g, d), scatter, d, MOMENT_TOLERANCE, "scatter");
        });
      },
    );

    it.each(DIMENSIONS)("agree with the reference (d = %i)", async (d) => {
      const random = new Random(d);
      for (const dtype of ["float64", "float32"] as const) {
        for (const weighted of [false, true]) {
          const batch = gaussianBatch(random, { dims: d, sizes: raggedSizes(d), dtype, weighted, offset: 3 });
          expectStatistics(await statistics(batch), await reference(batch), MOMENT_TOLERANCE);
        }
      }
    });

    it.runIf(subject.precisions.includes("float32"))("sum float32 rows in float32 on request", async () => {
      for (const d of [1, 2, 4, 8, 9, 33]) {
        const batch = gaussianBatch(new Random(d), { dims: d, sizes: [0, 1, d + 1, 700], dtype: "float32" });
        const got = await statisticsOf(subject.engine, batch, { precision: "float32" });
        expectStatistics(got, await reference(batch), MOMENT_TOLERANCE_FLOAT32);
      }
    });

    it("say of a group without rows: count and weight 0, mean NaN, scatter 0", async () => {
      const got = await statistics(Batch.fromOffsets([], [0, 0], { dims: 2 }));
      expect([...got.count, ...got.weight, ...got.mean, ...got.scatter]).toEqual([
        0,
        0,
        Number.NaN,
        Number.NaN,
        0,
        0,
        0,
        0,
      ]);
    });

    it("of no groups are empty", async () => {
      const got = await statistics(Batch.fromOffsets([], [0], { dims: 3 }));
      expect([got.groups, got.dims, got.mean.length]).toEqual([0, 3, 0]);
    });

    it("do not depend on the order of the groups", async () => {
      const random = new Random(11);
      const batch = gaussianBatch(random, { dims: 5, sizes: [3, 9, 0, 40, 1, 300, 7] });
      const order = random.permutation(7);
      const got = await statistics(selectGroups(batch, order));
      const all = await statistics(batch);
      order.forEach((g, at) => {
        expectSameBits(matrixOf(got.scatter, at, 5), matrixOf(all.scatter, g, 5), "scatter");
        expectSameBits(vectorOf(got.mean, at, 5), vectorOf(all.mean, g, 5), "mean");
      });
    });

    it.each([1, 2, 4, 8, 9, 33])("of a group are the same alone as among others (d = %i)", async (d) => {
      const batch = gaussianBatch(new Random(12), { dims: d, sizes: [700, 2, 0, d + 1, 41, 5000] });
      const all = await statistics(batch);
      for (let g = 0; g < batch.groups; g++) {
        const alone = await statistics(selectGroups(batch, [g]));
        expectSameBits(alone.mean, vectorOf(all.mean, g, d), `mean of group ${g}`);
        expectSameBits(alone.scatter, matrixOf(all.scatter, g, d), `scatter of group ${g}`);
      }
    });

    it("do not depend on the order of the rows, but for rounding", async () => {
      const random = new Random(13);
      const batch = gaussianBatch(random, { dims: 4, sizes: [2000], offset: 1e8, weighted: true });
      const shuffled = selectRows(batch, random.permutation(2000), [2000]);
      expectStatistics(await statistics(shuffled), await statistics(batch), MOMENT_TOLERANCE);
    });

    it.each([2, 5, 16])("follow a change of units by powers of two, bit for bit (d = %i)", async (d) => {
      const random = new Random(14);
      const batch = gaussianBatch(random, { dims: d, sizes: [d + 3, 500] });
      const units = Float64Array.from({ length: d }, () => 2 ** random.integer(-40, 40));
      const scaled = Batch.fromOffsets(
        (batch.x as Float64Array).map((value, e) => value * units[e % d]),
        batch.offsets,
        { dims: d },
      );
      const [plain, got] = [await statistics(batch), await statistics(scaled)];
      expectSameBits(
        got.mean,
        plain.mean.map((value, e) => value * units[e % d]),
        "mean",
      );
      const both = plain.scatter.map((value, e) => value * units[Math.floor(e / d) % d] * units[e % d]);
      expectSameBits(got.scatter, both, "scatter");
    });

    it("of the parts merge to those of the whole, and subtract again", async () => {
      for (const d of [1, 3, 8]) {
        const batch = gaussianBatch(new Random(15), { dims: d, sizes: [400, 17], offset: 1e3 });
        const rows = Array.from({ length: 417 }, (_, row) => row);
        const head = rows.filter((row) => row < 150 || row >= 400);
        const tail = rows.filter((row) => row >= 150 && row < 400);
        const [first, second] = [
          await statistics(selectRows(batch, head, [150, 17])),
          await statistics(selectRows(batch, tail, [250, 0])),
        ];
        const whole = await statistics(batch);
        expectStatistics(first.merge(second), whole, MOMENT_TOLERANCE);
        // What is left is a third of the whole; its rounding is the whole's.
        expectStatistics(whole.subtract(second), first, 10 * MOMENT_TOLERANCE);
      }
    });

    it("take a row of weight 2 as two rows", async () => {
      const random = new Random(16);
      const batch = gaussianBatch(random, { dims: 3, sizes: [50, 9] });
      const weights = Float64Array.from({ length: 59 }, () => random.integer(1, 2));
      const twice = [...weights].flatMap((weight, row) => (weight === 2 ? [row, row] : [row]));
      const sizes = [twice.filter((row) => row < 50).length, twice.filter((row) => row >= 50).length];
      const got = await statistics(Batch.fromOffsets(batch.x, batch.offsets, { dims: 3, weights }));
      const want = await statistics(selectRows(batch, twice, sizes));
      expectClose(got.weight, want.count, 0, "weight");
      expectClose(got.mean, want.mean, MOMENT_TOLERANCE * magnitude(want.mean), "mean");
      for (const g of [0, 1]) {
        const [a, b] = [matrixOf(got.scatter, g, 3), matrixOf(want.scatter, g, 3)];
        expectScatter(a, b, 3, MOMENT_TOLERANCE, "scatter");
      }
    });

    it.each([1, 2, 4, 8, 9, 33])(
      "take a row of weight 0 as absent, whatever it holds (d = %i)",
      async (d) => {
        const random = new Random(17);
        const batch = gaussianBatch(random, { dims: d, sizes: [600, d + 3], weighted: true });
        const weights = batch.weights as Float64Array;
        const x = batch.x.slice() as Float64Array;
        const garbage = [Number.NaN, Infinity, -Infinity, 1e308];
        weights.forEach((weight, row) => {
          if (weight === 0) for (let j = 0; j < d; j++) x[row * d + j] = garbage[(row + j) % 4];
        });
        const present = [...weights.keys()].filter((row) => weights[row] > 0);
        const sizes = [present.filter((row) => row < 600).length, present.filter((row) => row >= 600).length];
        const got = await statistics(Batch.fromOffsets(x, batch.offsets, { dims: d, weights }));
        expectStatistics(got, await statistics(selectRows(batch, present, sizes)), MOMENT_TOLERANCE);
      },
    );

    it.each([1, 2, 4, 8, 9, 33])(
      "keep a NaN or an infinity in its column and its group (d = %i)",
      async (d) => {
        const sizes = [30, 30, 30, 30];
        const batch = gaussianBatch(new Random(18), { dims: d, sizes });
        const clean = await statistics(batch);
        const x = batch.x.slice() as Float64Array;
        const column = d - 1;
        x[(30 + 4) * d + column] = Number.NaN;
        x[(60 + 29) * d + column] = Infinity;
        const got = await statistics(Batch.fromOffsets(x, batch.offsets, { dims: d }));
        for (const g of [0, 3]) {
          expectSameBits(vectorOf(got.mean, g, d), vectorOf(clean.mean, g, d), "mean");
          expectSameBits(matrixOf(got.scatter, g, d), matrixOf(clean.scatter, g, d), "scatter");
        }
        const touches = (e: number) => e % d === column || Math.floor(e / d) === column;
        for (const g of [1, 2]) {
          const mean = vectorOf(clean.mean, g, d).map((value, j) => (j === column ? Number.NaN : value));
          const scatter = matrixOf(clean.scatter, g, d).map((value, e) => (touches(e) ? Number.NaN : value));
          expectClose(vectorOf(got.mean, g, d), mean, MOMENT_TOLERANCE, "mean");
          expectScatter(matrixOf(got.scatter, g, d), scatter, d, MOMENT_TOLERANCE, "scatter");
        }
      },
    );

    it("are the same from rows in the engine's own memory", async () => {
      for (const dtype of ["float64", "float32"] as const) {
        const batch = gaussianBatch(new Random(19), { dims: 6, sizes: [70, 0, 3000], dtype, weighted: true });
        const layout = { offsets: batch.offsets, dims: 6, dtype, weighted: true };
        const own = subject.engine.allocate(layout);
        expect(own.dtype).toBe(dtype);
        (own.x as Float64Array).set(batch.x);
        (own.weights as Float64Array).set(batch.weights as Float64Array);
        expectSameStatistics(await statistics(own), await statistics(batch));
        own.release();
      }
    });

    it("hold for 100000 rows beside 2", async () => {
      const batch = gaussianBatch(new Random(20), { dims: 3, sizes: [2, 100_000, 2], offset: 1e4 });
      expectStatistics(await statistics(batch), await reference(batch), MOMENT_TOLERANCE);
    });

    it("hold for 10007 groups of 0 to 10 rows", async () => {
      const random = new Random(21);
      const sizes = Array.from({ length: 10_007 }, () => random.integer(0, 10));
      const batch = gaussianBatch(random, { dims: 3, sizes });
      expectStatistics(await statistics(batch), await reference(batch), MOMENT_TOLERANCE);
    });

    it.runIf(subject.large === true)(
      "hold for 1000000 rows beside groups of 10, and for d = 128 and 256",
      async () => {
        const wide = [128, 256].map((d) => gaussianBatch(new Random(d), { dims: d, sizes: [d + 30, 3] }));
        const long = gaussianBatch(new Random(22), { dims: 2, sizes: [10, 1_000_000, 10], offset: 100 });
        for (const batch of [...wide, long]) {
          expectStatistics(await statistics(batch), await reference(batch), MOMENT_TOLERANCE);
        }
      },
    );
  });
}
