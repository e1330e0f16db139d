import { describe, expect, it } from "vitest";
import { Batch } from "../../src/batch.js";
import { type FitOptions, fit } from "../../src/fit.js";
import type { Fits } from "../../src/fits.js";
import type { Method } from "../../src/methods.js";
import { expectClose } from "../support/close.js";
import { gaussianBatch, generalParameters } from "../support/gaussians.js";
import { conditionOf, expectScatter, matrixOf } from "../support/matrices.js";
import { Random } from "../support/random.js";
import { conditioned } from "../support/tolerances.js";
import type { Subject } from "./subject.js";

export const FAST = ["newton", "lbfgs", "cg", "bb"] as const;
/** Linear convergence at a rate of about 1 − 1/κ: held to a tolerance that they reach. */
export const SLOW = ["gradient-descent", "momentum"] as const;
const SLOW_TOLERANCE = 1e-4;
/** Higham (1986): 6 to 14 steps. */
const NEWTON_ITERATIONS = 15;
/** At condition 300, d to 33: seen are 13 to 25. In the entries of Λ, instead of relative to it, it takes hundreds from d = 5 on. */
const LBFGS_ITERATIONS = 40;

const isSlow = (method: Method): boolean => method === "gradient-descent" || method === "momentum";

/** The status says of each fit what its residual says. */
export function expectHonest(fits: Fits, maxIterations: number): void {
  const { tolerance } = fits.origin;
  fits.status.forEach((status, g) => {
    if (status === "converged") expect(fits.residual[g]).toBeLessThanOrEqual(tolerance);
    if (status === "max-iterations") expect(fits.residual[g]).toBeGreaterThan(tolerance);
    // NaN where no point with a likelihood was met, as from a singular Λ.
    if (status === "stalled") expect(fits.residual[g] <= tolerance).toBe(false);
    if (status === "max-iterations") expect(fits.iterations[g]).toBe(maxIterations);
    expect(fits.iterations[g]).toBeLessThanOrEqual(maxIterations);
  });
}

/** Every group converged, to the maximum that the closed form gives. */
function expectMaximum(got: Fits, best: Fits): void {
  const d = best.dims;
  expect(got.counts).toEqual({ converged: got.groups });
  for (let g = 0; g < got.groups; g++) {
    const want = matrixOf(best.covariance, g, d);
    // ‖I − W‖ = ‖L⁻¹(S − Ŝ)L⁻ᵀ‖ up to second order, so r bounds what S is off in units of its own deviations.
    const tolerance = 2 * got.origin.tolerance + conditioned(conditionOf(matrixOf(best.factor, g, d), d));
    expectScatter(matrixOf(got.covariance, g, d), want, d, tolerance, `covariance of group ${g}`);
    for (let j = 0; j < d; j++) {
      const deviation = Math.sqrt(want[j * d + j]);
      const [a, b] = [got.mean[g * d + j], best.mean[g * d + j]];
      expectClose([a], [b], tolerance * (deviation + Math.abs(b)), `mean of group ${g}`);
    }
    expect(got.residual[g]).toBeLessThanOrEqual(got.origin.tolerance);
    // Near the optimum the gap is r²/4 for the covariance and r²/2 for the mean.
    expect(got.gap[g]).toBeGreaterThanOrEqual(0);
    expect(got.gap[g]).toBeLessThanOrEqual(got.residual[g] ** 2 + 1e-20);
    const scale = got.weight[g] * d + Math.abs(best.logLikelihood[g]);
    const loss = best.logLikelihood[g] - got.logLikelihood[g];
    expect(Math.abs(loss - got.weight[g] * got.gap[g])).toBeLessThan(tolerance ** 2 * scale + 1e-12 * scale);
  }
}

