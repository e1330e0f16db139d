import { describe, expect, it } from "vitest";
import { Batch } from "../../../src/batch.js";
import type { Precision } from "../../../src/methods.js";
import type { Statistics } from "../../../src/statistics.js";
import { expectSameBits } from "../../support/close.js";
import { gaussianBatch } from "../../support/gaussians.js";
import { Random } from "../../support/random.js";
import { closedForm, ENGINES, inEngine, inSharedMemory, uniforms } from "./support.js";

const THREADS = [1, 2, 3];

/** What decides how rows are cut: many small groups, none, groups beyond a slice and beyond a part, wide rows. */
const SHAPES: readonly { readonly name: string; readonly dims: number; readonly sizes: readonly number[] }[] =
  [
    { name: "ragged small groups", dims: 3, sizes: Array.from({ length: 500 }, (_, g) => (g * 7) % 40) },
    { name: "a group of many parts between small ones", dims: 2, sizes: [5, 400_000, 0, 9] },
    { name: "groups about the length of a slice", dims: 8, sizes: [16_383, 16_384, 16_385, 32_769] },
    { name: "wide rows", dims: 70, sizes: [90, 4000, 1] },
    { name: "no rows at all", dims: 4, sizes: [0, 0, 0] },
    { name: "no group at all", dims: 4, sizes: [] },
  ];

function batchOf(dims: number, sizes: readonly number[], dtype: Precision, weighted: boolean): Batch {
  const offsets = [0];
  for (const size of sizes) offsets.push(offsets[offsets.length - 1] + size);
  const rows = offsets[offsets.length - 1];
  const x = uniforms(rows * dims, dtype);
  return Batch.fromOffsets(x, offsets, weighted ? { dims, weights: uniforms(rows) } : { dims });
}

function expectSameStatistics(got: Statistics, want: Statistics, what: string): void {
  for (const field of ["count", "weight", "mean", "scatter"] as const) {
    expectSameBits(got[field], want[field], `${what}: ${field}`);
  }
}

describe.each(ENGINES)(
  "$name: the same bits for any number of threads and however the rows come",
  ({ open }) => {
    const kinds = [
      { dtype: "float64", weighted: false },
      { dtype: "float64", weighted: true },
      { dtype: "float32", weighted: false },
      { dtype: "float32", weighted: true },
    ] as const;
    describe.each(SHAPES)("$name", ({ dims, sizes }) => {
      it.each(kinds)("$dtype, weighted: $weighted", async ({ dtype, weighted }) => {
        const plain = batchOf(dims, sizes, dtype, weighted);
        const shape = plain.weights ? { dims, weights: inSharedMemory(plain.weights) } : { dims };
        const shared = Batch.fromOffsets(inSharedMemory(plain.x), plain.offsets, shape);
        let want: Statistics | undefined;
        for (const threads of THREADS) {
          await using engine = await open({ threads });
          const paths = { plain, shared, own: inEngine(engine, plain) };
          for (const [path, batch] of Object.entries(paths)) {
            await using session = await engine.open(batch);
            const got = await session.statistics();
            want ??= got;
            expectSameStatistics(got, want, `${threads} threads, ${path}`);
          }
        }
      });
    });

    it.each(["closed-form", "newton", "lbfgs", "cg"] as const)("of a fit by %s", async (method) => {
      const batch = gaussianBatch(new Random(5), { dims: 4, sizes: Array(101).fill(12) });
      const fits = [];
      for (const threads of THREADS) {
        await using engine = await open({ threads });
        await using session = await engine.open(batch);
        fits.push(await session.fit({ ...closedForm, method }));
      }
      for (const fit of fits) {
        for (const field of ["mean", "covariance", "factor", "residual", "gap", "logLikelihood"] as const) {
          expectSameBits(fit[field], fits[0][field], field);
        }
        expect(fit.iterations).toEqual(fits[0].iterations);
      }
    });

    it("of a fit on rows and on their statistics", async () => {
      const batch = gaussianBatch(new Random(6), { dims: 3, sizes: Array(60).fill(20), weighted: true });
      await using engine = await open();
      await using fused = await engine.open(batch);
      const onRows = await fused.fit(closedForm);
      const again = await fused.fit(closedForm);
      await using session = await engine.open(await fused.statistics());
      const onStatistics = await session.fit(closedForm);
      for (const other of [again, onStatistics]) {
        for (const field of ["count", "weight", "mean", "covariance", "factor", "logLikelihood"] as const) {
          expectSameBits(other[field], onRows[field], field);
        }
      }
    });
  },
);

