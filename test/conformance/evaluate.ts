import { describe, expect, it } from "vitest";
import { Batch } from "../../src/batch.js";
import { multiply, transpose } from "../../src/engines/reference/matrix.js";
import { evaluate } from "../../src/evaluate.js";
import type { Evaluation } from "../../src/evaluation.js";
import { expectClose, expectSameBits, norm } from "../support/close.js";
import { gaussianBatch, generalParameters, selectGroups } from "../support/gaussians.js";
import { GOLDEN, goldenBatch } from "../support/golden.js";
import { matrixOf, vectorOf } from "../support/matrices.js";
import { Random } from "../support/random.js";
import { GRADIENT_TOLERANCE, GRADIENT_TOLERANCE_FLOAT32, UNIT } from "../support/tolerances.js";
import { DIMENSIONS, openReference, raggedSizes, type Subject, statisticsOf } from "./subject.js";

/** Group by group, each equation relative to the norm of its terms. */
function expectEvaluation(got: Evaluation, want: Evaluation, weight: Float64Array, tolerance: number): void {
  const d = want.dims;
  expect(got.status).toEqual(want.status);
  for (let g = 0; g < want.groups; g++) {
    if (want.status[g] !== "ok") continue;
    const terms = weight[g] * d + Math.abs(want.j1[g]) + want.j2[g];
    const gradient = norm(matrixOf(want.dJ1dFactor, g, d)) + norm(matrixOf(want.dJ2dFactor, g, d));
    expectClose([got.j1[g]], [want.j1[g]], tolerance * terms, `J₁ of group ${g}`);
    expectClose([got.j2[g]], [want.j2[g]], tolerance * terms, `J₂ of group ${g}`);
    expectClose([got.objective[g]], [want.objective[g]], tolerance * terms, `J of group ${g}`);
    for (const name of ["dJ1dFactor", "dJ2dFactor"] as const) {
      const [a, b] = [matrixOf(got[name], g, d), matrixOf(want[name], g, d)];
      expectClose(a, b, tolerance * gradient, `${name} of group ${g}`);
    }
    const [a, b] = [vectorOf(got.dJ2dMean, g, d), vectorOf(want.dJ2dMean, g, d)];
    expectClose(a, b, tolerance * (norm(b) + gradient), `dJ2dMean of group ${g}`);
  }
}

const FIELDS = ["j1", "j2", "objective", "dJ1dFactor", "dJ2dMean", "dJ2dFactor"] as const;