export function methodsConformance(subject: Subject): void {
  const run = (batch: Batch, options: FitOptions) => fit(batch, { engine: subject.engine, ...options });
  const dimensions = subject.large === true ? [1, 2, 3, 4, 5, 8, 9, 16, 33] : [1, 2, 3, 4, 5, 8, 9, 16];

  describe.each([...FAST, ...SLOW])("fit with %s", (method) => {
    const reach: FitOptions = isSlow(method)
      ? { method, tolerance: SLOW_TOLERANCE, maxIterations: 20_000 }
      : { method, tolerance: 1e-8, maxIterations: 3000 };
    const condition = isSlow(method) ? 30 : 300;

    it.each(dimensions)("reaches the maximum from the default start (d = %i)", async (d) => {
      const batch = gaussianBatch(new Random(700 + d), {
        dims: d,
        sizes: [4 * d + 9, 100, 7 * d],
        condition,
      });
      const got = await run(batch, reach);
      expectMaximum(got, await run(batch, {}));
      if (method === "newton") expect(Math.max(...got.iterations)).toBeLessThanOrEqual(NEWTON_ITERATIONS);
      if (method === "lbfgs") expect(Math.max(...got.iterations)).toBeLessThanOrEqual(LBFGS_ITERATIONS);
    });

    it.each([1, 2, 4, 5, 9])("reaches the maximum from a general square Λ (d = %i)", async (d) => {
      const random = new Random(800 + d);
      const batch = gaussianBatch(random, {
        dims: d,
        sizes: [4 * d + 9, 100],
        condition: 30,
        weighted: true,
      });
      const init = generalParameters(random, 2, d, 10);
      const got = await run(batch, { ...reach, init });
      expectMaximum(got, await run(batch, {}));
      expect(Math.min(...got.iterations)).toBeGreaterThan(0);
      if (method === "newton") expect(Math.max(...got.iterations)).toBeLessThanOrEqual(NEWTON_ITERATIONS);
    });

    it("reaches the maximum from Λ = I in the units of the data", async () => {
      const batch = gaussianBatch(new Random(900), { dims: 3, sizes: [40, 9], condition: 10 });
      expectMaximum(await run(batch, { ...reach, init: "identity" }), await run(batch, {}));
    });

    it("is not misled by the units of the data from the default start", async () => {
      const plain = gaussianBatch(new Random(910), { dims: 4, sizes: [50], condition: 30, offset: 5 });
      const units = [1e-12, 1e12, 1, 1e3];
      const x = plain.x.map((value, e) => value * units[e % 4]);
      const batch = Batch.fromOffsets(x, plain.offsets, { dims: 4 });
      expectMaximum(await run(batch, reach), await run(batch, {}));
    });

    it("stalls at once where the given Λ is singular, and says so", async () => {
      const batch = gaussianBatch(new Random(915), { dims: 2, sizes: [9, 20] });
      // A column of zeros stays one in any units; of two proportional columns rounding may make a regular Λ, which is a start.
      const factor = [1, 0, 2, 0, 1, 0, 3, 1];
      const got = await run(batch, { ...reach, init: { mean: new Float64Array(4), factor } });
      expect(got.status).toEqual(["stalled", "converged"]);
      expect(matrixOf(got.factor, 0, 2).every(Number.isNaN)).toBe(true);
      expect([got.residual[0], got.logLikelihood[0], got.iterations[0]]).toEqual([Number.NaN, Number.NaN, 0]);
      expect(got.describe(0)).toBe(
        `${method} cannot start from the Λ that was given: it is singular, or too far away; start from default`,
      );
    });

    it("says max-iterations where the budget ends first", async () => {
      const batch = gaussianBatch(new Random(920), { dims: 6, sizes: [60, 90], condition: 1e3 });
      for (const maxIterations of [0, 2]) {
        const got = await run(batch, { method, maxIterations });
        expect(got.counts).toEqual({ "max-iterations": 2 });
        expectHonest(got, maxIterations);
        expect(got.residual.every((r) => r > 1e-8 && Number.isFinite(r))).toBe(true);
        expect(got.gap.every((gap) => gap > 0)).toBe(true);
      }
    });

    it("never says converged short of a tolerance that nothing reaches", async () => {
      const batch = gaussianBatch(new Random(930), { dims: 5, sizes: [60, 90], condition: 1e3 });
      const got = await run(batch, { method, tolerance: 1e-30, maxIterations: 400 });
      expectHonest(got, 400);
      expect(got.status).not.toContain("converged");
      // The attempt must have come as far as rounding lets it, or the budget.
      if (method === "newton" || method === "lbfgs") expect(Math.max(...got.residual)).toBeLessThan(1e-6);
    });

    it("states the gap to the maximum, which falls with every larger budget", async () => {
      const batch = gaussianBatch(new Random(940), { dims: 4, sizes: [50], condition: 100, weighted: true });
      const best = await run(batch, {});
      const init = generalParameters(new Random(941), 1, 4, 10);
      const gaps = [];
      for (const maxIterations of [0, 10, 40]) {
        const got = await run(batch, { method, maxIterations, tolerance: 1e-12, init });
        const loss = (best.logLikelihood[0] - got.logLikelihood[0]) / got.weight[0];
        expectClose(got.gap, [loss], 1e-12 * (loss + Math.abs(best.logLikelihood[0])), "(J − J*)/n");
        gaps.push(got.gap[0]);
      }
      expect(gaps[1]).toBeLessThan(gaps[0]);
      expect(gaps[2]).toBeLessThanOrEqual(gaps[1]);
    });
  });
}
