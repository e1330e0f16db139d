import { describe, expect, it } from "vitest";
import { Batch } from "../../src/batch.js";
import { invert, multiply, transpose } from "../../src/engines/reference/matrix.js";
import { evaluate } from "../../src/evaluate.js";
import { type FitOptions, fit } from "../../src/fit.js";
import type { Fits } from "../../src/fits.js";
import { expectClose, expectSameBits, norm } from "../support/close.js";
import { gaussianBatch, generalFactor, selectGroups, selectRows } from "../support/gaussians.js";
import { GOLDEN, goldenBatch } from "../support/golden.js";
import { conditionOf, congruent, expectScatter, matrixOf } from "../support/matrices.js";
import { Random } from "../support/random.js";
import { conditioned, MOMENT_TOLERANCE } from "../support/tolerances.js";
import { DIMENSIONS, openReference, raggedSizes, type Subject, statisticsOf } from "./subject.js";

const FIELDS = ["mean", "covariance", "factor", "logLikelihood", "residual", "gap"] as const;

/** Status, moments, factor and likelihood; what a factorisation of that condition may lose. */
export function expectFits(got: Fits, want: Fits): void {
  const d = want.dims;
  expect(got.status).toEqual(want.status);
  expectSameBits(got.count, want.count, "count");
  for (let g = 0; g < want.groups; g++) {
    const covariance = matrixOf(want.covariance, g, d);
    expectScatter(
      matrixOf(got.covariance, g, d),
      covariance,
      d,
      MOMENT_TOLERANCE,
      `covariance of group ${g}`,
    );
    if (want.status[g] !== "converged") continue;
    const factor = matrixOf(want.factor, g, d);
    const tolerance = conditioned(conditionOf(factor, d));
    for (let i = 0; i < d; i++) {
      const deviation = Math.sqrt(covariance[i * d + i]);
      const [a, b] = [got.factor, want.factor].map((of) => matrixOf(of, g, d).subarray(i * d, (i + 1) * d));
      expectClose(a, b, tolerance * deviation, `row ${i} of the factor of group ${g}`);
    }
    const scale = want.weight[g] * d + Math.abs(want.logLikelihood[g]);
    const [a, b] = [got.logLikelihood[g], want.logLikelihood[g]];
    expectClose([a], [b], tolerance * scale, `log-likelihood of group ${g}`);
  }
}

