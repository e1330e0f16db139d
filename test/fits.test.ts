import { describe, expect, it } from "vitest";
import { Batch } from "../src/batch.js";
import { type FitOptions, fit } from "../src/fit.js";
import { Fits } from "../src/fits.js";
import { statusCode } from "../src/status.js";
import { gaussianRows, offsetsOf } from "./support/gaussians.js";
import { Random } from "./support/random.js";

const run = (x: Float64Array, offsets: ArrayLike<number>, dims: number, options: FitOptions = {}) =>
  fit(Batch.fromOffsets(x, offsets, { dims }), { engine: "reference", ...options });

/** One group of 20 rows, each changed by `change`. */
function oneGroup(dims: number, change: (row: Float64Array) => void = () => {}): Float64Array {
  const x = gaussianRows(new Random(31), { dims, sizes: [20], condition: 10 });
  for (let a = 0; a < 20; a++) change(x.subarray(a * dims, (a + 1) * dims));
  return x;
}

const names = (dims: number) => Array.from({ length: dims }, (_, j) => `v${j}`);

describe("Fits", () => {
  it("count each status that occurs, in the order of the codes", async () => {
    const x = gaussianRows(new Random(1), { dims: 2, sizes: [9, 1, 0, 2, 8] });
    const fits = await run(x, offsetsOf([9, 1, 0, 2, 8]), 2);
    expect(Object.entries(fits.counts)).toEqual([
      ["converged", 2],
      ["empty", 1],
      ["too-few-rows", 2],
    ]);
  });

  it("have AIC = 2k − 2ℓ and BIC = k log n − 2ℓ with k = d(d+3)/2, NaN where there is no likelihood", async () => {
    const x = gaussianRows(new Random(2), { dims: 3, sizes: [20, 2] });
    const fits = await run(x, [0, 20, 22], 3);
    expect(fits.freeParameters).toBe(9);
    expect(fits.aic[0]).toBe(18 - 2 * fits.logLikelihood[0]);
    expect(fits.bic[0]).toBeCloseTo(9 * Math.log(20) - 2 * fits.logLikelihood[0], 12);
    expect([fits.aic[1], fits.bic[1]]).toEqual([Number.NaN, Number.NaN]);
  });
});