describe.each(ENGINES)("$name: rows", ({ open }) => {
  it("of a group of many parts have the mean and scatter that a plain sum gives", async () => {
    const n = 300_000;
    const x = uniforms(n * 2);
    await using engine = await open();
    await using session = await engine.open(Batch.fromDense(x, { groups: 1, rows: n, dims: 2 }));
    const { mean, scatter, count } = await session.statistics();
    const sums = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      sums[0] += (x[2 * i] - 0.5) ** 2;
      sums[1] += (x[2 * i] - 0.5) * (x[2 * i + 1] - 0.5);
      sums[2] += x[2 * i];
    }
    expect(count[0]).toBe(n);
    expect(mean[0]).toBeCloseTo(sums[2] / n, 10);
    expect(scatter[0]).toBeCloseTo(sums[0] - n * (mean[0] - 0.5) ** 2, 6);
    expect(scatter[1]).toBeCloseTo(sums[1] - n * (mean[0] - 0.5) * (mean[1] - 0.5), 6);
  });

  const BYTES = 4.5 * 2 ** 30;
  it.runIf(process.env.MVNFIT_TEST_LARGE)(
    "beyond 4 GiB are read to the end (set MVNFIT_TEST_LARGE=1: takes 5 GiB and some seconds)",
    async () => {
      const [dims, n] = [8, 4096];
      const groups = BYTES / (8 * dims * n);
      const x = new Float64Array(new SharedArrayBuffer(BYTES), 0, BYTES / 8);
      const group = uniforms(n * dims);
      for (let g = 0; g < groups; g++) x.set(group, g * n * dims);
      x[x.length - 1] += 1;
      await using engine = await open();
      await using session = await engine.open(Batch.fromDense(x, { groups, rows: n, dims }));
      const { mean } = await session.statistics();
      const first = mean.slice(0, dims);
      for (let g = 0; g < groups - 1; g++) {
        expectSameBits(mean.subarray(g * dims, (g + 1) * dims), first, `group ${g}`);
      }
      expect(mean[mean.length - 1] - first[dims - 1]).toBeCloseTo(1 / n, 12);
    },
    120_000,
  );
});

describe.each(ENGINES)("$name: a buffer of the caller's", ({ open }) => {
  const rows = 500;
  const batchOn = (buffer: ArrayBuffer): Batch => {
    const x = new Float64Array(buffer);
    x.set(uniforms(rows * 2));
    return Batch.fromDense(x, { groups: 10, rows: rows / 10, dims: 2 });
  };

  it("may be resizable", async () => {
    const bytes = rows * 2 * 8;
    const resizable = new (ArrayBuffer as unknown as new (bytes: number, more: object) => ArrayBuffer)(
      bytes,
      {
        maxByteLength: 2 * bytes,
      },
    );
    await using engine = await open();
    await using session = await engine.open(batchOn(resizable));
    await using other = await engine.open(batchOn(new ArrayBuffer(bytes)));
    expectSameStatistics(await session.statistics(), await other.statistics(), "resizable");
  });

  it("that has been transferred away is an error", async () => {
    const buffer = new ArrayBuffer(rows * 2 * 8);
    const batch = batchOn(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    await using engine = await open();
    await using session = await engine.open(batch);
    await expect(session.statistics()).rejects.toThrow(/the batch's rows are no longer there/);
  });
});