export function fitConformance(subject: Subject): void {
  const on = (options: FitOptions = {}): FitOptions => ({ engine: subject.engine, ...options });

  describe("fit in closed form", () => {
    it.each(GOLDEN.map((one) => [one.name, one] as const))("has the golden values: %s", async (_, golden) => {
      const d = golden.dims;
      const got = await fit(goldenBatch(golden), on());
      golden.groups.forEach(({ count, weight, maximum }, g) => {
        const without = count === 0 ? "empty" : "too-few-rows";
        expect(got.status[g]).toBe(maximum ? "converged" : without);
        if (!maximum) return;
        const covariance = Float64Array.from(maximum.covariance);
        expectScatter(matrixOf(got.covariance, g, d), covariance, d, MOMENT_TOLERANCE, "covariance");
        const tolerance = conditioned(conditionOf(Float64Array.from(maximum.factor), d));
        expectClose(matrixOf(got.factor, g, d), maximum.factor, tolerance * norm(maximum.factor), "factor");
        const scale = weight * d + Math.abs(maximum.logLikelihood);
        expectClose([got.logLikelihood[g]], [maximum.logLikelihood], tolerance * scale, "log-likelihood");
        expect(got.residual[g]).toBeLessThan(tolerance);
        expect(got.gap[g]).toBeGreaterThanOrEqual(0);
        expect(got.gap[g]).toBeLessThan(tolerance);
        expect(got.iterations[g]).toBe(0);
      });
    });

    it.each(DIMENSIONS)("agrees with the reference (d = %i)", async (d) => {
      const random = new Random(200 + d);
      for (const weighted of [false, true]) {
        const batch = gaussianBatch(random, { dims: d, sizes: raggedSizes(d), weighted });
        expectFits(await fit(batch, on()), await fit(batch, { engine: await openReference() }));
      }
    });

    it.each(DIMENSIONS)(
      "gives S symmetric, S = LLᵀ, L lower triangular, positive diagonal (d = %i)",
      async (d) => {
        const batch = gaussianBatch(new Random(300 + d), { dims: d, sizes: [2 * d + 5] });
        const { covariance, factor } = await fit(batch, on());
        expectSameBits(transpose(covariance, d), covariance, "Sᵀ");
        for (let i = 0; i < d; i++) {
          expect(factor[i * d + i]).toBeGreaterThan(0);
          for (let j = i + 1; j < d; j++) expect(factor[i * d + j]).toBe(0);
        }
        const product = multiply(factor, transpose(factor, d), d);
        expectScatter(product, covariance, d, d * MOMENT_TOLERANCE, "LLᵀ");
      },
    );

    it.each([1, 2, 4, 8, 9, 33])("ends where the gradients (7), (9) and (14) vanish (d = %i)", async (d) => {
      const batch = gaussianBatch(new Random(400 + d), { dims: d, sizes: [3 * d + 9], weighted: true });
      const fits = await fit(batch, on());
      const { dJ1dFactor, dJ2dFactor, dJ2dMean, objective } = await evaluate(batch, fits, on());
      const sum = dJ1dFactor.map((entry, e) => entry + dJ2dFactor[e]);
      const tolerance = conditioned(conditionOf(fits.factor, d)) * norm(dJ1dFactor);
      expectClose(sum, new Float64Array(d * d), tolerance, "∂J/∂Λ");
      expectClose(dJ2dMean, new Float64Array(d), tolerance, "∂J/∂μ");
      expectClose(objective, [-fits.logLikelihood[0]], 1e-12 * Math.abs(objective[0]), "J = −log P");
    });

    it.each([1, 2, 5, 9, 16])("follows an affine map y = xM + t (d = %i)", async (d) => {
      const random = new Random(500 + d);
      const batch = gaussianBatch(random, { dims: d, sizes: [2 * d + 20] });
      const [m, t] = [generalFactor(random, d, 100), random.normals(d)];
      const mapped = Batch.fromOffsets(affine(batch.x, m, t, d), batch.offsets, { dims: d });
      for (const method of ["closed-form", "newton"] as const) {
        const options = on({ method, tolerance: 1e-10 });
        const [plain, image] = [await fit(batch, options), await fit(mapped, options)];
        // The map itself rounds; its condition is 10, S sees its square.
        const tolerance = method === "newton" ? 1e-8 : 1e-12;
        const mean = affine(plain.mean, m, t, d);
        expectClose(image.mean, mean, 1e-12 * (norm(plain.mean) * norm(m) + norm(t)), "mean");
        const covariance = congruent(plain.covariance, m, d);
        expectClose(
          image.covariance,
          covariance,
          tolerance * norm(plain.covariance) * norm(m) ** 2,
          "covariance",
        );
        const n = plain.weight[0];
        const determinant = invert(m, d)?.logAbsDeterminant as number;
        expectClose(
          image.logLikelihood,
          [plain.logLikelihood[0] - n * determinant],
          tolerance * n * d,
          "log P",
        );
      }
    });

    it("divides by n − 1 with ddof 1", async () => {
      const batch = gaussianBatch(new Random(600), { dims: 3, sizes: [10, 4, 3, 1] });
      const [biased, unbiased] = [await fit(batch, on()), await fit(batch, on({ ddof: 1 }))];
      expect(unbiased.status).toEqual(["converged", "converged", "too-few-rows", "too-few-rows"]);
      [10, 4, 3].forEach((n, g) => {
        const want = matrixOf(biased.covariance, g, 3).map((entry) => (entry * n) / (n - 1));
        expectScatter(matrixOf(unbiased.covariance, g, 3), want, 3, MOMENT_TOLERANCE, "covariance");
      });
      expect(matrixOf(unbiased.covariance, 3, 3).every(Number.isNaN)).toBe(true);
      expect(unbiased.logLikelihood[0]).toBeLessThan(biased.logLikelihood[0]);
    });

    it("gives the same from rows and from their statistics", async () => {
      const batch = gaussianBatch(new Random(610), { dims: 4, sizes: [3, 0, 90, 12], weighted: true });
      const statistics = await statisticsOf(subject.engine, batch);
      for (const method of ["closed-form", "newton", "lbfgs"] as const) {
        const [a, b] = [await fit(statistics, on({ method })), await fit(batch, on({ method }))];
        for (const name of FIELDS) expectSameBits(a[name], b[name], name);
      }
    });

    it("of a group is the same alone as among others, whatever their order", async () => {
      const random = new Random(620);
      for (const d of [1, 2, 4, 8, 9]) {
        const batch = gaussianBatch(random, { dims: d, sizes: [30, 0, 500, 2, 12, 77, 41, 19] });
        const order = random.permutation(batch.groups);
        for (const method of ["closed-form", "newton", "lbfgs"] as const) {
          const all = await fit(batch, on({ method }));
          const shuffled = await fit(selectGroups(batch, order), on({ method }));
          for (const [at, g] of order.entries()) {
            const alone = await fit(selectGroups(batch, [g]), on({ method }));
            for (const [other, h] of [[alone, 0] as const, [shuffled, at] as const]) {
              const what = `${method}, group ${g}`;
              expectSameBits(matrixOf(other.factor, h, d), matrixOf(all.factor, g, d), what);
              expectSameBits(other.residual.subarray(h, h + 1), all.residual.subarray(g, g + 1), what);
              expect(other.iterations[h], what).toBe(all.iterations[g]);
            }
          }
        }
      }
    });

    it("does not depend on the order of the rows, but for rounding", async () => {
      const random = new Random(630);
      const batch = gaussianBatch(random, { dims: 4, sizes: [500], offset: 1e8 });
      const shuffled = selectRows(batch, random.permutation(500), [500]);
      expectFits(await fit(shuffled, on()), await fit(batch, on()));
    });

    it("of no groups is empty", async () => {
      const got = await fit(Batch.fromOffsets([], [0], { dims: 2 }), on());
      expect([got.groups, got.status.length, got.counts]).toEqual([0, 0, {}]);
    });

    it("fits 10007 groups", async () => {
      const random = new Random(640);
      const sizes = Array.from({ length: 10_007 }, () => random.integer(0, 9));
      const batch = gaussianBatch(random, { dims: 2, sizes, condition: 10 });
      expectFits(await fit(batch, on()), await fit(batch, { engine: await openReference() }));
    });
  });
}

/** xM + t, row by row */
function affine(x: ArrayLike<number>, m: Float64Array, t: Float64Array, d: number): Float64Array {
  return Float64Array.from({ length: x.length }, (_, e) => {
    const [row, j] = [Math.floor(e / d), e % d];
    let sum = t[j];
    for (let i = 0; i < d; i++) sum += x[row * d + i] * m[i * d + j];
    return sum;
  });
}