export function evaluateConformance(subject: Subject): void {
  const on = (options = {}) => ({ engine: subject.engine, ...options });

  describe("evaluate", () => {
    it.each(GOLDEN.map((one) => [one.name, one] as const))("has the golden values: %s", async (_, golden) => {
      const d = golden.dims;
      const got = await evaluate(goldenBatch(golden), golden.at, on());
      golden.groups.forEach(({ count, weight, mean, equations: want }, g) => {
        expect(got.status[g]).toBe(count === 0 ? "empty" : "ok");
        if (count === 0) return;
        // An engine that works on the statistics knows x̄ only to its rounding, which far from the origin is the larger part.
        const rounding = UNIT * golden.offset * Math.sqrt(d);
        const deviation = norm(mean.map((value, j) => value - golden.at.mean[g * d + j]));
        const j2Tolerance = GRADIENT_TOLERANCE * want.j2 + rounding * norm(want.dJ2dMean);
        const j1Tolerance = GRADIENT_TOLERANCE * (weight * d + Math.abs(want.j1));
        expectClose([got.j1[g]], [want.j1], j1Tolerance, "J₁, eq. (3)");
        expectClose([got.j2[g]], [want.j2], j2Tolerance, "J₂, eq. (4)");
        expectClose([got.objective[g]], [want.objective], j1Tolerance + j2Tolerance, "J, eq. (2)");
        const size = norm(want.dJ1dFactor);
        expectClose(matrixOf(got.dJ1dFactor, g, d), want.dJ1dFactor, GRADIENT_TOLERANCE * size, "eq. (7)");
        expectClose(
          vectorOf(got.dJ2dMean, g, d),
          want.dJ2dMean,
          GRADIENT_TOLERANCE * want.dJ2dMeanScale + rounding * want.dJ2dMeanSlope,
          "eq. (9)",
        );
        expectClose(
          matrixOf(got.dJ2dFactor, g, d),
          want.dJ2dFactor,
          GRADIENT_TOLERANCE * norm(want.dJ2dFactor) +
            (rounding * want.dJ2dMeanSlope * deviation * size) / weight,
          "eq. (14)",
        );
      });
    });

    it.each(DIMENSIONS)("agrees with the reference, summed over the rows (d = %i)", async (d) => {
      const random = new Random(100 + d);
      const sizes = raggedSizes(d);
      const at = generalParameters(random, sizes.length, d);
      for (const weighted of [false, true]) {
        const batch = gaussianBatch(random, { dims: d, sizes, weighted });
        const { weight } = await statisticsOf(subject.engine, batch);
        const want = await evaluate(batch, at, { engine: await openReference() });
        expectEvaluation(await evaluate(batch, at, on()), want, weight, GRADIENT_TOLERANCE);
      }
    });

    it.runIf(subject.precisions.includes("float32"))("in float32 agrees with the reference", async () => {
      for (const d of [1, 2, 4, 8, 9]) {
        const random = new Random(150 + d);
        const batch = gaussianBatch(random, { dims: d, sizes: [0, d, 60], dtype: "float32" });
        const at = generalParameters(random, 3, d);
        const { weight } = await statisticsOf(subject.engine, batch);
        const want = await evaluate(batch, at, { engine: await openReference() });
        const got = await evaluate(batch, at, on({ precision: "float32" }));
        expectEvaluation(got, want, weight, GRADIENT_TOLERANCE_FLOAT32);
      }
    });

    it("gives the same from rows and from their statistics", async () => {
      const random = new Random(160);
      const batch = gaussianBatch(random, { dims: 5, sizes: [0, 3, 90] });
      const at = generalParameters(random, 3, 5);
      const statistics = await statisticsOf(subject.engine, batch);
      const [a, b] = [await evaluate(statistics, at, on()), await evaluate(batch, at, on())];
      expectEvaluation(a, b, statistics.weight, GRADIENT_TOLERANCE);
    });

    it.each([1, 2, 5, 8, 33])("has ΛᵀG symmetric, G = ∂J/∂Λ (d = %i)", async (d) => {
      const random = new Random(170 + d);
      const batch = gaussianBatch(random, { dims: d, sizes: [d + 20] });
      const at = generalParameters(random, 1, d);
      const { dJ1dFactor, dJ2dFactor } = await evaluate(batch, at, on());
      const transposed = transpose(at.factor, d);
      const product = multiply(
        transposed,
        dJ1dFactor.map((entry, e) => (entry + dJ2dFactor[e]) / 2),
        d,
      );
      const size = norm(at.factor) * (norm(dJ1dFactor) + norm(dJ2dFactor));
      expectClose(transpose(product, d), product, GRADIENT_TOLERANCE * size, "ΛᵀG");
    });

    it("has ΛᵀG = n(I − W) and Λᵀ ∂J₁/∂Λ = 2n I", async () => {
      const random = new Random(180);
      const at = generalParameters(random, 1, 4);
      const { dJ1dFactor } = await evaluate(gaussianBatch(random, { dims: 4, sizes: [30] }), at, on());
      const identity = Float64Array.from({ length: 16 }, (_, e) => (e % 5 === 0 ? 60 : 0));
      const size = norm(at.factor) * norm(dJ1dFactor);
      expectClose(
        multiply(transpose(at.factor, 4), dJ1dFactor, 4),
        identity,
        GRADIENT_TOLERANCE * size,
        "2n I",
      );
    });

    it("takes one μ and Λ for every group", async () => {
      const random = new Random(190);
      const batch = gaussianBatch(random, { dims: 3, sizes: [5, 0, 9] });
      const one = generalParameters(random, 1, 3);
      const all = {
        mean: Float64Array.from({ length: 9 }, (_, e) => one.mean[e % 3]),
        factor: Float64Array.from({ length: 27 }, (_, e) => one.factor[e % 9]),
      };
      const [got, want] = [await evaluate(batch, one, on()), await evaluate(batch, all, on())];
      for (const name of FIELDS) expectSameBits(got[name], want[name], name);
    });

    it("of a group is the same alone as among others", async () => {
      const random = new Random(195);
      for (const d of [2, 4, 8, 9]) {
        const batch = gaussianBatch(random, { dims: d, sizes: [9, 0, 300, 12, 1] });
        const at = generalParameters(random, 5, d);
        const all = await evaluate(batch, at, on());
        for (let g = 0; g < 5; g++) {
          const own = { mean: vectorOf(at.mean, g, d), factor: matrixOf(at.factor, g, d) };
          const alone = await evaluate(selectGroups(batch, [g]), own, on());
          expectSameBits(alone.dJ2dFactor, matrixOf(all.dJ2dFactor, g, d), `eq. (14) of group ${g}`);
          expectSameBits(alone.objective, all.objective.subarray(g, g + 1), `J of group ${g}`);
        }
      }
    });

    it("gives zeros without rows, −∞ and NaN at a singular Λ, NaN for rows that are not finite", async () => {
      const batch = Batch.fromOffsets([1, 2, 3, 5, 1, Number.NaN, 4, 4, 0, 1], [0, 0, 2, 3, 5], { dims: 2 });
      const regular = [2, 0, 1, 1];
      const factor = [...regular, 1, 2, 2, 4, ...regular, ...regular];
      const got = await evaluate(batch, { mean: new Float64Array(8), factor }, on());
      expect(got.status).toEqual(["empty", "singular", "non-finite", "ok"]);
      expect([...got.j1.subarray(0, 3)]).toEqual([0, -Infinity, Number.NaN]);
      for (const name of ["j2", "objective"] as const) {
        expect([...got[name].subarray(0, 3)]).toEqual([0, Number.NaN, Number.NaN]);
      }
      for (const name of ["dJ1dFactor", "dJ2dFactor"] as const) {
        const expected = [0, Number.NaN, Number.NaN].flatMap((value) => [value, value, value, value]);
        expect([...got[name].subarray(0, 12)], name).toEqual(expected);
      }
      expect(got.dJ2dMean.subarray(6).every(Number.isFinite)).toBe(true);
    });

    it("of no groups is empty", async () => {
      const got = await evaluate(Batch.fromOffsets([], [0], { dims: 2 }), { mean: [], factor: [] }, on());
      expect([got.groups, got.j1.length, got.status.length]).toEqual([0, 0, 0]);
    });

    it("does not mind large and small units", async () => {
      const random = new Random(198);
      const d = 4;
      const units = [1e-12, 1e12, 1, 1e6];
      const batch = gaussianBatch(random, { dims: d, sizes: [40] });
      const at = generalParameters(random, 1, d);
      const scaled = Batch.fromOffsets(
        batch.x.map((value, e) => value * units[e % d]),
        [0, 40],
        { dims: d },
      );
      const scaledAt = {
        mean: at.mean.map((value, j) => value * units[j]),
        factor: at.factor.map((value, e) => value * units[Math.floor(e / d)]),
      };
      const want = await evaluate(batch, at, on());
      const got = await evaluate(scaled, scaledAt, on());
      const size = norm(want.dJ1dFactor) + norm(want.dJ2dFactor);
      expectClose(got.j2, want.j2, GRADIENT_TOLERANCE * want.j2[0], "J₂");
      for (const name of ["dJ1dFactor", "dJ2dFactor"] as const) {
        const back = got[name].map((value, e) => value * units[Math.floor(e / d)]);
        expectClose(back, want[name], GRADIENT_TOLERANCE * size, name);
      }
    });
  });
}