describe("describe", () => {
  it("says how a closed form ended", async () => {
    const fits = await run(oneGroup(2), [0, 20], 2);
    expect(fits.describe(0)).toMatch(/^fitted in closed form to 20 rows, residual \S+$/);
  });

  it("says how an iterative method ended", async () => {
    const x = oneGroup(3);
    const converged = await run(x, [0, 20], 3, { method: "newton" });
    expect(converged.describe(0)).toMatch(/^newton converged on 20 rows in \d+ iterations, residual \S+$/);
    const short = await run(x, [0, 20], 3, { method: "cg", maxIterations: 1 });
    expect(short.describe(0)).toMatch(
      /^cg used up its 1 iteration at residual \S+, tolerance 1e-8; allow more iterations, or use newton or closed-form$/,
    );
    const stalled = await run(x, [0, 20], 3, { method: "newton", tolerance: 1e-30 });
    expect(stalled.describe(0)).toMatch(
      /^newton found no better point after \d+ iterations, at residual \S+, tolerance 1e-30; use closed-form, or a larger tolerance$/,
    );
  });

  it("counts the rows that lack", async () => {
    const x = gaussianRows(new Random(4), { dims: 4, sizes: [3, 0, 1] });
    const fits = await run(x, [0, 3, 3, 4], 4);
    expect(fits.describe(0)).toBe(
      "3 rows for 4 variables: a covariance needs at least 5; add rows, or fit fewer variables",
    );
    expect(fits.describe(1)).toBe("no rows of positive weight; leave the group out");
    expect(fits.describe(2)).toMatch(/^1 row for 4 variables: a covariance needs at least 5/);
  });

  it.each<[string, (row: Float64Array) => void, string]>([
    ["one", (r) => r.set([0.3], 2), 'column "v2" is constant in this group; leave it out'],
    ["two", (r) => r.set([0.3, 7], 2), 'columns "v2" and "v3" are constant in this group; leave them out'],
    [
      "six",
      (r) => r.set([1, 2, 3, 4, 5, 6], 1),
      'columns "v1", "v2", "v3", "v4" and 2 more are constant in this group; leave them out',
    ],
  ])("names constant columns: %s", async (_, change, sentence) => {
    const fits = await run(oneGroup(8, change), [0, 20], 8);
    expect(fits.describe(0, names(8))).toBe(sentence);
  });

  it.each<[string, (row: Float64Array) => void, string]>([
    [
      "a pair",
      (r) => r.set([r[1] * 2.54 + 3], 3),
      'columns "v1" and "v3" are linearly dependent in this group; leave one out',
    ],
    [
      "a sum",
      (r) => r.set([r[0] - r[4] / 9], 2),
      'columns "v0", "v2" and "v4" are linearly dependent in this group; leave one out',
    ],
    [
      "a sum of all",
      (r) => r.set([r.subarray(0, 7).reduce((a, b) => a + b)], 7),
      'columns "v0", "v1", "v2", "v3" and 4 more are linearly dependent in this group; leave one out',
    ],
    [
      "a constant beside a pair",
      (r) => r.set([5, r[4]], 5),
      'column "v5" is constant in this group; leave it out; columns "v4" and "v6" are linearly dependent in this group; leave one out',
    ],
  ])("names the columns of a linear dependency: %s", async (_, change, sentence) => {
    const fits = await run(oneGroup(8, change), [0, 20], 8);
    expect(fits.status).toEqual(["singular"]);
    expect(fits.describe(0, names(8))).toBe(sentence);
  });

  it("names columns to leave out where several are combinations of others, and that is enough", async () => {
    const x = oneGroup(5, (r) => r.set([r[0] + r[1], r[2] * 3], 3));
    const sentence = (await run(x, [0, 20], 5)).describe(0, names(5));
    const [, one, other] =
      /^columns "v(\d)" and "v(\d)" are linear combinations of the other columns in this group; leave them out$/.exec(
        sentence,
      ) as RegExpExecArray;
    const kept = [0, 1, 2, 3, 4].filter((j) => j !== Number(one) && j !== Number(other));
    const rest = Float64Array.from({ length: 60 }, (_, e) => x[Math.floor(e / 3) * 5 + kept[e % 3]]);
    expect((await run(rest, [0, 20], 3)).status).toEqual(["converged"]);
  });

  it("takes 0, 1, … for the names of columns without names, and quotes names that hold quotes", async () => {
    const fits = await run(
      oneGroup(2, (r) => r.set([1], 1)),
      [0, 20],
      2,
    );
    expect(fits.describe(0)).toBe('column "1" is constant in this group; leave it out');
    expect(fits.describe(0, ["a", 'b"'])).toBe('column "b\\"" is constant in this group; leave it out');
  });

  it("still names a column where rounding has moved the scatter to the other side of the threshold", async () => {
    const fits = await run(oneGroup(3), [0, 20], 3);
    const singular = new Fits(
      { ...fits, dims: 3, groups: 1, statusCode: Uint8Array.of(statusCode("singular")) },
      fits.origin,
    );
    expect(singular.describe(0)).toMatch(/^columns .* are linearly dependent in this group; leave one out$/);
  });

  it("tells NaN and infinite values from values too large", async () => {
    const holding = await run(
      oneGroup(3, (r) => r.set([Number.NaN], 1)),
      [0, 20],
      3,
    );
    expect(holding.describe(0, names(3))).toBe(
      'column "v1" holds NaN or infinite values; mend them or leave those rows out',
    );
    const large = await run(
      oneGroup(3, (r) => r.set([r[2] * 1e200], 2)),
      [0, 20],
      3,
    );
    expect(large.describe(0, names(3))).toBe(
      'the values of "v2" are too large to square in float64; rescale them',
    );
  });
});
